"""What is queued leaves once, and its end is known."""

from __future__ import annotations

import asyncio
import io
import secrets
from collections.abc import Callable

import pytest
from PIL import Image

from tests.integration.devices.stack import Stack, Worker
from tests.simulator import Simulator
from wafast.devices import rows
from wafast.devices.rows import DeviceRow
from wafast.outbox import claim as claims
from wafast.outbox.rows import OutboxRow


async def test_a_reply_is_sent_once_and_stored(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    slow = "UPDATE devices SET min_seconds = 3600, max_seconds = 3600 WHERE no = $1"
    await stack.pool.execute(slow, device.no)  # no reply waits for that
    row = await stack.send(device.id, contact, "Hello *there*")
    sent = await stack.until_sent(row.id)
    assert sent.message_id is not None
    assert sent.attempts == 1
    received = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=contact, wait=60)
    assert [(message.id, message.text) for message in received] == [(sent.message_id, "Hello *there*")]
    stored = await stack.pool.fetch("SELECT * FROM whatsapp_messages WHERE device_id = $1", device.id)
    assert [(row["message_id"], row["message_text"], row["from_me"], row["sender_jid"]) for row in stored] == [
        (sent.message_id, "Hello *there*", True, f"{phone}@s.whatsapp.net")
    ]
    chat = await stack.pool.fetchrow("SELECT * FROM chats WHERE device_no = $1", device.no)
    assert chat is not None
    assert await stack.pool.fetchval("SELECT count(*) FROM chats") == 1, "the LID is the number's chat"
    assert (chat["jid"], chat["last_text"], chat["last_flags"], chat["stored"]) == (
        f"{contact}@s.whatsapp.net", "Hello *there*", 1, 1,
    )  # fmt: skip


async def test_receipts_move_the_row(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.auto, phone=phone, contact=contact, deliver_ms=0, read_ms=50)
    row = await stack.send(device.id, contact, "Did you read this?")
    assert (await stack.until_sent(row.id, "read")).read_at is not None


async def test_a_picture_is_uploaded_and_arrives_whole(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    picture = io.BytesIO()
    Image.new("RGB", (640, 480), "green").save(picture, "JPEG")
    sha256 = await stack.add_file(picture.getvalue(), "image/jpeg")
    row = await stack.send(device.id, contact, "Our shop", kind="image", media_sha256=sha256)
    await stack.until_sent(row.id)
    [message] = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=contact, wait=60)
    assert (message.kind, message.text, message.media_sha256) == ("image", "Our shop", sha256.hex())
    stored = await stack.pool.fetchrow("SELECT * FROM messages WHERE device_no = $1", device.no)
    assert stored is not None
    assert (stored["media"]["width"], stored["media"]["ext"]) == (640, "jpg")
    assert await stack.pool.fetchval("SELECT count(*) FROM thumbnails WHERE chat_id = $1", stored["chat_id"]) == 1
    gone = await stack.add_file(b"soon gone", "text/plain")
    (stack.data_dir / "media" / gone.hex()[:2] / gone.hex()).unlink()
    row = await stack.send(device.id, contact, "Our prices", kind="document", media_sha256=gone)
    assert (await stack.until_sent(row.id, "failed")).cause == "media_gone"


async def test_a_quoted_reply_names_the_message_it_answers(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    [asked] = await asyncio.to_thread(stack.simulator.text, phone, contact, "How much?")
    query = "SELECT count(*) FROM messages WHERE device_no = $1"
    await stack.until(lambda: stack.pool.fetchval(query, device.no), "the question")
    row = await stack.send(device.id, contact, "Ten ringgit", quoted=asked)
    await stack.until_sent(row.id)
    [message] = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=contact, wait=60)
    assert (message.text, message.quoted) == ("Ten ringgit", asked)
    query = "SELECT quote FROM messages WHERE device_no = $1 AND quoted = $2"
    brought = {"kind": "text", "text": "How much?", "sender": f"{contact}@s.whatsapp.net"}
    assert await stack.pool.fetchval(query, device.no, asked) == brought


async def test_a_number_without_whatsapp_fails_with_that_reason(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.not_on_whatsapp, contact)
    row = await stack.send(device.id, contact, "Anybody?")
    failed = await stack.until_sent(row.id, "failed")
    assert failed.reason == "this number is not on WhatsApp"


async def test_a_number_that_whatsapp_names_otherwise_is_written_to_by_that_name_and_is_one_chat(
    stack: Stack, phone: str
) -> None:
    """In Brazil people dial a 9 that WhatsApp's names of old accounts don't have."""
    stack.start_worker()
    device = await stack.pair(phone)
    line = f"{secrets.randbelow(10**8):08}"
    dialled, named = f"55119{line}", f"5511{line}"
    await asyncio.to_thread(stack.simulator.push_name, named, "Ana")
    await asyncio.to_thread(stack.simulator.auto, phone=phone, contact=named, deliver_ms=0, read_ms=50)
    await stack.pool.execute(
        "INSERT INTO chats (tenant_id, device_no, jid) VALUES ($1, $2, $3)",
        device.tenant_id, device.no, f"{dialled}@s.whatsapp.net",
    )  # fmt: skip
    for text in ("Hello", "Are you there?"):
        row = await stack.send(device.id, dialled, text)
        await stack.until_sent(row.id, "read")
    received = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=named, wait=60)
    assert [message.text for message in received] == ["Hello", "Are you there?"]
    chats = await stack.pool.fetch("SELECT jid, stored FROM chats WHERE device_no = $1", device.no)
    assert [tuple(row) for row in chats] == [(f"{named}@s.whatsapp.net", 2)], "also where one had been begun"


async def test_whatsapps_own_limit_pauses_the_device(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.refuse_send, phone, 463, count=1)
    row = await stack.send(device.id, contact, "Hi")
    await stack.until_sent(row.id, "failed")
    await stack.until(lambda: _paused(stack, device.no), "the device pauses")
    reply = await stack.send(device.id, contact, "You asked")
    await stack.until_sent(reply.id)


async def test_what_the_server_can_not_take_just_now_leaves_later(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.refuse_send, phone, 429, count=1)
    row = await stack.send(device.id, contact, "Hi")
    await stack.until(lambda: _paused(stack, device.no), "the device pauses")
    sent = await stack.until_sent(row.id)
    assert sent.attempts == 2
    received = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=contact, wait=60)
    assert [message.text for message in received] == ["Hi"]


async def _paused(stack: Stack, device_no: int) -> bool:
    return bool(await stack.pool.fetchval("SELECT paused_until > now() FROM devices WHERE no = $1", device_no))


async def test_a_send_for_a_device_that_is_offline_waits_for_it(stack: Stack, phone: str, contact: str) -> None:
    """SPEC section 10, invariant 3."""
    worker = stack.start_worker()
    device = await stack.pair(phone)
    worker.stop()
    row = await stack.send(device.id, contact, "Later")
    stack.start_worker()
    await stack.until_sent(row.id)
    received = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=contact, wait=60)
    assert [message.text for message in received] == ["Later"]


@pytest.mark.parametrize("end", [Worker.kill, Worker.stop])
async def test_what_a_worker_was_sending_as_it_ended_is_unknown_and_never_sent_again(
    stack: Stack, phone: str, contact: str, end: Callable[[Worker], object]
) -> None:
    worker = stack.start_worker()
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.hold_acks, phone, True)
    row = await stack.send(device.id, contact, "Once only")
    await stack.until_sent(row.id, "sending")
    received = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=contact, wait=60)
    assert len(received) == 1
    await asyncio.to_thread(end, worker)
    await asyncio.to_thread(stack.simulator.clear, phone)
    stack.start_worker()
    unknown = await stack.until_sent(row.id, "unknown", "delivered")
    await stack.until_state(device.id, "online")
    after = await stack.send(device.id, contact, "Something else")
    await stack.until_sent(after.id)
    received = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=contact)
    assert [message.text for message in received] == ["Once only", "Something else"]
    assert unknown.attempts == 1


async def _unanswered(stack: Stack, phone: str, contact: str) -> tuple[DeviceRow, OutboxRow, str]:
    """A device, its row that is being sent, and WhatsApp's id of what has arrived, which WhatsApp does not answer and
    the contact's phone does not acknowledge."""
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.auto, phone=phone, contact=contact, deliver_ms=-1)
    await asyncio.to_thread(stack.simulator.hold_acks, phone, True)
    row = await stack.send(device.id, contact, "Once only")
    [message] = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=contact, wait=60)
    return device, await stack.until_sent(row.id, "sending"), message.id


@pytest.mark.parametrize("code", [463, 479, 503])
async def test_a_refusal_that_comes_once_the_line_was_lost_and_came_back_says_nothing_of_what_left_before(
    stack: Stack, phone: str, contact: str, code: int
) -> None:
    """The engine sends what was not answered once more, and the answer is to that."""
    stack.start_worker(safety="1")
    _, row, message_id = await _unanswered(stack, phone, contact)
    await asyncio.to_thread(stack.simulator.refuse_send, phone, code, count=1)
    await asyncio.to_thread(stack.simulator.drop, phone)
    unknown = await stack.until_sent(row.id, "unknown", "failed", "queued")
    assert (unknown.state, str(code) in (unknown.reason or "")) == ("unknown", True)
    await asyncio.to_thread(stack.simulator.receipt, phone, contact, [message_id], "delivered")
    assert (await stack.until_sent(row.id, "delivered")).message_id == message_id
    received = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=contact)
    assert {message.id for message in received} == {message_id}


async def test_an_answer_that_comes_once_the_line_was_lost_and_came_back_is_of_the_same_message(
    stack: Stack, phone: str, contact: str
) -> None:
    stack.start_worker(safety="1")
    _, row, message_id = await _unanswered(stack, phone, contact)
    await asyncio.to_thread(stack.simulator.clear, phone)
    await asyncio.to_thread(stack.simulator.drop, phone)
    sent = await stack.until_sent(row.id)
    received = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=contact)
    assert (sent.message_id, {message.id for message in received}) == (message_id, {message_id})


@pytest.mark.parametrize("what", ["unlinked", "banned", "disconnected"])
async def test_what_is_not_answered_because_its_line_ends_is_unknown_and_never_sent_again(
    stack: Stack, phone: str, contact: str, what: str
) -> None:
    stack.start_worker(safety="1")
    device, row, message_id = await _unanswered(stack, phone, contact)
    if what == "unlinked":
        await asyncio.to_thread(stack.simulator.logout, phone)
    elif what == "banned":
        await asyncio.to_thread(stack.simulator.ban, phone, 101, 3600)
        await asyncio.to_thread(stack.simulator.drop, phone)
    else:
        await rows.set_desired_state(stack.pool, stack.tenant_id, device.id, "disconnected")
    await stack.until_state(device.id, {"unlinked": "logged_out", "banned": "banned"}.get(what, "offline"))
    unknown = await stack.until_sent(row.id, "unknown")
    assert unknown.reason
    assert "may have left" in unknown.reason
    if what == "disconnected":
        await asyncio.to_thread(stack.simulator.clear, phone)
        await rows.set_desired_state(stack.pool, stack.tenant_id, device.id, "connected")
        await stack.until_state(device.id, "online")
        await asyncio.to_thread(stack.simulator.receipt, phone, contact, [message_id], "delivered")
        assert (await stack.until_sent(row.id, "delivered")).message_id == message_id
    received = await asyncio.to_thread(stack.simulator.inbox, phone=phone, contact=contact)
    assert {message.id for message in received} == {message_id}


async def test_paced_rows_keep_the_gap_and_the_cap_and_replies_do_not_wait(
    stack: Stack, phone: str, contact: str
) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await stack.pool.execute(
        "UPDATE devices SET min_seconds = 20, max_seconds = 20, per_hour = 3, typing = false WHERE no = $1", device.no
    )
    paced = [await stack.send(device.id, contact, f"Offer {n}", priority="paced") for n in range(4)]
    await stack.until_sent(paced[0].id)
    reply = await stack.send(device.id, contact, "Reply")
    await stack.until_sent(reply.id)
    await stack.until_sent(paced[1].id)
    claimed = "SELECT claimed_at FROM outbox WHERE id = $1"
    ids = (paced[0].id, reply.id, paced[1].id)
    first, replied, second = [await stack.pool.fetchval(claimed, id) for id in ids]
    assert (second - first).total_seconds() >= 20
    assert replied < second
    assert (await claims.next_due(stack.pool, [], [device.no]))[device.no] > 60, "three sends an hour, the reply too"
    assert {(await stack.until_sent(row.id, "queued")).state for row in paced[2:]} == {"queued"}


async def test_the_contacts_answer_lands_in_the_same_chat(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    await asyncio.to_thread(stack.simulator.auto, phone=phone, contact=contact, read_ms=20, reply="You said {text}")
    row = await stack.send(device.id, contact, "first words")
    await stack.until_sent(row.id, "read")
    query = "SELECT chat_jid, from_me, message_text, status FROM whatsapp_messages WHERE device_id = $1"
    query += " ORDER BY from_me DESC"

    async def both() -> bool:
        rows = await stack.pool.fetch(query, device.id)
        return [tuple(row) for row in rows] == [
            (f"{contact}@s.whatsapp.net", True, "first words", "read"),
            (f"{contact}@s.whatsapp.net", False, "You said first words", "received"),
        ]

    await stack.until(both, "both messages in the number's chat, ours read")


async def test_a_picture_for_fifty_people_is_uploaded_once_by_each_device(stack: Stack, simulator: Simulator) -> None:
    stack.start_worker()
    devices = [await stack.pair(f"6013{secrets.randbelow(10**8):08}") for _ in range(2)]
    picture = io.BytesIO()
    Image.new("RGB", (640, 480), "red").save(picture, "JPEG")
    sha256 = await stack.add_file(picture.getvalue(), "image/jpeg")
    before = (await asyncio.to_thread(simulator.stats)).uploads
    first = 60_140_000_000 + secrets.randbelow(10**7)
    people = [str(first + number) for number in range(50)]
    rows = [
        await stack.send(devices[number % 2].id, person, f"For {person}", kind="image", media_sha256=sha256)
        for number, person in enumerate(people)
    ]
    for row in rows:
        await stack.until_sent(row.id)
    assert (await asyncio.to_thread(simulator.stats)).uploads - before == 2
    for number, person in enumerate(people[:4]):
        phone = (devices[number % 2].phone or "").removeprefix("+")
        [message] = await asyncio.to_thread(simulator.inbox, phone=phone, contact=person, wait=60)
        assert (message.text, message.media_sha_ok) == (f"For {person}", True)


async def test_a_worker_that_is_started_anew_uploads_nothing_once_more(
    stack: Stack, simulator: Simulator, phone: str, contact: str
) -> None:
    worker = stack.start_worker()
    device = await stack.pair(phone)
    sha256 = await stack.add_file(secrets.token_bytes(20_000), "application/pdf")
    before = (await asyncio.to_thread(simulator.stats)).uploads
    told = {"kind": "document", "media_sha256": sha256, "file_name": "prices.pdf"}
    await stack.until_sent((await stack.send(device.id, contact, "", **told)).id)
    worker.kill()
    stack.start_worker()
    await stack.until_sent((await stack.send(device.id, contact, "", **told)).id)
    assert (await asyncio.to_thread(simulator.stats)).uploads - before == 1
    received = await asyncio.to_thread(simulator.inbox, phone=phone, contact=contact, wait=60)
    assert [(message.kind, message.media_sha_ok) for message in received] == [("document", True)] * 2
    await stack.pool.execute("UPDATE uploads SET uploaded_at = uploaded_at - interval '25 hours'")
    stack.workers[-1].kill()
    stack.start_worker()
    await stack.until_sent((await stack.send(device.id, contact, "", **told)).id)
    assert (await asyncio.to_thread(simulator.stats)).uploads - before == 2, "one of yesterday may be gone"
