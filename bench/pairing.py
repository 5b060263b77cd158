"""Many devices added by the API and paired by their phones, all at once: how long, and how much memory at most.

``python -m bench.pairing [--devices 500] [--workers 2] [--hands 16]``
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx

from bench import lines, report
from bench.system import PASSWORD, POSTGRESQL, System, simulator
from wafast import demo, logs

q = lines.q
Thing = TypeVar("Thing")
Result = TypeVar("Result")

#: Every so-manieth device's phone never scans: nobody else is to wait for it.
LEFT_ALONE, QUICK_LEFT_ALONE = 25, 5
#: WhatsApp shows six codes in 160 s, so whoever is not paired by then needs another attempt.
PAIR_SECONDS = 150.0
SAMPLE_SECONDS = 0.5


def main() -> None:
    """Reads the arguments, pairs, prints the table."""
    parser = report.parser(__doc__)
    parser.add_argument("--devices", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--hands", type=int, default=16, help="phones that scan at one time")
    parser.add_argument("--connect-rate", type=float, default=50.0, help="devices a second that may begin to connect")
    options = parser.parse_args()
    options.left_alone = LEFT_ALONE
    if options.quick:
        options.devices, options.workers, options.left_alone = QUICK_LEFT_ALONE, 1, QUICK_LEFT_ALONE
    logs.configure("warning", "bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a bench that is stopped leaves no server behind
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="wafast-pairing-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server may run as another user
        with simulator(folder / "loopback") as (profile, _):
            system = System(folder, options.workers, options.connect_rate)
            try:
                table = asyncio.run(measure(system, profile, options))
            finally:
                system.stop()
    report.finish("pairing", options, begun, [table])


async def measure(system: System, profile: demo.Profile, options: argparse.Namespace) -> report.Table:
    """The table."""
    connection = await system.reach(workers=1)
    memory = Memory(system, await system.reach(workers=1))
    before = await memory.now()
    await system.serves()
    async with httpx.AsyncClient(base_url=f"{system.url}/api/v1", timeout=60) as api:
        (await api.post("/session", json={"email": "admin@wafast.local", "password": PASSWORD})).raise_for_status()
        watching = asyncio.create_task(memory.watch())
        begun = time.monotonic()
        ids = await _each(range(options.devices), options.hands, lambda n: _add(api, n))
        added = time.monotonic() - begun
        scanned = [n for n in range(options.devices) if (n + 1) % options.left_alone]
        pairings = await _each(ids, options.hands, lambda id: _begin(api, id))
        begun = time.monotonic()
        took = sorted(await _each(scanned, options.hands, lambda n: _scan(api, profile, pairings[n], n)))
        paired = time.monotonic() - begun
        online = await _all_online(connection, len(scanned), begun)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    memory_after = await memory.now()
    await connection.close()
    failed = sum(one == float("inf") for one in took)
    return report.Table(
        title=f"{options.devices:,} devices added by the API and paired at once, {options.workers} workers",
        heads=[
            "phones that scan", "added after, s", "paired after, s", "a device, s", "all online after, s", "failed",
            "never scanned", "MiB before", "MiB at most", "MiB after",
        ],
        rows=[
            [
                f"{options.hands} at a time", added, paired, [one for one in took if one != float("inf")], online,
                float(failed), float(options.devices - len(scanned)), before, memory.most, memory_after,
            ]
        ],
        note="A device's seconds are from its phone's turn, which waits for the code on the screen, to `paired`. "
        "All pairings are open from the first second. Memory is PSS of all of wafast without PostgreSQL.",
    )  # fmt: skip


class Memory:
    """What all of wafast holds, and held at most, MiB; its workers come as they are needed."""

    def __init__(self, system: System, connection: asyncpg.Connection) -> None:
        self._system, self._connection = system, connection
        self.most = 0.0

    async def now(self) -> float:
        """Without PostgreSQL."""
        groups = await self._system.groups(self._connection)
        held = [await asyncio.to_thread(group.held) for name, group in groups.items() if name != POSTGRESQL]
        self.most = max(self.most, sum(one.pss for one in held))
        return sum(one.pss for one in held)

    async def watch(self) -> None:
        """Looks twice a second, until it is cancelled."""
        while True:
            await self.now()
            await asyncio.sleep(SAMPLE_SECONDS)


async def _each(things: Iterable[Thing], hands: int, do: Callable[[Thing], Awaitable[Result]]) -> list[Result]:
    """The result of each, in order; so many at a time."""
    free = asyncio.Semaphore(hands)

    async def one(thing: Thing) -> Result:
        async with free:
            return await do(thing)

    return await asyncio.gather(*map(one, things))


async def _add(api: httpx.AsyncClient, n: int) -> str:
    answer = await api.post("/devices", json={"name": f"line {n}", "network": "loopback"})
    answer.raise_for_status()
    return str(answer.json()["id"])


async def _begin(api: httpx.AsyncClient, device_id: str) -> str:
    answer = await api.post(f"/devices/{device_id}/pairings", json={"method": "qr"})
    answer.raise_for_status()
    return str(answer.json()["id"])


async def _scan(api: httpx.AsyncClient, profile: demo.Profile, pairing_id: str, n: int) -> float:
    """Seconds until it is paired; infinite when it is not."""
    begun = time.monotonic()
    scanned = None
    while time.monotonic() - begun < PAIR_SECONDS:
        pairing: dict[str, Any] = (await api.get(f"/pairings/{pairing_id}")).json()
        if pairing["state"] == "paired":
            return time.monotonic() - begun
        if pairing["state"] != "waiting":
            break
        if pairing["qr"] and pairing["qr"] != scanned:
            scanned = pairing["qr"]
            try:
                await demo.order(profile, "scan", phone=str(lines.FIRST + n), qr=scanned, name=f"Line {n}")
            except demo.SimulatorError:
                continue  # that code was over in this very moment; there is a next one
        await asyncio.sleep(0.1)
    return float("inf")


async def _all_online(connection: asyncpg.Connection, count: int, begun: float) -> float | str:
    while time.monotonic() - begun < PAIR_SECONDS * 4:
        there = await connection.fetchval(q.online)
        if there >= count:
            return time.monotonic() - begun
        await asyncio.sleep(0.2)
    return f"only {there:,}"


if __name__ == "__main__":
    main()
