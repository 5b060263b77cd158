"""Linking a phone, through rows only: what the API writes and reads."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.integration.devices.stack import Stack
from tests.simulator import SimulatorError
from wafast.devices import rows


async def test_a_scanned_code_pairs_the_device_and_brings_it_online(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    assert device.phone == f"+{phone}"
    assert device.jid == f"{phone}@s.whatsapp.net"
    assert device.lid is not None
    assert device.lid.endswith("@lid")
    assert device.desired_state == "connected"
    assert device.state_reason is None


async def test_a_typed_code_pairs_the_device(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.add_device()
    pairing = await stack.start_pairing(device.id, f"+{phone}")
    shown = await stack.until_pairing(pairing.id, code=True)
    assert shown.code is not None
    await asyncio.to_thread(stack.simulator.enter_code, phone, shown.code)
    await stack.until_pairing(pairing.id, state="paired")
    assert (await stack.until_state(device.id, "online")).phone == f"+{phone}"


async def test_a_cancelled_pairing_ends_its_session_and_another_can_follow(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.add_device()
    pairing = await stack.start_pairing(device.id)
    await stack.until_pairing(pairing.id, qr=True)
    await stack.until_state(device.id, "pairing")
    await rows.cancel_pairing(stack.pool, stack.tenant_id, pairing.id)
    await stack.until_state(device.id, "new")
    again = await stack.start_pairing(device.id)
    shown = await stack.until_pairing(again.id, qr=True)
    assert shown.qr is not None
    await asyncio.to_thread(stack.simulator.scan, phone, shown.qr)
    await stack.until_state(device.id, "online")


async def test_nobody_scans_in_time(stack: Stack) -> None:
    stack.start_worker()
    device = await stack.add_device()
    pairing = await stack.start_pairing(device.id)
    await stack.until_pairing(pairing.id, qr=True)
    await stack.pool.execute("UPDATE pairings SET expires_at = now() WHERE id = $1", pairing.id)
    ended = await stack.until_pairing(pairing.id, state="expired")
    assert ended.reason is not None
    assert "in time" in ended.reason
    assert "in time" in ((await stack.until_state(device.id, "new")).state_reason or "")


async def test_one_number_is_one_device(stack: Stack, phone: str) -> None:
    stack.start_worker()
    await stack.pair(phone, "First")
    second = await stack.add_device("Second")
    pairing = await stack.start_pairing(second.id)
    shown = await stack.until_pairing(pairing.id, qr=True)
    assert shown.qr is not None
    await asyncio.to_thread(stack.simulator.scan, phone, shown.qr)
    failed = await stack.until_pairing(pairing.id, state="failed")
    assert failed.reason is not None
    assert "'First'" in failed.reason
    device = await stack.until_state(second.id, "new")
    assert device.jid is None


async def test_a_device_is_paired_again_after_a_logout(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.logout, phone)
    await stack.until_state(device.id, "logged_out")
    pairing = await stack.start_pairing(device.id)
    shown = await stack.until_pairing(pairing.id, qr=True)
    assert shown.qr is not None
    await asyncio.to_thread(stack.simulator.scan, phone, shown.qr)
    await stack.until_state(device.id, "online")
    assert len(list((stack.data_dir / "sessions" / "loopback").glob("*.db"))) == 1


@pytest.mark.parametrize("ending", ["cancelled", "deleted"])
async def test_a_phone_that_scans_too_late_is_unlinked_again(stack: Stack, phone: str, ending: str) -> None:
    stack.start_worker()
    for _ in range(10):
        device = await stack.add_device()
        pairing = await stack.start_pairing(device.id)
        shown = await stack.until_pairing(pairing.id, qr=True)
        assert shown.qr is not None
        if ending == "cancelled":
            # Without a word to the worker, as when the phone is faster than it.
            await stack.pool.execute("UPDATE pairings SET state = 'failed', ended_at = now() WHERE id = $1", pairing.id)
        else:
            await stack.pool.execute("DELETE FROM devices WHERE id = $1", device.id)
        with contextlib.suppress(SimulatorError):  # the worker happened to look, and was faster
            await asyncio.to_thread(stack.simulator.scan, phone, shown.qr)
            break
    else:
        pytest.fail("the phone was never faster")

    async def unlinked() -> bool:
        account = await asyncio.to_thread(stack.simulator.account, phone)
        return account is not None and not account.devices

    await stack.until(unlinked, "the phone has lost the link")

    async def swept() -> bool:
        return not list((stack.data_dir / "sessions" / "loopback").glob("*.db"))

    await stack.until(swept, "the session file is gone")


@pytest.mark.parametrize("ending", ["banned", "replaced"])
async def test_a_new_pairing_that_is_cancelled_leaves_the_old_link(stack: Stack, phone: str, ending: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    if ending == "banned":
        await asyncio.to_thread(stack.simulator.ban, phone, 101, 3600)
    else:
        await asyncio.to_thread(stack.simulator.replaced, phone)
    before = await stack.until_state(device.id, ending)
    pairing = await stack.start_pairing(device.id)
    await stack.until_pairing(pairing.id, qr=True)
    await rows.cancel_pairing(stack.pool, stack.tenant_id, pairing.id)
    after = await stack.until_state(device.id, ending)
    assert after.state_reason == before.state_reason
    await asyncio.to_thread(stack.simulator.clear, phone)
    await rows.set_desired_state(stack.pool, stack.tenant_id, device.id, "connected")
    await stack.until_state(device.id, "online")
