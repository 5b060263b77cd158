"""The audit log: who did what to what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from wafast.database.queries import load

if TYPE_CHECKING:
    import asyncpg

    from wafast.events.bus import Executor

q = load(__file__)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines; None for any.

    Args:
        actor: as `user:7`.
        action: as `campaign.start`, or its beginning `campaign`.
        subject: as `campaign:12`.
        begin: at this instant or after it.
        end: before this instant.
    """

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    begin: datetime | None = None
    end: datetime | None = None


async def record(
    connection: Executor,
    tenant_id: int,
    actor: str,
    action: str,
    subject: str,
    **detail: Any,
) -> None:
    """Write one line: `record(pool, 1, "user:7", "device.create", "device:0b9f…", name="Sales")`. No secrets."""
    await connection.execute(q.record_audit, tenant_id, actor, action, subject, detail)


async def record_each(
    connection: Executor,
    tenant_id: int,
    actor: str,
    action: str,
    details: Mapping[str, Mapping[str, Any]],
) -> None:
    """`record` for each subject of `details`, in one statement."""
    await connection.execute(
        q.record_audit_of_each, tenant_id, actor, action, list(details), [dict(one) for one in details.values()]
    )


async def list_lines(
    pool: asyncpg.Pool, tenant_id: int, wanted: Wanted, *, before: int, limit: int
) -> list[asyncpg.Record]:
    """Rows of lines with ids below `before`, newest first, with the names of who and what."""
    filters = msgspec.structs.astuple(wanted)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(q.plan_by_filters)
        return await connection.fetch(q.list_audit, tenant_id, before, limit, *filters)
