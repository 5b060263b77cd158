"""A message that can't be read has a row, "Waiting for this message", until it comes after all."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import pytest
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, ProtocolMessage

from tests.integration.core import events
from tests.integration.core.conftest import OWN, World
from tests.integration.core.events import GROUP, MESSAGE, NOW, RECEIPT, SITI, SITI_LID, UNDECRYPTABLE
from tests.integration.core.test_histories import DISAGREEING, KEEP

WAITING = "Waiting for this message"


def shown(world: World) -> list[tuple[str, str, str]]:
    """Id, type and text of each message; chats agree with them."""
    assert world.rows(DISAGREEING) == []
    return [(row["message_id"], row["message_type"], row["message_text"]) for row in world.messages()]


def undecryptable(world: World) -> int:
    assert world.ingest is not None
    return world.ingest.stats()["undecryptable"]


def test_what_cannot_be_read_is_a_row_and_counts(world: World) -> None:
    world.feed((UNDECRYPTABLE, events.undecryptable("U1")), (UNDECRYPTABLE, events.undecryptable("U1", at=NOW + 5)))
    world.feed((UNDECRYPTABLE, events.undecryptable("U1", at=NOW + 9)))
    assert shown(world) == [("U1", "unsupported", WAITING)]
    (chat,) = world.chats()
    assert (chat["last_message_text"], chat["unread_count"], chat["chat_name"]) == (WAITING, 1, "Siti")
    assert undecryptable(world) == 1


@pytest.mark.parametrize("comes", [False, True])
def test_what_only_the_phone_gets_is_not_waited_for(world: World, comes: bool) -> None:
    world.feed((UNDECRYPTABLE, events.undecryptable("U1", unavailable=True)))
    assert shown(world) == [("U1", "unsupported", "Open this message on your phone")]
    if comes:
        world.feed((MESSAGE, events.message("U1", "here after all", at=NOW + 5)))
        assert shown(world) == [("U1", "text", "here after all")]


def test_the_message_that_takes_its_place_keeps_what_it_is(world: World) -> None:
    world.feed((UNDECRYPTABLE, events.undecryptable("U1", sender=OWN, from_me=True)))
    content = Message()
    content.extendedTextMessage.text = "mine"
    content.extendedTextMessage.contextInfo.isForwarded = True
    world.feed((MESSAGE, events.message("U1", content, sender=OWN, from_me=True)))
    [row] = world.messages()
    assert (row["message_text"], row["from_me"], row["is_forwarded"]) == ("mine", True, True)
    assert world.chats()[0]["unread_count"] == 0


@pytest.mark.parametrize("apart", [True, False], ids=["later", "in one batch"])
@pytest.mark.parametrize("after", [0, 7], ids=["same time", "new time"])
def test_the_message_takes_its_place(world: World, apart: bool, after: int) -> None:
    world.feed((MESSAGE, events.message("M0", "before", at=NOW - 1)))
    placeholder = (UNDECRYPTABLE, events.undecryptable("U1"))
    picture = (MESSAGE, events.message("U1", events.image("holiday"), at=NOW + after))
    twice = (MESSAGE, events.message("U1", "another", at=NOW + after + 1))
    if apart:
        world.feed(placeholder)
        world.feed((RECEIPT, events.receipt(["U1"], "READ_SELF", chat=SITI, sender=OWN, from_me=True)))
        world.feed(picture)
        world.feed(twice, placeholder)
    else:
        world.feed(placeholder, picture, twice, placeholder)
    assert shown(world) == [("M0", "text", "before"), ("U1", "image", "holiday")]
    row = world.messages()[-1]
    assert row["media_url"] and row["sender_jid"] == SITI and row["timestamp"] == NOW
    assert world.value("SELECT count(*) FROM thumbnails") == 1
    (chat,) = world.chats()
    assert (chat["last_message_type"], chat["last_message_text"]) == ("image", "holiday")
    assert chat["unread_count"] == (0 if apart else 2)
    assert world.value("SELECT max(flags & 32) FROM messages") == 0


def test_it_is_found_by_a_process_that_did_not_see_it_however_far_back(world: World) -> None:
    world.start(messages_per_chat=0)
    world.feed((UNDECRYPTABLE, events.undecryptable("U1", at=NOW - 9000)))
    world.feed(*((MESSAGE, events.message(f"M{n}", str(n), at=NOW - 5000 + n)) for n in range(1100)))
    world.close()
    ingest = world.start("next", messages_per_chat=0)
    world.feed((MESSAGE, events.message("U1", events.image("holiday"), at=NOW - 9000)))
    found = [row["message_type"] for row in world.messages() if row["message_id"] == "U1"]
    assert found == ["image"]
    assert world.value("SELECT count(*) FROM thumbnails") == 1
    assert ingest.stats()["staged"] == 1


def test_one_that_another_process_wrote_meanwhile_is_filled(world: World) -> None:
    world.feed((MESSAGE, events.message("M1", "satu", at=NOW - 9)))
    world.rows(
        "INSERT INTO messages "
        "(chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id, body) "
        f"SELECT chat_id, {NOW << 32 | crc32(b'U1')}, now(), sender, device_no, tenant_id, 13, 32, 0, 'U1', "
        f"'{WAITING}' FROM messages"
    )
    world.rows("UPDATE chats SET stored = stored + 1, unread = unread + 1")
    world.feed((MESSAGE, events.message("U1", "came")), (MESSAGE, events.message("M2", "dua", at=NOW + 1)))
    assert shown(world) == [("M1", "text", "satu"), ("U1", "text", "came"), ("M2", "text", "dua")]
    assert world.chats()[0]["unread_count"] == 3


def test_a_batch_that_is_read_again_because_of_poison_says_the_same(world: World) -> None:
    world.start()
    world.rows("ALTER TABLE messages ADD CONSTRAINT refused CHECK (body <> 'poison')")
    world.feed(
        (MESSAGE, events.message("M1", "satu", at=NOW - 9)),
        (MESSAGE, events.message("R1", events.reaction("M1", "👍"))),
        (UNDECRYPTABLE, events.undecryptable("U1")),
        (MESSAGE, events.message("U1", "came")),
        (MESSAGE, events.message("P1", "poison")),
        (UNDECRYPTABLE, events.undecryptable("R1")),
        (UNDECRYPTABLE, events.undecryptable("U2", at=NOW + 1)),
    )
    assert shown(world) == [("M1", "text", "satu"), ("U1", "text", "came"), ("U2", "unsupported", WAITING)]
    assert world.chats()[0]["unread_count"] == 3


def test_it_does_not_replace_what_was_read_nor_come_back_once_that_is_trimmed(world: World) -> None:
    world.feed(*((MESSAGE, events.message(f"M{n}", str(n), at=NOW + n)) for n in range(3 * KEEP)))
    assert world.value("SELECT count(*) FROM messages WHERE message_id = 'M0'") == 0
    redelivered = [f"M{n}" for n in (0, 30, 59)]
    world.feed(*((UNDECRYPTABLE, events.undecryptable(id, at=NOW + 100)) for id in redelivered))
    world.close()
    world.start("next")
    world.feed(*((UNDECRYPTABLE, events.undecryptable(id, at=NOW + 200)) for id in redelivered))
    assert [text for _, _, text in shown(world)] == [str(n) for n in range(2 * KEEP, 3 * KEEP)]
    assert undecryptable(world) == 0
    assert world.chats()[0]["unread_count"] == 3 * KEEP


def test_what_is_in_the_table_needs_no_other_memory(world: World) -> None:
    world.feed((MESSAGE, events.message("M1", "satu")))
    world.close()
    (world.spool / "heard").unlink()
    world.start("next")
    world.feed((UNDECRYPTABLE, events.undecryptable("M1", at=NOW + 50)))
    assert shown(world) == [("M1", "text", "satu")]


def test_what_makes_no_row_is_not_waited_for(world: World) -> None:
    sync = Message(protocolMessage=ProtocolMessage(type=ProtocolMessage.HISTORY_SYNC_NOTIFICATION))
    world.feed(
        (MESSAGE, events.message("M1", "satu")),
        (MESSAGE, events.message("R1", events.reaction("M1", "👍"))),
        (MESSAGE, events.message("P1", sync, chat=OWN, sender=OWN, from_me=True)),
        (UNDECRYPTABLE, events.undecryptable("R1")),
        (UNDECRYPTABLE, events.undecryptable("P1", chat=OWN, sender=OWN, from_me=True)),
        (UNDECRYPTABLE, events.undecryptable("P2", chat=OWN, sender=OWN, from_me=True, category="peer")),
        (UNDECRYPTABLE, events.undecryptable("R2", hidden=True)),
        (UNDECRYPTABLE, events.undecryptable("S1", chat="status@broadcast", sender=SITI)),
    )
    assert shown(world) == [("M1", "text", "satu")]
    assert undecryptable(world) == 0


def test_a_placeholder_goes_when_the_message_makes_no_row(world: World) -> None:
    world.feed((MESSAGE, events.message("M1", "satu", at=NOW - 9)), (UNDECRYPTABLE, events.undecryptable("U1")))
    world.feed((MESSAGE, events.message("U1", events.reaction("M1", "👍"), at=NOW + 3)))
    assert shown(world) == [("M1", "text", "satu")]
    assert world.messages()[0]["reactions"]
    (chat,) = world.chats()
    assert (chat["last_message_text"], chat["unread_count"]) == ("satu", 1)
    world.feed((UNDECRYPTABLE, events.undecryptable("U2", chat=GROUP, sender=SITI)))
    world.feed((MESSAGE, events.message("U2", events.revoke("M9"), chat=GROUP, sender=SITI)))
    assert shown(world) == [("M1", "text", "satu")]


def test_what_happens_meanwhile_stays(world: World) -> None:
    world.feed((UNDECRYPTABLE, events.undecryptable("U1")))
    world.feed(
        (MESSAGE, events.message("E1", events.edit("U1", "right"), at=NOW + 2)),
        (MESSAGE, events.message("R1", events.reaction("U1", "👍"))),
        (MESSAGE, events.message("N1", events.pin("U1"))),
    )
    assert shown(world) == [("U1", "unsupported", WAITING)]
    world.feed((MESSAGE, events.message("U1", "wrong")))
    assert shown(world) == [("U1", "text", "right")]
    row = world.messages()[0]
    assert row["edited_at"] and row["is_pinned"] and row["reactions"][0:1] != []


def test_what_was_deleted_unread_stays_deleted(world: World) -> None:
    world.feed((UNDECRYPTABLE, events.undecryptable("U1")), (MESSAGE, events.message("D1", events.revoke("U1"))))
    world.feed((MESSAGE, events.message("U1", "too late", at=NOW + 1)))
    assert shown(world) == [("U1", "deleted", "")]


@pytest.mark.parametrize(
    ("of", "sender_jid", "from_me"),
    [
        ({"chat": SITI, "sender": "77@lid"}, OWN, True),
        ({"chat": SITI, "sender": OWN}, OWN, True),
        ({"chat": GROUP, "sender": "77@lid"}, OWN, True),
        ({"chat": SITI_LID, "sender": SITI_LID}, SITI, False),
    ],
    ids=["own LID", "own number", "own in a group", "a LID"],
)
def test_whose_it_is_is_known_without_being_told(
    world: World, of: dict[str, Any], sender_jid: str, from_me: bool
) -> None:
    world.feed((MESSAGE, events.message("L1", "hi", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI, at=NOW - 5)))
    world.feed((UNDECRYPTABLE, events.undecryptable("U1", **of)))
    assert world.rows(DISAGREEING) == []
    row = next(row for row in world.messages() if row["message_id"] == "U1")
    assert (row["sender_jid"], row["from_me"]) == (sender_jid, from_me)
    assert row["chat_jid"] == (GROUP if of["chat"] == GROUP else SITI)


def test_one_that_was_waited_for_under_the_lid_is_the_numbers(world: World) -> None:
    world.feed((UNDECRYPTABLE, events.undecryptable("U1", chat=SITI_LID, sender=SITI_LID, at=NOW + 1)))
    world.feed((MESSAGE, events.message("U1", "came", at=NOW)))
    world.feed((MESSAGE, events.message("M2", "next", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI, at=NOW + 2)))
    assert shown(world) == [("U1", "text", "came"), ("M2", "text", "next")]
    (chat,) = world.chats()
    assert chat["unread_count"] == 2
