"""A worker with its database and simulator, and short words for what tests do with them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from tests.simulator import Simulator
from wafast.accounts import tenants
from wafast.devices import loopback_trust, rows
from wafast.events import bus
from wafast.events.calls import Caller
from wafast.outbox import rows as outbox

PATIENCE = 60.0
T = TypeVar("T")


class Worker:
    """A worker process on a database and a simulator."""

    def __init__(self, data_dir: Path, uri: str, simulator: Simulator, **flags: str) -> None:
        profile = simulator.folder / "loopback.json"
        environment = loopback_trust.environment(profile, os.environ)
        root = Path(__file__).parents[3]
        environment["PYTHONPATH"] = os.pathsep.join([str(root), str(root / "python")])
        command = [sys.executable, "-m", "tests.integration.devices.worker_process", str(data_dir), uri, str(profile)]
        command += [f"{name}={value}" for name, value in flags.items()]
        self.process = subprocess.Popen(command, env=environment, cwd=data_dir)

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait(timeout=60)

    def end(self) -> None:
        """Make sure it is gone."""
        if self.process.poll() is None:
            self.kill()


class Stack:
    """One test's world."""

    def __init__(self, uri: str, data_dir: Path, simulator: Simulator, pool: asyncpg.Pool, tenant_id: int) -> None:
        self.uri, self.data_dir, self.simulator, self.pool, self.tenant_id = uri, data_dir, simulator, pool, tenant_id
        self.workers: list[Worker] = []

    @classmethod
    async def make(cls, uri: str, data_dir: Path, simulator: Simulator, pool: asyncpg.Pool) -> Stack:
        """With a workspace, and without a worker yet."""
        await tenants.bootstrap(pool, "admin@example.com", "a long password")
        tenant_id = await pool.fetchval("SELECT min(id) FROM tenants")
        return cls(uri, data_dir, simulator, pool, tenant_id)

    def start_worker(self, **flags: str) -> Worker:
        """One more worker; `flags` are settings by field."""
        worker = Worker(self.data_dir, self.uri, self.simulator, **flags)
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        """No worker is left."""
        for worker in self.workers:
            worker.end()

    @contextlib.asynccontextmanager
    async def caller(self) -> AsyncIterator[Caller]:
        """The API's end of calls to devices."""
        caller = Caller(self.pool, self.uri)
        ready = asyncio.Event()
        task = asyncio.create_task(caller.listener.run(ready))
        await ready.wait()
        yield caller
        task.cancel()

    def files(self) -> set[str]:
        """The names of all media on disk, half-written ones too."""
        return {path.name for path in (self.data_dir / "media").rglob("*") if path.is_file()}

    async def add_file(self, content: bytes, mime: str) -> bytes:
        """A file of the workspace, as an upload leaves it; its hash."""
        sha256 = hashlib.sha256(content).digest()
        path = self.data_dir / "media" / sha256.hex()[:2] / sha256.hex()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        await self.pool.execute(
            "INSERT INTO media (tenant_id, sha256, mime, size) VALUES ($1, $2, $3, $4)",
            self.tenant_id, sha256, mime, len(content),
        )  # fmt: skip
        return sha256

    async def add_device(self, name: str = "Shop") -> rows.DeviceRow:
        """A device on the loopback network."""
        return await rows.create_device(self.pool, self.tenant_id, name, "loopback")

    async def device(self, device_id: UUID) -> rows.DeviceRow:
        """A device as it is now."""
        device = await rows.get_device(self.pool, self.tenant_id, device_id)
        assert device is not None
        return device

    async def until(self, ask: Callable[[], Awaitable[T | None]], what: str) -> T:
        """The first answer that is not None or False."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = await ask()
            if answer:
                return answer
            await asyncio.sleep(0.05)
        raise AssertionError(f"not within {PATIENCE:.0f} s: {what}")

    async def until_state(self, device_id: UUID, state: str) -> rows.DeviceRow:
        """The device once it is in a state."""

        async def ask() -> rows.DeviceRow | None:
            device = await self.device(device_id)
            return device if device.state == state else None

        try:
            return await self.until(ask, f"device {state}")
        except AssertionError:
            device = await self.device(device_id)
            raise AssertionError(f"device is {device.state} ({device.state_reason}), not {state}") from None

    async def pairing(self, pairing_id: UUID) -> rows.PairingRow:
        """A pairing as it is now."""
        pairing = await rows.get_pairing(self.pool, self.tenant_id, pairing_id)
        assert pairing is not None
        return pairing

    async def until_pairing(self, pairing_id: UUID, **wanted: Any) -> rows.PairingRow:
        """The pairing once each field named is as wanted; True: it has a value."""

        async def ask() -> rows.PairingRow | None:
            pairing = await self.pairing(pairing_id)
            for name, value in wanted.items():
                found = getattr(pairing, name)
                if bool(found) is not True if value is True else found != value:
                    return None
            return pairing

        return await self.until(ask, f"pairing with {wanted}")

    async def start_pairing(self, device_id: UUID, phone: str | None = None) -> rows.PairingRow:
        """By QR, or by code when there is a phone."""
        method = rows.create_pairing(self.pool, self.tenant_id, device_id, "code" if phone else "qr", phone)
        pairing = await method
        assert pairing is not None
        return pairing

    async def pair(self, phone: str, name: str = "Shop") -> rows.DeviceRow:
        """A new device, linked to a simulated phone by QR and online."""
        device = await self.add_device(name)
        pairing = await self.start_pairing(device.id)
        shown = await self.until_pairing(pairing.id, qr=True)
        assert shown.qr is not None
        await asyncio.to_thread(self.simulator.scan, phone, shown.qr, name=name)
        await self.until_pairing(pairing.id, state="paired")
        return await self.until_state(device.id, "online")

    async def send(self, device_id: UUID, to: str, text: str, **more: Any) -> outbox.OutboxRow:
        """Queue a text, or what `kind` says; `to` is a number, of a group with `server`."""
        server = more.pop("server", "s.whatsapp.net")
        wanted = outbox.Send(
            device_id=device_id, to_jid=f"{to}@{server}", kind=more.pop("kind", "text"), body=text, **more
        )
        row = await outbox.enqueue(self.pool, self.tenant_id, wanted, created_by="test")
        assert row is not None
        return row

    async def plan(self, people: list[str], template: str, device_no: int | None = None, **columns: Any) -> int:
        """A running source with a row for each of these people, at a device or in the pool; its id. `columns` are the
        source's, beside a pace without gaps."""
        columns = {"kind": "text", "min_seconds": 0.0, "max_seconds": 0.0, **columns}
        names = ", ".join(columns)
        values = ", ".join(f"${number}" for number in range(3, len(columns) + 3))
        async with self.pool.acquire() as connection, connection.transaction():
            source: int = await connection.fetchval(
                f"INSERT INTO sources (tenant_id, state, template, {names}) VALUES ($1, 'running', $2, {values})"
                " RETURNING id", self.tenant_id, template, *columns.values(),
            )  # fmt: skip
            lane = await connection.fetchval(
                "INSERT INTO lanes (tenant_id, source_id, device_no, zone, is_live)"
                " VALUES ($1, $2, $3, 'Asia/Kuala_Lumpur', true) RETURNING id", self.tenant_id, source, device_no,
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO leads (tenant_id, phone, zone) SELECT $1, '+' || p, 'Asia/Kuala_Lumpur'"
                " FROM unnest($2::text[]) p ON CONFLICT DO NOTHING", self.tenant_id, people,
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO outbox (tenant_id, device_no, source_id, lane_id, lead_id, to_jid, kind, priority,"
                " created_by) SELECT $1, $2, $3, $4, l.id, p || '@s.whatsapp.net', $5, 'paced', 'test'"
                " FROM unnest($6::text[]) p JOIN leads l ON l.tenant_id = $1 AND l.phone = '+' || p",
                self.tenant_id, device_no, source, lane, columns["kind"], people,
            )  # fmt: skip
            for device in await connection.fetch("SELECT network, no FROM devices WHERE no = $1", device_no):
                await bus.wake(connection, "outbox", device["network"], device["no"])
        return source

    async def until_ended(self, source_id: int) -> list[asyncpg.Record]:
        """The rows of a source, once none of them waits any more."""

        async def ask() -> bool:
            open_rows = "SELECT count(*) FROM outbox WHERE source_id = $1 AND state IN ('queued', 'sending')"
            return bool(await self.pool.fetchval(open_rows, source_id) == 0)

        await self.until(ask, f"the end of source {source_id}")
        return await self.pool.fetch("SELECT * FROM outbox WHERE source_id = $1 ORDER BY id", source_id)

    async def until_sent(self, outbox_id: int, *states: str) -> outbox.OutboxRow:
        """The row once it is in one of the states (any that says it was taken by the server when none is named)."""
        wanted = states or ("sent", "delivered", "read")

        async def ask() -> outbox.OutboxRow | None:
            row = await outbox.get(self.pool, self.tenant_id, outbox_id)
            return row if row is not None and row.state in wanted else None

        return await self.until(ask, f"outbox row in {wanted}")
