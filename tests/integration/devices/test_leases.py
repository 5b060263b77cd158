"""Who may hold a device, after workers died, of it or of another one, and when workers come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from tests.database import Database
from wafast.accounts import tenants
from wafast.children import HANG_SECONDS
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


async def test_who_is_blamed_together_with_others_is_not_quarantined(pool: asyncpg.Pool) -> None:
    devices = await linked(pool, 2)
    for _ in range(CRASHES + 1):
        alone = Leases(pool, uuid4(), "loopback")
        await alone.beat()
        assert await take(alone) == set(devices), "there is no worker that could try them apart"
        await becomes(pool, "connecting", *devices)
        await dies(pool, alone)
    assert set((await crashes(pool)).values()) == {CRASHES + 1}
    assert await take(await worker(pool, is_trial=True)) == {devices[0]}


async def test_suspected_devices_are_tried_apart_and_the_guilty_one_is_quarantined(pool: asyncpg.Pool) -> None:
    devices = await linked(pool, 20)
    guilty = devices[3]
    regular = await worker(pool)
    assert await take(regular) == set(devices)
    await becomes(pool, "connecting", *devices)
    await dies(pool, regular)
    regular = await worker(pool)
    assert await take(regular) == set()
    assert await regular.wants_trial()
    trial = await worker(pool, is_trial=True)
    assert not await regular.wants_trial()
    group = await take(trial)
    assert guilty in group
    assert len(group) == 8, "few at a time"
    await becomes(pool, "connecting", *group)
    await dies(pool, trial)

    trial = await worker(pool, is_trial=True)
    good = await take(trial)
    assert len(good) == 8
    assert not good & group, "first those that were blamed once"
    await becomes(pool, "online", *good)
    await trial.acquit(list(good))
    await trial.release(list(good))
    assert await take(regular) == good
    rest = await take(trial)
    await trial.acquit(list(rest))
    await trial.release(list(rest))
    for _ in range(len(group)):
        alone = await take(trial)
        assert len(alone) == 1, "one by one"
        await becomes(pool, "connecting", *alone)
        if guilty in alone:
            await dies(pool, trial)
            trial = await worker(pool, is_trial=True)
        else:
            await trial.acquit(list(alone))
            await trial.release(list(alone))
    assert await take(trial) == set()
    assert await crashes(pool) == {no: CRASHES if no == guilty else 0 for no in devices}
    [row] = await pool.fetch("SELECT id, state, state_reason FROM devices WHERE no = $1", guilty)
    assert (row["state"], row["state_reason"]) == ("offline", lease.QUARANTINED)
    assert not await regular.wants_trial()

    await rows.set_desired_state(pool, await tenant(pool), row["id"], "connected")
    assert await take(trial) == {guilty}, "a person wants to try again, which is done apart"


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
        async with asyncio.timeout(10):
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
