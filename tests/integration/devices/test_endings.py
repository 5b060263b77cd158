"""A session that ended for good stays ended, whatever the database does meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from tests.database import Database
from wafast.accounts import tenants
from wafast.database.pool import open_pool
from wafast.devices import fleet, rows, state
from wafast.devices import session as ev
from wafast.devices.counts import Counts
from wafast.devices.fleet import Fleet
from wafast.devices.lease import Leases
from wafast.devices.reconciler import Reconciler

PATIENCE = 30.0


class Line:
    """A session that only starts and stops."""

    def __init__(self) -> None:
        self.is_stopped = self.is_unlinked = False
        self.may_stop = asyncio.Event()
        self.may_stop.set()

    async def start(self) -> None:
        """It would dial."""

    async def log_out(self) -> None:
        """The phone loses the link."""
        self.is_unlinked = True

    async def stop(self) -> None:
        """Its line is cut."""
        self.is_stopped = True
        await self.may_stop.wait()


class World:
    """One worker's fleet with one device, on a database whose writes of states can be made to fail."""

    def __init__(self, pool: asyncpg.Pool, folder: Path) -> None:
        self.pool = pool
        self.lines: list[Line] = []
        self.leases = Leases(pool, uuid4(), "loopback")
        (folder / "x.db").write_bytes(b"keys")
        self.fleet = Fleet(pool, self.leases.worker_id, folder, self._make, Counts())
        self.reconciler = Reconciler(pool, self.leases, self.fleet, self._ignore, 50)
        self.starts = asyncio.create_task(self.reconciler.run_starts())
        self.is_away = False
        self.refused = 0

    def _make(self, *_: Any) -> Any:
        self.lines.append(Line())
        return self.lines[-1]

    async def _ignore(self, _numbers: list[int]) -> None:
        pass

    def break_writes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on states are not written while `is_away`."""
        move = state.move

        async def perhaps(*arguments: Any, **more: Any) -> bool:
            if self.is_away:
                self.refused += 1
                raise ConnectionRefusedError("the database is away")
            return await move(*arguments, **more)

        monkeypatch.setattr(state, "move", perhaps)
        monkeypatch.setattr(fleet, "AWAY_SECONDS", 0.01)

    async def online(self) -> int:
        """A device that has just come online; its number."""
        device = await self.add()
        await self.pool.execute(
            "UPDATE devices SET jid = '60123456789@s.whatsapp.net', store = 'x.db', state = 'offline', "
            "desired_state = 'connected'"
        )
        await self.leases.beat()
        await self.reconciler.look(None)
        await self.until(lambda: bool(self.lines) and not self.reconciler.queued, "a session")
        await self.until(lambda: self.fleet.held[device.no].is_connecting, "a start")
        self.fleet.hear(device.no, ev.Connected())
        await self.until_state(device.no, "online")
        return device.no

    async def add(self) -> rows.DeviceRow:
        """A device that was never paired."""
        tenant_id = await self.pool.fetchval("SELECT min(id) FROM tenants")
        return await rows.create_device(self.pool, tenant_id, "Shop", "loopback")

    async def pairing(self) -> tuple[rows.DeviceRow, Line]:
        """A device whose session shows codes, and that session."""
        device = await self.add()
        await rows.create_pairing(self.pool, device.tenant_id, device.id, "qr", None)
        await self.leases.beat()
        await self.reconciler.look(None)
        await self.until(lambda: self.lines and not self.reconciler.busy, "a session")
        await self.until_state(device.no, "pairing")
        return device, self.lines[0]

    async def cancel_pairing(self, device: rows.DeviceRow) -> None:
        """As a person does."""
        pairing_id = await self.pool.fetchval("SELECT id FROM pairings WHERE device_no = $1", device.no)
        await rows.cancel_pairing(self.pool, device.tenant_id, pairing_id)

    async def until(self, ask: Callable[[], object], what: str) -> None:
        """Until it is so."""
        deadline = time.monotonic() + PATIENCE
        while not ask():
            assert time.monotonic() < deadline, f"never came: {what}"
            await asyncio.sleep(0.01)

    async def until_state(self, device_no: int, wanted: str) -> None:
        """Until the row says so."""
        deadline = time.monotonic() + PATIENCE
        while (state := await self.pool.fetchval("SELECT state FROM devices WHERE no = $1", device_no)) != wanted:
            assert time.monotonic() < deadline, f"it is {state}, never {wanted}"
            await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def world(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    pool = await open_pool(database.uri, size=4, name="test")
    await tenants.bootstrap(pool, "admin@example.com", "a long password")
    world = World(pool, tmp_path)
    world.break_writes(monkeypatch)
    yield world
    world.is_away = False
    world.starts.cancel()
    await world.fleet.close()
    await pool.close()


@pytest.mark.parametrize(
    ("told", "becomes"),
    [
        (ev.Replaced(), "replaced"),
        (ev.Banned(reason="the same message sent too often", seconds=60), "banned"),
        (ev.LoggedOut(reason="the phone logged this device out"), "logged_out"),
        (ev.Outdated(), "outdated"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_end_is_written_when_the_database_is_back_and_nothing_is_dialled_before(
    world: World, told: ev.ControlEvent, becomes: str
) -> None:
    device_no = await world.online()
    world.is_away = True
    world.fleet.hear(device_no, told)
    world.fleet.hear(device_no, ev.Disconnected())
    await world.until(lambda: world.refused >= 2, "an end that is tried again")
    assert world.lines[0].is_stopped
    await world.reconciler.look(None)
    assert world.reconciler.busy == 0
    world.is_away = False
    await world.until_state(device_no, becomes)
    await world.reconciler.look(None)
    assert world.reconciler.busy == 0
    assert len(world.lines) == 1


async def test_a_session_that_gave_up_counts_as_failed_when_the_database_is_back(world: World) -> None:
    device_no = await world.online()
    world.is_away = True
    world.fleet.hear(device_no, ev.Ended(error="no route to host"))
    await world.until(lambda: world.refused >= 2, "an end that is tried again")
    await world.reconciler.look(None)
    assert world.reconciler.busy == 0
    world.is_away = False
    await world.until_state(device_no, "offline")
    [row] = await world.pool.fetch("SELECT failures, retry_at > now() AS waits, state_reason FROM devices")
    assert (row["failures"], row["waits"]) == (1, True)
    assert "no route to host" in row["state_reason"]


async def test_a_stuck_session_is_not_given_up_before_that_is_written(world: World) -> None:
    device_no = await world.online()
    held = world.fleet.held[device_no]
    world.is_away = True
    with pytest.raises(ConnectionRefusedError):
        await world.fleet.restart_stuck(held, state.STUCK)
    assert not world.lines[0].is_stopped
    world.is_away = False
    await world.fleet.restart_stuck(held, state.STUCK)
    assert world.lines[0].is_stopped
    assert await world.pool.fetchval("SELECT failures FROM devices") == 1


async def test_a_cancelled_pairing_is_over_at_once_however_long_its_session_takes_to_end(world: World) -> None:
    device, line = await world.pairing()
    line.may_stop.clear()
    await world.cancel_pairing(device)
    deadline = time.monotonic() + PATIENCE
    while not line.is_stopped:
        assert time.monotonic() < deadline, "its session is never ended"
        await world.reconciler.look(None)
        await asyncio.sleep(0.01)
    await world.until_state(device.no, "new")
    line.may_stop.set()


async def test_a_phone_that_scans_while_the_cancelling_is_written_is_unlinked(world: World) -> None:
    device, line = await world.pairing()
    await world.cancel_pairing(device)
    world.fleet.hear(device.no, ev.PairingRefused("cancelled"))
    world.fleet.hear(device.no, ev.Own("60123456789@s.whatsapp.net", None, 2, ""))
    await world.until(lambda: line.is_stopped, "an end")
    assert line.is_unlinked
    await world.until_state(device.no, "new")
