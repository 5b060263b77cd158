"""Buckets of a source: they sum to its rows in every snapshot."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from tests.integration.outbox.floor import Floor
from wafast.database.pool import connect
from wafast.outbox import claim as claims
from wafast.outbox.counts import fold
from wafast.outbox.sources import Pace

AT = datetime(2026, 3, 23, 4, tzinfo=UTC)
ROWS = 400
#: What the view says, and what there is, in one snapshot.
BOTH = """
    SELECT (SELECT jsonb_object_agg(bucket, n) FROM (
                SELECT bucket, sum(n) AS n FROM source_buckets GROUP BY bucket HAVING sum(n) <> 0) said) AS said,
           (SELECT jsonb_object_agg(bucket, n) FROM (
                SELECT outbox_bucket(state, cause, replied_at) AS bucket, count(*) AS n FROM outbox GROUP BY 1) real
           ) AS are
"""


async def test_buckets_sum_to_the_total_at_every_moment(floor: Floor, database_uri: str) -> None:
    devices = await floor.devices(4, min_seconds=0, max_seconds=0, per_hour=10**6, per_day=10**6)
    source = await floor.source(Pace(0, 0))
    for device in devices:
        await floor.rows(source, device, ROWS // 4)
    ended = asyncio.Event()
    reader, folder = await connect(database_uri, "reader"), await connect(database_uri, "folder")
    folded: set[int] = set()
    looks = 0

    async def move() -> None:
        ends = ["sent", "delivered", "read", "failed", "unknown", "queued"]
        for turn in range(60):
            at = AT + timedelta(seconds=turn)
            got = await claims.claim(floor.pool, floor.worker, devices, devices, at)
            for place, one in enumerate(got):
                end = ends[(turn + place) % len(ends)]
                for state in ["sent", end] if end in ("delivered", "read") else [end]:
                    await floor.pool.execute(
                        "UPDATE outbox SET state = $2, cause = CASE WHEN $2 = 'failed' THEN 'refused' END,"
                        " message_id = 'M' || id, replied_at = CASE WHEN $2 = 'read' THEN now() END WHERE id = $1",
                        one.id, state,
                    )  # fmt: skip
            if turn % 20 == 10:
                await floor.pool.execute(
                    "UPDATE outbox SET state = 'cancelled', cause = 'by_person' WHERE id IN"
                    " (SELECT id FROM outbox WHERE state = 'queued' ORDER BY id DESC LIMIT 7)"
                )
        ended.set()

    async def read() -> None:
        nonlocal looks
        while not ended.is_set():
            row = await reader.fetchrow(BOTH)
            assert row is not None
            assert row["said"] == row["are"]
            assert sum(row["said"].values()) == ROWS
            looks += 1

    async def sum_up() -> None:
        while not ended.is_set():
            folded.update(await fold(folder))

    await asyncio.gather(move(), read(), sum_up())
    assert folded == {source}
    assert looks > 10
    # what is folded last has a row a sum
    await fold(folder)
    assert await reader.fetchval("SELECT count(*) FROM source_counts") == 0
    assert await fold(folder) == set(), "nothing has moved since"
    row = await reader.fetchrow(BOTH)
    assert row is not None
    assert row["said"] == row["are"]
    await reader.close()
    await folder.close()


async def test_counts_of_a_source_that_is_gone_go(floor: Floor, database_uri: str) -> None:
    [device] = await floor.devices(1)
    source = await floor.source()
    for _ in range(3):
        await floor.rows(source, device, 1)
    await floor.pool.execute("DELETE FROM outbox")
    await floor.pool.execute("DELETE FROM sources")
    folder = await connect(database_uri, "folder")
    assert await fold(folder) == {source}
    assert await floor.pool.fetchval("SELECT count(*) FROM source_sums") == 0
    assert await floor.pool.fetchval("SELECT count(*) FROM source_counts") == 0
    await folder.close()
