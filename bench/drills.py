"""Thousands of real sessions while contacts write: WhatsApp away for ten minutes, processes killed, the disk full.

``python -m bench.drills [--devices 3000] [--away 600] [--quick] [--save FOLDER]``

The disk that fills up is one of its own, in memory: that needs the right to mount one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import report
from bench.fleet import Fleet, Running, say
from bench.report import Cell, Table
from bench.system import POSTGRESQL, WORKERS, simulator
from wafast import logs

#: Of its disk, MiB: 3,000 session files, PostgreSQL and the spool take a third.
DISK_MIB, QUICK_DISK_MIB = 6144, 1024
#: Each line's contact writes so many messages in a drill, so many a second in all. All drills together stay below what
#: a chat keeps, or rows would not count messages.
EACH, RATE = 4, 300
BEFORE_SECONDS = 2.0


@dataclass
class Drill:
    """What came of one."""

    name: str
    sent: int
    missing: int
    """Messages that were not stored in the end; below zero: stored twice."""
    fewest_sessions: int
    online_seconds: float | str
    """From the end of the trouble until all lines are online."""
    stored_seconds: float
    """From there until everything written is stored: not before the contacts are through."""
    most_dials: int
    fell: int


class Drills:
    """A running fleet, and what is done to it."""

    def __init__(self, fleet: Fleet, running: Running, disk: Path, options: argparse.Namespace) -> None:
        self._fleet, self._running, self._disk, self._options = fleet, running, disk, options

    async def run(self, name: str, trouble: Callable[[], Awaitable[None]]) -> Drill:
        """Let contacts write, and `trouble` come and go meanwhile; wait until all is well again."""
        running = self._running
        say(name)
        before, fell = await running.stored(), running.fell
        watching = asyncio.create_task(running.watch())
        writing = asyncio.create_task(running.write(EACH, running.count * 1000 // RATE))
        await asyncio.sleep(BEFORE_SECONDS)
        await trouble()
        over = time.monotonic()
        await running.reach_again()
        online = await running.all_online_or_not(over)
        await writing
        sent = EACH * running.count
        await running.all_stored(before + sent)
        stored = time.monotonic() - over
        watching.cancel()
        seen = await watching
        missing = before + sent - await running.stored()
        say(f"{name}: online after {online} s, stored after {stored:.1f} s")
        return Drill(name, sent, missing, seen.fewest_sessions, online, stored, seen.most_dials, running.fell - fell)

    async def away(self) -> None:
        """WhatsApp takes no connection and breaks those there are."""
        await self._fleet.order("down", on=True)
        await asyncio.sleep(self._options.away)
        await self._fleet.order("down", on=False)

    async def kill_worker(self) -> None:
        """One of the processes that hold sessions ends at once."""
        await self._kill(WORKERS)

    async def kill_postgresql(self) -> None:
        """The database ends at once."""
        await self._kill(POSTGRESQL)

    async def _kill(self, group: str) -> None:
        pid = (await self._running.groups())[group].pids[0]
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(_wait_gone, pid)
        await asyncio.sleep(1)  # until its peers have noticed

    async def fill_disk(self) -> None:
        """No byte of room for PostgreSQL, the spool and session files."""
        ballast = self._disk / "ballast"
        await asyncio.to_thread(_fill, ballast, time.monotonic() + self._options.full)
        ballast.unlink()


def _wait_gone(pid: int) -> None:
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.05)


def _fill(ballast: Path, until: float) -> None:
    """Take what room there is, and what becomes free, until then."""
    with ballast.open("wb", buffering=0) as file:
        size = 1 << 20
        while time.monotonic() < until:
            try:
                file.write(bytes(size))
            except OSError:
                size = max(size >> 1, 1)
                time.sleep(0.01 if size == 1 else 0)


@contextmanager
def own_disk(mib: int) -> Iterator[tuple[Path, Path]]:
    """A folder, and in it `data`, a disk of that size in memory: the simulator's is not to be full. Raises SystemExit
    where none may be mounted."""
    with tempfile.TemporaryDirectory(prefix="wafast-drills-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server may run as another user
        disk = folder / "data"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=755", "tmpfs", str(disk)]
        mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
        if mounted.returncode:
            raise SystemExit(f"the disk that is to be filled can't be mounted: {mounted.stderr.strip()}")
        try:
            yield folder, disk
        finally:
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


@asynccontextmanager
async def started(fleet: Fleet, count: int) -> AsyncIterator[Running]:
    """The fleet, online, each contact known to its line."""
    async with fleet.running(count) as running:
        say(f"{count:,} lines online after {await running.all_online(running.system.began):.1f} s")
        await running.receive("the first of each chat", 1, None)
        yield running


async def drill(fleet: Fleet, disk: Path, options: argparse.Namespace) -> list[Drill]:
    """All drills on one running system, one after the other."""
    await fleet.load(options.devices)
    async with started(fleet, options.devices) as running:
        drills = Drills(fleet, running, disk, options)
        return [
            await drills.run("a worker killed", drills.kill_worker),
            await drills.run("PostgreSQL killed", drills.kill_postgresql),
            await drills.run(f"the disk full for {options.full:.0f} s", drills.fill_disk),
            await drills.run(f"WhatsApp away for {options.away:.0f} s", drills.away),
        ]


def main() -> None:
    """Reads the arguments, drills, prints."""
    parser = report.parser(__doc__)
    parser.add_argument("--devices", type=int, default=3000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--connect-rate", type=float, default=50.0, help="devices a second that may begin to connect")
    parser.add_argument("--away", type=float, default=600.0, help="seconds without WhatsApp")
    parser.add_argument("--full", type=float, default=20.0, help="seconds without room on the disk")
    options = parser.parse_args()
    if options.quick:
        options.devices, options.workers, options.away, options.full = 4, 1, 3.0, 3.0
    logs.configure("warning", "bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a bench that is stopped leaves no server behind
    begun = time.monotonic()
    size = QUICK_DISK_MIB if options.quick else DISK_MIB
    with own_disk(size) as (folder, disk), simulator(folder / "loopback") as (profile, pid):
        drills = asyncio.run(drill(Fleet(folder, profile, pid, options), disk, options))
        report.finish("drills", options, begun, [_table(drills, options.devices)])


def _table(drills: list[Drill], devices: int) -> Table:
    rows: list[list[Cell]] = [
        [one.name, float(one.sent), float(one.missing), float(one.fewest_sessions), one.online_seconds,
         one.stored_seconds, float(one.most_dials), float(one.fell)]
        for one in drills
    ]  # fmt: skip
    return Table(
        title=f"{devices:,} real sessions in trouble, while their contacts write {RATE} messages a second",
        heads=[
            "", "messages written", "lost", "fewest sessions", "all online after, s", "all stored after, s",
            "most handshakes in one second", "processes fallen",
        ],
        rows=rows,
        note="Seconds are from the end of the trouble; contacts go on writing for a while after it. Sessions are those "
        "the simulator sees. Below zero: stored twice.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
