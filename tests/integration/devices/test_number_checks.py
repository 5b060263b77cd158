"""Whether a number is on WhatsApp is asked when something is sent to it, and known for a month."""

from __future__ import annotations

import asyncio

from tests.integration.devices.stack import Stack
from wafast.devices import number_checks


async def test_who_is_not_on_whatsapp_is_known_to_all_devices_then(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await stack.pool.execute("UPDATE devices SET typing = false WHERE no = $1", device.no)
    await asyncio.to_thread(stack.simulator.not_on_whatsapp, contact)
    source = await stack.plan([contact], "Hello", device.no)
    [row] = await stack.until_ended(source)
    assert (row["state"], row["cause"], row["reason"]) == (
        "failed", "not_on_whatsapp", "this number is not on WhatsApp",
    )  # fmt: skip
    other = await stack.add_device()
    number = f"+{contact}"
    await stack.until(lambda: number_checks.known(stack.pool, other.no, [number]), "what another device knows")
    assert await number_checks.known(stack.pool, other.no, [number]) == {number: None}


async def test_what_is_known_is_not_asked_again_for_a_month(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await stack.pool.execute("UPDATE devices SET typing = false WHERE no = $1", device.no)
    # it is on WhatsApp meanwhile, which nobody asks
    await number_checks.note_absent(stack.pool, device.no, f"{contact}@s.whatsapp.net")
    [row] = await stack.until_ended(await stack.plan([contact], "Hello", device.no))
    assert (row["state"], row["cause"]) == ("failed", "not_on_whatsapp")
    await stack.pool.execute("UPDATE number_checks SET checked_at = now() - interval '31 days'")
    [row] = await stack.until_ended(await stack.plan([contact], "Hello again", device.no))
    assert row["state"] in ("sent", "delivered", "read")
    [message] = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=contact, wait=60)
    assert message.text == "Hello again"


async def test_what_a_person_sends_is_always_tried(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await number_checks.note_absent(stack.pool, device.no, f"{contact}@s.whatsapp.net")
    row = await stack.send(device.id, contact, "Are you there now?")
    await stack.until_sent(row.id)
