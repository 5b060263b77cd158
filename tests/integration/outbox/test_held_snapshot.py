"""While a transaction holds an old snapshot nothing that is dead can go. What a send costs must not grow with it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import asyncpg

from tests.integration.outbox.floor import MONDAY, Floor
from wafast.devices.number_checks import KEPT_DAYS
from wafast.outbox import claim as claims
from wafast.outbox.sources import Pace

DEVICES, ROUNDS = 10, 60


async def _pages(connection: asyncpg.Connection, query: str, *values: Any) -> int:
    """Pages a statement looks at. Nothing of what it does stays."""
    transaction = connection.transaction()
    await transaction.start()
    plan = json.loads(await connection.fetchval("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + query, *values))
    await transaction.rollback()
    return int(plan[0]["Plan"]["Shared Hit Blocks"])


async def test_to_pick_and_to_claim_cost_the_same_however_many_are_dead(floor: Floor, database_uri: str) -> None:
    devices = await floor.devices(DEVICES, min_seconds=0, max_seconds=0, per_hour=10_000, per_day=10_000)
    source = await floor.source(Pace(0, 0))
    for device in devices:
        await floor.rows(source, device, ROUNDS + 1)
    holder, looker = await asyncpg.connect(database_uri), await asyncpg.connect(database_uri)
    held = holder.transaction(isolation="repeatable_read")
    await held.start()
    await holder.fetchval("SELECT count(*) FROM outbox")

    async def pages(at: timedelta) -> tuple[int, int]:
        await looker.execute("ANALYZE outbox")
        picked = await _pages(looker, claims.q.pick, floor.worker, [], devices, [], [], MONDAY + at, KEPT_DAYS, True)
        some = ([value] * DEVICES for value in (1, 1, False, "text", None, None, None, "Hi", None, None))
        return picked, await _pages(looker, claims.q.claim, floor.worker, *some, MONDAY + at)

    first = await pages(timedelta())
    for second in range(ROUNDS):
        assert len(await floor.claim_at(MONDAY + timedelta(seconds=second), devices)) == DEVICES
    last = await pages(timedelta(seconds=ROUNDS))
    await held.rollback()
    await holder.close()
    await looker.close()
    # 314 and 303 pages to pick, 80 and 17 to claim
    assert last[0] < 1.4 * first[0]
    assert last[1] < 5 * DEVICES
