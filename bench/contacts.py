"""A whole running system whose lines have contacts that write: `wafast up`, a simulator of its own, real sessions."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

import asyncpg
import httpx

from tests.simulator import Simulator
from tests.system import System, run
from wafast.database.away import DATABASE_AWAY
from wafast.database.embedded import running_uri
from wafast.database.pool import open_pool
from wafast.devices import rows

PATIENCE = 180.0
PAIRINGS_AT_ONCE = 4
#: Messages of one order to the simulator.
BURST = 10
#: The simulator keeps the newest 20,000 receipts.
RECEIPTS_SECONDS = 5.0

T = TypeVar("T")


@dataclass(frozen=True)
class Written:
    """A message a contact wrote; `chat` names the chat it went to, `number` is its place there."""

    id: str
    chat: str
    number: int
    text: str


class Lines:
    """The system and its lines."""

    def __init__(self, system: System, simulator: Simulator, phones: list[str]) -> None:
        self.system, self.simulator, self.phones = system, simulator, phones

    def client(self) -> httpx.Client:
        """Who may do everything over the API."""
        key = run(self.system.data_dir, "key", "create", "--scope", "admin").stdout.split()[-1]
        headers = {"X-API-Key": key}
        return httpx.Client(base_url=f"{self.system.url}/api/v1", headers=headers, trust_env=False, timeout=60)

    def fetch(self, query: str) -> list[asyncpg.Record]:
        """The rows of a query, once the database is there."""
        return until(lambda: self._try(query), "an answer of the database")

    def _try(self, query: str) -> list[asyncpg.Record] | None:
        uri = running_uri(self.system.data_dir)
        try:
            return asyncio.run(_fetch(uri, query)) if uri is not None else None
        except DATABASE_AWAY:
            return None

    def wait_quiet(self) -> None:
        """Until every line is online and has acknowledged all that came for it."""
        until(self._is_quiet, "every line online, with nothing to acknowledge")

    def _is_quiet(self) -> bool | None:
        devices = [device for account in self.simulator.accounts().values() for device in account.devices]
        return all(device.online and device.unacked == 0 for device in devices) or None


@contextmanager
def running(folder: Path, count: int) -> Iterator[Lines]:
    """A system in `folder` with `count` paired lines, as long as the block lasts. It keeps every message."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a bench that is stopped leaves nothing behind
    (folder / "simulator").mkdir(parents=True)
    simulator = Simulator.start(folder / "simulator", seed=7)
    more = {"WAFAST_LOOPBACK": str(folder / "simulator/loopback.json"), "WAFAST_MESSAGES_PER_CHAT": "0"}
    system = System(folder / "data", more=more | {"WAFAST_LOG": "info"})
    try:
        system.wait_ready()
        phones = [f"6011{number:08}" for number in range(count)]
        asyncio.run(_pair(system, simulator, phones))
        yield Lines(system, simulator, phones)
    finally:
        system.stop()
        simulator.stop()


async def _pair(system: System, simulator: Simulator, phones: list[str]) -> None:
    uri = running_uri(system.data_dir)
    assert uri is not None, "the system is ready"
    pool = await open_pool(uri, size=PAIRINGS_AT_ONCE, name="bench")
    turn = asyncio.Semaphore(PAIRINGS_AT_ONCE)

    async def pair(tenant_id: int, phone: str) -> None:
        async with turn:
            device = await rows.create_device(pool, tenant_id, phone, "loopback")
            pairing = await rows.create_pairing(pool, tenant_id, device.id, "qr", None)
            deadline = time.monotonic() + PATIENCE
            while pairing is not None and pairing.qr is None and time.monotonic() < deadline:
                await asyncio.sleep(0.1)
                pairing = await rows.get_pairing(pool, tenant_id, pairing.id)
            if pairing is None or pairing.qr is None:
                raise SystemExit(f"no QR code for {phone} within {PATIENCE:.0f} s")
            # A connection of its own: the simulator answers when the line is linked.
            caller = Simulator.attach(simulator.folder / "loopback.json")
            await asyncio.to_thread(caller.scan, phone, pairing.qr, name=phone)

    try:
        tenant_id = await pool.fetchval("SELECT min(id) FROM tenants")
        await asyncio.gather(*(pair(tenant_id, phone) for phone in phones))
    finally:
        await pool.close()


class Contacts:
    """Two contacts a line: one writes to it, the other in a group, each at the same steady pace."""

    def __init__(self, lines: Lines, rate: float) -> None:
        """`rate` is of all of them, messages a second."""
        self._profile = lines.simulator.folder / "loopback.json"
        self._end = Event()
        self.written: list[Written] = []
        self.acknowledged: dict[str, int] = {}
        """When the simulator heard that a message had arrived, Unix milliseconds, by its id; as of the last `note`."""
        self._noted = dict.fromkeys(lines.phones, 0)
        pause = 2 * len(lines.phones) / rate
        work: list[tuple[Callable[..., None], tuple[object, ...]]] = [(self._watch, ())]
        for number, phone in enumerate(lines.phones):
            one, other = f"6012{number:08}", f"6013{number:08}"
            group = lines.simulator.group(phone, "Team", [other])
            work += [(self._write, (phone, one, None, pause)), (self._write, (phone, other, group, pause))]
        self._threads = [Thread(target=target, args=arguments) for target, arguments in work]
        for thread in self._threads:
            thread.start()

    def _write(self, phone: str, contact: str, group: str | None, pause: float) -> None:
        simulator, written = Simulator.attach(self._profile), 0
        while not self._end.is_set():
            text = f"to {phone}, {written} and"
            ids = simulator.text(phone, contact, text, group=group, count=BURST, interval_ms=round(1000 * pause))
            chat = f"{phone} {group or contact}"
            self.written += [Written(id, chat, written + n, f"{text} {n}") for n, id in enumerate(ids)]
            written += BURST
            self._end.wait(pause)

    def _watch(self) -> None:
        simulator = Simulator.attach(self._profile)
        while not self._end.wait(RECEIPTS_SECONDS):
            self.note(simulator)

    def note(self, simulator: Simulator) -> None:
        """Note what has been acknowledged since the last time."""
        for phone, after in self._noted.items():
            for receipt in simulator.receipts(phone, after=after):
                self._noted[phone] = receipt.seq
                for id in receipt.ids:
                    self.acknowledged.setdefault(id, receipt.at)

    def stop(self) -> None:
        """The last message is written."""
        self._end.set()
        for thread in self._threads:
            thread.join()


def until(ask: Callable[[], T | None], what: str) -> T:
    """The first answer that is not None. Ends the bench when there is none within `PATIENCE`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (answer := ask()) is not None:
            return answer
        time.sleep(0.1)
    raise SystemExit(f"not within {PATIENCE:.0f} s: {what}")


async def _fetch(uri: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(uri, timeout=10, command_timeout=60)
    try:
        found: list[asyncpg.Record] = await connection.fetch(query)
        return found
    finally:
        await connection.close()
