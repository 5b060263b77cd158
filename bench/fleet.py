"""Thousands of real neonize sessions on the loopback server: their start, memory and idling, messages, cuts.

``python -m bench.fleet [--devices 100,500,1000,2000,3000] [--workers 2] [--quick] [--save FOLDER]``
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench import fleet_tables, lines, report
from bench.processes import Cores, Group, Held
from bench.system import POSTGRESQL, System, simulator
from wafast import demo, logs
from wafast.database.embedded import Embedded

q = lines.q

#: Lines that are not online by then count as lost.
ONLINE_SECONDS = 330.0  # the longest wait between two tries (devices/backoff.py), and a start
#: What follows on a start is over by then: names are asked for, session files looked at.
SETTLE_SECONDS = 5.0
IDLE_SECONDS = 13.0
AWAY_SECONDS = 20.0
ROUND_TRIP_MS = 50
#: What contacts write: a name, how many messages to each line, how many a second in all (None: at once). A chat gets 16
#: of them: beyond 39 the oldest go, and the count of rows would not be that of messages.
FLOWS = (("the first of each chat", 1, None), ("500 a second", 5, 500), ("as fast as they come", 10, None))


class NotAllOnline(Exception):
    """Some lines did not come online; the text is for the table."""


def say(text: str) -> None:
    """Progress, for who waits."""
    print(f"    {time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


@dataclass
class Run:
    """What a start with so many lines showed."""

    devices: int
    online_seconds: float
    held: dict[str, Held]
    cores: dict[str, float]
    statements: float
    """A second, when idle."""
    connections: int
    fell: int
    """Processes that ended by themselves, since this start."""


@dataclass
class Flow:
    """Messages that came through sessions."""

    name: str
    rate: float
    cores: dict[str, float]


@dataclass
class Return:
    """How lines came back from something."""

    name: str
    seconds: float | str
    """Until all were online, or that they were not."""
    most_dials: int | None
    """In one second."""
    fell: int


@dataclass
class Seen:
    """How lines went and came, from the other side."""

    most_dials: int
    """Handshakes in one second."""
    fewest_sessions: int


class Fleet:
    """The loaded lines, and the systems that hold them one after the other."""

    def __init__(
        self, folder: Path, profile: demo.Profile, simulator_pid: int, options: argparse.Namespace, **settings: str
    ) -> None:
        self._folder, self._profile, self._simulator_pid, self._options = folder, profile, simulator_pid, options
        self._settings = settings
        self._data = folder / "data"

    async def load(self, count: int) -> None:
        """Pair one line and make `count` of it."""
        system = System(self._folder, 1, self._options.connect_rate)
        try:
            await (await system.reach()).close()
            first = await lines.pair_first(system.uri, self._profile)
        finally:
            system.stop()
        server = Embedded(self._data)
        try:
            await lines.load_copies(server.uri, self._profile, self._data / "sessions/loopback", first, count)
        finally:
            server.stop()
        say(f"{count:,} lines are loaded")

    @asynccontextmanager
    async def running(self, count: int) -> AsyncIterator[Running]:
        """A system, just started, that is to bring `count` lines online."""
        server = Embedded(self._data)
        try:
            connection = await asyncpg.connect(server.uri)
            await connection.execute(q.want_online, count)
            await connection.close()
        finally:
            server.stop()
        system = System(self._folder, self._options.workers, self._options.connect_rate, **self._settings)
        try:
            yield Running(system, await system.reach(), count, self._profile, self._simulator_pid)
        finally:
            seconds = system.stop()
            said = Counter(" ".join(line.split(",")[-7:-4]) for line in system.said().splitlines() if line[:1] == "{")
            say(f"stopped in {seconds:.1f} s; log: {sum(said.values())} lines {said.most_common(3) if said else ''}")

    async def order(self, op: str, **fields: object) -> None:
        """An order to the simulator."""
        await demo.order(self._profile, op, **fields)


class Running:
    """A system that runs, with what can be asked of it and of the simulator."""

    def __init__(
        self, system: System, connection: asyncpg.Connection, count: int, profile: demo.Profile, simulator_pid: int
    ) -> None:
        self.system, self._connection, self.count = system, connection, count
        self._profile, self._simulator_pid = profile, simulator_pid

    async def reach_again(self) -> None:
        """After PostgreSQL has gone: a new connection to it, once it and all workers are back."""
        self._connection = await self.system.reach()

    async def all_online(self, since: float) -> float:
        """Seconds from `since` until all lines are online, as wafast and as the simulator see it.

        Raises NotAllOnline after ONLINE_SECONDS.
        """
        shown = since
        while True:
            now, there = time.monotonic(), await self._connection.fetchval(q.online)
            if there == self.count and (await self._stats())["sessions"] == self.count:
                return now - since
            if now - shown > 20:
                shown = now
                say(f"{there:,} of {self.count:,} online after {now - since:.0f} s")
            if now - since > ONLINE_SECONDS:
                say(f"{[tuple(row) for row in await self._connection.fetch(q.by_state)]}\n{self.system.said()[-2000:]}")
                raise NotAllOnline(f"only {there:,} in {now - since:.0f} s")
            await asyncio.sleep(0.1)

    async def all_online_or_not(self, since: float) -> float | str:
        """`all_online`, or the text that they were not."""
        try:
            return await self.all_online(since)
        except NotAllOnline as error:
            return str(error)

    async def idle(self, online_seconds: float, settle: float, seconds: float) -> Run:
        """What it holds and uses for so many seconds when nothing happens, when a start has settled."""
        await asyncio.sleep(settle)
        cores, log = Cores(await self.groups()), self.system.data_dir / "postgres/log"
        await self._log_statements(q.log_statements)
        before = log.stat().st_size
        await asyncio.sleep(seconds)
        said = log.read_bytes()[before:].splitlines()
        used = cores.now()
        await self._log_statements(q.log_none)
        statements = sum(b"LOG:  execute " in line or b"LOG:  statement: " in line for line in said)
        connections = await self._connection.fetchval(q.connections)
        groups = await self.system.groups(self._connection)
        held = {name: group.held() for name, group in groups.items() if name != POSTGRESQL}
        return Run(
            self.count, online_seconds, held, used, statements / seconds, connections, self.fell
        )  # fmt: skip

    async def _log_statements(self, how: str) -> None:
        await self._connection.execute(how)
        await self._connection.execute(q.reload)
        await asyncio.sleep(1)  # until every server process has seen it

    @property
    def fell(self) -> int:
        """How many processes have ended by themselves."""
        return self.system.said().count("ended, will be restarted")

    async def receive(self, name: str, each: int, interval_ms: int | None) -> Flow:
        """A contact of each line writes `each` messages, at once or one every `interval_ms`."""
        before = await self.stored()
        total = each * self.count
        cores, begun = Cores(await self.groups()), time.monotonic()
        orders = asyncio.create_task(self.write(each, interval_ms))
        await self.all_stored(before + total)
        flow = Flow(name, total / (time.monotonic() - begun), cores.now())
        await orders
        say(f"{name}: {flow.rate:,.0f} msg/s")
        return flow

    async def stored(self) -> int:
        """Rows of messages there are."""
        count: int = await self._connection.fetchval(q.stored)
        return count

    async def all_stored(self, count: int) -> None:
        """Wait until there are so many rows. Raises SystemExit after ONLINE_SECONDS."""
        until = time.monotonic() + ONLINE_SECONDS
        while (there := await self.stored()) < count:
            if time.monotonic() > until:
                raise SystemExit(f"{count - there:,} messages did not come")
            await asyncio.sleep(0.1)

    async def write(self, each: int, interval_ms: int | None) -> None:
        """Let a contact of each line write `each` messages; back when all are on their way."""
        at_once = asyncio.Semaphore(self.count if interval_ms else 8)

        async def write(n: int) -> None:
            async with at_once:
                await demo.order(
                    self._profile, "text", phone=str(lines.FIRST + n), contact=str(lines.FIRST_CONTACT + n),
                    text="Is it still available? I can come by this afternoon", count=each, interval_ms=interval_ms,
                )  # fmt: skip

        async with asyncio.TaskGroup() as tasks:
            for n in range(1, self.count + 1):
                tasks.create_task(write(n))
                if interval_ms:
                    await asyncio.sleep(interval_ms / 1000 / self.count)

    async def cut(self) -> Return:
        """Every connection breaks at one instant."""
        fell = self.fell
        watching = asyncio.create_task(self.watch())
        begun = time.monotonic()
        await demo.order(self._profile, "drop")
        await asyncio.sleep(1)  # until everybody has noticed
        seconds = await self.all_online_or_not(begun)
        watching.cancel()
        return Return("all connections cut at once", seconds, (await watching).most_dials, self.fell - fell)

    async def watch(self) -> Seen:
        """What the simulator sees of the lines until this is cancelled."""
        last: list[tuple[float, int]] = []
        seen = Seen(0, self.count)
        try:
            while True:
                stats = await self._stats()
                last.append((time.monotonic(), stats["handshakes"]))
                last = [one for one in last if one[0] > last[-1][0] - 1]
                seen.most_dials = max(seen.most_dials, last[-1][1] - last[0][1])
                seen.fewest_sessions = min(seen.fewest_sessions, stats["sessions"])
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            return seen

    async def _stats(self) -> dict[str, int]:
        counters: dict[str, int] = await demo.order(self._profile, "stats")
        return counters

    async def groups(self) -> dict[str, Group]:
        """Processes by what they are, the simulator among them."""
        groups = await self.system.groups(self._connection)
        return groups | {"simulator": Group([self._simulator_pid])}


def main() -> None:
    """Reads the arguments, measures, prints."""
    parser = report.parser(__doc__)
    parser.add_argument("--devices", default="100,500,1000,2000,3000", help="lines, a start each; the last does more")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--connect-rate", type=float, default=50.0, help="devices a second that may begin to connect")
    parser.add_argument("--only-start", action="store_true", help="without messages, cuts and servers that are away")
    options = parser.parse_args()
    if options.quick:
        options.devices, options.workers, options.only_start = "3,6", 1, True
    logs.configure("warning", "bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a bench that is stopped leaves no server behind
    begun = time.monotonic()
    counts = [int(text) for text in options.devices.split(",")]
    with tempfile.TemporaryDirectory(prefix="wafast-fleet-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server may run as another user
        with simulator(folder / "loopback") as (profile, pid):
            runs, flows, returns = asyncio.run(measure(Fleet(folder, profile, pid, options), counts, options))
        report.finish("fleet", options, begun, fleet_tables.tables(runs, flows, returns, options.workers))


async def measure(
    fleet: Fleet, counts: list[int], options: argparse.Namespace
) -> tuple[list[Run], list[Flow], list[Return]]:
    """All of it; the lines of the last count go through more."""
    runs: list[Run] = []
    flows: list[Flow] = []
    returns: list[Return] = []
    await fleet.load(max(counts))
    settle, seconds = (0.3, 1.0) if options.quick else (SETTLE_SECONDS, IDLE_SECONDS)
    for count in [0, *counts]:
        async with fleet.running(count) as running:
            online = await running.all_online(running.system.began)
            runs.append(await running.idle(online, settle, seconds))
            say(f"{count:,} lines: online after {online:.1f} s, {runs[-1].cores['all']:.2f} cores when idle")
            if count == counts[-1] and not options.only_start:
                for name, each, rate in FLOWS:
                    flows.append(await running.receive(name, each, rate and count * 1000 // rate))
                returns.append(await running.cut())
    if not options.only_start:
        returns.append(await _server_away(fleet, counts[-1]))
        returns.append(await _server_far(fleet, counts[-1]))
    return runs, flows, returns


async def _server_away(fleet: Fleet, count: int) -> Return:
    await fleet.order("down", on=True)
    async with fleet.running(count) as running:
        await asyncio.sleep(AWAY_SECONDS)
        begun = time.monotonic()
        await fleet.order("down", on=False)
        seconds = await running.all_online_or_not(begun)
        return Return(
            f"WhatsApp away for {AWAY_SECONDS:.0f} s at the start, from its return", seconds, None, running.fell
        )


async def _server_far(fleet: Fleet, count: int) -> Return:
    await fleet.order("latency", ms=ROUND_TRIP_MS)
    try:
        async with fleet.running(count) as running:
            seconds = await running.all_online_or_not(running.system.began)
            return Return(f"a start with round trips of {ROUND_TRIP_MS} ms", seconds, None, running.fell)
    finally:
        await fleet.order("latency", ms=0)


if __name__ == "__main__":
    main()
