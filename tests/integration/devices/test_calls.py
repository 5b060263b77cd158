"""What the API asks of a device."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.integration.devices.stack import Stack
from wafast.events.calls import CallError, CallFailed, NoLease
from wafast.inbox import chats
from wafast.inbox.reach import Reach


async def test_typing_and_who_is_on_whatsapp(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    chat = f"{contact}@s.whatsapp.net"
    nobody = f"{contact}9"
    await asyncio.to_thread(stack.simulator.not_on_whatsapp, nobody)
    async with stack.caller() as caller:
        assert await caller.call(device.no, "typing", {"chat": chat, "state": "composing"}) == {}
        [seen] = await asyncio.to_thread(stack.simulator.seen, phone, wait=60)
        assert (seen.state, seen.to) == ("composing", contact)
        found = await caller.call(device.no, "is_on_whatsapp", {"phones": [f"+{contact}", f"+{nobody}"]})
        assert found == {"items": [{"phone": f"+{contact}", "jid": chat}, {"phone": f"+{nobody}", "jid": None}]}


async def test_a_device_asks_about_no_more_numbers_than_whatsapp_bears(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    phones = [f"+6019{number:07}" for number in range(50)]
    async with stack.caller() as caller:
        found = await caller.call(device.no, "is_on_whatsapp", {"phones": phones}, 60)
        assert len(found["items"]) == 50
        with pytest.raises(CallFailed, match="as many numbers as it may") as refused:
            await caller.call(device.no, "is_on_whatsapp", {"phones": phones}, 60)
    assert refused.value.code == "too_fast"
    assert refused.value.again_seconds is not None
    assert 0 < refused.value.again_seconds <= 300


async def test_members_of_a_group_are_kept_as_whatsapp_says(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    group = await asyncio.to_thread(stack.simulator.group, phone, "Family", [contact])
    await asyncio.to_thread(stack.simulator.text, phone, contact, "Hi", group=group)
    found = "SELECT id FROM chats WHERE device_no = $1 AND is_group"
    await stack.until(lambda: stack.pool.fetchval(found, device.no), "a group")
    chat_id = await stack.pool.fetchval(found, device.no)
    async with stack.caller() as caller:
        assert await caller.call(device.no, "read_members", {"chat_id": chat_id}) == {}
    members = await stack.pool.fetchval("SELECT members FROM group_members WHERE chat_id = $1", chat_id)
    assert {one["jid"]: one["is_admin"] for one in members} == {
        f"{phone}@s.whatsapp.net": True, f"{contact}@s.whatsapp.net": False,
    }  # fmt: skip


async def test_what_all_of_a_group_have_read_is_read_once_whatsapp_has_said_who_is_in_it(
    stack: Stack, phone: str, contact: str
) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    group = await asyncio.to_thread(stack.simulator.group, phone, "Family", [contact])
    row = await stack.send(device.id, group.removesuffix("@g.us"), "Dinner at eight", server="g.us")
    sent = await stack.until_sent(row.id)
    assert sent.message_id is not None
    await asyncio.to_thread(stack.simulator.receipt, phone, contact, [sent.message_id], "read", group=group)
    await stack.until_sent(row.id, "read")
    shown = (
        "SELECT message_status(m.status) FROM messages m JOIN chats c ON c.id = m.chat_id AND c.last_status = m.status"
    )
    assert await stack.pool.fetchval(shown) == "read"


async def test_a_caller_whose_clock_is_wrong_is_answered(
    stack: Stack, phone: str, contact: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 3600)
    async with stack.caller() as caller:
        chat = {"chat": f"{contact}@s.whatsapp.net", "state": "composing"}
        assert await caller.call(device.no, "typing", chat) == {}


async def test_senders_are_told_what_was_read_at_once_or_when_the_device_is_back(
    stack: Stack, phone: str, contact: str
) -> None:
    first = stack.start_worker()
    device = await stack.pair(phone)

    async def ask(text: str) -> str:
        [asked] = await asyncio.to_thread(stack.simulator.text, phone, contact, text)
        await stack.until(
            lambda: stack.pool.fetchval("SELECT unread FROM chats WHERE device_no = $1", device.no), "a message"
        )
        return asked

    async def read() -> None:
        chat_id = await stack.pool.fetchval("SELECT id FROM chats WHERE device_no = $1", device.no)
        assert await chats.read_chat(stack.pool, Reach(stack.tenant_id), chat_id)

    async def until_told(asked: str) -> None:
        async def told() -> bool:
            receipts = await asyncio.to_thread(stack.simulator.receipts, phone)
            return any(receipt.type == "read" and receipt.ids == [asked] for receipt in receipts)

        await stack.until(told, "a read receipt")
        untold = "SELECT NOT EXISTS (SELECT FROM untold_reads)"
        await stack.until(lambda: stack.pool.fetchval(untold), "nothing more to tell")

    asked = await ask("Hello?")
    await read()
    await until_told(asked)
    asked = await ask("Anybody?")
    assert first.stop() == 0
    await read()
    stack.start_worker()
    await until_told(asked)


async def test_a_group_nothing_has_named_is_asked_for_its_subject(stack: Stack, phone: str, contact: str) -> None:
    first = stack.start_worker()
    device = await stack.pair(phone)
    group = await asyncio.to_thread(stack.simulator.group, phone, "Friday badminton", [phone, contact])
    named = "SELECT name FROM chats WHERE device_no = $1 AND jid = $2 AND name IS NOT NULL"
    await stack.until(lambda: stack.pool.fetchval(named, device.no, group), "the subject WhatsApp tells")
    assert first.stop() == 0
    # as for a group the device was in before it was linked, and that the history did not hold
    await stack.pool.execute("UPDATE chats SET name = NULL WHERE device_no = $1", device.no)
    stack.start_worker()
    await stack.until_state(device.id, "online")
    await asyncio.to_thread(stack.simulator.text, phone, contact, "Court 3", group=group)
    name = await stack.until(lambda: stack.pool.fetchval(named, device.no, group), "the subject asked for")
    assert name == "Friday badminton"


async def test_a_picture_is_fetched_once_it_is_wanted(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    image = await asyncio.to_thread(stack.simulator.image, phone, contact, caption="look")
    query = "SELECT chat_id, key FROM messages WHERE device_no = $1"
    row = await stack.until(lambda: stack.pool.fetchrow(query, device.no), "the picture's message")
    async with stack.caller() as caller:
        got = await caller.call(device.no, "fetch_media", {"chat_id": row["chat_id"], "key": row["key"]})
    assert got["sha256"] == image.sha256
    file = stack.data_dir / "media" / image.sha256[:2] / image.sha256
    assert file.stat().st_size == got["size"]
    assert await stack.pool.fetchval("SELECT mime FROM media WHERE sha256 = $1", bytes.fromhex(image.sha256))


async def test_a_call_that_cannot_be_answered_says_why(stack: Stack, phone: str) -> None:
    worker = stack.start_worker()
    device = await stack.pair(phone)
    async with stack.caller() as caller:
        with pytest.raises(CallError, match="no 'fly'"):
            await caller.call(device.no, "fly", {})
        await asyncio.to_thread(stack.simulator.drop, phone)
        await asyncio.to_thread(stack.simulator.drop, phone)
        worker.stop()
        with pytest.raises(NoLease):
            await caller.call(device.no, "typing", {"chat": "1@s.whatsapp.net", "state": "paused"})
