"""After any history, in any order and any batches, chats agree with their messages."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import asyncpg
import pytest

from tests.integration.core import events
from tests.integration.core.conftest import OWN, World
from tests.integration.core.events import GROUP, MESSAGE, NOW, RECEIPT, SITI, SITI_LID, UNDECRYPTABLE

KEEP = 20
PEOPLE = [SITI, "60111111111@s.whatsapp.net", GROUP]

DISAGREEING = f"""
    SELECT c.jid, c.stored, c.unread, c.last_text, r.*
    FROM chats c CROSS JOIN LATERAL (
        SELECT count(*) AS rows, count(*) FILTER (WHERE m.key > c.floor_key) AS shown,
               count(*) FILTER (WHERE m.flags & 65 = 0 AND (c.read_key IS NULL OR
                   (m.key >> 32, m.created_at) > (c.read_key >> 32, coalesce(k.created_at, '-infinity'))))
               AS unread_rows
        FROM messages m LEFT JOIN messages k ON k.chat_id = c.id AND k.key = c.read_key WHERE m.chat_id = c.id) r
    LEFT JOIN LATERAL (SELECT * FROM messages m WHERE m.chat_id = c.id
                       ORDER BY m.key >> 32 DESC, m.created_at DESC LIMIT 1) l ON true
    WHERE c.stored <> r.rows OR r.shown > {KEEP} OR (r.rows >= {KEEP} AND r.shown < {KEEP})
       OR c.unread < least(r.unread_rows, {KEEP}) OR (r.rows < {KEEP} AND c.unread <> r.unread_rows)
       OR c.last_key IS DISTINCT FROM l.key OR c.last_text IS DISTINCT FROM left(l.body, 200)
       OR c.last_kind IS DISTINCT FROM l.kind OR c.last_status IS DISTINCT FROM l.status
       OR c.last_flags IS DISTINCT FROM l.flags
"""


# As a send is stored by another process, which the core does not hear of.
OWN_MESSAGE = """
    WITH m AS (
        INSERT INTO messages (chat_id, key, created_at, device_no, tenant_id, kind, flags, status, message_id, body)
        SELECT id, {at}::int8 << 32, now(), device_no, tenant_id, 0, 1, 2, 'O{n}', 'sent {n}' FROM chats RETURNING key
    )
    UPDATE chats SET stored = stored + 1, last_key = m.key, last_kind = 0, last_flags = 1, last_status = 2,
        last_text = 'sent {n}'
    FROM m RETURNING stored
"""


def history(chance: random.Random, length: int) -> list[tuple[int, bytes]]:
    """Messages, and everything that can happen to them."""
    told: list[tuple[int, bytes]] = []
    for number in range(length):
        chat = chance.choice(PEOPLE)
        sender = chance.choice([SITI, PEOPLE[1]]) if chat == GROUP else chat
        id = f"M{chance.randint(0, length // 2)}"
        at = NOW - 3000 + number + chance.randint(-200, 200)
        by: dict[str, Any] = {"chat": chat, "sender": sender}
        if chat == SITI and chance.random() < 0.3:
            by = {"chat": SITI_LID, "sender": SITI_LID, "sender_alt": SITI}
        kind = chance.random()
        if kind < 0.5:
            told.append((MESSAGE, events.message(f"M{number}", f"text {number}", at=at, **by)))
        elif kind < 0.6:
            told.append((MESSAGE, events.message(f"M{number}", "ours", chat=chat, sender=OWN, at=at, from_me=True)))
        elif kind < 0.65 and told:
            told.append(chance.choice(told))
        elif kind < 0.70:
            # Of a message that was read, that will be, or that never is; or of what makes no row.
            lost = f"{chance.choice('MMMMEDRX')}{chance.randint(0, length)}"
            told.append((UNDECRYPTABLE, events.undecryptable(lost, at=at, **by)))
        elif kind < 0.73:
            told.append(
                (MESSAGE, events.message(f"E{number}", events.edit(id, f"edited {number}"), chat=chat, sender=sender))
            )
        elif kind < 0.79:
            told.append((MESSAGE, events.message(f"D{number}", events.revoke(id), chat=chat, sender=sender)))
        elif kind < 0.86:
            told.append(
                (MESSAGE, events.message(f"R{number}", events.reaction(id, "👍", at), chat=chat, sender=sender))
            )
        elif kind < 0.95:
            told.append((RECEIPT, events.receipt([id], chance.choice(["DELIVERED", "READ"]), chat=chat, sender=sender)))
        else:
            told.append((RECEIPT, events.receipt([id], "READ_SELF", chat=chat, sender=OWN, from_me=True)))
    return told


@pytest.mark.parametrize("seed", range(8))
def test_chats_agree_with_their_messages(world: World, seed: int) -> None:
    chance = random.Random(seed)
    told = history(chance, 300)
    while told:
        count = chance.choice([1, 5, 60])
        batch, told = told[:count], told[count:]
        if chance.random() < 0.5:
            chance.shuffle(batch)
        world.feed(*batch)
        assert world.rows(DISAGREEING) == []
    ids = world.rows("SELECT chat_id, message_id, count(*) FROM messages GROUP BY 1, 2 HAVING count(*) > 1")
    assert ids == []
    assert world.ingest is not None
    stats = world.ingest.stats()
    assert stats["undecryptable"] > 0 and stats["poisoned"] == 0


def test_within_one_second_messages_keep_the_order_they_came_in(world: World) -> None:
    texts = [str(number) for number in range(12)]
    world.feed(*((MESSAGE, events.message(f"S{text}", text)) for text in texts[:6]))
    world.feed(*((MESSAGE, events.message(f"S{text}", text)) for text in texts[6:]))
    rows = world.rows("SELECT message_text FROM whatsapp_messages ORDER BY timestamp, created_at")
    assert [row["message_text"] for row in rows] == texts
    assert world.chats()[0]["last_message_text"] == texts[-1]
    assert world.chats()[0]["unread_count"] == len(texts)
    world.feed((RECEIPT, events.receipt(["S7"], "READ_SELF", chat=SITI, sender=OWN, from_me=True)))
    assert world.chats()[0]["unread_count"] == len(texts) - 8


def test_of_a_burst_within_one_second_the_last_to_come_are_kept(world: World) -> None:
    world.feed(*((MESSAGE, events.message(f"A{n}", f"before {n}", at=NOW - 5 + n % 3)) for n in range(15)))
    for start in range(0, 90, 30):
        world.feed(*((MESSAGE, events.message(f"B{n}", str(n))) for n in range(start, start + 30)))
        rows = world.rows("SELECT message_text FROM whatsapp_messages ORDER BY timestamp, created_at")
        assert [row["message_text"] for row in rows] == [str(n) for n in range(start + 10, start + 30)]
        assert world.rows(DISAGREEING) == []
    assert world.chats()[0]["unread_count"] == 15 + 90


def test_the_check_above_sees_a_wrong_chat(world: World) -> None:
    world.feed((MESSAGE, events.message("M1", "satu")))
    for wrong in ("unread = unread + 1", "stored = 2", "last_text = 'x'", "last_key = last_key - 1", "last_status = 3"):
        world.value("UPDATE chats SET unread = 1, stored = 1, last_text = 'satu', last_status = 0 RETURNING 1")
        world.value(f"UPDATE chats SET {wrong} RETURNING 1")
        assert len(world.rows(DISAGREEING)) == 1, wrong


def test_a_persons_two_chats_become_one(world: World) -> None:
    world.feed(
        (MESSAGE, events.message("L1", "by lid", chat=SITI_LID, sender=SITI_LID, at=NOW)),
        (MESSAGE, events.message("N1", "by number", at=NOW + 1)),
        (MESSAGE, events.message("G1", "in a group", chat=GROUP, sender=SITI_LID, at=NOW)),
        (MESSAGE, events.message("TWICE", "in both", chat=SITI_LID, sender=SITI_LID, at=NOW)),
        (MESSAGE, events.message("TWICE", "in both", at=NOW)),
        (RECEIPT, events.receipt(["LATER"], "READ", chat=SITI_LID, sender=SITI_LID)),
    )
    assert {chat["chat_jid"] for chat in world.chats()} == {SITI_LID, SITI, GROUP}
    world.feed((MESSAGE, events.message("L2", "the same", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI, at=NOW + 2)))
    assert {chat["chat_jid"] for chat in world.chats()} == {SITI, GROUP}
    of_siti = [message["message_text"] for message in world.messages() if message["chat_jid"] == SITI]
    assert sorted(of_siti) == ["by lid", "by number", "in both", "the same"]
    assert {message["sender_jid"] for message in world.messages()} == {SITI}
    assert world.value(f"SELECT unread FROM chats WHERE jid = '{SITI}'") == 4
    assert world.rows(DISAGREEING) == []
    world.feed((MESSAGE, events.message("LATER", "ours", sender=OWN, from_me=True, at=NOW + 3)))
    assert world.messages()[-1]["status"] == "read"


def merged(world: World) -> dict[str, Any]:
    """Siti's chat once her LID's has gone into it with a last message."""
    linked: dict[str, Any] = {"chat": SITI_LID, "sender": SITI_LID, "sender_alt": SITI}
    world.feed((MESSAGE, events.message("LAST", "last", at=NOW, **linked)))
    assert world.rows(DISAGREEING) == []
    (chat,) = world.rows("SELECT * FROM chats")
    return chat


def in_both(*told: tuple[str, str, int]) -> list[tuple[int, bytes]]:
    """Messages (id, text, time) that came by the number and by the LID."""
    both: list[dict[str, Any]] = [{"chat": who, "sender": who} for who in (SITI, SITI_LID)]
    return [(MESSAGE, events.message(id, text, at=at, **by)) for by in both for id, text, at in told]


def read_by_us(id: str) -> tuple[int, bytes]:
    """Siti's chat by number was read on the phone up to this message."""
    return RECEIPT, events.receipt([id], "READ_SELF", chat=SITI, sender=OWN, from_me=True)


def test_what_was_read_in_one_of_two_chats_is_read_when_they_become_one(world: World) -> None:
    earlier = [events.message(f"L{n}", "by lid", chat=SITI_LID, sender=SITI_LID, at=NOW - 20 + n) for n in range(2)]
    world.feed((MESSAGE, events.message("N1", "by number", at=NOW - 10)), read_by_us("N1"))
    world.feed(*((MESSAGE, event) for event in earlier))
    assert merged(world)["unread"] == 1


def test_a_message_in_both_chats_that_was_read_in_one_is_read(world: World) -> None:
    world.feed(*in_both(("A", "satu", NOW - 10), ("B", "dua", NOW - 9)), read_by_us("A"))
    assert merged(world)["unread"] == 2


def test_a_message_in_both_chats_is_one_whatever_its_time_was(world: World) -> None:
    world.feed(*in_both(("A", "satu", 0)))
    world.rows("UPDATE messages SET key = key - (7::int8 << 32) WHERE chat_id = (SELECT max(id) FROM chats)")
    world.rows("UPDATE chats SET last_key = last_key - (7::int8 << 32) WHERE id = (SELECT max(id) FROM chats)")
    assert merged(world)["unread"] == 2
    assert {message["message_id"] for message in world.messages()} == {"A", "LAST"}


def test_what_was_edited_or_deleted_in_one_of_two_chats_stays_so(world: World) -> None:
    world.feed(*in_both(("A", "satu", NOW - 10), ("B", "rahsia", NOW - 9)))
    for id, change in (("X1", events.edit("A", "betul")), ("X2", events.revoke("B"))):
        world.feed((MESSAGE, events.message(id, change, chat=SITI_LID, sender=SITI_LID)))
    merged(world)
    assert [message["message_text"] for message in world.messages()] == ["betul", "", "last"]


def test_an_unread_count_of_the_phone_leaves_room_for_more(world: World) -> None:
    world.feed((events.HISTORY_SYNC, events.history(SITI, [("H1", "lama", NOW - 60)], unreadCount=2**31 - 1)))
    world.feed((MESSAGE, events.message("M1", "baru")))
    assert [message["message_id"] for message in world.messages()] == ["H1", "M1"]


def test_rows_that_others_wrote_count_too(world: World) -> None:
    world.feed(*((MESSAGE, events.message(f"M{n}", str(n), at=NOW + n)) for n in range(15)))
    for n in range(10):
        world.value(OWN_MESSAGE.format(n=n, at=NOW + 100 + n))
    world.feed((MESSAGE, events.message("NEW", "baru", at=NOW + 200)))
    assert len(world.messages()) == KEEP
    assert world.rows(DISAGREEING) == []


def test_messages_of_a_device_that_is_deleted_meanwhile_leave_nothing(world: World) -> None:
    world.feed((MESSAGE, events.message("M1", "satu")))
    world.value("DELETE FROM messages RETURNING 1")
    world.value("DELETE FROM devices RETURNING 1")
    world.feed((MESSAGE, events.message("M2", "dua")), (RECEIPT, events.receipt(["X"], "READ")))
    assert world.value("SELECT count(*) FROM messages") == 0
    assert world.ingest is not None and world.ingest.stats()["retries"] == 0


def test_what_was_trimmed_out_of_a_second_does_not_come_back_when_it_is_replayed(world: World) -> None:
    burst = [(MESSAGE, events.message(f"B{n}", str(n))) for n in range(30)]
    world.feed(*burst)
    for again in (burst, burst[:15]):
        world.close()
        world.start("next")
        world.feed(*again)
        rows = world.rows("SELECT message_text FROM whatsapp_messages ORDER BY created_at")
        assert [row["message_text"] for row in rows] == [str(n) for n in range(10, 30)]
        assert world.chats()[0]["unread_count"] == 30


def test_a_history_that_comes_late_is_read_whatever_is_read_beside_it(world: World) -> None:
    world.feed(*((MESSAGE, events.message(f"A{n}", str(n), at=NOW + 10 * n)) for n in range(3)))
    world.feed((events.HISTORY_SYNC, events.history(SITI, [(f"H{n}", "lama", NOW + 1 + n) for n in range(15)])))
    assert world.chats()[0]["unread_count"] == 3
    world.feed((RECEIPT, events.receipt(["A0"], "READ_SELF", chat=SITI, sender=OWN, from_me=True)))
    assert world.chats()[0]["unread_count"] == 2
    # One older than what was read, and one newer, in one batch.
    late = [("B0", NOW - 5), ("B1", NOW + 50)]
    world.feed(*((MESSAGE, events.message(id, id, at=at)) for id, at in late))
    assert world.chats()[0]["unread_count"] == 3


def test_messages_of_other_devices_are_stored_while_a_large_history_is_being_written(world: World) -> None:
    more = world.rows(
        "INSERT INTO devices (tenant_id, name, network) SELECT tenant_id, 'Line ' || n, 'loopback' "
        "FROM devices, generate_series(1, 2) n RETURNING no"
    )
    others = [row["no"] for row in more]
    ingest = world.start(buffer=8)
    world.feed((MESSAGE, events.message("A1", "satu")))
    history = events.history(SITI, [("H1", "lama", NOW - 60)], name="Siti" * 10_000)

    def wait_for_those_of_others() -> None:
        deadline = time.monotonic() + 60
        while ingest.stats()["stored"] < 1 + len(others):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    async def feed_while_its_chat_is_locked() -> None:
        connection = await asyncpg.connect(world.uri)
        try:
            async with connection.transaction():
                await connection.execute("SELECT FROM chats FOR UPDATE")
                ingest.receive(world.device_no, events.HISTORY_SYNC, history)
                for number, device_no in enumerate(others):
                    ingest.receive(device_no, MESSAGE, events.message(f"B{number}", "dua"))
                await asyncio.to_thread(wait_for_those_of_others)
                assert await connection.fetchval("SELECT count(*) FROM messages WHERE message_id = 'H1'") == 0
        finally:
            await connection.close()

    asyncio.run(feed_while_its_chat_is_locked())
    assert ingest.flush(60)
    assert {row["message_id"] for row in world.messages()} == {"A1", "H1", "B0", "B1"}
