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
from wafast.devices import fleet, reconciler, rows, state
from wafast.devices import session as ev
from wafast.devices.counts import Counts
from wafast.devices.fleet import Fleet
from wafast.devices.lease import Leases
from wafast.devices.pairing import CODES_SECONDS, Pairing
from wafast.devices.reconciler import Reconciler

PATIENCE = 60.0
OWN = ev.Own("60123456789@s.whatsapp.net", None, 2, "")


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
        self.error: Exception = ConnectionRefusedError("the database is away")
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
                raise self.error
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

    async def lose_lease(self) -> None:
        """Another worker has the device."""
        other = Leases(self.pool, uuid4(), "loopback")
        await other.beat()
        await self.pool.execute("UPDATE leases SET worker_id = $1, epoch = epoch + 1", other.worker_id)

    async def take_over(self) -> None:
        """This worker takes all devices again, as a process that was just started."""
        self.fleet.held.clear()
        await self.pool.execute("UPDATE leases SET worker_id = NULL")
        await self.reconciler.look(None)

    async def until_ended(self) -> None:
        """Until no pairing waits."""
        deadline = time.monotonic() + PATIENCE
        while await self.pool.fetchval("SELECT EXISTS (SELECT FROM pairings WHERE state = 'waiting')"):
            assert time.monotonic() < deadline, "a pairing waits for ever"
            await asyncio.sleep(0.01)

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


@pytest.mark.parametrize("told", [ev.Replaced(), ev.Ended(error="no route to host")], ids=["end", "failure"])
async def test_what_a_database_that_takes_no_writes_refuses_is_written_once_it_does(
    world: World, told: ev.ControlEvent
) -> None:
    device_no = await world.online()
    world.error = asyncpg.ReadOnlySQLTransactionError("cannot execute UPDATE in a read-only transaction")
    world.is_away = True
    world.fleet.hear(device_no, told)
    await world.until(lambda: world.refused >= 2, "an end that is tried again")
    world.is_away = False
    await world.until_state(device_no, "replaced" if isinstance(told, ev.Replaced) else "offline")


async def test_an_end_is_written_in_the_end_whatever_went_wrong(world: World) -> None:
    device_no = await world.online()
    world.error, world.is_away = ValueError("nobody thought of this"), True
    world.fleet.hear(device_no, ev.Replaced())
    await world.until(lambda: world.refused >= 2, "an end that is tried again")
    world.is_away = False
    await world.until_state(device_no, "replaced")


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


async def test_a_start_whose_turn_comes_while_its_device_is_being_changed_leaves_that_alone(world: World) -> None:
    device = await world.add()
    await world.pool.execute(
        "UPDATE devices SET jid = '60123456789@s.whatsapp.net', store = 'x.db', state = 'offline', "
        "desired_state = 'connected'"
    )
    await world.leases.beat()
    world.reconciler._most_connecting = 0
    await world.reconciler.look(None)
    change = asyncio.Event()

    async def being_changed() -> bool:
        await change.wait()
        return True

    world.reconciler._aside(device.no, being_changed())
    world.reconciler._most_connecting = 50
    world.fleet.moved()
    await world.until(lambda: not world.reconciler.queued, "its turn")
    await asyncio.sleep(0)
    assert device.no in world.reconciler._busy
    assert not world.lines
    change.set()
    await world.until(lambda: device.no not in world.reconciler._busy, "the end of the change")
    await world.reconciler.look(None)
    await world.until(lambda: world.lines, "its start")


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


async def test_a_pairing_says_when_its_codes_end(world: World) -> None:
    device, _line = await world.pairing()
    left = "SELECT extract(epoch FROM expires_at - now())::float8 FROM pairings"
    for code in ("2@first", "2@second"):
        await world.pool.execute("UPDATE pairings SET expires_at = now() + interval '42 s'")
        world.fleet.hear(device.no, ev.Qr(code))
        await world.until(lambda: not world.fleet.held[device.no].is_handling, "a code")
        if code == "2@first":
            assert CODES_SECONDS - PATIENCE < await world.pool.fetchval(left) <= CODES_SECONDS
    assert await world.pool.fetchval(left) <= 42, "the others change nothing of it"


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
    world.fleet.hear(device.no, OWN)
    await world.until(lambda: line.is_stopped, "an end")
    assert line.is_unlinked
    await world.until_state(device.no, "new")


async def test_a_device_is_not_handed_over_while_something_leaves_through_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    device_no = await world.online()

    async def surplus(_most: int) -> list[int]:
        return [device_no]

    monkeypatch.setattr(world.leases, "surplus", surplus)
    world.fleet.is_sending = lambda _: True
    await world.reconciler.look(None)
    await world.until(lambda: not world.reconciler._busy, "the reconciler has thought it over")
    assert (world.lines[0].is_stopped, list(world.fleet.held)) == (False, [device_no])
    world.fleet.is_sending = lambda _: False
    await world.reconciler.look(None)
    await world.until(lambda: not world.fleet.held, "it is handed over")
    assert world.lines[0].is_stopped


async def test_a_pairing_whose_write_was_not_confirmed_is_not_undone_on_the_phone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, line = await world.pairing()
    succeed, tries = Pairing.succeed, 0

    async def is_cut_off(pairing: Pairing, own: ev.Own) -> bool:
        nonlocal tries
        tries += 1
        written = await succeed(pairing, own)
        if tries == 1:
            raise ConnectionResetError("after the commit")
        return written

    monkeypatch.setattr(Pairing, "succeed", is_cut_off)
    world.fleet.hear(device.no, OWN)
    world.fleet.hear(device.no, ev.Connected())
    await world.until_state(device.no, "online")
    assert tries == 2
    assert not line.is_stopped
    assert not line.is_unlinked


async def test_who_has_lost_the_lease_deletes_no_session_file(world: World, tmp_path: Path) -> None:
    device_no = await world.online()
    await world.lose_lease()
    world.fleet.hear(device_no, ev.LoggedOut(reason="the phone logged this device out"))
    await world.until(lambda: world.lines[0].is_stopped and not world.fleet.held[device_no].is_handling, "an end")
    assert (tmp_path / "x.db").exists()


async def test_who_has_lost_the_lease_leaves_a_pairing_to_the_next(world: World, tmp_path: Path) -> None:
    device, line = await world.pairing()
    store = tmp_path / str(world.fleet.held[device.no].store)
    store.write_bytes(b"keys")
    await world.lose_lease()
    world.fleet.hear(device.no, OWN)
    await world.until(lambda: line.is_stopped and not world.fleet.held[device.no].is_handling, "an end")
    assert store.exists()
    assert not line.is_unlinked


async def test_a_line_whose_proxy_is_changed_is_not_dialled_twice_within_the_cooldown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciler, "COOLDOWN_SECONDS", 1000.0)
    device_no = await world.online()
    for number, seconds in enumerate((0.0, 2000.0), 1):
        # A row is online a moment before the fleet has noted since when.
        await world.until(lambda: not world.fleet.held[device_no].is_handling, "calm")
        world.fleet.held[device_no].state_at -= seconds
        await world.pool.execute("UPDATE devices SET proxy = $1", f"http://10.0.0.{number}:8080")
        await world.reconciler.look(None)
        await world.until(lambda: not world.reconciler.busy and world.fleet.held[device_no].session is None, "an end")
        await world.until_state(device_no, "offline")
        waits = await world.pool.fetchval("SELECT retry_at > now() FROM devices")
        assert waits == (seconds < 1000)
        await world.pool.execute("UPDATE devices SET retry_at = NULL")
        await world.until(lambda: not world.fleet.held[device_no].is_handling, "calm")
        await world.reconciler.look(None)
        await world.until(lambda: world.fleet.held[device_no].is_connecting, "a start")
        world.fleet.hear(device_no, ev.Connected())
        await world.until_state(device_no, "online")


async def banned(world: World) -> rows.DeviceRow:
    """A device that is banned, keeps its link, and is to be paired anew."""
    device = await world.add()
    await world.pool.execute(
        "UPDATE devices SET jid = '60123456789@s.whatsapp.net', store = 'x.db', state = 'banned', "
        "state_reason = 'for an hour', retry_at = 'infinity', desired_state = 'connected'"
    )
    await rows.create_pairing(world.pool, device.tenant_id, device.id, "qr", None)
    await world.leases.beat()
    return device


async def banned_in_pairing(world: World) -> rows.DeviceRow:
    """One that shows codes for its new link."""
    device = await banned(world)
    await world.reconciler.look(None)
    await world.until(lambda: world.lines and not world.reconciler.busy, "a session")
    await world.until_state(device.no, "pairing")
    return device


async def until_banned(world: World, device: rows.DeviceRow) -> None:
    """It is what it was before."""
    await world.until_state(device.no, "banned")
    row = await world.pool.fetchrow("SELECT store, state_reason FROM devices")
    assert row is not None
    assert (row["store"], row["state_reason"]) == ("x.db", "for an hour")


async def test_a_line_keeps_its_old_link_though_the_database_is_away_when_its_new_pairing_fails(world: World) -> None:
    device = await banned_in_pairing(world)
    world.is_away = True
    world.fleet.hear(device.no, ev.PairingEnded("timeout"))
    await world.until(lambda: world.refused >= 2, "an end that is tried again")
    world.is_away = False
    await until_banned(world, device)


async def test_a_ban_with_an_end_ends_then_though_a_new_pairing_came_to_nothing(world: World) -> None:
    device = await banned_in_pairing(world)
    await world.pool.execute(
        "UPDATE devices SET paused_until = now() + interval '1 hour', pause_reason = 'for an hour'"
    )
    world.fleet.hear(device.no, ev.PairingEnded("timeout"))
    await until_banned(world, device)
    assert await world.pool.fetchval("SELECT retry_at < now() + interval '2 hours' FROM devices")


async def test_a_line_keeps_its_old_link_though_its_worker_dies_while_it_shows_codes(world: World) -> None:
    device = await banned_in_pairing(world)
    await world.lose_lease()
    await world.pool.execute("UPDATE pairings SET expires_at = now()")
    await world.take_over()
    await until_banned(world, device)


async def test_a_line_keeps_its_old_link_though_its_new_pairing_expires_before_it_begins(world: World) -> None:
    device = await banned(world)
    await world.pool.execute("UPDATE pairings SET expires_at = now()")
    await world.reconciler.look(None)
    await world.until_ended()
    await until_banned(world, device)


@pytest.mark.parametrize(
    ("seconds", "says"), [(7_200, "It connects again when the ban is over"), (0, "then connect again")]
)
async def test_a_ban_that_ends_is_over_by_itself_and_says_until_when(world: World, seconds: int, says: str) -> None:
    """Without an end a person must act."""
    device_no = await world.online()
    world.fleet.hear(device_no, ev.Banned("too many people blocked you", seconds))
    await world.until_state(device_no, "banned")
    row = await world.pool.fetchrow(
        "SELECT state_reason, retry_at = 'infinity' AS waits_for_person, retry_at >= now() + interval '1 hour'"
        " AS is_tried_after, paused_until = retry_at AS is_paused, pause_reason, pause_cause FROM devices"
    )
    assert row is not None
    assert says in row["state_reason"]
    assert row["waits_for_person"] is (seconds == 0)
    if seconds:
        assert (row["is_paused"], row["is_tried_after"], row["pause_reason"]) == (True, True, row["state_reason"])
        assert row["pause_cause"] == "banned"
        await world.pool.execute("UPDATE devices SET retry_at = now()")
        await world.reconciler.look(None)
        await world.until(lambda: len(world.lines) == 2, "it connects again")
