"""What was and is to be sent to a lead, of whatever sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.database.queries import load

if TYPE_CHECKING:
    import asyncpg

q = load(__file__)


async def of_lead(pool: asyncpg.Pool, tenant_id: int, lead_id: int, *, before: int, limit: int) -> list[asyncpg.Record]:
    """Rows of the outbox, newest first, with ids below `before`."""
    return await pool.fetch(q.sends_of_lead, tenant_id, lead_id, before, limit)
