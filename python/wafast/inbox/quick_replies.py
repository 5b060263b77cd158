"""Answers a team writes often, found by what is typed after a slash."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

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


async def add(pool: asyncpg.Pool, tenant_id: int, name: str, body: str, created_by: str) -> QuickReplyRow:
    """Raises NameTaken."""
    row = _row(await pool.fetchrow(q.add_quick_reply, tenant_id, name, body, created_by))
    if row is None:
        raise NameTaken(name)
    return row


async def change(
    pool: asyncpg.Pool, tenant_id: int, reply_id: int, name: str | None, body: str | None
) -> QuickReplyRow | None:
    """The row as it is then, None when there is none. Raises NameTaken."""
    try:
        return _row(await pool.fetchrow(q.change_quick_reply, tenant_id, reply_id, name, body))
    except asyncpg.UniqueViolationError:
        raise NameTaken(name) from None


async def remove(pool: asyncpg.Pool, tenant_id: int, reply_id: int) -> bool:
    """Whether there was one."""
    return await pool.fetchval(q.remove_quick_reply, tenant_id, reply_id) is not None
