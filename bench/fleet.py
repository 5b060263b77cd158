"""Thousands of real neonize sessions on the loopback server: start, memory, idling, messages, cuts.

``python -m bench.fleet [--devices 100,1000,3000] [--workers 2] [--quick] [--save FOLDER]``
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg

from bench import processes, report
from bench.lines import FIRST, load_copies, pair_first, q
from bench.processes import NOTHING, Clock, Held
from bench.system import System, simulator
from wafast import demo, logs
from wafast.database.embedded import Embedded

ONLINE_SECONDS = 400.0


def say(text: str) -> None:
    """Progress, for who waits."""
    print(f"    {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


class Bench:
    """A loaded fleet and how it is run."""

    def __init__(self, folder: Path, profile: demo.Profile, simulator_pid: int, options: argparse.Namespace) -> None:
        self.folder, self.profile, self.simulator_pid, self.options = folder, profile, simulator_pid, options

    async def load(self, count: int) -> None:
        """Pair one line and make `count` of it."""
        system = System(self.folder, 1, 50)
        try:
            connection = await system.reach()
            await connection.close()
            first = await pair_first(system.uri, self.profile)
        finally:
            system.stop()
        say("one line is paired")
        server = Embedded(self.folder / "data")
        try:
            await load_copies(server.uri, self.profile, self.folder / "data/sessions/loopback", first, count)
        finally:
            server.stop()
        say(f"{count:,} lines are loaded")

    async def want(self, count: int) -> None:
        """So many lines are to be online at the next start."""
        server = Embedded(self.folder / "data")
        try:
            connection = await asyncpg.connect(server.uri)
            await connection.execute(q.want_online, count)
            await connection.close()
        finally:
            server.stop()

    @asynccontextmanager
    async def running(self, count: int) -> AsyncIterator[tuple[System, asyncpg.Connection]]:
        """The system with `count` lines that are to be online."""
        await self.want(count)
        system = System(self.folder, self.options.workers, self.options.connect_rate)
        try:
            connection = await system.reach()
            yield system, connection
            await connection.close()
        finally:
            say(f"stopped after {system.stop():.1f} s")
            told = Counter(" ".join(line.split()[1:8]) for line in system.said().splitlines() if " [" in line)
            for line, times in told.most_common(8):
                say(f"  {times} × {line}")

    async def online(self, connection: asyncpg.Connection, count: int, since: float) -> float:
        """Seconds from `since` until `count` lines are online."""
        shown = 0.0
        while True:
            now, there = time.monotonic(), await connection.fetchval(q.online)
            if there >= count:
                return now - since
            if now - shown > 10:
                shown = now
                say(f"{there:,} of {count:,} online after {now - since:.0f} s")
            if now - since > ONLINE_SECONDS:
                for row in await connection.fetch(q.by_state):
                    say(str(dict(row)))
                raise SystemExit(f"only {there} of {count} lines came online")
            await asyncio.sleep(0.1)

    async def order(self, op: str, **fields: object) -> object:
        """An order to the simulator."""
        return await demo.order(self.profile, op, **fields)


def main() -> None:
    """Reads the arguments, measures, prints."""
    parser = report.parser(__doc__)
    parser.add_argument("--devices", default="0,100,1000,3000", help="how many lines, one run each")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--connect-rate", type=float, default=50.0)
    parser.add_argument("--keep", type=Path, help="a folder to work in that stays")
    options = parser.parse_args()
    logs.configure("warning", "bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begun = time.monotonic()
    counts = [int(text) for text in options.devices.split(",")]
    with tempfile.TemporaryDirectory(prefix="wafast-fleet-") as name:
        folder = options.keep or Path(name)
        folder.chmod(0o755)
        with simulator(folder / "loopback") as (profile, pid):
            asyncio.run(_all(Bench(folder, profile, pid, options), counts))
    say(f"{time.monotonic() - begun:.0f} s in all")


async def _all(bench: Bench, counts: list[int]) -> None:
    await bench.load(max(counts))
    for count in counts:
        async with bench.running(count) as (system, connection):
            took = await bench.online(connection, count, system.began)
            say(f"{count}: online after {took:.1f} s")
            await asyncio.sleep(15)
            groups = await system.groups(connection)
            for group, pids in groups.items():
                if group == "PostgreSQL":
                    continue
                total = sum((processes.held(pid) for pid in pids), NOTHING)
                say(f"{group}: {total}")
            everyone = groups | {"simulator": [bench.simulator_pid]}
            clock, begun = Clock(everyone, time.monotonic()), time.monotonic()
            before = await connection.fetchval(q.transactions)
            await asyncio.sleep(30)
            after = await connection.fetchval(q.transactions)
            say(f"idle cores {clock.cores(time.monotonic())}")
            say(f"transactions/s {(after - before) / (time.monotonic() - begun):.2f}")
            say(f"connections {await connection.fetchval(q.connections)}")


if __name__ == "__main__":
    main()
