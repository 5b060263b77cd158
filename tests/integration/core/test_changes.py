"""Events that are no content alone: edits, deletions, pins, groups, calls, lists, histories, and what has no row."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

import pytest
from neonize.proto import Neonize_pb2 as pb
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    FutureProofMessage,
    ImageMessage,
    Message,
    PinInChatMessage,
    ProtocolMessage,
)
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import (
    Conversation,
    HistorySync,
    HistorySyncMsg,
    PhoneNumberToLIDMapping,
)
from neonize.proto.waWeb.WAWebProtobufsWeb_pb2 import (
    MessageAddOnContextInfo,
    PinInChat,
    Reaction,
    WebMessageInfo,
)

from tests.integration.core import events
from tests.integration.core.conftest import OWN, World
from tests.integration.core.events import GROUP, GROUP_INFO, JOINED_GROUP, MESSAGE, NOW, RECEIPT, SITI, SITI_LID
from wafast._core import message_key
from wafast.database import long_chats

ALI = "60111111111@s.whatsapp.net"


def said(id: str = "A1", text: str = "asal", **options: Any) -> tuple[int, bytes]:
    """A text."""
    return MESSAGE, events.message(id, text, **options)


def told(content: Message, id: str = "X", **options: Any) -> tuple[int, bytes]:
    """A message of any content."""
    return MESSAGE, events.message(id, content, **options)


def test_an_edit_comes_bare_and_wrapped_and_with_its_flag(world: World) -> None:
    bare = events.edit("A1", "satu")
    world.feed(said(), told(bare))
    assert world.messages()[0]["message_text"] == "satu"
    world.feed(told(Message(editedMessage=FutureProofMessage(message=events.edit("A1", "dua"))), "X2", at=NOW + 1))
    assert world.messages()[0]["message_text"] == "dua"
    world.feed(told(events.edit("A1", "tiga"), "X3", at=NOW + 2, edit="1", flags={"IsEdit": True}))
    [message] = world.messages()
    assert message["message_text"] == "tiga"
    assert message["edited_at"].timestamp() == NOW + 2


def test_an_edit_that_names_no_message_edits_its_own_id_or_is_the_message(world: World) -> None:
    world.feed(said("A1", "asal"), said("A1", "baru", at=NOW + 60, edit="1", flags={"IsEdit": True}))
    [message] = world.messages()
    assert message["message_text"] == "baru" and message["edited_at"] is not None
    world.feed(said("B1", "sendiri", at=NOW + 61, flags={"IsEdit": True}))
    message = world.messages()[1]
    assert message["message_text"] == "sendiri" and message["edited_at"].timestamp() == NOW + 61


def test_an_edit_before_its_message_and_late_edits(world: World) -> None:
    world.feed(told(events.edit("A1", "kedua"), at=NOW + 9))
    assert world.messages() == []
    world.feed(said())
    assert world.messages()[0]["message_text"] == "kedua"
    world.feed(told(events.edit("A1", "pertama"), "X2", at=NOW + 5))
    assert world.messages()[0]["message_text"] == "kedua"


def test_a_caption_is_edited_and_an_empty_text_edits_nothing(world: World) -> None:
    world.feed(told(events.image("gambar"), "P1"), said())
    new = ProtocolMessage(
        key=MessageKey(ID="P1"), type=ProtocolMessage.MESSAGE_EDIT,
        editedMessage=Message(imageMessage=ImageMessage(caption="kapsyen")),
    )  # fmt: skip
    world.feed(told(Message(protocolMessage=new)), told(events.edit("A1", ""), "X2"))
    found = {message["message_id"]: message for message in world.messages()}
    assert found["P1"]["message_text"] == "kapsyen" and found["P1"]["media_url"] is not None
    assert (found["A1"]["message_text"], found["A1"]["edited_at"]) == ("asal", None)


def test_edits_and_deletions_by_others_change_nothing(world: World) -> None:
    world.feed(said(chat=GROUP, sender=SITI), said("O1", "kami", chat=GROUP, sender=OWN, from_me=True))
    for number, of in enumerate(["A1", "O1"]):
        world.feed(told(events.edit(of, "palsu"), f"X{number}", chat=GROUP, sender=ALI))
        world.feed(told(events.revoke(of), f"Y{number}", chat=GROUP, sender=ALI))
    world.feed(told(events.edit("A1", "palsu"), "X8", chat=GROUP, sender=OWN, from_me=True))
    assert {message["message_text"] for message in world.messages()} == {"asal", "kami"}
    assert {message["message_type"] for message in world.messages()} == {"text"}


def test_in_a_chat_of_two_nobody_deletes_as_an_admin(world: World) -> None:
    world.feed(said("O1", "kami", sender=OWN, from_me=True), told(events.revoke("O1"), "X1", edit="8"))
    assert world.messages()[0]["message_type"] == "text"
    world.feed(said("A1"), told(events.revoke("A1"), "X2", edit="8"))
    assert world.messages()[1]["message_type"] == "deleted"


def test_a_deletion_before_its_message_and_after_it(world: World) -> None:
    world.feed(told(events.revoke("A1")))
    world.feed(said())
    world.feed(told(events.image("gambar"), "P1", at=NOW + 1), told(events.revoke("P1"), "X2", at=NOW + 2))
    world.feed(told(events.edit("P1", "lagi"), "X3", at=NOW + 3), told(events.reaction("P1", "👍"), "X4"))
    for message in world.messages():
        assert (message["message_type"], message["message_text"], message["media_url"]) == ("deleted", "", None)
        assert message["deleted_at"] is not None and message["reactions"] is None
    assert world.value("SELECT count(*) FROM thumbnails") == 0


def test_a_deletion_leaves_nothing_of_what_was_said_of_the_message(world: World) -> None:
    question = told(events.poll("Bila?", ["Isnin"], b"s" * 32), "A1")
    world.feed(question, told(events.reaction("A1", "👍"), "X1"), told(events.pin("A1"), "X2"))
    vote = '[{"sender_jid": "x", "options": ["Isnin"], "at": 1}]'
    world.value(f"WITH voted AS (UPDATE messages SET poll_votes = '{vote}' RETURNING 1) SELECT count(*) FROM voted")
    world.feed(told(events.revoke("A1"), "X3"))
    [message] = world.messages()
    assert (message["reactions"], message["poll_votes"], message["is_pinned"]) == (None, None, False)
    assert world.value("SELECT poll FROM messages") is None


def test_what_waits_by_lid_is_its_authors_when_the_number_is_known(world: World) -> None:
    world.feed(told(events.edit("A1", "baru"), chat=GROUP, sender=SITI_LID, at=NOW + 1))
    world.feed(said(chat=GROUP, sender=SITI, sender_alt=SITI_LID))
    assert world.messages()[0]["message_text"] == "baru"


def test_our_phone_edits_and_deletes_ours(world: World) -> None:
    ours: dict[str, Any] = {"sender": OWN, "from_me": True}
    world.feed(said("O1", "kami", **ours), told(events.edit("O1", "kita"), **ours))
    assert world.messages()[0]["message_text"] == "kita"
    world.feed(told(events.revoke("O1"), "X2", **ours))
    assert world.messages()[0]["message_type"] == "deleted"


def test_pins_come_and_go(world: World) -> None:
    world.feed(told(events.pin("A1")), said())
    assert world.messages()[0]["is_pinned"]
    world.feed(told(events.pin("A1", is_pinned=False), "X2"))
    assert not world.messages()[0]["is_pinned"]


def test_a_pin_that_says_neither_pins_nor_unpins(world: World) -> None:
    neither = events.pin("A1")
    neither.pinInChatMessage.type = PinInChatMessage.UNKNOWN_TYPE
    world.feed(said(), told(events.pin("A1")), told(neither, "X2", at=NOW + 1))
    world.feed(synced(past("H1", Message(conversation="x"), pinInChat=PinInChat(key=MessageKey(ID="A1")))))
    assert {message["message_id"]: message["is_pinned"] for message in world.messages()} == {"A1": True, "H1": False}


def test_a_pin_ends_when_it_said_it_would(world: World) -> None:
    day = 24 * 60 * 60
    world.feed(said("A1"), said("A2"), told(events.pin("A1", seconds=30 * day), at=NOW - 8 * day))
    world.feed(told(events.pin("A2", seconds=7 * day), "X2", at=NOW - 8 * day))
    assert {message["message_id"]: message["is_pinned"] for message in world.messages()} == {"A1": True, "A2": False}
    world.feed(told(events.pin("A2", seconds=day), "X3"), told(events.pin("A1", is_pinned=False, seconds=day), "X4"))
    assert {message["message_id"]: message["is_pinned"] for message in world.messages()} == {"A1": False, "A2": True}


def test_a_pin_that_was_taken_back_later_stays_so_when_it_comes_late(world: World) -> None:
    world.feed(said(), told(events.pin("A1", is_pinned=False), at=NOW + 9))
    world.feed(told(events.pin("A1"), "X2", at=NOW + 5))
    assert not world.messages()[0]["is_pinned"]
    world.feed(told(events.pin("A1"), "X3", at=NOW + 12))
    assert world.messages()[0]["is_pinned"]


def test_a_group_keeps_the_name_that_was_told_last_when_another_worker_tells_of_an_older_one(world: World) -> None:
    ingest = world.start()

    def tell(subject: str, received_at: int) -> str:
        event = pb.GroupInfoEvent(JID=events.jid(GROUP), Name=pb.GroupName(Name=subject))
        ingest.receive(world.device_no, GROUP_INFO, event.SerializePartialToString(), received_at)
        assert ingest.flush(60)
        return str(world.value("SELECT name FROM chats"))

    assert [tell("satu", NOW), tell("dua", NOW + 9), tell("lama", NOW + 5), tell("tiga", NOW + 9)] == [
        "satu", "dua", "dua", "tiga",
    ]  # fmt: skip
    listed = events.history(GROUP, [], name="lebih lama")
    ingest.receive(world.device_no, events.HISTORY_SYNC, listed, NOW + 1)
    assert ingest.flush(60)
    assert world.value("SELECT name FROM chats") == "tiga"


@pytest.mark.parametrize("who", ["867051314767696@bot", "7001@interop", "100200@msgr"])
def test_who_is_on_another_server_keeps_its_name(world: World, who: str) -> None:
    world.feed(said("B1", "hai", chat=who), said("B2", "hai juga", chat=GROUP, sender=who))
    alone, in_group = sorted(world.messages(), key=lambda message: str(message["message_id"]))
    assert alone["chat_jid"] == who
    # The narrow column has no room for servers that no person is on.
    assert {alone["sender_jid"], in_group["sender_jid"]} == {None if who.endswith("msgr") else who}


def test_the_first_of_two_with_one_id_stays(world: World) -> None:
    world.feed(said("A1", "pertama"), said("A1", "kedua", at=NOW + 30))
    world.feed(said("A1", "ketiga", at=NOW - 30), said("A2", "lain", at=NOW - 30))
    assert {message["message_id"]: message["message_text"] for message in world.messages()} == {
        "A1": "pertama", "A2": "lain",
    }  # fmt: skip
    assert world.value("SELECT stored FROM chats") == 2


def test_a_reaction_that_was_taken_back_later_stays_so_when_it_comes_late(world: World) -> None:
    world.feed(said(), told(events.reaction("A1", "", NOW + 9)), told(events.reaction("A1", "👍", NOW + 5), "X2"))
    assert world.messages()[0]["reactions"] is None
    world.feed(told(events.reaction("A1", "❤️", NOW + 12), "X3"))
    assert json.loads(world.messages()[0]["reactions"]) == [{"sender_jid": SITI, "emoji": "❤️", "at": NOW + 12}]
    # It is theirs whether it was told by the number or the LID.
    world.feed(told(events.reaction("A1", "", NOW + 20), "X4", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI))
    world.feed(told(events.reaction("A1", "👍", NOW + 15), "X5"))
    assert world.messages()[0]["reactions"] is None


def test_reactions_move_with_the_lid(world: World) -> None:
    world.feed(said(chat=GROUP, sender=ALI), told(events.reaction("A1", "👍", NOW), chat=GROUP, sender=SITI_LID))
    assert json.loads(world.messages()[0]["reactions"])[0]["sender_jid"] == SITI_LID
    world.feed(told(events.reaction("A1", "❤️", NOW + 1), "X2", chat=GROUP, sender=SITI_LID, sender_alt=SITI))
    assert json.loads(world.messages()[0]["reactions"]) == [{"sender_jid": SITI, "emoji": "❤️", "at": NOW + 1}]


def test_in_a_long_chat_a_change_finds_its_message_without_reading_the_others(world: World) -> None:
    asyncio.run(long_chats.prepare(world.uri, 0, print))
    world.start(messages_per_chat=0)
    world.feed(*(said(f"B{n}", at=NOW - 5_000 + n) for n in range(3_000)))
    world.close()  # what its connections have counted is told as they end
    before = world.rows_read("messages")
    world.start(messages_per_chat=0)
    world.feed(told(events.reaction("B7", "👍", NOW)), told(events.edit("B8", "lain"), "X2"))
    world.close()
    # a writer that has just begun reads the newest thousand of a chat
    assert world.rows_read("messages") - before < 1_500
    assert world.value("SELECT count(*) FROM messages WHERE reactions IS NOT NULL OR body = 'lain'") == 2
    asyncio.run(long_chats.prepare(world.uri, 20, print))
    assert world.value("SELECT to_regclass('messages_by_id')") is None


def test_where_all_are_kept_an_id_of_any_length_is_stored_and_found(world: World) -> None:
    long = random.Random(7).randbytes(4_000).hex()
    world.feed(said(long))
    world.close()
    asyncio.run(long_chats.prepare(world.uri, 0, print))
    world.start(messages_per_chat=0)
    world.feed(said(f"{long}1", at=NOW + 1), told(events.reaction(long, "👍", NOW)))
    world.feed(told(events.reaction(f"{long}2", "👍", NOW), "R2"), said("B1", at=NOW + 2))
    stored = [(row["message_id"], row["reactions"] is not None) for row in world.messages()]
    assert stored == [(long, True), (f"{long}1", False), ("B1", False)]


def test_of_several_starters_one_makes_the_index_and_the_others_find_it(world: World) -> None:
    async def start() -> None:
        await asyncio.gather(*(long_chats.prepare(world.uri, 0, print) for _ in range(4)))

    asyncio.run(start())
    assert world.value("SELECT to_regclass('messages_by_id')") is not None


def test_a_number_that_one_line_learns_names_nobody_in_what_another_has(world: World) -> None:
    # of two writers one has the lines of odd numbers, so the one after the next is its as well
    more = "INSERT INTO devices (tenant_id, name, network, store) SELECT id, {0}, 'loopback', {0} FROM tenants"
    other = [world.value(f"{more.format(name)} RETURNING no") for name in ("'L2'", "'L3'")][-1]
    world.feed(said(chat=GROUP, sender=ALI), told(events.reaction("A1", "👍", NOW), chat=GROUP, sender=SITI_LID))

    def learned(lid: str, number: str) -> bytes:
        told = [PhoneNumberToLIDMapping(pnJID=number, lidJID=lid)]
        sync = HistorySync(syncType=HistorySync.RECENT, phoneNumberToLidMappings=told)
        return bytes(pb.HistorySync(Data=sync).SerializePartialToString())

    assert world.ingest is not None
    world.ingest.receive(world.device_no, events.HISTORY_SYNC, learned("555001@lid", "60155500155@s.whatsapp.net"))
    world.ingest.receive(other, events.HISTORY_SYNC, learned(SITI_LID, SITI))
    assert world.ingest.flush(60)
    assert world.value("SELECT count(*) FROM lid_numbers") == 2
    [message] = world.messages()
    assert [one["sender_jid"] for one in json.loads(message["reactions"])] == [SITI_LID]


def test_rows_that_name_lids_are_read_once_however_many_are_learned(world: World) -> None:
    people = [700_000_000 + number for number in range(60)]
    groups = [f"1203630000000000{number}@g.us" for number in range(3)]
    for number, lid in enumerate(people):
        chat, reaction = groups[number % 3], events.reaction(f"A{lid}", "👍", NOW)
        world.feed(said(f"A{lid}", chat=chat, sender=ALI), told(reaction, f"R{lid}", chat=chat, sender=f"{lid}@lid"))
    world.close()  # what its connections have counted is told as they end
    before = world.rows_read("messages")
    world.start()
    learned = [PhoneNumberToLIDMapping(pnJID=f"6017{lid}@s.whatsapp.net", lidJID=f"{lid}@lid") for lid in people]
    sync = HistorySync(syncType=HistorySync.RECENT, phoneNumberToLidMappings=learned)
    world.feed((events.HISTORY_SYNC, bytes(pb.HistorySync(Data=sync).SerializePartialToString())))
    world.close()
    assert world.rows_read("messages") - before < 600
    reactions = [json.loads(row["reactions"])[0]["sender_jid"] for row in world.messages()]
    assert sorted(reactions) == sorted(f"6017{lid}@s.whatsapp.net" for lid in people)


def test_learning_a_number_reads_no_rows_but_those_that_name_the_lid(world: World) -> None:
    others = [f"6011{number:08}@s.whatsapp.net" for number in range(300)]
    world.feed(
        *(said(f"B{chat}-{n}", chat=chat, at=NOW - 9 + n) for chat in others for n in range(9)),
        told(events.reaction("A1", "👍", NOW), chat=GROUP, sender=SITI_LID),
        said(chat=GROUP, sender=ALI),
        said("A2", chat=GROUP, sender=SITI_LID, at=NOW + 1),
    )
    world.close()  # what its connections have counted is told as they end
    before = world.rows_read("messages")
    world.start()
    world.feed(said("A3", chat=GROUP, sender=SITI_LID, sender_alt=SITI, at=NOW + 2))
    world.close()
    assert world.rows_read("messages") - before < 600
    assert [row["sender_jid"] for row in world.messages()[-3:]] == [ALI, SITI, SITI]
    assert json.loads(world.value("SELECT reactions FROM messages WHERE message_id = 'A1'"))[0]["sender_jid"] == SITI


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_timestamps_come_in_any_unit(world: World, unit: int) -> None:
    world.feed(said(at=(NOW - 77) * unit))
    assert world.messages()[0]["timestamp"] == NOW - 77


@pytest.mark.parametrize(
    "at", [0, -1, 1_230_767_999, NOW + 90_000, 2**62], ids=["0", "-1", "2008", "tomorrow", "2**62"]
)
def test_nonsense_is_replaced_by_the_time_of_receipt(world: World, at: int) -> None:
    world.feed(said(at=at))
    assert abs(world.messages()[0]["timestamp"] - time.time()) < 600
    assert world.ingest is not None and world.ingest.stats()["repaired"] == 1


@pytest.mark.parametrize("chat", ["status@broadcast", "120363999@newsletter"])
def test_statuses_and_newsletters_have_no_row(world: World, chat: str) -> None:
    world.feed(said(chat=chat, sender=SITI), (RECEIPT, events.receipt(["A1"], "READ", chat=chat)))
    assert world.messages() == [] and world.chats() == []


def test_what_comes_by_a_list_is_their_chat(world: World) -> None:
    world.feed(said("L1", "promosi", chat="1234567@broadcast", sender=SITI))
    [message] = world.messages()
    assert (message["chat_jid"], message["sender_jid"]) == (SITI, SITI)


def test_who_got_what_we_sent_to_a_list_is_told_there(world: World) -> None:
    ours = said("L1", "promosi", chat="1234567@broadcast", sender=OWN, from_me=True)
    world.feed(ours, (RECEIPT, events.receipt(["L1"], "READ", chat="1234567@broadcast")))
    [message] = world.messages()
    # One reader is not all.
    assert (message["chat_jid"], message["status"]) == ("1234567@broadcast", "delivered")
    assert [chat["chat_jid"] for chat in world.chats()] == ["1234567@broadcast"]


CHANGES = [
    ({"Name": pb.GroupName(Name="Keluarga")}, "Keluarga"),
    ({"Topic": pb.GroupTopic(Topic="hal rumah")}, "hal rumah"),
    ({"Topic": pb.GroupTopic(TopicDeleted=True)}, "removed"),
    ({"Locked": pb.GroupLocked(isLocked=True)}, "admins"),
    ({"Announce": pb.GroupAnnounce(IsAnnounce=True)}, "admins"),
    ({"Join": [events.jid(ALI)]}, "+60111111111"),
    ({"Leave": [events.jid(ALI)]}, "+60111111111"),
    ({"Promote": [events.jid(ALI)]}, "admin"),
    ({"Demote": [events.jid(ALI)]}, "admin"),
    ({"NewInviteLink": "https://chat.example/x"}, "link"),
    ({"Delete": pb.GroupDelete(Deleted=True)}, "deleted"),
]


LOCKED = pb.GroupLocked(isLocked=True)


@pytest.mark.parametrize(("change", "word"), CHANGES)
def test_a_change_of_a_group_is_a_system_message(world: World, change: dict[str, Any], word: str) -> None:
    event = (GROUP_INFO, events.group_info(**change))
    world.feed(event, event)
    world.feed(event)
    [message] = world.messages()
    assert (message["message_type"], message["chat_jid"], message["sender_jid"]) == ("system", GROUP, SITI)
    assert word in message["message_text"] and message["timestamp"] == NOW


@pytest.mark.parametrize(("removed", "text"), [(False, "changed"), (True, "removed")])
def test_a_groups_picture_is_a_system_message(world: World, removed: bool, text: str) -> None:
    event = (events.PICTURE, events.picture(removed=removed))
    world.feed(event, event, (events.PICTURE, events.picture(SITI)))
    world.feed(event)
    [message] = world.messages()
    assert (message["message_type"], message["chat_jid"], message["sender_jid"]) == ("system", GROUP, SITI)
    assert message["message_text"] == f"+60123456789 {text} the group's picture" and message["timestamp"] == NOW
    assert world.chats()[0]["unread_count"] == 0


def test_what_happened_to_a_group_is_not_unread(world: World) -> None:
    joined = events.group_info(Join=[events.jid(ALI)])
    world.feed(
        said(chat=GROUP, sender=SITI), (GROUP_INFO, joined), (GROUP_INFO, events.group_info(at=NOW + 1, Locked=LOCKED))
    )
    assert len(world.messages()) == 3 and world.chats()[0]["unread_count"] == 1


@pytest.mark.parametrize("own", [OWN, "77@lid"])
def test_what_our_phone_changed_in_a_group_and_whom_it_called_is_ours(world: World, own: str) -> None:
    world.feed((GROUP_INFO, events.group_info(sender=own, Locked=LOCKED)))
    world.feed((events.CALL_TERMINATE, events.ended_call("C1", chat=SITI, creator=own)))
    world.feed((events.CALL_TERMINATE, events.ended_call("C2", chat=SITI)))
    assert {
        (message["message_type"], message["from_me"], message["sender_jid"], message["status"])
        for message in world.messages()
    } == {("system", True, OWN, "sent"), ("call", True, OWN, "sent"), ("call", False, SITI, "received")}
    assert {chat["chat_jid"]: chat["unread_count"] for chat in world.chats()} == {GROUP: 0, SITI: 1}


@pytest.mark.parametrize(
    ("how", "text", "sender"),
    [
        ({}, "You were added", None),
        ({"reason": "invite"}, "You joined", None),
        ({"sender": SITI_LID, "sender_pn": SITI}, "+60123456789 added you", SITI),
        ({"sender": SITI, "kind": "new"}, "+60123456789 created this group", SITI),
    ],
)
def test_being_in_a_group_from_now_on_is_a_system_message(
    world: World, how: dict[str, str], text: str, sender: str | None
) -> None:
    joined = (JOINED_GROUP, events.joined_group(**how))
    world.feed(joined, joined)
    world.feed(joined)
    [message] = world.messages()
    found = message["chat_jid"], message["message_type"], message["message_text"], message["sender_jid"]
    assert found == (GROUP, "system", text, sender) and message["timestamp"] >= NOW
    [chat] = world.chats()
    assert (chat["chat_name"], chat["unread_count"], chat["last_message_text"]) == ("Keluarga", 0, text)


ALI_LID = "900111@lid"


def notice(world: World) -> tuple[str, Any, str]:
    """The text of the only notice, what it says for those who word it themselves, and what the chat shows."""
    [row] = world.rows("SELECT body, media::text, kind FROM messages WHERE kind = 12")
    return (
        row["body"],
        json.loads(row["media"]),
        world.rows("SELECT last_text FROM chats WHERE is_group")[0]["last_text"],
    )


@pytest.mark.parametrize("known", ["before", "later"])
@pytest.mark.parametrize("told", ["live", "history"])
def test_a_notice_names_people_by_their_number_once_that_is_known(world: World, known: str, told: str) -> None:
    history = synced(stub("GROUP_PARTICIPANT_ADD", "S1", messageStubParameters=[ALI_LID]), chat=GROUP)
    live = (GROUP_INFO, events.group_info(Join=[events.jid(ALI_LID)]))
    numbers = said("A1", sender=ALI_LID, chat=ALI_LID, sender_alt=ALI)
    if known == "later":
        world.feed(live if told == "live" else history)
        assert notice(world)[0] == "+60123456789 added 900111"
    world.feed(numbers)
    if known == "before":
        world.feed(live if told == "live" else history)
    added = {"type": "notice", "who": SITI, "happened": [{"did": "added", "people": [ALI]}]}
    text = "+60123456789 added +60111111111"
    assert notice(world) == (text, added, text)


def test_a_notice_says_what_happened_for_every_language(world: World) -> None:
    changes = {"Name": pb.GroupName(Name="900111"), "Locked": LOCKED, "Leave": [events.jid(SITI)]}
    world.feed((GROUP_INFO, events.group_info(Notify="Siti", **changes)))
    text, media, _ = notice(world)
    assert text.splitlines() == [
        "Siti changed the group name to “900111”", "Siti allowed only admins to edit the group info",
        "+60123456789 left",
    ]  # fmt: skip
    assert media == {"type": "notice", "happened": [
        {"did": "renamed", "words": "900111"}, {"did": "info_by_admins"}, {"did": "left", "people": [SITI]},
    ]}  # fmt: skip


def test_our_own_lid_in_a_notice_is_our_number(world: World) -> None:
    world.feed((GROUP_INFO, events.group_info(sender="77@lid", Join=[events.jid(ALI)])))
    assert notice(world)[0] == "+60199999999 added +60111111111"


@pytest.mark.parametrize(
    ("tag", "text"), [("member_add_mode", "who can add people"), ("member_link_mode", "share"), ("x", "this group")]
)
def test_what_whatsmeow_knows_no_field_for_is_told_by_its_tag(world: World, tag: str, text: str) -> None:
    world.feed((GROUP_INFO, events.group_info(UnknownChanges=[pb.Node(Tag=tag)])))
    assert text in world.messages()[0]["message_text"]


def test_what_says_nothing_of_a_group_has_no_row(world: World) -> None:
    timer = pb.GroupEphemeral(IsEphemeral=True, DisappearingTimer=86400)
    world.feed((GROUP_INFO, events.group_info(Ephemeral=timer)), (GROUP_INFO, events.group_info()))
    # A subject that was asked for comes without a time.
    asked = pb.GroupInfoEvent(JID=events.jid(GROUP), Name=pb.GroupName(Name="Keluarga"))
    world.feed(said(chat=GROUP, sender=SITI), (GROUP_INFO, asked.SerializePartialToString()))
    assert [message["message_type"] for message in world.messages()] == ["text"]
    assert world.chats()[0]["chat_name"] == "Keluarga"


def test_a_call_that_ended_is_one_row(world: World) -> None:
    world.feed((events.CALL_TERMINATE, events.ended_call("C1", chat=SITI_LID, creator_alt=SITI)))
    world.feed((events.CALL_TERMINATE, events.ended_call("C1", at=NOW + 2)))
    [message] = world.messages()
    assert (message["message_type"], message["message_text"]) == ("call", "")
    assert (message["chat_jid"], message["sender_jid"], message["message_id"]) == (SITI, SITI, "C1")


def test_a_call_from_an_address_of_its_own_is_of_who_began_it(world: World) -> None:
    world.feed((events.CALL_TERMINATE, events.ended_call("C1", chat="A1B2@call", creator=SITI)))
    assert [(message["chat_jid"], message["sender_jid"]) for message in world.messages()] == [(SITI, SITI)]


@pytest.mark.parametrize(
    ("reason", "unread"), [("timeout", 1), ("", 1), ("accepted_elsewhere", 0), ("rejected_elsewhere", 0)]
)
def test_a_call_that_the_phone_took_is_read(world: World, reason: str, unread: int) -> None:
    world.feed((events.CALL_TERMINATE, events.ended_call("C1", reason=reason)))
    assert [chat["unread_count"] for chat in world.chats()] == [unread]


def test_strings_of_an_event_are_repaired(world: World) -> None:
    bad = events.message("~id~", "hai", name="~nm~").replace(b"~id~", b"I\xff\0D").replace(b"~nm~", b"N\xc3\0M")
    target = events.message("R", events.reaction("~id~", "~em~")).replace(b"~id~", b"I\xff\0D")
    world.feed((MESSAGE, bad), (MESSAGE, target.replace(b"~em~", b"\xf0\x9f\0x")))
    [message] = world.messages()
    assert (message["message_id"], message["sender_name"]) == ("I\ufffdD", "N\ufffdM")
    assert json.loads(message["reactions"])[0]["emoji"] == "\ufffdx"


def test_receipts_in_any_order_and_of_others_messages(world: World) -> None:
    ours: dict[str, Any] = {"sender": OWN, "from_me": True}
    world.feed((RECEIPT, events.receipt(["O1"], "PLAYED")), (RECEIPT, events.receipt(["O1"], "DELIVERED")))
    world.feed(said("O1", "kami", **ours), said("A1", "mereka"), (RECEIPT, events.receipt(["O1", "A1"], "READ")))
    assert {message["message_id"]: message["status"] for message in world.messages()} == {
        "O1": "played", "A1": "received",
    }  # fmt: skip


def test_what_was_read_on_the_phone_before_it_came_is_read(world: World) -> None:
    read = (RECEIPT, events.receipt(["A2", "A3"], "READ_SELF", chat=SITI, sender=OWN, from_me=True))
    world.feed(said("A1", "satu"), read)
    assert world.chats()[0]["unread_count"] == 1
    world.feed(said("A4", "empat", at=NOW + 3), said("A2", "dua", at=NOW + 1))
    assert world.chats()[0]["unread_count"] == 1
    world.feed(said("A3", "tiga", at=NOW + 2))
    assert world.chats()[0]["unread_count"] == 1
    assert world.value("SELECT count(*) FROM pending_changes") == 0


def test_what_names_no_message_waits_for_none(world: World) -> None:
    reacted = past("", Message(conversation="x"), reactions=[Reaction(key=MessageKey(ID="R"), text="👍")])
    world.feed(said(), (RECEIPT, events.receipt(["", "A1"], "READ")), (RECEIPT, events.receipt([""], "READ")))
    world.feed(told(events.reaction("", "👍")), synced(reacted))
    assert world.value("SELECT count(*) FROM pending_changes") == 0
    assert [message["message_id"] for message in world.messages()] == ["A1"]


def stub(kind: str, id: str, **fields: Any) -> HistorySyncMsg:
    """What stands in a history in the place of a message."""
    key = MessageKey(remoteJID=GROUP, fromMe=False, ID=id, participant=SITI)
    number = WebMessageInfo.StubType.Value(kind)
    info = WebMessageInfo(key=key, messageTimestamp=NOW - 60, messageStubType=number, **fields)
    return HistorySyncMsg(message=info)


def test_a_history_tells_of_changes_calls_and_deletions(world: World) -> None:
    messages = [
        stub("GROUP_CHANGE_SUBJECT", "S1", messageStubParameters=["Keluarga"]),
        stub("GROUP_PARTICIPANT_ADD", "S2", messageStubParameters=[ALI]),
        stub("REVOKE", "D1", revokeMessageTimestamp=NOW - 7),
        stub("CALL_MISSED_VOICE", "C1"), stub("E2E_ENCRYPTED", "N1"),
    ]  # fmt: skip
    world.feed(synced(*messages, chat=GROUP))
    found = {message["message_id"]: message for message in world.messages()}
    assert {id: message["message_type"] for id, message in found.items()} == {
        "S1": "system", "S2": "system", "C1": "call", "D1": "deleted",
    }  # fmt: skip
    assert "Keluarga" in found["S1"]["message_text"] and "+60111111111" in found["S2"]["message_text"]
    assert found["D1"]["deleted_at"].timestamp() == NOW - 7


def past(id: str, content: Message, *, from_me: bool = False, **fields: Any) -> HistorySyncMsg:
    """A message in a history."""
    key = MessageKey(remoteJID=SITI, fromMe=from_me, ID=id)
    return HistorySyncMsg(message=WebMessageInfo(key=key, messageTimestamp=NOW - 60, message=content, **fields))


def synced(*messages: HistorySyncMsg, chat: str = SITI) -> tuple[int, bytes]:
    """A history of one chat."""
    sync = HistorySync(syncType=HistorySync.RECENT, conversations=[Conversation(ID=chat, messages=messages)])
    return events.HISTORY_SYNC, bytes(pb.HistorySync(Data=sync).SerializePartialToString())


def test_our_own_messages_in_a_history_were_sent(world: World) -> None:
    text = Message(conversation="kami")
    known = [past(f"S{n}", text, from_me=True, status=n) for n in range(6)]
    world.feed(synced(*known, past("SX", text, from_me=True)))
    assert {message["message_id"]: message["status"] for message in world.messages()} == {
        "S0": "failed", "S1": "pending", "S2": "sent", "S3": "delivered", "S4": "read", "S5": "played", "SX": "sent",
    }  # fmt: skip


def test_a_history_has_an_edited_message_as_its_last_edit(world: World) -> None:
    edit = Message(editedMessage=FutureProofMessage(message=events.edit("E1", "baru")))
    world.feed(said("E2", "asal"))
    world.feed(synced(past("E1", edit), past("X2", events.edit("E2", "kedua"))))
    assert {message["message_id"]: message["message_text"] for message in world.messages()} == {
        "E1": "baru", "E2": "kedua",
    }  # fmt: skip
    assert {message["edited_at"].timestamp() for message in world.messages()} == {NOW - 60}


def test_an_edit_of_a_history_that_names_no_message_is_the_message(world: World) -> None:
    edit = events.edit("", "baru")
    edit.protocolMessage.ClearField("key")
    world.feed(synced(past("E1", edit)))
    [message] = world.messages()
    assert (message["message_id"], message["message_text"]) == ("E1", "baru")
    assert message["edited_at"].timestamp() == NOW - 60


def test_a_message_of_a_history_was_edited_when_its_edit_says(world: World) -> None:
    edit = events.edit("E1", "baru")
    edit.protocolMessage.timestampMS = (NOW - 40) * 1000
    world.feed(synced(past("E1", Message(editedMessage=FutureProofMessage(message=edit)))))
    [message] = world.messages()
    assert (message["message_text"], message["edited_at"].timestamp()) == ("baru", NOW - 40)
    # A history tells of it again, and of another one that was edited before that.
    edit.protocolMessage.timestampMS = (NOW - 50) * 1000
    edit.protocolMessage.editedMessage.conversation = "lama"
    world.feed(synced(past("E1", edit)))
    assert world.messages() == [message]


def test_the_phone_counts_no_changes_of_a_group_as_unread(world: World) -> None:
    key = MessageKey(remoteJID=GROUP, ID="A1", participant=SITI)
    text = WebMessageInfo(key=key, messageTimestamp=NOW - 70, message=Message(conversation="hai"))
    link = stub("GROUP_CHANGE_INVITE_LINK", "S1")
    group = Conversation(ID=GROUP, messages=[HistorySyncMsg(message=text), link], unreadCount=1)
    sync = HistorySync(syncType=HistorySync.RECENT, conversations=[group])
    world.feed((events.HISTORY_SYNC, pb.HistorySync(Data=sync).SerializePartialToString()))
    assert [message["message_type"] for message in world.messages()] == ["text", "system"]
    assert world.rows("SELECT message_id FROM messages WHERE flags & 65 = 0") == [{"message_id": "A1"}]


def test_a_history_tells_what_is_pinned(world: World) -> None:
    day = MessageAddOnContextInfo(messageAddOnDurationInSecs=24 * 60 * 60)
    pins = [
        PinInChat(type=PinInChat.PIN_FOR_ALL),
        PinInChat(type=PinInChat.UNPIN_FOR_ALL),
        PinInChat(type=PinInChat.PIN_FOR_ALL, senderTimestampMS=NOW * 1000, messageAddOnContextInfo=day),
        PinInChat(type=PinInChat.PIN_FOR_ALL, senderTimestampMS=(NOW - 90_000) * 1000, messageAddOnContextInfo=day),
    ]
    text = Message(conversation="penting")
    other = PinInChat(type=PinInChat.PIN_FOR_ALL, key=MessageKey(ID="P5"))
    world.feed(
        synced(
            *(past(f"P{n}", text, pinInChat=pin) for n, pin in enumerate(pins)),
            past("P4", text, pinInChat=other), past("P5", text),
        )
    )  # fmt: skip
    pinned = [message["message_id"] for message in world.messages() if message["is_pinned"]]
    assert sorted(pinned) == ["P0", "P2", "P5"]


@pytest.mark.parametrize("number", [77, 12, 40])
def test_content_nested_without_end_is_no_danger(world: World, number: int) -> None:
    content = b"\x0a\x01x"
    for _ in range(20_000):
        inner = events.raw(14, content) + b"\x10\x0e" if number == 12 else events.raw(1, content)
        content = events.raw(number, inner)
    world.feed(said("A1", "hidup"), (MESSAGE, events.message_of("DEEP", content)))
    assert "A1" in {message["message_id"] for message in world.messages()}


def test_a_change_beside_a_message_that_another_process_has_stored_is_not_lost(world: World) -> None:
    world.feed((MESSAGE, events.message("M1", "satu", at=NOW - 5)))
    row = f"id, {message_key(NOW, 'O1')}, now(), device_no, tenant_id, 0, 1, 2, 'O1', 'ours'"
    world.value(
        "INSERT INTO messages (chat_id, key, created_at, device_no, tenant_id, kind, flags, status, message_id, body) "
        f"SELECT {row} FROM chats RETURNING 1"
    )
    world.feed(
        (MESSAGE, events.message("O1", "ours", sender=OWN, from_me=True)),
        (MESSAGE, events.message("R1", events.reaction("M1", "👍"))),
    )
    assert world.messages()[0]["reactions"]
