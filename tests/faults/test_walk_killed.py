"""The jobs of sequences killed at random instants: each gets each step once, each "stop" is confirmed once."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
from collections import Counter
from multiprocessing.process import BaseProcess

import pytest

from tests.database import Database
from tests.integration.sequences.people import People, saying, step
from wafast.answers.follow import keep_answered
from wafast.database.pool import open_pool
from wafast.events import bus
from wafast.sequences import rows
from wafast.sequences.walk import keep_walking

LEADS = 60
STEPS = 5
KILLS = 12
DAY = 86_400
MANY = 2_000
EDITS = 8


def _jobs(uri: str) -> None:
    async def both() -> None:
        await asyncio.gather(keep_walking(uri), keep_answered(uri))

    asyncio.run(both())


class Jobs:
    """A process that walks and follows, killed and started again until the end."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._process = self._start()
        self.kills = 0

    def _start(self) -> BaseProcess:
        process = multiprocessing.get_context("spawn").Process(target=_jobs, args=(self._uri,))
        process.start()
        return process

    async def kill(self) -> None:
        """SIGKILL after a while, and another one."""
        await asyncio.sleep(random.uniform(0.0, 1.5))
        self.stop()
        self._process = self._start()
        self.kills += 1

    def stop(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.join()


@pytest.mark.slow
async def test_killed_jobs_lose_and_double_nothing(database: Database) -> None:
    """SPEC section 10, invariants 1 and 3."""
    uri = database.uri
    pool = await open_pool(uri, size=4, name="test")
    people = await People.make(uri, pool)
    sequence = await people.sequence(*(step(f"{n}") for n in range(STEPS)), stop_on_reply=False)
    later = await people.sequence(step("later", 86_400))
    leads = [await people.lead(phone=f"+601{n:09}") for n in range(2 * LEADS)]
    waits, stays = leads[:LEADS], leads[LEADS:]
    jobs = Jobs(uri)

    async def write() -> None:
        # half of them get all steps, the others say stop before their first
        await people.enrol(later, *waits)
        await people.enrol(sequence, *stays)
        for number in range(LEADS):
            chat, key = await people.write("stop", f"+601{number:09}")
            await bus.publish(
                pool, [{"k": "message", "t": people.tenant_id, "d": people.device_no, "c": chat, "m": [key]}]
            )
            await people.send()
            await asyncio.sleep(random.uniform(0.0, 0.2))

    async def kill() -> None:
        while jobs.kills < KILLS:
            await jobs.kill()

    async def finish() -> None:
        done = "SELECT count(*) = 0 FROM enrolments WHERE ended_at IS NULL"
        async with asyncio.timeout(300):
            while not await people.value(done):
                await people.send()
                await asyncio.sleep(0.05)

    try:
        await asyncio.gather(write(), kill())
        await finish()
    finally:
        jobs.stop()
    sent = await pool.fetch("SELECT lead_id, count(*) AS n FROM outbox WHERE state = 'sent' GROUP BY lead_id")
    got = {row["lead_id"]: row["n"] for row in sent}
    assert {lead: got.get(lead, 0) for lead in stays} == dict.fromkeys(stays, STEPS)
    assert Counter(await people.states(sequence)) == {("completed", None): LEADS}
    assert Counter(await people.states(later)) == {("stopped", "opted_out"): LEADS}
    told = await pool.fetch("SELECT to_jid, count(*) AS n FROM outbox WHERE priority = 'reply' GROUP BY to_jid")
    assert sorted(row["n"] for row in told) == [1] * LEADS
    assert await people.value("SELECT count(*) FROM suppressions") == LEADS
    buckets = "SELECT bucket, sum(n)::int4 AS n FROM source_buckets GROUP BY bucket"
    assert {row["bucket"]: row["n"] for row in await pool.fetch(buckets)}.get("waiting") is None
    await pool.close()


@pytest.mark.slow
async def test_whoever_follows_an_edit_when_the_walk_is_killed_is_neither_skipped_nor_sent_to_twice(
    database: Database,
) -> None:
    uri = database.uri
    pool = await open_pool(uri, size=4, name="test")
    people = await People.make(uri, pool)
    sequence = await people.sequence(step("one", DAY), step("two", DAY))
    place = (pool, people.tenant_id, sequence)
    [one, two] = [row.id for row in await rows.list_steps(*place)]
    made = await pool.fetch(
        "INSERT INTO leads (tenant_id, phone, name, device_no, zone)"
        " SELECT $1, '+6013' || lpad(n::text, 7, '0'), 'Farid', $2, 'UTC' FROM generate_series(1, $3) n RETURNING id",
        people.tenant_id, people.device_no, MANY,
    )  # fmt: skip
    leads = [row["id"] for row in made]
    await people.enrol(sequence, *leads)
    jobs = Jobs(uri)
    try:
        await people.until(f"SELECT count(*) = {MANY} FROM outbox")
        for number in range(EDITS):
            await rows.change_step(*place, one, saying("one", (2 + number % 2) * DAY))
            await jobs.kill()
            assert await people.send() == []
        await rows.change_step(*place, two, saying("two"))
        await jobs.kill()
        await rows.delete_step(*place, one)
        await jobs.kill()
        await people.until(f"SELECT count(*) = {2 * MANY} FROM outbox")
        await people.until("SELECT NOT EXISTS (TABLE sequence_edits)")
    finally:
        jobs.stop()
    assert await people.send() == ["two"] * MANY
    sent = "SELECT count(DISTINCT lead_id) FROM outbox WHERE state = 'sent'"
    assert await people.value(sent) == MANY
    cancelled = "SELECT count(*) FROM outbox WHERE state = 'cancelled' AND cause = 'parent_gone'"
    assert await people.value(cancelled) == MANY
    await pool.close()
