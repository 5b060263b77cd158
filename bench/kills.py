"""Workers and PostgreSQL killed while contacts write to real sessions: what became of every message.

``python -m bench.kills [--kills N] [--database-kills N] [--lines N] [--rate N] [--keep FOLDER]``
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench import report
from bench.contacts import Contacts, Lines, Written, running, until
from bench.folder import working_folder
from bench.system import postmaster
from wafast.database.embedded import running_uri
from wafast.database.queries import load

q = load(__file__)

#: The supervisor waits longer before each restart in a row: it is itself started again after so many.
KILLS_A_START = 4
#: A kill comes so long after a worker is there, seconds: while its lines dial, catch up, or are up to date.
SOONEST, LATEST = 0.3, 5.0
#: So long after the lines have acknowledged everything the last row must be committed.
COMMIT_SECONDS = 30.0


def main() -> None:
    """Reads the arguments, kills, prints the tables."""
    parser = report.parser(__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of the worker")
    parser.add_argument("--database-kills", type=int, default=2, help="of PostgreSQL")
    parser.add_argument("--lines", type=int, default=30)
    parser.add_argument("--rate", type=float, default=250, help="messages a second, of all contacts together")
    parser.add_argument("--seed", type=int, default=None, help="of the instants; else others each time")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="a new folder for everything, which stays")
    options = parser.parse_args()
    begun = time.monotonic()
    if options.quick:
        options.kills, options.database_kills, options.lines, options.rate = 2, 0, 3, 60
    with working_folder(options.keep) as folder, running(folder, options.lines) as lines:
        report.finish("kills", options, begun, drill(lines, options))


@dataclass
class Killer:
    """Kills, and remembers when."""

    lines: Lines
    chance: random.Random
    last_worker: int = 0

    def __post_init__(self) -> None:
        self.at: list[int] = []
        """Unix milliseconds."""

    def worker(self) -> None:
        """Kill the worker at a random instant of its life."""
        pid = until(self._new_worker, "a worker")
        time.sleep(self.chance.uniform(SOONEST, LATEST))
        os.kill(pid, signal.SIGKILL)
        self.at.append(round(1000 * time.time()))
        self.last_worker = pid

    def _new_worker(self) -> int | None:
        pids = [row["pid"] for row in self.lines.fetch(q.worker)]
        return next((pid for pid in pids if pid != self.last_worker), None)

    def database(self) -> None:
        """Kill PostgreSQL; the supervisor starts it again."""
        data_dir = self.lines.system.data_dir
        pid = postmaster(data_dir)
        assert pid is not None, "every query so far was answered"
        os.kill(pid, signal.SIGKILL)
        until(lambda: postmaster(data_dir) not in (None, pid) or None, "PostgreSQL, started again")


def drill(lines: Lines, options: argparse.Namespace) -> list[report.Table]:
    """Kills and counts."""
    killer = Killer(lines, random.Random(options.seed))
    contacts = Contacts(lines, options.rate)
    try:
        restarts = _kill(killer, options.kills, options.database_kills)
    finally:
        contacts.stop()
    lines.wait_quiet()
    contacts.note(lines.simulator)
    verdict = asyncio.run(_judge(lines, contacts.written))
    kills = f"{options.kills} kills of the worker, {options.database_kills} of PostgreSQL, {restarts} restarts"
    fates = verdict.fates
    row: list[report.Cell] = [kills, *map(float, (len(contacts.written), *fates.values(), *verdict.faults))]
    row.append(float(lines.simulator.stats().redelivered))
    table = report.Table(
        title=f"`kill -9` under {options.rate:,.0f} msg/s over {options.lines} lines",
        heads=["", "messages", *fates, "out of order", "chats miscounted", "rows nobody wrote", "redelivered"],
        rows=[row],
        note="`waiting` has a row “Waiting for this message”; `missing` has none, though it was acknowledged.",
    )
    return [table, _losses(verdict.lost, contacts.acknowledged, killer.at)] if verdict.lost else [table]


def _losses(lost: Sequence[asyncpg.Record], acknowledged: dict[str, int], kills: Sequence[int]) -> report.Table:
    """Messages without a row of their own, by the kill that took them.

    What is missing had been acknowledged: the next kill took it. What is waiting had not, or it would not have come
    again, and is acknowledged when it does: the kill before that took it, or where that one's worker had no time to
    look, one before.
    """
    groups: dict[str, list[tuple[str, float]]] = {}
    for row in lost:
        at = acknowledged.get(row["message_id"], 0)
        number = sum(kill < at for kill in kills) + (not row["is_waiting"])
        away = kills[number - 1] - at if 0 < number <= len(kills) else 0
        name = f"{'waiting' if row['is_waiting'] else 'missing'}, by kill {number}"
        groups.setdefault(name, []).append((row["chat"].split()[0], float(abs(away))))
    rows: list[list[report.Cell]] = [
        [name, float(len(some)), float(len({line for line, _ in some})), [away for _, away in some]]
        for name, some in sorted(groups.items())
    ]
    heads = ["", "messages", "lines", "from the kill to when it was acknowledged, ms"]
    note = "What is waiting was acknowledged after the kill, when it came again; what is missing before it."
    return report.Table(title="Messages not stored as they were written", heads=heads, rows=rows, note=note)


def _kill(killer: Killer, kills: int, database_kills: int) -> int:
    """Gives how often the system was started again."""
    restarts = 0
    for number in range(kills):
        if number and number % KILLS_A_START == 0:
            killer.lines.system.stop()
            killer.lines.system.start()
            killer.lines.system.wait_ready()
            restarts += 1
        if number * database_kills // kills < (number + 1) * database_kills // kills:
            killer.database()
        killer.worker()
    return restarts


@dataclass
class Verdict:
    """What the database says of what was written."""

    fates: dict[str, int]
    """Messages by what became of them."""
    faults: list[int]
    """Out of order, chats miscounted, rows nobody wrote."""
    lost: list[asyncpg.Record]


async def _judge(lines: Lines, written: Sequence[Written]) -> Verdict:
    uri = running_uri(lines.system.data_dir)
    connection = await asyncpg.connect(uri, command_timeout=60)
    try:
        await connection.execute(q.make_written)
        records = [(one.id, one.chat, one.number, one.text) for one in written]
        await connection.copy_records_to_table("written", records=records)
        until_all = time.monotonic() + COMMIT_SECONDS
        [fates] = await connection.fetch(q.fates)
        while fates["missing"] and time.monotonic() < until_all:
            await asyncio.sleep(1)
            [fates] = await connection.fetch(q.fates)
        faults = [await connection.fetchval(query) for query in (q.disorder, q.miscounted, q.foreign)]
        return Verdict(dict(fates), faults, await connection.fetch(q.lost))
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
