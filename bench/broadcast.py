"""Campaigns to a null endpoint: how fast, how evenly, and what is left of one when its worker is killed.

``python -m bench.broadcast [--people N] [--lines N] [--runs N] [--storm N] [--kills N] [--seed N]``

What arrives is counted at the endpoint, by number. RESULTS.md has listmonk's figures beside these (bench/beside.py).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import msgspec

from bench import report
from bench.bed import q
from bench.folder import working_folder
from bench.null_endpoint import RECORD, STUMBLES, arrivals
from bench.paced import percentile
from bench.planning import Bed
from bench.report import Cell, Table
from bench.system import postmaster
from wafast import logs
from wafast.accounts import tenants
from wafast.campaigns import rows
from wafast.campaigns.planner import keep_planned
from wafast.campaigns.rows import CampaignRow
from wafast.database.away import DATABASE_AWAY
from wafast.database.embedded import Embedded
from wafast.database.migrations import migrate
from wafast.database.pool import open_pool

FIRST = 60_150_000_000
"""Each group of people has a hundred thousand numbers from here on."""
ALL, STEADY, SECOND, STUMBLING, STORM = "all", "steady", "second", "stumbling", "storm"
GAP = 0.1
NEAR = 0.05
"""A gap is near a tenth of a second when it is no further from it, in seconds."""
LOOK_SECONDS = 0.02
#: What has left is `sent`, and what its recipient did is more.
LEFT = ("sent", "delivered", "read")

RATE = "messages a second, each with a row that is claimed, worded and ended"
BEGIN = "start → first message there, ms"
LAG = "`sent` counter behind what has arrived, most, messages"
SKIPPED = "worker ends by {} in the middle: people skipped"
TWICE = "worker ends by {} in the middle: people written to twice"
UNKNOWN = "worker ends by {} in the middle: people of whom it says that nobody knows"
OFF = "worker ends by {} in the middle: `sent` counter off in the end, messages"
STORMY = "{people:,} people, {kills} times `kill -9` of worker and PostgreSQL in turn: "
EVEN = "ten a second at one line: gaps within 50 ms of 100 ms, %"
MIDDLE = "ten a second at one line: gap, ms, p50"
NEXT = "a second campaign at that line, start → its first message there, ms"
FAILED = "sends whose first try failed"
AGAIN = "of them there in the end, without anybody's doing"


def main() -> None:
    """Reads the arguments, measures, prints."""
    parser = report.parser(__doc__)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--lines", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3, help="without an end, with SIGKILL, and with SIGTERM")
    parser.add_argument("--storm", type=int, default=100_000, help="people of the campaign under kills; 0: none")
    parser.add_argument("--kills", type=int, default=10, help="of that one's worker and of PostgreSQL, in turn")
    parser.add_argument("--seed", type=int, default=None, help="of the instants; else others each time")
    options = parser.parse_args()
    begun = time.monotonic()
    if options.quick:
        options.people, options.lines, options.runs, options.storm, options.kills = 200, 10, 1, 300, 2
    logs.configure("warning", "bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with working_folder() as folder:
        server = Embedded(folder)
        try:
            file = folder / "arrived"
            file.touch()
            table = asyncio.run(_measure(server, file, options))
        finally:
            server.stop()
    report.finish("broadcast", options, begun, [table])


class Run(msgspec.Struct, kw_only=True):
    """What became of one campaign."""

    seconds: float
    """From its start to its last message."""
    begin: float
    """To its first."""
    lag: int
    arrived: list[tuple[int, int]]
    skipped: int
    twice: int
    unknown: int
    off: int


class Hall:
    """People, lines, a planner that runs, and the worker of the moment."""

    def __init__(self, server: Embedded, bed: Bed, file: Path, chance: random.Random) -> None:
        self.bed, self._server, self._file, self._chance = bed, server, file, chance

    async def begin(self, *more: str) -> asyncio.subprocess.Process:
        """A worker that takes over all lines."""
        worker = uuid4()
        await self.bed.pool.execute(q.broadcast_hand_over, worker)
        command = [sys.executable, "-m", "bench.null_endpoint", self._server.uri, str(worker), str(self._file), *more]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        await process.stdout.readline()
        return process

    @asynccontextmanager
    async def worker(self, *more: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """One as long as the block lasts."""
        process = await self.begin(*more)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    async def campaign(self, tag: str) -> Run:
        """One to everybody with a tag, from its start to its end."""
        async with self.worker():
            return await self.follow(await self.bed.campaign(tag))

    async def cut(self, tag: str, people: int, end: signal.Signals) -> Run:
        """One to so many whose worker is ended at some instant in the middle, and another goes on."""
        async with self.worker() as process:
            campaign = await self.bed.campaign(tag)
            there = self.count()
            follows = asyncio.create_task(self.follow(campaign))
            await self.until(there + int(people * self._chance.uniform(0.2, 0.8)))
            process.send_signal(end)
            await process.wait()
        async with self.worker():
            return await follows

    async def storm(self, tag: str, people: int, kills: int) -> Run:
        """One to so many while its worker and PostgreSQL are killed in turn, so often, at instants all over it."""
        campaign, process, there = await self.bed.campaign(tag), await self.begin(), self.count()
        follows = asyncio.create_task(self.follow(campaign))
        try:
            marks = sorted(self._chance.uniform(0.05, 0.8) for _ in range(kills))
            for turn, mark in enumerate(marks):
                await self.until(there + int(people * mark))
                if turn % 2:
                    await self._kill_server()
                else:
                    process.kill()
                    await process.wait()
                    process = await self.begin()
            return await follows
        finally:
            process.kill()
            await process.wait()

    async def _kill_server(self) -> None:
        """PostgreSQL ends in the middle of what it does, and starts again."""
        pid = postmaster(self._file.parent)
        assert pid is not None
        process = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(select.select, [process], [], [])  # one that still ends counts as running
        os.close(process)
        self._server = await asyncio.to_thread(Embedded, self._file.parent)

    async def follow(self, campaign: CampaignRow) -> Run:
        """Starts it, and looks at counter and endpoint until nothing of it waits."""
        before, began = self.count(), time.monotonic_ns()
        await rows.start(self.bed.pool, self.bed.tenant_id, campaign.id)
        lag = 0
        while True:
            there = self.count() - before
            try:
                shown = await self.shown(campaign)
            except DATABASE_AWAY:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            lag = max(lag, there - _said(shown))
            if shown.state == "finished":
                break
            await asyncio.sleep(LOOK_SECONDS)
        return await self._judge(shown, arrivals(self._file, before), began, lag)

    async def _judge(self, shown: CampaignRow, arrived: list[tuple[int, int]], began: int, lag: int) -> Run:
        ends = {row["number"]: row for row in await self.bed.pool.fetch(q.broadcast_ends, shown.source_id)}
        times = Counter(number for _, number in arrived if number in ends)
        known = [number for number, row in ends.items() if row["state"] in LEFT]
        told = [number for number, row in ends.items() if row["state"] not in LEFT and row["reason"]]
        instants = [at for at, number in arrived if number in ends]
        return Run(
            seconds=(max(instants) - began) / 1e9,
            begin=(min(instants) - began) / 1e6,
            lag=lag,
            arrived=[one for one in arrived if one[1] in ends],
            skipped=len(ends.keys() - times.keys() - set(told)),
            twice=sum(count > 1 for count in times.values()),
            unknown=shown.unknown,
            off=abs(_said(shown) - len([number for number in known if times[number]])),
        )

    async def shown(self, campaign: CampaignRow) -> CampaignRow:
        """As people see it now."""
        found = await rows.get(self.bed.pool, self.bed.tenant_id, campaign.id)
        assert found is not None
        return found

    async def until(self, count: int) -> None:
        """Until so many messages have arrived."""
        while True:
            if self.count() >= count:
                return
            await asyncio.sleep(0.001)

    def count(self) -> int:
        """Messages that have arrived."""
        return self._file.stat().st_size // RECORD.size


def _said(shown: CampaignRow) -> int:
    return shown.sent + shown.delivered + shown.read + shown.replied


async def _measure(server: Embedded, file: Path, options: argparse.Namespace) -> Table:
    uri = server.uri
    await migrate(uri)
    pool = await open_pool(uri, size=8, name="bench")
    tenant_id = await tenants.create_tenant(pool, "Bench", "loopback")
    worker = uuid4()
    await pool.execute(q.campaign_worker, worker)
    lines = await pool.fetchval(q.campaign_lines, tenant_id, options.lines, worker)
    steady = 20 if options.quick else 150
    groups = (
        (ALL, options.people, lines),
        (STEADY, steady, lines[:1]),
        (SECOND, 10, lines[:1]),
        (STUMBLING, 200, lines),
        (STORM, options.storm, lines),
    )
    for place, (tag, count, at) in enumerate(groups):
        await pool.execute(q.broadcast_people, tenant_id, FIRST + place * 100_000, count, at, tag)
    await pool.execute("ANALYZE leads")
    planner = asyncio.create_task(keep_planned(uri, pool))
    hall = Hall(server, Bed(pool, tenant_id, lines, worker), file, random.Random(options.seed))
    try:
        return Table(
            title=f"A campaign to {options.people:,} people over {options.lines} lines, to a null endpoint",
            heads=["", "wafast"],
            rows=[
                *await _whole(hall, options),
                *await _storm(hall, options),
                *await _stumbling(hall),
                *await _even(hall, lines[0], steady),
            ],
            note="Arrivals are counted at the endpoint, by number. Skipped: it did not arrive, and no row says that it "
            "may not have. A worker that has ended is followed at once by another.",
        )
    finally:
        planner.cancel()
        await asyncio.gather(planner, return_exceptions=True)
        await pool.close()


async def _whole(hall: Hall, options: argparse.Namespace) -> list[list[Cell]]:
    print("whole campaigns", flush=True)
    whole = [await hall.campaign(ALL) for _ in range(options.runs)]
    found: list[list[Cell]] = [
        [RATE, [options.people / (run.seconds - run.begin / 1000) for run in whole]],
        [BEGIN, [run.begin for run in whole]],
        [LAG, [float(run.lag) for run in whole]],
    ]
    for end in (signal.SIGKILL, signal.SIGTERM):
        print(end.name, flush=True)
        cut = [await hall.cut(ALL, options.people, end) for _ in range(options.runs)]
        found += [
            [SKIPPED.format(end.name), [float(run.skipped) for run in cut]],
            [TWICE.format(end.name), [float(run.twice) for run in cut]],
            [UNKNOWN.format(end.name), [float(run.unknown) for run in cut]],
            [OFF.format(end.name), [float(run.off) for run in cut]],
        ]
    return found


async def _storm(hall: Hall, options: argparse.Namespace) -> list[list[Cell]]:
    if not options.storm:
        return []
    print("kills of worker and PostgreSQL", flush=True)
    run = await hall.storm(STORM, options.storm, options.kills)
    name = STORMY.format(people=options.storm, kills=options.kills)
    return [
        [name + "messages a second, the kills among them", options.storm / run.seconds],
        [name + "people skipped", float(run.skipped)],
        [name + "people written to twice", float(run.twice)],
        [name + "people of whom it says that nobody knows", float(run.unknown)],
        [name + "`sent` counter off in the end, messages", float(run.off)],
    ]


async def _stumbling(hall: Hall) -> list[list[Cell]]:
    print("first tries that fail", flush=True)
    async with hall.worker("--stumbles"):
        run = await hall.follow(await hall.bed.campaign(STUMBLING))
    there = sum(number % STUMBLES == 0 for _, number in run.arrived)
    failed = sum(number % STUMBLES == 0 for number in range(FIRST + 300_000, FIRST + 300_200))
    return [[FAILED, float(failed)], [AGAIN, float(there)]]


async def _even(hall: Hall, line: int, people: int) -> list[list[Cell]]:
    print("ten a second, and a second campaign", flush=True)
    await hall.bed.pool.execute(q.broadcast_gap, line, GAP)
    async with hall.worker():
        there = hall.count()
        first = asyncio.create_task(hall.follow(await hall.bed.campaign(STEADY)))
        await hall.until(there + people // 3)
        second = await hall.follow(await hall.bed.campaign(SECOND))
        instants = sorted(at for at, _ in [*(await first).arrived, *second.arrived])
    gaps = sorted((after - at) / 1e9 for at, after in pairwise(instants))
    return [
        [EVEN, 100 * sum(abs(gap - GAP) <= NEAR for gap in gaps) / len(gaps)],
        [MIDDLE, percentile(gaps, 0.5) * 1000],
        [NEXT, second.begin],
    ]


if __name__ == "__main__":
    main()
