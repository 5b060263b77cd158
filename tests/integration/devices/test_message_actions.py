"""Reactions, edits and deletions leave through the outbox, the contact sees them, and our own copy follows."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import asyncpg

from tests.integration.devices.stack import Stack
from wafast.devices.rows import DeviceRow

MESSAGE = "SELECT * FROM whatsapp_messages WHERE device_id = $1 AND message_id = $2"


async def _message(stack: Stack, device: DeviceRow, message_id: str, **wanted: Any) -> asyncpg.Record:
    """The message once its columns are as wanted."""

    async def ask() -> asyncpg.Record | None:
        row = await stack.pool.fetchrow(MESSAGE, device.id, message_id)
        return row if row is not None and all(row[name] == value for name, value in wanted.items()) else None

    return await stack.until(ask, f"message {message_id} with {wanted}")


async def _sent_text(stack: Stack, device: DeviceRow, contact: str, text: str) -> str:
    row = await stack.until_sent((await stack.send(device.id, contact, text)).id)
    assert row.message_id is not None
    return row.message_id


async def _got(stack: Stack, phone: str, contact: str, count: int) -> list[tuple[str, str, str | None]]:
    async def ask() -> list[tuple[str, str, str | None]] | None:
        inbox = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=contact)
        return [(one.kind, one.text, one.quoted) for one in inbox] if len(inbox) >= count else None

    return await stack.until(ask, f"{count} messages at the contact")


async def test_a_reaction_is_seen_by_the_contact_and_here_and_can_be_taken_back(
    stack: Stack, phone: str, contact: str
) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    [asked] = await asyncio.to_thread(stack.simulator.text, phone, contact, "Thank you!")
    await _message(stack, device, asked)
    row = await stack.send(device.id, contact, "❤️", kind="reaction", target=asked)
    sent = await stack.until_sent(row.id)
    assert (sent.attempts, sent.target) == (1, asked)

    async def shown() -> bool:
        reactions = (await _message(stack, device, asked))["reactions"] or []
        return [(one["sender_jid"], one["emoji"]) for one in reactions] == [(f"{phone}@s.whatsapp.net", "❤️")]

    await stack.until(shown, "our reaction on our copy")
    await stack.until_sent((await stack.send(device.id, contact, "", kind="reaction", target=asked)).id)
    await _message(stack, device, asked, reactions=None)
    assert await _got(stack, phone, contact, 2) == [("reaction", "❤️", asked), ("reaction", "", asked)]
    assert await stack.pool.fetchval("SELECT count(*) FROM messages") == 1, "a reaction makes no row"


async def test_an_edit_and_a_deletion_are_seen_by_the_contact_and_here(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    text = await _sent_text(stack, device, contact, "Ten o'clok")
    await stack.until_sent((await stack.send(device.id, contact, "Ten o'clock", kind="edit", target=text)).id)
    edited = await _message(stack, device, text, message_text="Ten o'clock")
    assert edited["edited_at"] is not None
    chat = await stack.pool.fetchrow("SELECT last_text FROM chats WHERE device_no = $1", device.no)
    assert chat is not None
    assert chat["last_text"] == "Ten o'clock"
    await stack.until_sent((await stack.send(device.id, contact, "", kind="delete", target=text)).id)
    gone = await _message(stack, device, text, message_type="deleted")
    assert (gone["message_text"], gone["deleted_at"] is not None) == ("", True)
    assert await _got(stack, phone, contact, 3) == [
        ("text", "Ten o'clok", None), ("edit", "Ten o'clock", text), ("revoke", "", text),
    ]  # fmt: skip


async def test_in_a_group_a_reaction_names_who_wrote(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    group = await asyncio.to_thread(stack.simulator.group, phone=phone, subject="Shop", members=[contact])
    [asked] = await asyncio.to_thread(stack.simulator.text, phone, contact, "Who is in?", group=group)
    await _message(stack, device, asked)
    row = await stack.send(device.id, group.removesuffix("@g.us"), "👍", kind="reaction", target=asked, server="g.us")
    await stack.until_sent(row.id)
    assert await _got(stack, phone, contact, 1) == [("reaction", "👍", asked)]

    async def shown() -> bool:
        return len((await _message(stack, device, asked))["reactions"] or []) == 1

    await stack.until(shown, "our reaction on our copy")


async def test_a_change_whatsapp_refuses_changes_nothing_and_says_why(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    text = await _sent_text(stack, device, contact, "As it was")
    await asyncio.to_thread(stack.simulator.refuse_send, phone, 400, count=1)
    row = await stack.send(device.id, contact, "Otherwise", kind="edit", target=text)
    failed = await stack.until_sent(row.id, "failed")
    assert failed.reason == "WhatsApp refused the message with error 400"
    assert (await _message(stack, device, text))["message_text"] == "As it was"


async def test_a_deletion_nobody_answered_is_settled_by_its_receipt(stack: Stack, phone: str, contact: str) -> None:
    worker = stack.start_worker()
    device = await stack.pair(phone)
    text = await _sent_text(stack, device, contact, "Too early")
    await stack.until_sent((await stack.send(device.id, contact, "And more")).id, "delivered")
    await asyncio.to_thread(stack.simulator.hold_acks, phone, True)
    row = await stack.send(device.id, contact, "", kind="delete", target=text)
    await stack.until_sent(row.id, "sending")
    await _got(stack, phone, contact, 3)
    worker.kill()
    await asyncio.to_thread(stack.simulator.clear, phone)
    stack.start_worker(safety="1")  # what no notification tells is looked for, else every 30 s
    settled = await stack.until_sent(row.id, "sent", "delivered")
    assert settled.attempts == 1
    await _message(stack, device, text, message_type="deleted")


async def test_an_edit_that_can_not_leave_in_time_expires(stack: Stack, phone: str, contact: str) -> None:
    worker = stack.start_worker()
    device = await stack.pair(phone)
    text = await _sent_text(stack, device, contact, "Unchanged")
    worker.stop()
    row = await stack.send(device.id, contact, "Changed", kind="edit", target=text)
    await stack.pool.execute("UPDATE outbox SET expires_at = now() - interval '1 second' WHERE id = $1", row.id)
    stack.start_worker()
    await stack.until_sent(row.id, "expired")
    assert (await _message(stack, device, text))["message_text"] == "Unchanged"


async def test_a_voice_note_that_was_heard_is_told_to_its_sender(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    [note] = await asyncio.to_thread(stack.simulator.text, phone, contact, "as if it were a voice note")
    await _message(stack, device, note)
    jid = f"{contact}@s.whatsapp.net"
    async with stack.caller() as caller:
        await caller.call(device.no, "mark_played", {"chat": jid, "sender": jid, "id": note}, 10)

    async def told() -> bool:
        receipts = await asyncio.to_thread(stack.simulator.receipts, phone)
        return any(one.type == "played" and one.ids == [note] for one in receipts)

    await stack.until(told, "a receipt that says played")


async def test_a_sound_and_a_film_carry_what_is_known_of_them(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    sha256 = await stack.add_file(b"OggS as far as anybody here looks", "audio/ogg; codecs=opus")
    await stack.pool.execute("UPDATE media SET seconds = 7, waveform = $1", bytes(range(64)))
    row = await stack.send(device.id, contact, "", kind="voice", media_sha256=sha256, forwarded=True)
    await stack.until_sent(row.id)
    [got] = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=contact, wait=60)
    assert (got.kind, got.media_sha256) == ("voice", sha256.hex())
    stored = await stack.pool.fetchrow("SELECT media, flags FROM messages WHERE device_no = $1", device.no)
    assert stored is not None
    assert (stored["media"]["seconds"], base64.b64decode(stored["media"]["waveform"])) == (7, bytes(range(64)))
    assert stored["flags"] & 8, "it says that it was forwarded"
    film = await stack.add_file(b"....ftyp as far as anybody here looks", "video/mp4")
    looks = "UPDATE media SET seconds = 83, width = 640, height = 360, poster = 'jpeg' WHERE sha256 = $1"
    await stack.pool.execute(looks, film)
    row = await stack.send(device.id, contact, "Our shop", kind="video", media_sha256=film)
    await stack.until_sent(row.id)
    stored = await stack.pool.fetchrow(
        "SELECT m.media, t.jpeg FROM messages m JOIN thumbnails t ON t.chat_id = m.chat_id AND t.key = m.key"
    )
    assert stored is not None
    assert [stored["media"][name] for name in ("seconds", "width", "height")] == [83, 640, 360]
    assert stored["jpeg"] == b"jpeg"
