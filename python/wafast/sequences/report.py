"""What became of the messages of a sequence: by step and by day."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from wafast.database.queries import load

if TYPE_CHECKING:
    import asyncpg

q = load(__file__)

Buckets = Counter[str]
NONE: Buckets = Counter()


class StepFigures(msgspec.Struct, frozen=True):
    """A step's rows by bucket, and the failed ones by cause. `position` is None for a deleted step."""

    step_id: int
    position: int | None
    template: str
    buckets: Buckets
    failed: Buckets


class Day(msgspec.Struct, frozen=True):
    """What left on a day, in the tenant's zone, and what became of that since."""

    step_id: int
    day: date
    sent: int
    delivered: int
    read: int
    replied: int


async def steps(pool: asyncpg.Pool, tenant_id: int, sequence_id: int) -> list[StepFigures]:
    """In order, from one snapshot; a deleted step is there when it has rows."""
    found: dict[int, StepFigures] = {}
    position = 0
    for row in await pool.fetch(q.step_buckets, tenant_id, sequence_id):
        if row["step_id"] not in found:
            position += not row["is_deleted"]
            place = None if row["is_deleted"] else position
            found[row["step_id"]] = StepFigures(row["step_id"], place, row["template"], Counter(), Counter())
        if row["bucket"] is not None:
            found[row["step_id"]].buckets[row["bucket"]] += row["n"]
        if row["bucket"] == "failed":
            found[row["step_id"]].failed[row["cause"] or "other"] += row["n"]
    return list(found.values())


async def days(pool: asyncpg.Pool, tenant_id: int, sequence_id: int, count: int) -> list[Day]:
    """Of the last `count` days those on which something left. It reads every send of theirs."""
    rows = await pool.fetch(q.sent_by_day, tenant_id, sequence_id, count)
    return [msgspec.convert(dict(row), Day) for row in rows]
