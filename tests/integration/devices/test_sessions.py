"""What happens to a device that is paired: it comes back by itself, or says what a person must do."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration.devices.stack import Stack, Worker
from tests.simulator import Simulator
from wafast.devices import rows, state
from wafast.devices.lease import Leases
from wafast.distribution import choices


async def test_a_restarted_worker_brings_the_device_back_online(stack: Stack, phone: str) -> None:
    worker = stack.start_worker()
    device = await stack.pair(phone)
    assert worker.stop() == 0
    stopped = await stack.device(device.id)
    assert stopped.state == "offline"
    assert stopped.state_reason is not None
    assert "comes back" in stopped.state_reason
    stack.start_worker()
    back = await stack.until_state(device.id, "online")
    assert back.online_at is not None
    assert device.online_at is not None
    assert back.online_at > device.online_at


async def test_a_worker_whose_sessions_do_not_end_says_that_they_are_offline_and_ends(stack: Stack, phone: str) -> None:
    worker = stack.start_worker(sessions_end="never")
    device = await stack.pair(phone)
    assert worker.stop() == 0
    assert (await stack.device(device.id)).state_reason == state.WORKER_STOPS
    stack.start_worker()
    await stack.until_state(device.id, "online")


async def test_devices_of_a_killed_worker_go_to_the_next_at_once(stack: Stack, phone: str) -> None:
    worker = stack.start_worker(expiry="3600")  # so long its heartbeat counts
    device = await stack.pair(phone)
    worker.kill()
    stack.start_worker()
    await stack.until(lambda: _epoch_of(stack, device.no, 2), "a second holder")
    await stack.until_state(device.id, "online")


async def test_every_message_is_there_once_though_workers_are_killed_while_they_arrive(
    stack: Stack, phone: str, contact: str
) -> None:
    worker = stack.start_worker()
    device = await stack.pair(phone)
    talking = Simulator.attach(stack.simulator.folder / "loopback.json")
    writing = asyncio.create_task(
        asyncio.to_thread(talking.text, phone, contact, "message ", count=400, interval_ms=15)
    )
    for _ in range(2):
        await asyncio.sleep(1.5)
        worker.kill()
        worker = stack.start_worker()
    sent = await writing
    query = "SELECT message_id, count(*) FROM messages WHERE device_no = $1 GROUP BY message_id"

    async def all_there() -> bool:
        return len(await stack.pool.fetch(query, device.no)) >= len(sent)

    await stack.until(all_there, "every message")
    stored = {row["message_id"]: row["count"] for row in await stack.pool.fetch(query, device.no)}
    assert stored == dict.fromkeys(sent, 1)


async def test_workers_that_are_stopped_in_a_flood_leave_nothing_unread(stack: Stack, phone: str, contact: str) -> None:
    count, ids = 1500, list[str]()
    worker = stack.start_worker()
    device = await stack.pair(phone)
    for flood in range(4):
        ids += await asyncio.to_thread(stack.simulator.text, phone, contact, f"flood {flood}", count=count)
        begun = f"SELECT count(*) > {flood * count + 100} FROM messages"
        await stack.until(partial(stack.pool.fetchval, begun), "a part of the flood")
        worker.stop()
        worker = stack.start_worker()
        await stack.until_state(device.id, "online")
    whole = "SELECT count(*) = $2 FROM messages WHERE message_id = ANY ($1)"
    await stack.until(partial(stack.pool.fetchval, whole, ids, len(ids)), "all of the flood")
    assert await stack.pool.fetchval("SELECT count(*) FROM whatsapp_messages WHERE message_type <> 'text'") == 0


async def _epoch_of(stack: Stack, device_no: int, epoch: int) -> bool:
    query = "SELECT epoch FROM leases WHERE device_no = $1 AND worker_id IS NOT NULL"
    return bool(await stack.pool.fetchval(query, device_no) == epoch)


async def test_two_workers_share_devices_and_one_takes_over_from_the_other(stack: Stack, phone: str) -> None:
    first = stack.start_worker()
    stack.start_worker()
    await stack.until(lambda: stack.pool.fetchval("SELECT count(*) = 2 FROM workers"), "two workers")
    devices = [await stack.pair(f"{phone}{n}", f"Shop {n}") for n in range(4)]
    holders = await stack.pool.fetch("SELECT worker_id, count(*) FROM leases GROUP BY worker_id")
    assert sorted(row["count"] for row in holders) == [2, 2]
    first.stop()
    for device in devices:
        await stack.until_state(device.id, "online")
    assert await stack.pool.fetchval("SELECT count(DISTINCT worker_id) FROM leases WHERE worker_id IS NOT NULL") == 1


async def test_a_worker_that_lost_its_lease_ends_the_session_and_leaves_the_keys(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    other = Leases(stack.pool, uuid4(), "loopback")
    await other.beat()
    take = "UPDATE leases SET worker_id = $1, epoch = epoch + 1 WHERE device_no = $2"
    await stack.pool.execute(take, other.worker_id, device.no)

    async def is_gone() -> bool:
        account = await asyncio.to_thread(stack.simulator.account, phone)
        assert account is not None
        return not any(one.online for one in account.devices)

    await stack.until(is_gone, "the session has ended")
    assert (await stack.device(device.id)).state == "online", "it has no say about the state any more"
    assert len(list((stack.data_dir / "sessions" / "loopback").glob("*.db"))) == 1


async def test_a_lost_line_is_dialled_again(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.drop, phone)
    await stack.until_state(device.id, "offline")
    await stack.until_state(device.id, "online")


async def test_a_phone_that_unlinks_logs_the_device_out(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.logout, phone)
    out = await stack.until_state(device.id, "logged_out")
    assert out.state_reason is not None
    assert "Pair the device again" in out.state_reason
    await _has_no_session(stack, device.no)
    assert list((stack.data_dir / "sessions" / "loopback").glob("*.db")) == []


async def test_a_ban_ends_the_session_and_says_how_long(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.ban, phone, 101, 7200)
    await asyncio.to_thread(stack.simulator.drop, phone)
    banned = await stack.until_state(device.id, "banned")
    assert banned.state_reason is not None
    assert "2 hours" in banned.state_reason
    assert banned.paused_until is not None
    account = await asyncio.to_thread(stack.simulator.account, phone)
    assert account is not None
    assert [companion.online for companion in account.devices] == [False]


async def test_a_replaced_session_waits_for_a_person(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.replaced, phone)
    await stack.until_state(device.id, "replaced")
    await _has_no_session(stack, device.no)
    await asyncio.sleep(6)
    assert (await stack.device(device.id)).state == "replaced", "the reconciler leaves it alone"
    await rows.set_desired_state(stack.pool, stack.tenant_id, device.id, "connected")
    await stack.until_state(device.id, "online")


async def test_an_outdated_client_says_so(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.outdated, phone)
    await asyncio.to_thread(stack.simulator.drop, phone)
    outdated = await stack.until_state(device.id, "outdated")
    assert outdated.state_reason is not None
    assert "Update wafast" in outdated.state_reason


async def test_disconnect_connect_and_logout_as_a_person_asks(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await rows.set_desired_state(stack.pool, stack.tenant_id, device.id, "disconnected")
    off = await stack.until_state(device.id, "offline")
    assert off.state_reason == "Disconnected on request"
    await _has_no_session(stack, device.no)
    await rows.set_desired_state(stack.pool, stack.tenant_id, device.id, "connected")
    await stack.until_state(device.id, "online")
    await rows.set_desired_state(stack.pool, stack.tenant_id, device.id, "logged_out")
    await stack.until_state(device.id, "logged_out")
    account = stack.simulator.account(phone)
    assert account is not None
    assert account.devices == [], "the phone was told"


async def test_a_deleted_device_leaves_no_session_behind(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    sessions = stack.data_dir / "sessions" / "loopback"
    assert len(list(sessions.glob("*.db"))) == 1
    assert await rows.delete_device(stack.pool, stack.tenant_id, device.id, choices)

    async def nothing_left() -> bool:
        account = stack.simulator.account(phone)
        assert account is not None
        return not any(one.online for one in account.devices) and not list(sessions.glob("*.db"))

    await stack.until(nothing_left, "the session and its file are gone")


@pytest.mark.parametrize("ended", ["online", "just scanned"])
async def test_a_deleted_device_is_unlinked_from_its_phone(stack: Stack, phone: str, ended: str) -> None:
    stack.start_worker()
    if ended == "online":
        device = await stack.pair(phone)
    else:
        device = await stack.add_device()
        pairing = await stack.start_pairing(device.id)
        shown = await stack.until_pairing(pairing.id, qr=True)
        assert shown.qr is not None
        await asyncio.to_thread(stack.simulator.scan, phone, shown.qr)
        await stack.until_pairing(pairing.id, state="paired")
    assert await rows.delete_device(stack.pool, stack.tenant_id, device.id, choices)

    async def unlinked() -> bool:
        account = await asyncio.to_thread(stack.simulator.account, phone)
        return account is not None and not account.devices

    await stack.until(unlinked, "the phone has lost the link")


async def test_a_device_that_waits_to_try_again_says_that_it_was_disconnected(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.failure, phone, 400)
    await asyncio.to_thread(stack.simulator.drop, phone)

    async def says(words: str) -> bool:
        now = await stack.device(device.id)
        return now.state == "offline" and words in (now.state_reason or "")

    await stack.until(partial(says, "trying again"), "a failure")
    await rows.set_desired_state(stack.pool, stack.tenant_id, device.id, "disconnected")
    await stack.until(partial(says, state.ON_REQUEST), "its reason")
    await _has_no_session(stack, device.no)
    await asyncio.to_thread(stack.simulator.clear, phone)


async def test_a_refused_login_is_tried_again_later(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.failure, phone, 400)
    await asyncio.to_thread(stack.simulator.drop, phone)

    async def failed() -> bool:
        row = await stack.pool.fetchrow("SELECT failures, retry_at FROM devices WHERE no = $1", device.no)
        assert row is not None
        return row["failures"] == 1 and row["retry_at"] is not None

    await stack.until(failed, "a failure with a time for the next try")
    await asyncio.to_thread(stack.simulator.clear, phone)
    await stack.pool.execute("UPDATE devices SET retry_at = now() WHERE no = $1", device.no)
    await stack.until_state(device.id, "online")


async def test_sessions_that_do_not_come_in_leave_no_file_open(stack: Stack, phone: str) -> None:
    worker = stack.start_worker()
    device = await stack.pair(phone)
    at_first = _open_session_files(worker)

    async def has_failed(times: int) -> bool:
        failures = await stack.pool.fetchval("SELECT failures FROM devices WHERE no = $1", device.no)
        return bool(failures >= times)

    await rows.set_desired_state(stack.pool, stack.tenant_id, device.id, "disconnected")
    await _has_no_session(stack, device.no)
    assert not _open_session_files(worker)
    await asyncio.to_thread(stack.simulator.down, True)
    await rows.set_desired_state(stack.pool, stack.tenant_id, device.id, "connected")
    for times in range(1, 6):
        await stack.until(partial(has_failed, times), f"failure {times}")
        await stack.pool.execute("UPDATE devices SET retry_at = now() WHERE no = $1", device.no)
    await asyncio.to_thread(stack.simulator.down, False)
    await stack.pool.execute("UPDATE devices SET retry_at = now() WHERE no = $1", device.no)
    await stack.until_state(device.id, "online")
    # two for each connection: a session may have a second one for a while
    assert len(_open_session_files(worker)) <= len(at_first) + 2


def _open_session_files(worker: Worker) -> list[str]:
    names = [os.path.realpath(one) for one in Path(f"/proc/{worker.process.pid}/fd").iterdir()]
    return [name for name in names if "/sessions/" in name]


async def _has_no_session(stack: Stack, device_no: int) -> None:
    async def released() -> bool:
        return not await stack.pool.fetchval("SELECT worker_id FROM leases WHERE device_no = $1", device_no)

    await stack.until(released, "the lease is given back")
