"""Who wants nothing more of campaigns and sequences; and by which words people say so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import asyncpg
import msgspec
from msgspec import Meta

from wafast.accounts import audit
from wafast.csv_rows import guarded, pieces
from wafast.database.queries import load
from wafast.leads.rows import tell

if TYPE_CHECKING:
    from wafast.accounts.principal import Principal

q = load(__file__)

#: Later than all there are.
END = datetime(9999, 1, 1, tzinfo=UTC)
PIECE = 5_000


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """A number that campaigns and sequences leave alone."""

    phone: Annotated[str, Meta(examples=["+60123456789"])]
    reason: Annotated[str, Meta(examples=["replied STOP"])]
    created_by: Annotated[str, Meta(description="`lead`, `user:`, `key:` or `import:` with an id.", examples=["lead"])]
    created_at: datetime
    lead_id: Annotated[str | None, Meta(examples=["4711"])]
    name: Annotated[str | None, Meta(description="The lead's.", examples=["Siti"])]


class OptOut(msgspec.Struct, frozen=True):
    """What people write to get no more, and what they are told then."""

    words: Annotated[list[str], Meta(examples=[["stop", "berhenti", "unsubscribe"]])]
    answer: Annotated[str, Meta(examples=["You will get no more of these messages."])]


def suppression_of(row: asyncpg.Record) -> Suppression:
    """A Suppression of a row."""
    fields = {name: row[name] for name in Suppression.__struct_fields__}
    return Suppression(**fields | {"lead_id": None if row["lead_id"] is None else str(row["lead_id"])})


async def list_suppressions(
    pool: asyncpg.Pool, tenant_id: int, *, after: tuple[datetime, str] | None, begins: str | None, limit: int
) -> list[asyncpg.Record]:
    """Rows, newest first.

    Args:
        after: instant and number of the last one before.
        begins: what the number begins with, as `+6012`.
    """
    at, phone = after or (END, "")
    return await pool.fetch(q.list_suppressions, tenant_id, at, phone, begins, limit)


async def add(pool: asyncpg.Pool, principal: Principal, phone: str, reason: str) -> tuple[Suppression, bool]:
    """Adds a number in E.164; one that is there stays as it is. Of a lead out of the caller's reach nothing is told.

    Returns:
        What stands on the list, and whether it is new there.
    """
    tenant_id = principal.tenant_id
    seen = None if principal.device_ids is None else list(principal.device_ids)
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(q.add_suppression, tenant_id, phone, reason, principal.actor, seen)
        assert row is not None, "an insert that always gives its row gave none"
        if row["is_new"]:
            subject = f"suppression:{phone}"
            await audit.record(connection, tenant_id, principal.actor, "suppression.add", subject, reason=reason)
            await tell(connection, tenant_id, [] if row["lead_id"] is None else [row["lead_id"]])
    shown = suppression_of(row)
    if not row["is_seen"]:
        shown = msgspec.structs.replace(shown, lead_id=None, name=None)
    return shown, row["is_new"]


async def remove(pool: asyncpg.Pool, principal: Principal, phone: str) -> bool:
    """Campaigns may write to the person of this number again, at each of its numbers; False when it was not
    suppressed."""
    tenant_id = principal.tenant_id
    async with pool.acquire() as connection, connection.transaction():
        removed = await connection.fetch(q.remove_suppression, tenant_id, phone)
        for row in removed:
            subject, reason = f"suppression:{row['phone']}", row["reason"]
            await audit.record(connection, tenant_id, principal.actor, "suppression.remove", subject, reason=reason)
        await tell(connection, tenant_id, [row["lead_id"] for row in removed if row["lead_id"] is not None])
    return bool(removed)


async def export(pool: asyncpg.Pool, tenant_id: int) -> AsyncIterator[bytes]:
    """All of them as CSV, newest first, a piece at a time."""
    async for piece in pieces(["phone", "reason", "created_by", "created_at"], _pages(pool, tenant_id)):
        yield piece


async def _pages(pool: asyncpg.Pool, tenant_id: int) -> AsyncIterator[list[list[str]]]:
    after: tuple[datetime, str] | None = None
    while rows := await list_suppressions(pool, tenant_id, after=after, begins=None, limit=PIECE):
        yield [[row["phone"], guarded(row["reason"]), row["created_by"], row["created_at"].isoformat()] for row in rows]
        after = rows[-1]["created_at"], rows[-1]["phone"]


async def opt_out(pool: asyncpg.Pool, tenant_id: int) -> OptOut:
    """The tenant's words and answer."""
    row = await pool.fetchrow(q.get_opt_out, tenant_id)
    assert row is not None, f"tenant {tenant_id} is gone"
    return OptOut(**dict(row))


async def change_opt_out(
    pool: asyncpg.Pool, principal: Principal, words: list[str] | None, answer: str | None
) -> OptOut:
    """Other words, trimmed and casefolded, or another answer; None each for those there are."""
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(q.change_opt_out, principal.tenant_id, words, answer)
        assert row is not None, f"tenant {principal.tenant_id} is gone"
        told = {"words": row["words"]}
        await audit.record(connection, principal.tenant_id, principal.actor, "opt_out.change", "opt_out", **told)
    return OptOut(**dict(row))
