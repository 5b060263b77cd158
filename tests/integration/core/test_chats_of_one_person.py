"""A person's chats under LIDs and under the number, and other processes that make one of them meanwhile."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.core import events
from tests.integration.core.conftest import OWN, World
from tests.integration.core.events import MESSAGE, NOW, RECEIPT, SITI, SITI_LID


def test_a_chat_another_process_has_merged_loses_no_message(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "by lid", chat=SITI_LID, sender=SITI_LID)))
    world.feed((MESSAGE, events.message("A2", "by number")))
    chats = {chat["chat_jid"]: chat["chat_id"] for chat in world.chats()}
    world.value(
        "INSERT INTO lid_numbers SELECT tenant_id, no, 900123, 60123456789 FROM devices RETURNING lid",
    )
    world.value(f"SELECT merge_chats({chats[SITI_LID]}, {chats[SITI]})")
    world.feed((MESSAGE, events.message("A3", "by lid still", chat=SITI_LID, sender=SITI_LID, at=NOW + 1)))
    assert {row["message_id"] for row in world.messages()} == {"A1", "A2", "A3"}
    [chat] = world.chats()
    assert (chat["chat_jid"], chat["unread_count"], chat["last_message_text"]) == (SITI, 3, "by lid still")
    assert world.ingest is not None and world.ingest.stats()["retries"] == 0


def test_changes_for_a_chat_another_process_has_merged_are_not_lost(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "hai")))
    world.value(
        "SELECT count(*) FROM tenants t, join_named_chats(t.id, 'loopback', '60123456789@s.whatsapp.net',"
        " '6012345678@s.whatsapp.net')"
    )
    reactions = [(MESSAGE, events.message(f"R{id}", events.reaction(id, "👍", NOW))) for id in ("A1", "A9")]
    world.feed(*reactions)
    applied = world.value("SELECT count(*) FROM messages WHERE reactions IS NOT NULL")
    assert applied + world.value("SELECT count(*) FROM pending_changes") == 2


def test_a_lids_chat_beside_what_another_process_knows_becomes_one_when_it_is_told_again(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "by lid", chat=SITI_LID, sender=SITI_LID)))
    world.feed((MESSAGE, events.message("A2", "by number")))
    world.close()
    world.value("INSERT INTO lid_numbers SELECT tenant_id, no, 900123, 60123456789 FROM devices RETURNING lid")
    world.start()
    world.feed((MESSAGE, events.message("A3", "both", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI, at=NOW + 1)))
    assert [chat["chat_jid"] for chat in world.chats()] == [SITI]
    assert {row["chat_jid"] for row in world.messages()} == {SITI}


def test_a_change_that_waited_under_the_lid_meets_its_message_when_the_chats_become_one(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "by number")))
    world.feed((MESSAGE, events.message("A2", events.revoke("A1"), chat=SITI_LID, sender=SITI_LID)))
    assert world.messages()[0]["deleted_at"] is None
    world.feed((MESSAGE, events.message("A3", "both", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI, at=NOW + 1)))
    assert [(row["message_id"], row["message_type"]) for row in world.messages()] == [("A1", "deleted"), ("A3", "text")]


def test_what_was_said_of_either_copy_is_said_of_the_one_that_stays(world: World) -> None:
    for chat in (SITI, SITI_LID):
        world.feed((MESSAGE, events.message("A1", "both", chat=chat, sender=chat)))
    mine: dict[str, Any] = {"sender": OWN, "from_me": True}
    for number, (chat, emoji, at, by) in enumerate([
        (SITI, "👍", NOW + 1, {}), (SITI_LID, "❤️", NOW + 2, {"sender": SITI_LID}), (SITI_LID, "😂", NOW + 3, mine),
    ]):  # fmt: skip
        reaction = events.reaction("A1", emoji, at)
        world.feed((MESSAGE, events.message(f"R{number}", reaction, chat=chat, **by)))
    world.feed((MESSAGE, events.message("P1", events.pin("A1", seconds=86_400), chat=SITI_LID, sender=SITI_LID)))
    world.feed((MESSAGE, events.message("A2", "one", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI, at=NOW + 9)))
    first, _ = world.messages()
    said = {one["sender_jid"]: one["emoji"] for one in json.loads(first["reactions"])}
    assert said == {SITI: "❤️", OWN: "😂"}
    assert first["is_pinned"]
    until = world.value("SELECT extract(epoch FROM pinned_until)::int8 FROM messages WHERE message_id = 'A1'")
    assert until == NOW + 86_400


def test_of_two_copies_of_ours_the_one_that_stays_is_as_far_as_either_came(world: World) -> None:
    for chat in (SITI, SITI_LID):
        for id in ("A1", "A2"):
            world.feed((MESSAGE, events.message(id, "ours", chat=chat, sender=OWN, from_me=True)))
        of = "A1" if chat == SITI_LID else "A2"
        world.feed((RECEIPT, events.receipt([of], "READ", chat=chat, sender=chat)))
    assert len(world.rows("UPDATE messages SET status = 6 WHERE message_id = 'A2' AND status = 2 RETURNING 1")) == 1
    world.feed((MESSAGE, events.message("A3", "one", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI, at=NOW + 9)))
    assert {row["message_id"]: row["status"] for row in world.messages()} == {
        "A1": "read", "A2": "read", "A3": "received",
    }  # fmt: skip


def test_two_lids_of_one_number_told_at_once_are_one_chat(world: World) -> None:
    for lid, name in (("901@lid", "B1"), ("902@lid", "B2")):
        world.feed((MESSAGE, events.message(name, name, chat=lid, sender=lid)))
    ingest = world.start() if world.ingest is None else world.ingest
    for lid, name in (("901@lid", "B3"), ("902@lid", "B4")):
        told = events.message(name, name, chat=lid, sender=lid, sender_alt=SITI, at=NOW + 1)
        ingest.receive(world.device_no, MESSAGE, told)
    assert ingest.flush(60)
    assert {row["message_id"] for row in world.messages()} == {"B1", "B2", "B3", "B4"}
    assert [(chat["chat_jid"], chat["unread_count"]) for chat in world.chats()] == [(SITI, 4)]


def test_work_labels_and_notes_of_both_chats_are_those_of_the_one_that_stays(world: World) -> None:
    for chat in (SITI, SITI_LID):
        world.feed((MESSAGE, events.message(f"M{chat}", "by number or lid", chat=chat, sender=chat)))
    chats = {chat["chat_jid"]: chat["chat_id"] for chat in world.chats()}
    for jid, chat_id in chats.items():
        of_chat = f"FROM chats WHERE id = {chat_id}"
        world.value(
            "INSERT INTO notes (tenant_id, chat_id, created_by, author, body)"
            f" SELECT tenant_id, id, 'key:1', 'CRM', 'note' {of_chat} RETURNING id"
        )
        world.value(
            "INSERT INTO chat_work (tenant_id, chat_id, closed_at, closed_key)"
            f" SELECT tenant_id, id, now(), last_key {of_chat} RETURNING chat_id"
        )
        world.value(
            "WITH made AS (INSERT INTO labels (tenant_id, name, colour)"
            f" SELECT tenant_id, '{jid}', 'red' {of_chat} RETURNING id, tenant_id)"
            f" INSERT INTO chat_labels (chat_id, label_id, tenant_id) SELECT {chat_id}, id, tenant_id FROM made"
            " RETURNING chat_id"
        )
    world.value(f"SELECT merge_chats({chats[SITI_LID]}, {chats[SITI]})")
    shown = "SELECT is_open::text || cardinality(label_ids) || (SELECT count(*) FROM notes n WHERE n.chat_id = s.id)"
    assert world.value(f"{shown} FROM chats_shown s") == "false22"


def test_what_was_read_and_not_told_yet_goes_over_to_the_chat_that_stays(world: World) -> None:
    for number, chat in enumerate((SITI, SITI_LID)):
        world.feed((MESSAGE, events.message(f"M{number}", "by number or lid", chat=chat, sender=chat)))
    into, gone = (next(c["chat_id"] for c in world.chats() if c["chat_jid"] == jid) for jid in (SITI, SITI_LID))
    read = "INSERT INTO untold_reads SELECT id, tenant_id, device_no, {}, {} FROM chats WHERE id = {} RETURNING unread"
    untold = "SELECT array_agg((chat_id, from_key, unread)::text) FROM untold_reads"
    world.value(read.format(5, 2, gone))
    world.value(read.format(7, 3, into))
    world.value(f"SELECT merge_chats({gone}, {into})")
    assert world.value(untold) == [f"({into},5,5)"]
