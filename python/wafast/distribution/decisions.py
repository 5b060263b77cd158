"""Why somebody is written to by this device and no other: every decision, as it was taken."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from wafast.database.queries import load

if TYPE_CHECKING:
    import asyncpg

q = load(__file__)


class DecisionRow(msgspec.Struct, frozen=True):
    """One decision: `device_id` got the person or the row, or None took it back to the pool; `code` names the reason,
    and `reason` tells it."""

    id: int
    at: datetime
    device_id: UUID | None
    device_name: str | None
    code: str
    reason: str
    outbox_id: int | None
    distribution_id: int | None


def with_score(reason: str, score: int | None) -> str:
    """The reason of a decision about somebody with a score: it was his turn before the others'."""
    return reason if score is None else f"{reason}; scored {score}, and the highest scores come first"


async def of_row(pool: asyncpg.Pool, tenant_id: int, outbox_id: int) -> list[DecisionRow]:
    """About one row of the outbox, newest first, twenty at most."""
    return [_decision(row) for row in await pool.fetch(q.decisions_of_row, tenant_id, outbox_id)]


async def of_lead(
    pool: asyncpg.Pool, tenant_id: int, lead_id: int, device_ids: frozenset[UUID] | None
) -> list[DecisionRow] | None:
    """About one person, newest first, twenty at most. None when the tenant has no such person, or it is of a device
    beyond `device_ids`."""
    only = None if device_ids is None else list(device_ids)
    if not await pool.fetchval(q.has_lead, tenant_id, lead_id, only):
        return None
    return [_decision(row) for row in await pool.fetch(q.decisions_of_lead, tenant_id, lead_id)]


def _decision(row: asyncpg.Record) -> DecisionRow:
    return msgspec.convert(dict(row), DecisionRow)
