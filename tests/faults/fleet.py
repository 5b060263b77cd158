"""A whole system with two workers and devices on a simulator of its own, for tests that take parts of it away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from tests.simulator import Simulator
from tests.system import SOURCE, System, run
from wafast.database.embedded import running_uri

#: Imported by every process of the system: the named device's session ends its process, as a fault in the engine would.
POISON = """
import os, threading

start = threading.Thread.start

def checked(thread):
    if os.path.exists({folder!r} + "/" + thread.name.removeprefix("neonize-")):
        os.abort()
    start(thread)

threading.Thread.start = checked
"""
PATIENCE = 300.0


class Fleet:
    """The system, its phones, and words for what tests do with them."""

    def __init__(self, folder: Path) -> None:
        self.poison = folder / "poison"
        hook = folder / "hook"
        for made in (self.poison, hook):
            made.mkdir(parents=True)
        (hook / "sitecustomize.py").write_text(POISON.format(folder=str(self.poison)))
        self.simulator = Simulator.start(folder / "simulator", seed=5)
        more = {
            "WAFAST_LOOPBACK": str(self.simulator.folder / "loopback.json"),
            "WAFAST_WORKERS": "2",
            "PYTHONPATH": os.pathsep.join([str(hook), str(SOURCE)]),
        }
        self.system = System(folder / "data", more=more).wait_ready()
        self.key = run(self.system.data_dir, "key", "create", "--scope", "admin").stdout.split()[-1]
        # A connection for each request, as the web server is taken away too; no certificates, which are 20 ms to read.
        self._client = httpx.Client(
            base_url=f"{self.system.url}/api/v1", headers={"X-API-Key": self.key}, timeout=60, trust_env=False,
            verify=False, limits=httpx.Limits(max_keepalive_connections=0),
        )  # fmt: skip
        self._numbers = iter(range(60_110_000_001, 60_120_000_000))
        self._people = iter(range(60_140_000_001, 60_150_000_000))

    def end(self) -> None:
        """Nothing runs any more."""
        try:
            self.system.stop()
        finally:
            self.simulator.stop()

    def ask(self, verb: str, path: str, **body: Any) -> Any:
        """One call of the API."""
        answer = self._client.request(verb, path, json=body or None)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def pair(self, count: int) -> list[str]:
        """So many new devices, online; their ids."""
        with ThreadPoolExecutor(8) as threads:
            made = list(threads.map(self._pair, [str(next(self._numbers)) for _ in range(count)]))
        self.until_online(made)
        return made

    def _pair(self, phone: str) -> str:
        device: str = self.ask("POST", "/devices", name=f"Line {phone}", network="loopback")["id"]
        pairing = self.ask("POST", f"/devices/{device}/pairings", method="qr")["id"]
        self.until(lambda: self.ask("GET", f"/pairings/{pairing}")["qr"], "a code")
        code = self.ask("GET", f"/pairings/{pairing}")["qr"]
        Simulator.attach(self.simulator.folder / "loopback.json").scan(phone, code)
        return device

    def device(self, device_id: str) -> dict[str, Any]:
        """A device as the API shows it."""
        found: dict[str, Any] = self.ask("GET", f"/devices/{device_id}")
        return found

    def online(self) -> set[str]:
        """Devices that are online."""
        return {one["id"] for one in self.ask("GET", "/devices?limit=200")["items"] if one["state"] == "online"}

    def until_online(self, wanted: list[str]) -> None:
        """Wait until these are online, which the phones confirm."""
        self.until(lambda: self.online() >= set(wanted), f"{len(wanted)} devices online")
        phones = {self.device(one)["phone"].removeprefix("+") for one in wanted}

        def connected() -> bool:
            accounts = self.simulator.accounts()
            return all(any(device.online for device in accounts[phone].devices) for phone in phones)

        self.until(connected, "every phone with its companion")

    def until(self, what: Callable[[], object], name: str) -> None:
        """Wait until it is true."""
        deadline = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < deadline, f"never came: {name}\n{self.system.tail()}"
            time.sleep(0.1)

    def said(self, event: str) -> list[dict[str, Any]]:
        """What the system logged with this text."""
        return [json.loads(line) for line in self.system.lines() if f'"event": "{event}"' in line]

    def workers(self) -> dict[str, int]:
        """The process of each worker of the loopback network, by its name; the last one that was started."""
        started = [line for line in self.said("started") if line["child"].startswith("loopback")]
        return {line["child"]: line["pid"] for line in started}

    def signal(self, worker: str, number: signal.Signals) -> int:
        """Send a signal to a worker; its pid."""
        pid = self.workers()[worker]
        os.kill(pid, number)
        return pid

    def device_no(self, device_id: str) -> int:
        """Its number, which is also the name of its client in neonize."""
        [row] = self.rows("SELECT no FROM devices WHERE id::text = $1", device_id)
        number: int = row["no"]
        return number

    def holders(self) -> dict[str, int]:
        """The process that holds each device."""
        rows = self.rows(
            "SELECT d.id::text, w.pid FROM leases l JOIN devices d ON d.no = l.device_no "
            "JOIN workers w ON w.id = l.worker_id"
        )
        return {row["id"]: row["pid"] for row in rows}

    def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Of the database."""

        async def ask() -> list[asyncpg.Record]:
            uri = running_uri(self.system.data_dir)
            assert uri is not None
            connection = await asyncpg.connect(uri)
            try:
                found: list[asyncpg.Record] = await connection.fetch(query, *values)
                return found
            finally:
                await connection.close()

        return asyncio.run(ask())

    def begin_campaign(self, devices: list[str], each: int) -> Campaign:
        """A campaign to so many people of each of these devices, which send them all at once if they may."""
        people = [str(next(self._people)) for _ in range(each * len(devices))]
        pacing = {"min_seconds": 0, "max_seconds": 0, "per_hour": 1000, "per_day": 1000, "typing": False, "ramp": False}
        for one in devices:
            self.ask("PATCH", f"/devices/{one}", pacing=pacing)
        tag = f"campaign {people[0]}"
        for number, phone in enumerate(people):
            self.ask("POST", "/leads", phone=f"+{phone}", tags=[tag], device_id=devices[number % len(devices)])
        wanted = {"name": tag, "message": {"text": "Hello"}, "audience": {"tags": [tag]}}
        made = self.ask("POST", "/campaigns", **wanted, pace={"min_seconds": 0.1, "max_seconds": 0.3})
        self.ask("POST", f"/campaigns/{made['id']}/start")
        return Campaign(self, people)

    def _postmaster(self) -> int:
        return int((self.system.data_dir / "postgres/postmaster.pid").read_text("utf-8").split()[0])

    def kill_database(self) -> None:
        """PostgreSQL ends at once, all its processes, as in a crash."""
        os.kill(self._postmaster(), signal.SIGQUIT)

    @contextlib.contextmanager
    def database_stopped(self) -> Iterator[None]:
        """PostgreSQL stands still, all its processes, as on a machine that swaps."""
        postmaster = self._postmaster()
        kept = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        with _stopped([postmaster, *map(int, kept)]):
            yield

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """All of it stands still, as on a machine that sleeps; workers are the last to go on, some seconds later."""
        workers = list(self.workers().values())
        others = [pid for pid in self.system.processes() if pid not in (self.system.process.pid, *workers)]
        with _stopped(workers):
            with _stopped([self.system.process.pid, *others]):
                yield
            time.sleep(3)  # the supervisor looks at them meanwhile


@contextlib.contextmanager
def _stopped(pids: list[int]) -> Iterator[None]:
    """Processes stand still."""
    try:
        for pid in pids:
            _signal(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            _signal(pid, signal.SIGCONT)


def _signal(pid: int, number: signal.Signals) -> None:
    """To a process, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Campaign:
    """One that was started, and what came of it at WhatsApp's side."""

    def __init__(self, fleet: Fleet, people: list[str]) -> None:
        self._fleet, self._people = fleet, people

    def arrived(self) -> Counter[str]:
        """How many messages each person has."""
        found = {(message.contact, message.id) for message in self._fleet.simulator.inbox()}
        return Counter(contact for contact, _ in found if contact in self._people)

    def until_under_way(self) -> None:
        """Wait until it is in its middle."""
        self._fleet.until(lambda: len(self.arrived()) > len(self._people) // 6, "the middle of a campaign")

    def until_ended(self) -> dict[str, tuple[str, str | None]]:
        """Once nothing waits: of each person the state of its row, and why."""
        found: dict[str, tuple[str, str | None]] = {}

        def is_over() -> bool:
            rows = self._fleet.rows("SELECT split_part(to_jid, '@', 1) AS person, state, reason FROM outbox")
            found.update(
                {row["person"]: (row["state"], row["reason"]) for row in rows if row["person"] in self._people}
            )
            return len(found) == len(self._people) and not {"queued", "sending"} & {
                state for state, _ in found.values()
            }

        self._fleet.until(is_over, "the end of a campaign")
        return found
