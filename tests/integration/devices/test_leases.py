"""Who may hold a device, after workers died, of it or of another one, and when workers come and go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from tests.database import Database
from wafast.accounts import tenants
from wafast.children import HANG_SECONDS
from wafast.crashes import Crashes
from wafast.database.pool import open_pool
from wafast.devices import changes, lease, node, rows, state
from wafast.devices.lease import CRASHES, Leases
from wafast.devices.node import this_node
from wafast.events import bus
from wafast.supervisor import LOOK_SECONDS


@pytest_asyncio.fixture
async def pool(database: Database) -> AsyncIterator[asyncpg.Pool]:
    pool = await open_pool(database.uri, size=4, name="test")
    await tenants.bootstrap(pool, "admin@example.com", "a long password")
    yield pool
    await pool.close()


async def tenant(pool: asyncpg.Pool) -> int:
    number: int = await pool.fetchval("SELECT min(id) FROM tenants")
    return number


async def linked(pool: asyncpg.Pool, count: int) -> list[int]:
    """Devices that are to be online; their numbers."""
    made = []
    for n in range(count):
        device = await rows.create_device(pool, await tenant(pool), f"Shop {n}", "loopback")
        await pool.execute(
            "UPDATE devices SET jid = $2, store = 'x.db', state = 'offline', desired_state = 'connected' WHERE no = $1",
            device.no, f"6010{device.no}@s.whatsapp.net",
        )  # fmt: skip
        made.append(device.no)
    return made


async def worker(pool: asyncpg.Pool, *, is_trial: bool = False, expected: int = 1) -> Leases:
    """One that has just started, beside others that have done so long ago."""
    leases = Leases(pool, uuid4(), "loopback", is_trial=is_trial, is_supervised=True, expected=expected)
    await leases.beat()
    return leases


async def take(leases: Leases) -> set[int]:
    return {taken.device_no for taken in await leases.acquire()}


async def becomes(pool: asyncpg.Pool, state: str, *numbers: int, seconds_ago: float = 0.0) -> None:
    await pool.execute(
        "UPDATE devices SET state = $2, online_at = now() - make_interval(secs => $3) WHERE no = ANY ($1)",
        numbers, state, seconds_ago,
    )  # fmt: skip


async def dies(pool: asyncpg.Pool, dead: Leases, *, crashed: bool = True) -> None:
    """Its process is gone, and was seen to end by itself or not."""
    await pool.execute(
        "UPDATE workers SET expires_at = '-infinity', crashed = $2 WHERE id = $1", dead.worker_id, crashed
    )
    await lease.Burial(pool).attempt()


async def crashes(pool: asyncpg.Pool) -> dict[int, int]:
    return {row["no"]: row["crashes"] for row in await pool.fetch("SELECT no, crashes FROM devices ORDER BY no")}


async def test_what_a_dead_worker_held_is_free_and_not_online_and_only_who_was_coming_online_is_blamed(
    pool: asyncpg.Pool,
) -> None:
    old, young, connecting, waiting = await linked(pool, 4)
    dead = await worker(pool)
    assert await take(dead) == {old, young, connecting, waiting}
    await becomes(pool, "online", old, seconds_ago=60)
    await becomes(pool, "online", young, seconds_ago=1)
    await becomes(pool, "connecting", connecting)
    living = await worker(pool)
    assert await take(living) == set()
    await dies(pool, dead)
    assert await crashes(pool) == {old: 0, young: 1, connecting: 1, waiting: 0}
    states = await pool.fetch("SELECT state, state_reason FROM devices WHERE no <= $1 ORDER BY no", connecting)
    assert {(row["state"], row["state_reason"]) for row in states} == {("offline", lease.WORKER_DIED)}
    assert await take(living) == {old, waiting}
    told = await changes.list_changes(pool, await tenant(pool), old, limit=2)
    assert [(change.state, change.reason) for change in told] == [("offline", lease.WORKER_DIED), ("online", None)]


async def test_nobody_is_blamed_for_a_worker_that_nobody_saw_crash(pool: asyncpg.Pool) -> None:
    devices = await linked(pool, 2)
    dead = await worker(pool)
    await take(dead)
    await becomes(pool, "connecting", *devices)
    await dies(pool, dead, crashed=False)
    assert set((await crashes(pool)).values()) == {0}
    assert await take(await worker(pool)) == set(devices)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """One that lives until it is killed."""
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield living
    living.kill()
    living.communicate()


def ending() -> subprocess.Popen[bytes]:
    """One that is soon over."""
    return subprocess.Popen(["true"])


async def runs_in(pool: asyncpg.Pool, leases: Leases, living: subprocess.Popen[bytes]) -> None:
    """The worker's process is this one, and the database has not heard of it for long."""
    found = node.process(living.pid)
    assert found is not None
    await pool.execute(
        "UPDATE workers SET pid = $2, process_start = $3, expires_at = now() - interval '1 minute' WHERE id = $1",
        leases.worker_id, living.pid, found.began,
    )  # fmt: skip


async def test_a_worker_that_the_database_does_not_hear_keeps_its_devices_while_its_process_lives(
    pool: asyncpg.Pool, process: subprocess.Popen[bytes]
) -> None:
    [no] = await linked(pool, 1)
    mute = await worker(pool)
    await take(mute)
    await runs_in(pool, mute, process)
    burial = lease.Burial(pool)
    await burial.attempt()
    assert await take(await worker(pool)) == set()
    process.kill()
    process.wait()
    await burial.attempt()
    assert await take(await worker(pool)) == {no}


async def elsewhere(pool: asyncpg.Pool, leases: Leases, lives: float) -> None:
    """A worker is on another machine, and lives for so many seconds as far as the database knows."""
    await pool.execute(
        "UPDATE workers SET node = 'another', expires_at = now() + make_interval(secs => $2) WHERE id = $1",
        leases.worker_id, lives,
    )  # fmt: skip


async def until_buried(pool: asyncpg.Pool, burial: lease.Burial, no: int) -> None:
    """Nobody holds a device any more: a database that was started just now waits a while."""
    async with asyncio.timeout(60):
        while await pool.fetchval("SELECT worker_id FROM leases WHERE device_no = $1", no):
            await burial.attempt()
            await asyncio.sleep(0.1)


async def test_when_the_databases_clock_is_set_forward_the_living_are_heard_before_anybody_is_buried(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, lives = await linked(pool, 2)
    dead, living, burial = await worker(pool, expected=2), await worker(pool), lease.Burial(pool)
    assert (await take(dead), await take(living)) == ({gone}, {lives})
    await elsewhere(pool, dead, -1)
    await until_buried(pool, burial, gone)
    monkeypatch.setattr(lease.q, "instant", "SELECT clock_timestamp() + interval '1 hour'")
    await elsewhere(pool, living, -3588)  # what it said before
    for _ in range(3):
        await burial.attempt()
    assert await pool.fetchval("SELECT worker_id FROM leases WHERE device_no = $1", lives) == living.worker_id


async def test_who_died_before_the_databases_clock_was_set_back_is_dead(pool: asyncpg.Pool) -> None:
    [no] = await linked(pool, 1)
    dead = await worker(pool)
    await take(dead)
    await elsewhere(pool, dead, 3600)
    await until_buried(pool, lease.Burial(pool), no)


async def test_a_number_that_is_another_processs_by_now_keeps_nothing(
    pool: asyncpg.Pool, process: subprocess.Popen[bytes]
) -> None:
    [no] = await linked(pool, 1)
    dead = await worker(pool)
    await take(dead)
    await runs_in(pool, dead, process)
    await pool.execute("UPDATE workers SET process_start = process_start - 1, expires_at = now() + interval '1 minute'")
    await lease.Burial(pool).attempt()
    assert await take(await worker(pool)) == {no}


async def test_how_a_process_ended_is_waited_for(pool: asyncpg.Pool, process: subprocess.Popen[bytes]) -> None:
    await linked(pool, 1)
    dead = await worker(pool)
    await take(dead)
    await runs_in(pool, dead, process)
    await pool.execute("UPDATE workers SET expires_at = now() + interval '1 minute'")
    process.kill()
    await asyncio.to_thread(os.waitid, os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # and nobody has looked how
    await lease.Burial(pool).attempt()
    assert await take(await worker(pool)) == set()


async def test_of_workers_that_crash_together_each_is_blamed_whoever_buries_them_and_however_often(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    devices, noted = await linked(pool, 4), Crashes(tmp_path)
    for expected in (2, 1):
        fallen = await worker(pool, expected=expected)
        await take(fallen)
        process = ending()
        await runs_in(pool, fallen, process)
        await pool.execute("UPDATE workers SET expires_at = now() + interval '1 minute'")
        found = node.process(process.pid)
        assert found is not None
        process.wait()
        noted.note((process.pid, found.began))
    await becomes(pool, "connecting", *devices)
    for seen in (noted, Crashes(tmp_path / "elsewhere")):
        await lease.Burial(pool, seen).attempt()
    assert await crashes(pool) == dict.fromkeys(devices, 1)


async def test_a_crash_is_blamed_though_it_is_noted_a_moment_after_the_process_is_gone(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    devices, noted = await linked(pool, 2), Crashes(tmp_path)
    fallen = await worker(pool)
    await take(fallen)
    await becomes(pool, "connecting", *devices)
    process = ending()
    await runs_in(pool, fallen, process)
    found = node.process(process.pid)
    assert found is not None
    process.wait()
    asyncio.get_running_loop().call_later(lease.NOTE_SECONDS / 2, noted.note, (process.pid, found.began))
    await lease.Burial(pool, noted).attempt()
    assert await crashes(pool) == dict.fromkeys(devices, 1)


async def test_a_heartbeat_waits_behind_nothing(database: Database, pool: asyncpg.Pool) -> None:
    beats = await open_pool(database.uri, size=1, name="heartbeat")
    leases = Leases(pool, uuid4(), "loopback", beats=beats)
    async with contextlib.AsyncExitStack() as all_connections:
        for _ in range(4):
            await all_connections.enter_async_context(pool.acquire())
        async with asyncio.timeout(60):
            assert await leases.beat()
    await beats.close()


async def test_who_is_blamed_together_with_others_is_not_quarantined(pool: asyncpg.Pool) -> None:
    devices = await linked(pool, 2)
    for _ in range(CRASHES + 1):
        alone = Leases(pool, uuid4(), "loopback")
        await alone.beat()
        assert await take(alone) == set(devices), "there is no worker that could try them apart"
        await becomes(pool, "connecting", *devices)
        await dies(pool, alone)
    assert set((await crashes(pool)).values()) == {CRASHES + 1}
    assert len(await take(await worker(pool, is_trial=True))) == 1


async def test_suspected_devices_are_tried_by_halves_and_the_guilty_one_is_quarantined(pool: asyncpg.Pool) -> None:
    devices = await linked(pool, 40)
    guilty = devices[3]
    regular = await worker(pool)
    assert await take(regular) == set(devices)
    await becomes(pool, "connecting", *devices)
    await dies(pool, regular)
    regular = await worker(pool)
    assert await take(regular) == set()
    assert await regular.wants_trial()
    trial, rounds = await worker(pool, is_trial=True), 0
    assert not await regular.wants_trial()
    suspected = len(devices)
    while group := await take(trial):
        rounds += 1
        assert len(group) == (suspected + 1) // 2, "a half"
        await becomes(pool, "connecting", *group)
        if guilty in group:
            await dies(pool, trial)
            trial = await worker(pool, is_trial=True)
        else:
            await trial.acquit(list(group))
            await trial.release(list(group))
            assert await take(regular) == group
            suspected -= len(group)
    assert rounds <= 2 * 6
    verdicts = await crashes(pool)
    assert verdicts.pop(guilty) >= CRASHES
    assert set(verdicts.values()) == {0}
    [row] = await pool.fetch("SELECT id, state, state_reason FROM devices WHERE no = $1", guilty)
    assert (row["state"], row["state_reason"]) == ("offline", lease.QUARANTINED)
    assert not await regular.wants_trial()

    await rows.set_desired_state(pool, await tenant(pool), row["id"], "connected")
    assert await take(trial) == {guilty}, "a person wants to try again, which is done apart"


async def test_a_suspected_device_that_can_not_connect_holds_no_other_up(pool: asyncpg.Pool) -> None:
    devices = set(await linked(pool, 4))
    await pool.execute("UPDATE devices SET crashes = 2, blamed_at = now()")
    trial = await worker(pool, is_trial=True)
    unreachable = await take(trial)
    assert len(unreachable) == 2
    await pool.execute(
        "UPDATE devices SET retry_at = now() + interval '10 minutes', failures = 3 WHERE no = ANY ($1)", unreachable
    )
    others: set[int] = set()
    while group := await take(trial):
        await trial.acquit(list(group))
        await trial.release(list(group))
        others |= group
    assert others == devices - unreachable
    await dies(pool, trial, crashed=False)
    assert await take(await worker(pool)) == others
    assert await take(await worker(pool, is_trial=True)) == unreachable, "so that no other worker takes them"


async def test_without_a_worker_that_tries_them_suspected_devices_are_not_left_alone_for_ever(
    pool: asyncpg.Pool,
) -> None:
    [suspected] = await linked(pool, 1)
    await pool.execute("UPDATE devices SET crashes = 1, blamed_at = now()")
    regular = await worker(pool)
    assert await take(regular) == set()
    await pool.execute("UPDATE devices SET blamed_at = now() - interval '2 minutes'")
    assert await take(regular) == {suspected}


async def test_a_pairing_that_takes_workers_down_fails(pool: asyncpg.Pool) -> None:
    device = await rows.create_device(pool, await tenant(pool), "Shop", "loopback")
    pairing = await rows.create_pairing(pool, await tenant(pool), device.id, "qr", None)
    assert pairing is not None
    for n in range(CRASHES):
        holder = await worker(pool, is_trial=n > 0)
        assert await take(holder) == {device.no}
        await becomes(pool, "pairing", device.no)
        await dies(pool, holder)
    ended = await rows.get_pairing(pool, await tenant(pool), pairing.id)
    assert ended is not None
    assert (ended.state, ended.reason) == ("failed", lease.QUARANTINED)
    assert (await pool.fetchval("SELECT state FROM devices")) == "new"


async def test_the_first_worker_of_several_leaves_the_others_their_share(pool: asyncpg.Pool) -> None:
    devices = await linked(pool, 30)
    first = await worker(pool, expected=3)
    assert len(await take(first)) == 10
    second = await worker(pool, expected=3)
    third = await worker(pool, expected=3)
    assert len(await take(second)) == len(await take(third)) == 10
    await becomes(pool, "online", *devices, seconds_ago=60)
    await dies(pool, third)
    for survivor in (first, second):
        survivor._alone_until = 0.0  # it has been here for long
    assert len(await take(first)) == len(await take(second)) == 5


async def test_who_holds_more_than_others_hands_over_a_few_at_a_time(pool: asyncpg.Pool) -> None:
    devices = await linked(pool, 30)
    first = await worker(pool)
    assert len(await take(first)) == 30
    await becomes(pool, "online", *devices, seconds_ago=60)
    assert await first.surplus(4) == [], "nobody else is there"
    second = await worker(pool)
    busy = devices[0]
    pairing = "INSERT INTO pairings (tenant_id, device_no, method, expires_at) VALUES ($1, $2, 'qr', now() + '1 hour')"
    await pool.execute(pairing, await tenant(pool), busy)
    moved = 0
    while handed := await first.surplus(4):
        assert len(handed) <= 4
        assert busy not in handed
        await first.release(handed)
        assert await take(first) == set(), "it does not take them back"
        moved += len(await take(second))
    assert 12 <= moved <= 15


async def test_a_dead_workers_devices_are_told_of_at_once_and_within_what_is_promised(pool: asyncpg.Pool) -> None:
    [no] = await linked(pool, 1)
    dead, heard = await worker(pool), asyncio.Event()
    await take(dead)
    await becomes(pool, "online", no)

    def hear(*said: object) -> None:
        if f'"d":{lease.NO_DEVICE}' in str(said[-1]):
            heard.set()

    async with pool.acquire() as connection:
        await connection.add_listener(bus.WORK, hear)
        await dies(pool, dead)
        async with asyncio.timeout(60):
            await heard.wait()
        await connection.remove_listener(bus.WORK, hear)
    assert lease.EXPIRY_SECONDS + lease.BURY_SECONDS < 15
    assert lease.BEAT_SECONDS + HANG_SECONDS + LOOK_SECONDS < lease.EXPIRY_SECONDS, "a hung one is gone before"


async def test_a_device_that_nobody_holds_and_is_to_stay_offline_is_taken_until_its_reason_says_so(
    pool: asyncpg.Pool,
) -> None:
    restarting, disconnected = await linked(pool, 2)
    await pool.execute("UPDATE devices SET desired_state = 'disconnected', state_reason = $1", state.WORKER_STOPS)
    await pool.execute("UPDATE devices SET state_reason = $2 WHERE no = $1", disconnected, state.ON_REQUEST)
    assert await take(await worker(pool)) == {restarting}


async def test_workers_of_another_machine_or_boot_are_no_neighbours_whatever_its_name(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = await worker(pool)
    await pool.execute("UPDATE workers SET pid = $1", 2**22 + 1)  # nobody's here
    this_node.cache_clear()
    monkeypatch.setattr(node, "BOOT_ID", tmp_path / "boot_id")
    (tmp_path / "boot_id").write_text("0f0f0f0f-another-boot\n")
    await (await worker(pool)).bury_dead_neighbours()
    alive = "SELECT expires_at > now() FROM workers WHERE id = $1"
    assert await pool.fetchval(alive, other.worker_id)
    this_node.cache_clear()
    monkeypatch.undo()
    await (await worker(pool)).bury_dead_neighbours()
    assert not await pool.fetchval(alive, other.worker_id)


async def test_a_heartbeat_says_when_it_came_too_late(pool: asyncpg.Pool) -> None:
    late = await worker(pool)
    assert await late.beat()
    late._beaten -= lease.EXPIRY_SECONDS + 1
    assert not await late.beat()


async def test_states_are_kept_for_a_month(pool: asyncpg.Pool) -> None:
    [no] = await linked(pool, 1)
    before = await changes.list_changes(pool, await tenant(pool), no, limit=10)
    assert [change.state for change in before] == ["offline", "new"]
    await pool.execute("UPDATE device_changes SET at = now() - interval '31 days' WHERE state = 'new'")
    await changes.forget_old(pool)
    assert [change.state for change in await changes.list_changes(pool, await tenant(pool), no, limit=10)] == [
        "offline"
    ]
