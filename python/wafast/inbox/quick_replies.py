"""Answers a team writes often, found by what is typed after a slash."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from wafast.accounts import audit
from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wafast.accounts.principal import Principal
    from wafast.events.bus import Executor

q = load(__file__)


class QuickReplyRow(msgspec.Struct, frozen=True):
    """A row as stored; `name` is in small letters."""

    id: int
    name: str
    body: str
    updated_at: datetime


class NameTaken(Exception):
    """Another quick reply of the tenant has this name."""


def _row(record: asyncpg.Record | None) -> QuickReplyRow | None:
    return None if record is None else msgspec.convert(dict(record), QuickReplyRow)


async def list_rows(
    pool: asyncpg.Pool, tenant_id: int, limit: int, after: int | None = None
) -> Sequence[QuickReplyRow]:
    """By name; `after` is the id of the one before the page."""
    name = None if after is None else await pool.fetchval(q.name_of_quick_reply, tenant_id, after)
    rows = await pool.fetch(q.list_quick_replies, tenant_id, name, limit)
    return [msgspec.convert(dict(row), QuickReplyRow) for row in rows]


async def add(pool: asyncpg.Pool, principal: Principal, name: str, body: str) -> QuickReplyRow:
    """Raises NameTaken."""
    async with pool.acquire() as connection, connection.transaction():
        row = _row(await connection.fetchrow(q.add_quick_reply, principal.tenant_id, name, body, principal.actor))
        if row is None:
            raise NameTaken(name)
        await _note(connection, principal, "quick_reply.create", row.id, name=row.name)
    return row


async def change(
    pool: asyncpg.Pool, principal: Principal, reply_id: int, name: str | None, body: str | None
) -> QuickReplyRow | None:
    """The row as it is then, None when there is none. Raises NameTaken."""
    try:
        async with pool.acquire() as connection, connection.transaction():
            row = _row(await connection.fetchrow(q.change_quick_reply, principal.tenant_id, reply_id, name, body))
            if row is not None:
                await _note(connection, principal, "quick_reply.change", reply_id, name=row.name)
    except asyncpg.UniqueViolationError:
        raise NameTaken(name) from None
    return row


async def remove(pool: asyncpg.Pool, principal: Principal, reply_id: int) -> bool:
    """Whether there was one."""
    async with pool.acquire() as connection, connection.transaction():
        name = await connection.fetchval(q.remove_quick_reply, principal.tenant_id, reply_id)
        if name is not None:
            await _note(connection, principal, "quick_reply.delete", reply_id, name=name)
    return name is not None


async def _note(connection: Executor, principal: Principal, action: str, reply_id: int, *, name: str) -> None:
    await audit.record(connection, principal.tenant_id, principal.actor, action, f"quick_reply:{reply_id}", name=name)
