"""Who has got, read and played our messages in groups."""

from __future__ import annotations

from tests.integration.core import events
from tests.integration.core.conftest import OWN, World
from tests.integration.core.events import GROUP, MESSAGE, RECEIPT, SITI

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
