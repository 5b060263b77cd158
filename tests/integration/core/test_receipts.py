"""Who has got, read and played our messages in groups."""

from __future__ import annotations

import json

from tests.integration.core import events
from tests.integration.core.conftest import OWN, World
from tests.integration.core.events import GROUP, MESSAGE, NOW, RECEIPT, SITI, SITI_LID
from wafast.devices.group_members import GROUPS_READ

ALI = "60111111111@s.whatsapp.net"
KNOWN = (
    "SELECT jid_of(person) AS person, delivered_at IS NOT NULL AS delivered, read_at IS NOT NULL AS read,"
    " played_at IS NOT NULL AS played FROM receipts ORDER BY person"
)


def ours(id: str = "G1", chat: str = GROUP) -> tuple[int, bytes]:
    return MESSAGE, events.message(id, "kami", chat=chat, sender=OWN, from_me=True)


def receipt(kind: str, sender: str, id: str = "G1", chat: str = GROUP) -> tuple[int, bytes]:
    return RECEIPT, events.receipt([id], kind, chat=chat, sender=sender)


def test_each_member_of_a_group_gets_as_far_as_they_said(world: World) -> None:
    world.feed(ours(), receipt("DELIVERED", SITI), receipt("READ", SITI), receipt("DELIVERED", ALI))
    world.feed(receipt("PLAYED", ALI), receipt("DELIVERED", SITI))
    assert [tuple(row.values()) for row in world.rows(KNOWN)] == [
        (ALI, True, False, True),
        (SITI, True, True, False),
    ]
    assert world.messages()[0]["status"] == "delivered"


def test_a_members_receipt_waits_for_the_message(world: World) -> None:
    world.feed(receipt("READ", SITI))
    assert world.rows(KNOWN) == []
    world.feed(ours())
    assert [tuple(row.values()) for row in world.rows(KNOWN)] == [(SITI, False, True, False)]


def test_nothing_is_kept_of_chats_of_two_nor_of_others_messages(world: World) -> None:
    theirs = (MESSAGE, events.message("T1", "mereka", chat=GROUP, sender=SITI))
    world.feed(ours("O1", SITI), receipt("READ", SITI, "O1", SITI), theirs, receipt("READ", ALI, "T1"))
    assert world.messages() and world.rows(KNOWN) == []


def test_receipts_go_with_their_chat(world: World) -> None:
    world.feed(ours(), receipt("READ", SITI))
    world.value("WITH gone AS (DELETE FROM chats RETURNING 1) SELECT count(*) FROM gone")
    assert world.rows(KNOWN) == []


def test_receipts_go_with_their_message(world: World) -> None:
    world.start(messages_per_chat=2)
    sent = [
        (MESSAGE, events.message(f"G{n}", "kami", chat=GROUP, sender=OWN, from_me=True, at=NOW + n)) for n in range(4)
    ]
    world.feed(*sent[:3], receipt("READ", SITI, "G0"), receipt("READ", SITI, "G2"))
    assert world.value("SELECT count(*) FROM receipts") == 2
    world.feed(sent[3])
    assert world.rows("SELECT message_id FROM receipts JOIN messages USING (chat_id, key)") == [{"message_id": "G2"}]
    assert world.value("SELECT count(*) FROM receipts") == 1


def test_receipts_go_with_messages_of_which_one_second_has_too_many(world: World) -> None:
    world.start(messages_per_chat=2)
    world.feed(ours("G0"), ours("G1"), receipt("READ", SITI, "G0"), receipt("READ", SITI, "G1"))
    world.feed(ours("G2"), ours("G3"))
    assert world.value("SELECT count(*) FROM messages") == 2
    assert world.value("SELECT count(*) FROM receipts") == 0


def tell_members(world: World, *jids: str) -> None:
    """WhatsApp has said who is in the group."""
    members = json.dumps([{"jid": jid, "is_admin": False} for jid in jids])
    world.value(
        "WITH told AS (INSERT INTO group_members (chat_id, tenant_id, told_at, members)"
        f" SELECT id, tenant_id, now(), '{members}' FROM chats RETURNING 1) SELECT count(*) FROM told"
    )


def test_what_every_member_has_read_is_read(world: World) -> None:
    world.feed(ours(), ours("G2"))
    tell_members(world, OWN, SITI_LID, ALI)
    world.feed((MESSAGE, events.message("A1", "hai", sender=SITI, sender_alt=SITI_LID)))
    world.feed(receipt("READ", SITI), receipt("READ", SITI, "G2"), receipt("DELIVERED", ALI))
    assert statuses(world) == {"G1": "delivered", "G2": "delivered"}
    world.feed(receipt("PLAYED", ALI))
    assert statuses(world) == {"G1": "read", "G2": "delivered"}
    world.feed(receipt("DELIVERED", ALI, "G2"), receipt("READ", ALI, "G2"), receipt("DELIVERED", SITI, "G2"))
    assert statuses(world) == {"G1": "read", "G2": "read"}
    assert world.value("SELECT message_status(last_status) FROM chats WHERE is_group") == "read"


def test_members_of_whom_one_is_us_by_lid(world: World) -> None:
    world.feed(ours())
    tell_members(world, "77@lid", SITI)
    world.feed(receipt("READ", ALI))
    assert statuses(world) == {"G1": "delivered"}
    world.feed(receipt("READ", SITI))
    assert statuses(world) == {"G1": "read"}


def test_what_left_through_the_outbox_follows(world: World) -> None:
    world.feed(ours())
    tell_members(world, OWN, SITI)
    world.value(
        "WITH sent AS (INSERT INTO outbox (tenant_id, device_no, to_jid, kind, state, message_id, sent_at, created_by)"
        " SELECT tenant_id, no, 'x@g.us', 'text', 'sent', 'G1', now(), 'key:1' FROM devices RETURNING 1)"
        " SELECT count(*) FROM sent"
    )
    world.feed(receipt("DELIVERED", SITI))
    assert world.value("SELECT state FROM outbox") == "delivered"
    world.feed(receipt("READ", SITI))
    assert world.rows("SELECT state, extract(epoch FROM read_at)::int8 AS at FROM outbox") == [
        {"state": "read", "at": NOW}
    ]


def test_the_worker_hears_of_groups_that_read(world: World) -> None:
    world.feed(ours(), ours("O1", SITI), receipt("DELIVERED", SITI))
    assert world.ingest is not None
    world.ingest.control()
    world.feed(receipt("READ", SITI), receipt("READ", SITI, "O1", SITI))
    group = world.value("SELECT id FROM chats WHERE is_group")
    assert world.ingest.control() == [(world.device_no, GROUPS_READ, str(group).encode())]


def statuses(world: World) -> dict[str, str]:
    """How far our messages in groups got."""
    return {one["message_id"]: one["status"] for one in world.messages() if one["chat_jid"] == GROUP}
