"""A campaign while its processes are killed: what each recipient got, by the count of WhatsApp's side.

``python -m bench.campaign_kills [--people N] [--lines N] [--kills N] [--rate N] [--seed N] [--mixed] [--keep FOLDER]``
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import asyncpg

from bench import report
from bench.contacts import Lines, running, until
from bench.folder import working_folder
from bench.processes import family
from bench.system import postmaster
from wafast.database.away import DATABASE_AWAY
from wafast.database.embedded import running_uri
from wafast.database.queries import load

q = load(__file__)

#: Every other recipient has a device, the rest are distributed.
FIRST_PERSON = 60_140_000_000
#: The supervisor waits longer before each restart in a row: it is itself started again after so many.
KILLS_A_START = 4
#: Between a kill and the next, at least and at most, seconds from where all processes are there again.
PAUSE, QUICK_PAUSE = (2.0, 8.0), (0.3, 2.0)
#: How long a process stands still, at least and at most, seconds: a worker or web server hangs after 7.
STILL = (5.0, 40.0)
#: Between two looks at the buckets.
LOOK_SECONDS = 0.05
#: After the last kill the rest must leave within this.
END_SECONDS = 900.0
#: What has left is `sent`, and what its recipient did is more.
LEFT = ("sent", "delivered", "read")


def main() -> None:
    """Reads the arguments, sends and kills, prints the table."""
    parser = report.parser(__doc__)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--lines", type=int, default=20)
    parser.add_argument("--kills", type=int, default=20, help="of workers, the web server with the planner, PostgreSQL")
    parser.add_argument("--rate", type=float, default=25, help="messages a second, of all lines together; 0: no gaps")
    parser.add_argument("--seed", type=int, default=None, help="of victims and instants; else others each time")
    parser.add_argument(
        "--mixed", action="store_true", help="some are asked to end, or stand still for a while; so does the supervisor"
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="a new folder for everything, which stays")
    options = parser.parse_args()
    begun = time.monotonic()
    if options.quick:
        options.people, options.lines, options.kills, options.rate = 60, 3, 1, 0
    with working_folder(options.keep) as folder, running(folder, options.lines) as lines:
        pause = QUICK_PAUSE if options.quick else PAUSE
        chance = random.Random(options.seed)
        verdict = drill(lines, options.people, options.kills, options.rate, chance, pause, mixed=options.mixed)
        report.finish("campaign_kills", options, begun, [table(verdict, options)])
    if not verdict.is_sound:
        raise SystemExit("a campaign has not kept its word: somebody got it twice or not at all, or a sum was wrong")


@dataclass
class Verdict:
    """What became of each recipient; a campaign that keeps its word has only the first three."""

    kills: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    once: int = 0
    """It has left and arrived once."""
    told_arrived: int = 0
    """It arrived once, and its row says that nobody knows."""
    told_absent: int = 0
    """It did not arrive, and its row says that it failed, or that nobody knows, and why."""
    twice: int = 0
    lost: int = 0
    """Its row says that it has left, and it never arrived."""
    denied: int = 0
    """It arrived, and its row says that it has not left."""
    undecided: int = 0
    """Its row waits for ever, or there is none."""
    wrong_sums: int = 0
    """Looks at which the buckets did not sum to the rows there were."""

    @property
    def is_sound(self) -> bool:
        """Whether each recipient got it once, or its row says what is known."""
        return not (self.twice or self.lost or self.denied or self.undecided or self.wrong_sums)


class Reader:
    """Looks at the buckets all the time, from the first row to the last."""

    def __init__(self, lines: Lines) -> None:
        self._lines, self._end = lines, Event()
        self.looks = self.wrong = 0
        self._thread = Thread(target=lambda: asyncio.run(self._look()))
        self._thread.start()

    async def _look(self) -> None:
        while not self._end.is_set():
            try:
                await self._look_until_cut()
            except DATABASE_AWAY:
                await asyncio.sleep(0.2)

    async def _look_until_cut(self) -> None:
        uri = running_uri(self._lines.system.data_dir)
        if uri is None:
            await asyncio.sleep(0.2)
            return
        connection = await asyncpg.connect(uri, timeout=10, command_timeout=60)
        try:
            while not self._end.is_set():
                row = await connection.fetchrow(q.look)
                assert row is not None
                self.looks += 1
                self.wrong += row["buckets"] != row["rows"] or row["is_negative"]
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            connection.terminate()

    def stop(self) -> None:
        """It looks no more."""
        self._end.set()
        self._thread.join()


class Killer:
    """Kills one process after another, or does to it what `mixed` allows, and remembers whose they were."""

    def __init__(self, lines: Lines, chance: random.Random, pause: tuple[float, float], *, mixed: bool) -> None:
        self._lines, self._chance, self._pause, self._mixed = lines, chance, pause, mixed
        self._killed: set[int] = set()
        self.kills: Counter[str] = Counter()

    def kill(self) -> None:
        """Kill a worker, the web server or PostgreSQL, some instants after all of them are there."""
        victims = {name: until(find, name) for name, find in self._victims().items()}
        time.sleep(self._chance.uniform(*self._pause))
        name = self._chance.choice(sorted(victims))
        how = self._chance.choice(("killed", "asked to end", "stands still")) if self._mixed else "killed"
        if how == "stands still":
            name = self._chance.choice((name, "supervisor", "all of them"))
            self._stop(victims, name)
        else:
            # PostgreSQL ends at once by SIGINT; asked by SIGTERM it waits for its clients, which don't go
            gently = signal.SIGINT if name == "PostgreSQL" else signal.SIGTERM
            os.kill(victims[name], signal.SIGKILL if how == "killed" else gently)
            self._killed.add(victims[name])
        self.kills[f"{name} {how}" if self._mixed else name] += 1

    def _stop(self, victims: dict[str, int], name: str) -> None:
        """It, with what it has started, stands still for a while, and goes on if nobody has ended it meanwhile."""
        supervisor = self._lines.system.process.pid
        chosen = [supervisor] if name == "supervisor" else [victims[name]] if name in victims else [*victims.values()]
        pids = [one for pid in chosen for one in ([pid] if pid == supervisor else family(pid))]
        pids += [supervisor] if name == "all of them" else []
        try:
            _send(pids, signal.SIGSTOP)
            time.sleep(self._chance.uniform(*STILL))
        finally:
            _send(pids, signal.SIGCONT)
        self._killed.update(pid for pid in victims.values() if not Path(f"/proc/{pid}").exists())

    def _victims(self) -> dict[str, Any]:
        return {"worker": self._worker, "web server": lambda: self._child("api"), "PostgreSQL": self._postmaster}

    def _worker(self) -> int | None:
        pids = [row["pid"] for row in self._lines.fetch(q.line_workers)]
        return next((pid for pid in pids if pid not in self._killed), None)

    def _child(self, name: str) -> int | None:
        started = [json.loads(line) for line in self._lines.system.lines() if '"event": "started"' in line]
        pids = [line["pid"] for line in started if line["child"] == name]
        return pids[-1] if pids and pids[-1] not in self._killed and Path(f"/proc/{pids[-1]}").exists() else None

    def _postmaster(self) -> int | None:
        pid = postmaster(self._lines.system.data_dir)
        return pid if pid not in self._killed else None


def _send(pids: Sequence[int], number: signal.Signals) -> None:
    """A signal to those that are still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def drill(
    lines: Lines, people: int, kills: int, rate: float, chance: random.Random, pause: tuple[float, float],
    *, mixed: bool = False,
) -> Verdict:  # fmt: skip
    """Start a campaign to so many people, kill, and count what arrived.

    Args:
        lines: of a running system; each becomes as fast as `rate` wants.
        people: recipients.
        kills: of processes, one after another.
        rate: messages a second of all lines; 0 for no gaps.
        chance: which process, and when.
        pause: between two kills, at least and at most, seconds.
        mixed: not all are killed: some are asked to end, or stand still, also the supervisor.
    """
    gap = len(lines.phones) / rate if rate else 0.0
    asyncio.run(_prepare(lines, people, gap))
    reader, killer = Reader(lines), Killer(lines, chance, pause, mixed=mixed)
    try:
        _begin(lines)
        for number in range(kills):
            if number and number % KILLS_A_START == 0:
                lines.system.stop()
                lines.system.start()
                lines.system.wait_ready()
            killer.kill()
        _wait_for_the_end(lines)
    finally:
        reader.stop()
    verdict = _judge(lines, people)
    verdict.kills, verdict.looks, verdict.wrong_sums = killer.kills, reader.looks, reader.wrong
    return verdict


async def _prepare(lines: Lines, people: int, gap: float) -> None:
    connection = await asyncpg.connect(running_uri(lines.system.data_dir))
    try:
        await connection.execute(q.hurry, gap * 0.5, gap * 1.5)
        await connection.execute(q.make_people, FIRST_PERSON, people)
    finally:
        await connection.close()


def _begin(lines: Lines) -> None:
    pace = {"min_seconds": 0, "max_seconds": 0}
    body = {"name": "Kills", "message": {"text": "Hello {name|friend}"}, "pace": pace, "may_move": True}
    with lines.client() as client:
        made = client.post("/campaigns", json=body)
        made.raise_for_status()
        client.post(f"/campaigns/{made.json()['id']}/start").raise_for_status()


def _wait_for_the_end(lines: Lines) -> None:
    deadline = time.monotonic() + END_SECONDS
    while lines.fetch(q.still_open)[0]["n"] and time.monotonic() < deadline:
        time.sleep(1)
    lines.wait_quiet()


def _judge(lines: Lines, people: int) -> Verdict:
    arrived: dict[str, set[str]] = {}
    for phone in lines.phones:
        for message in lines.simulator.inbox(phone=phone):
            arrived.setdefault(message.contact, set()).add(message.id)
    rows = {row["person"]: row for row in lines.fetch(q.ends)}
    verdict = Verdict()
    for number in range(people):
        person = str(FIRST_PERSON + number)
        _count(verdict, rows.get(person), len(arrived.get(person, ())))
    return verdict


def _count(verdict: Verdict, row: asyncpg.Record | None, times: int) -> None:
    if (
        row is None
        or row["state"] not in (*LEFT, "unknown", "failed")
        or (row["state"] not in LEFT and not row["reason"])
    ):
        verdict.undecided += 1
    elif times > 1:
        verdict.twice += 1
    elif row["state"] in LEFT:
        verdict.once += times == 1
        verdict.lost += times == 0
    elif times == 0:
        verdict.told_absent += 1
    else:
        verdict.told_arrived += row["state"] == "unknown"
        verdict.denied += row["state"] == "failed"


def table(verdict: Verdict, options: argparse.Namespace) -> report.Table:
    """The verdict, for people."""
    killed = ", ".join(f"{count} of {name}" for name, count in sorted(verdict.kills.items()))
    heads = [
        "", "arrived once", "unknown, arrived", "unknown or failed, with its reason, not arrived", "twice", "lost",
        "arrived, said failed", "undecided", "looks at the buckets", "sums wrong",
    ]  # fmt: skip
    counts: Sequence[int] = (
        verdict.once, verdict.told_arrived, verdict.told_absent, verdict.twice, verdict.lost, verdict.denied,
        verdict.undecided, verdict.looks, verdict.wrong_sums,
    )  # fmt: skip
    row: list[report.Cell] = [f"{options.kills} kills: {killed}", *map(float, counts)]
    blows = "`kill -9`, SIGTERM and SIGSTOP" if options.mixed else "`kill -9`"
    title = f"A campaign to {options.people:,} people over {options.lines} lines under {blows}"
    note = "Counted at the WhatsApp side, by number. Half of the people have a device, half are distributed."
    return report.Table(title=title, heads=heads, rows=[row], note=note)


if __name__ == "__main__":
    main()
