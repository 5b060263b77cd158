"""What events become in the tables."""

from __future__ import annotations

import ctypes
import json
import time
from threading import Thread
from typing import Any

import pytest
from neonize.proto import Neonize_pb2 as pb
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, VideoMessage

from tests.integration.core import events
from tests.integration.core.conftest import OWN, World
from tests.integration.core.events import GROUP, GROUP_INFO, HISTORY_SYNC, MESSAGE, NOW, RECEIPT, SITI, SITI_LID
from wafast._core import inlet_address
from wafast.api import metrics
from wafast.devices.group_names import NAMELESS_CHATS


def test_a_message_is_a_row_and_its_chat_counts_it(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "Selamat pagi")))
    [message] = world.messages()
    assert message["message_text"] == "Selamat pagi"
    assert (message["chat_jid"], message["sender_jid"], message["sender_name"]) == (SITI, SITI, "Siti")
    assert (message["message_type"], message["status"], message["from_me"]) == ("text", "received", False)
    assert message["timestamp"] == NOW
    [chat] = world.chats()
    assert (chat["chat_name"], chat["unread_count"], chat["last_message_text"]) == ("Siti", 1, "Selamat pagi")


def test_twice_is_one_row(world: World) -> None:
    event = (MESSAGE, events.message("A1", "sekali"))
    world.feed(event)
    world.feed(event, (MESSAGE, events.message("A2", "lain", at=NOW + 1)), event)
    assert [message["message_id"] for message in world.messages()] == ["A1", "A2"]
    assert world.chats()[0]["unread_count"] == 2


def test_each_event_is_its_own_devices(world: World) -> None:
    """SPEC section 10, invariant 9: of one person's message to two lines of ours each has its row."""
    other = world.value(
        "INSERT INTO devices (tenant_id, name, network) SELECT tenant_id, 'Other', network FROM devices RETURNING no"
    )
    ingest = world.start()
    for device_no, text in ((world.device_no, "to the first"), (other, "to the other")):
        ingest.receive(device_no, MESSAGE, events.message("A1", text))
    assert ingest.flush(60)
    found = {row["device_no"]: row["body"] for row in world.rows("SELECT device_no, body FROM messages")}
    assert found == {world.device_no: "to the first", other: "to the other"}


def test_the_newest_twenty_are_shown_and_the_rest_goes(world: World) -> None:
    for start in range(0, 100, 10):
        world.feed(*((MESSAGE, events.message(f"M{n}", str(n), at=NOW + n)) for n in range(start, start + 10)))
    assert [message["message_text"] for message in world.messages()] == [str(n) for n in range(80, 100)]
    assert world.value("SELECT count(*) FROM messages") < 40
    assert world.value("SELECT stored FROM chats") == world.value("SELECT count(*) FROM messages")
    world.feed((MESSAGE, events.message("M5", "again", at=NOW + 5)))
    assert len(world.messages()) == 20


def test_a_person_by_lid_and_by_number_is_one_chat(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "by lid", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI)))
    world.feed((MESSAGE, events.message("A2", "by lid alone", chat=SITI_LID, sender=SITI_LID, at=NOW + 1)))
    world.feed((MESSAGE, events.message("A3", "by number", at=NOW + 2)))
    assert {message["chat_jid"] for message in world.messages()} == {SITI}
    assert {message["sender_jid"] for message in world.messages()} == {SITI}


def test_a_chat_by_lid_takes_the_number_when_it_becomes_known(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "who", chat=SITI_LID, sender=SITI_LID)))
    assert world.chats()[0]["chat_jid"] == SITI_LID
    world.feed((MESSAGE, events.message("A2", "me", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI, at=NOW + 1)))
    assert [chat["chat_jid"] for chat in world.chats()] == [SITI]
    assert len(world.messages()) == 2


def test_whatsapp_itself_has_a_name(world: World) -> None:
    itself = "0@s.whatsapp.net"
    world.feed((MESSAGE, events.message("W1", "Your account", chat=itself, name="")))
    [chat] = world.chats()
    assert (chat["chat_jid"], chat["chat_name"]) == (itself, "WhatsApp")
    [message] = world.messages()
    assert (message["sender_name"], message["sender_jid"]) == ("WhatsApp", itself)


def test_a_name_that_can_not_be_seen_is_none(world: World) -> None:
    blank = " \u200b\u3164"
    world.feed((MESSAGE, events.message("A1", "hai", name=blank)))
    world.feed((HISTORY_SYNC, events.history("60111111111@s.whatsapp.net", [("H1", "lama", NOW)], name=blank)))
    world.feed((GROUP_INFO, events.group_info(Name=pb.GroupName(Name=blank))))
    assert [message["sender_name"] for message in world.messages()] == [None] * 3
    assert [chat["chat_name"] for chat in world.chats()] == [None] * 3


def test_groups_keep_who_wrote(world: World) -> None:
    world.feed((MESSAGE, events.message("G1", "hai semua", chat=GROUP, sender="60123456789:4@s.whatsapp.net")))
    [message] = world.messages()
    assert (message["chat_jid"], message["sender_jid"]) == (GROUP, SITI)
    assert world.chats()[0]["is_group"]
    assert world.chats()[0]["chat_name"] is None


def test_the_phones_own_messages_are_ours(world: World) -> None:
    """SPEC section 10, invariant 13."""
    world.feed((MESSAGE, events.message("O1", "dari telefon", sender=OWN, from_me=True)))
    [message] = world.messages()
    assert (message["from_me"], message["sender_jid"], message["status"]) == (True, OWN, "sent")
    assert world.chats()[0]["unread_count"] == 0


def test_a_picture_keeps_what_fetching_it_needs(world: World) -> None:
    world.feed((MESSAGE, events.message("P1", events.image("gambar"))))
    [message] = world.messages()
    assert (message["message_type"], message["message_text"]) == ("image", "gambar")
    assert message["media_url"] == f"/media/{message['chat_id']}-{message['key']}.jpg"
    media = json.loads(world.value("SELECT media::text FROM messages"))
    assert (media["mime"], media["size"], media["width"], media["direct_path"]) == ("image/jpeg", 1234, 640, "/v/t62")
    assert world.value("SELECT jpeg FROM thumbnails") == b"\xff\xd8jpeg"


def _file(world: World, content: Message) -> tuple[Any, Any, Any]:
    """Of the newest message: its file's address, path and mark of a GIF."""
    world.feed((MESSAGE, events.message(f"F{len(world.messages())}", content, at=NOW + len(world.messages()))))
    media = json.loads(world.rows("SELECT media::text AS media FROM messages ORDER BY key")[-1]["media"])
    return world.messages()[-1]["media_url"], media.get("direct_path"), media.get("gif")


def test_a_file_that_nobody_can_fetch_has_no_address(world: World) -> None:
    world.start(eager_media=True)
    whole = "https://mmg.whatsapp.net/v/t62/x?ccb=1&mms3=true"
    key = {"mimetype": "video/mp4", "mediaKey": b"\2" * 32}
    for fields, place in (
        ({"mimetype": "video/mp4"}, None),
        (key, None),
        ({"mimetype": "video/mp4", "directPath": "/v/t62"}, None),
        (key | {"URL": "https://elsewhere.example/v/t62"}, None),
        (key | {"URL": "https://whatsapp.net.example/v/t62"}, None),
        (key | {"URL": whole}, "/v/t62/x?ccb=1&mms3=true"),
        (key | {"URL": whole, "directPath": "/v/other"}, "/v/other"),
    ):
        url, path, gif = _file(world, Message(videoMessage=VideoMessage(**fields)))
        assert (url is not None, path or None, gif) == (place is not None, place, None), fields
    assert world.value("SELECT count(*) FROM media_fetches") == 2


def test_a_film_that_is_shown_as_a_gif_says_so(world: World) -> None:
    assert _file(world, Message(videoMessage=VideoMessage(gifPlayback=True)))[2] is True


def test_receipts_move_forward_only(world: World) -> None:
    world.feed((MESSAGE, events.message("O1", "hai", sender=OWN, from_me=True)))
    for kind, status in [("READ", "read"), ("DELIVERED", "read"), ("PLAYED", "played")]:
        world.feed((RECEIPT, events.receipt(["O1"], kind)))
        assert world.messages()[0]["status"] == status
    assert world.value("SELECT last_status FROM chats") == 5


def test_a_receipt_that_comes_first_waits_for_its_message(world: World) -> None:
    world.feed((RECEIPT, events.receipt(["O1"], "READ")))
    assert world.value("SELECT count(*) FROM pending_changes") == 1
    world.feed((MESSAGE, events.message("O1", "hai", sender=OWN, from_me=True)))
    assert world.messages()[0]["status"] == "read"
    assert world.value("SELECT count(*) FROM pending_changes") == 0


def test_a_receipt_moves_the_outbox_row(world: World) -> None:
    world.value(
        "INSERT INTO outbox (tenant_id, device_no, to_jid, kind, body, state, message_id, created_by) "
        f"SELECT tenant_id, no, '{SITI}', 'text', 'hai', 'sent', 'O1', 'test' FROM devices RETURNING id"
    )
    world.feed((RECEIPT, events.receipt(["O1"], "DELIVERED")), (RECEIPT, events.receipt(["O1"], "READ")))
    [row] = world.rows("SELECT state, delivered_at, read_at FROM outbox")
    assert row["state"] == "read"
    assert row["delivered_at"] is not None and row["read_at"] is not None


def test_only_the_author_edits_and_deletes(world: World) -> None:
    other = "60111111111@s.whatsapp.net"
    world.feed((MESSAGE, events.message("G1", "asal", chat=GROUP, sender=SITI)))
    world.feed((MESSAGE, events.message("X1", events.edit("G1", "palsu"), chat=GROUP, sender=other)))
    world.feed((MESSAGE, events.message("X2", events.revoke("G1"), chat=GROUP, sender=other)))
    assert world.messages()[0]["message_text"] == "asal"
    world.feed((MESSAGE, events.message("X3", events.edit("G1", "baru"), chat=GROUP, sender=SITI)))
    [message] = world.messages()
    assert message["message_text"] == "baru" and message["edited_at"] is not None
    assert world.chats()[0]["last_message_text"] == "baru"
    world.feed((MESSAGE, events.message("X4", events.revoke("G1"), chat=GROUP, sender=SITI)))
    [message] = world.messages()
    assert (message["message_type"], message["message_text"]) == ("deleted", "")
    assert message["deleted_at"] is not None
    world.feed((MESSAGE, events.message("X5", events.edit("G1", "hidup"), chat=GROUP, sender=SITI)))
    assert world.messages()[0]["message_text"] == ""


def test_an_admin_deletes_anybodys(world: World) -> None:
    world.feed((MESSAGE, events.message("G1", "asal", chat=GROUP, sender=SITI)))
    revoke = events.message("X1", events.revoke("G1"), chat=GROUP, sender="60111111111@s.whatsapp.net", edit="8")
    world.feed((MESSAGE, revoke))
    assert world.messages()[0]["message_type"] == "deleted"


def test_reactions_are_one_a_person_and_can_be_taken_back(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "hai")))
    world.feed((MESSAGE, events.message("R1", events.reaction("A1", "👍", NOW))))
    world.feed((MESSAGE, events.message("R2", events.reaction("A1", "❤️", NOW + 2))))
    world.feed((MESSAGE, events.message("R3", events.reaction("A1", "😂", NOW + 1))))
    [message] = world.messages()
    assert json.loads(message["reactions"]) == [{"sender_jid": SITI, "emoji": "❤️", "at": NOW + 2}]
    world.feed((MESSAGE, events.message("R4", events.reaction("A1", "", NOW + 3))))
    assert world.messages()[0]["reactions"] is None


def test_reading_on_the_phone_clears_the_badge(world: World) -> None:
    world.feed(*((MESSAGE, events.message(f"A{n}", str(n), at=NOW + n)) for n in range(3)))
    world.feed((RECEIPT, events.receipt(["A1"], "READ_SELF", sender=OWN, from_me=True)))
    assert world.chats()[0]["unread_count"] == 1
    world.feed((RECEIPT, events.receipt(["A2"], "READ_SELF", sender=OWN, from_me=True)))
    assert world.chats()[0]["unread_count"] == 0


def test_history_fills_a_chat_and_counts_as_the_phone_says(world: World) -> None:
    old = NOW - 40 * 86_400
    texts = [("H0", "terlalu lama", old), ("H1", "lama", NOW - 60), ("H2", "baru", NOW - 30)]
    world.feed((events.HISTORY_SYNC, events.history(SITI, texts, name="Makcik Siti", unreadCount=1)))
    assert [message["message_text"] for message in world.messages()] == ["lama", "baru"]
    [chat] = world.chats()
    assert (chat["chat_name"], chat["unread_count"]) == ("Makcik Siti", 1)


SETTINGS = "SELECT name, archived, pinned_at, extract(epoch FROM muted_until)::int8 AS muted_until, unread FROM chats"


def test_what_the_phone_tells_of_a_chat_later_changes_that_and_nothing_else(world: World) -> None:
    told = {"name": "Makcik Siti", "pinned": NOW - 500, "unreadCount": 1}
    world.feed((events.HISTORY_SYNC, events.history(SITI, [("H1", "lama", NOW - 60)], **told)))
    world.feed((MESSAGE, events.message("A1", "baru")))
    [before] = world.rows(SETTINGS)
    world.feed((events.HISTORY_SYNC, events.described({"ID": SITI, "muteEndTime": NOW + 60, "archived": True})))
    [muted] = world.rows(SETTINGS)
    assert muted == before | {"muted_until": NOW + 60, "archived": True}
    world.feed((events.HISTORY_SYNC, events.described({"ID": SITI, "name": "Siti", "pinned": NOW, "muteEndTime": 0})))
    assert world.rows(SETTINGS) == [muted | {"name": "Siti", "muted_until": None}]
    world.feed((events.HISTORY_SYNC, events.described({"ID": SITI, "pinned": 0, "archived": False})))
    [after] = world.rows(SETTINGS)
    assert (after["pinned_at"], after["archived"], after["name"], after["unread"]) == (None, False, "Siti", 2)


def test_a_later_part_of_a_history_leaves_what_it_says_nothing_of(world: World) -> None:
    told = {"pinned": NOW - 500, "archived": True, "muteEndTime": NOW + 60, "unreadCount": 1}
    world.feed((events.HISTORY_SYNC, events.history(SITI, [("H1", "lama", NOW - 60)], **told)))
    before = world.rows(SETTINGS)
    world.feed((events.HISTORY_SYNC, events.history(SITI, [("H0", "lebih lama", NOW - 90)])))
    assert world.rows(SETTINGS) == before
    told = {"pinned": 0, "archived": False, "muteEndTime": 0}
    world.feed((events.HISTORY_SYNC, events.history(SITI, [], **told)))
    assert world.rows(SETTINGS) == [
        {"name": None, "archived": False, "pinned_at": None, "muted_until": None, "unread": 1}
    ]


def test_the_phones_count_holds_although_a_message_came_before_it(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "satu", at=NOW - 9)), (MESSAGE, events.message("A2", "dua", at=NOW - 5)))
    history = [("H1", "lama", NOW - 60), ("H2", "baru", NOW - 30), ("A1", "satu", NOW - 9)]
    told = (events.HISTORY_SYNC, events.history(SITI, history, unreadCount=2))
    world.feed(told)
    unread = "SELECT message_id FROM messages WHERE flags & 65 = 0 ORDER BY key"
    assert [row["message_id"] for row in world.rows(unread)] == ["H2", "A1", "A2"]
    assert world.chats()[0]["unread_count"] == 3
    # It counts once, whatever more is told of the chat.
    world.feed(told, (events.HISTORY_SYNC, events.history(SITI, [("H0", "lagi", NOW - 90)], unreadCount=2)))
    assert world.chats()[0]["unread_count"] == 3


OLD = NOW - 31 * 86_400


@pytest.mark.parametrize(
    ("times", "told", "unread"),
    [
        ([OLD, OLD + 1], {"unreadCount": 2}, 0),
        ([], {"unreadCount": 2, "conversationTimestamp": OLD}, 0),
        ([OLD, NOW - 60], {"unreadCount": 2}, 1),
        # It may be longer than what was told of it.
        ([NOW - 90, NOW - 60], {"unreadCount": 5, "conversationTimestamp": NOW - 60}, 5),
        ([], {"unreadCount": 2}, 2),
        # Marked as unread by a person, with nothing unread in it.
        ([NOW - 60], {"unreadCount": 2**32 - 1}, 1),
        ([NOW - 60], {"markedAsUnread": True}, 1),
        ([NOW - 60], {"markedAsUnread": True, "unreadCount": 4}, 4),
        ([OLD], {"markedAsUnread": True, "conversationTimestamp": OLD}, 0),
    ],
)
def test_what_is_too_old_for_a_history_counts_as_read(
    world: World, times: list[int], told: dict[str, int], unread: int
) -> None:
    texts = [(f"H{number}", "lama", at) for number, at in enumerate(times)]
    world.feed((events.HISTORY_SYNC, events.history(SITI, texts, **told)))
    assert [chat["unread_count"] for chat in world.chats()] == [unread]


def test_a_leads_name_stands_before_what_a_person_calls_itself_and_behind_the_phones_address_book(world: World) -> None:
    world.value("INSERT INTO leads (tenant_id, phone, name, zone) SELECT tenant_id, '+60123456789', 'Puan Siti', 'UTC'"
                " FROM devices RETURNING id")  # fmt: skip
    world.feed((MESSAGE, events.message("A1", "hi")))
    assert world.chats()[0]["chat_name"] == "Puan Siti"
    # the address book may have the very name the person goes by
    world.feed((events.HISTORY_SYNC, events.described({"ID": SITI, "name": "Siti"})))
    assert world.chats()[0]["chat_name"] == "Siti"


def test_of_two_chats_of_one_person_the_name_of_the_address_book_stays(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "by lid", chat=SITI_LID, sender=SITI_LID)))
    world.feed((events.HISTORY_SYNC, events.described({"ID": SITI_LID, "name": "Siti Kedai"})))
    world.feed((MESSAGE, events.message("A2", "by number")))
    world.feed((MESSAGE, events.message("A3", "both", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI)))
    assert [chat["chat_name"] for chat in world.chats()] == ["Siti Kedai"]


def test_what_the_phone_tells_again_writes_nothing(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "hi")))
    told = (events.HISTORY_SYNC, events.described({"ID": SITI, "name": "Siti", "pinned": NOW, "archived": False}))
    world.feed(told)
    written = "SELECT xmin::text FROM chats"
    before = world.value(written)
    world.feed(told)
    assert world.value(written) == before


def test_what_is_said_of_one_chat_by_number_and_by_lid_adds_up(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "hi", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI)))
    by_number, by_lid = {"ID": SITI, "name": "Siti"}, {"ID": SITI_LID, "archived": True}
    world.feed((events.HISTORY_SYNC, events.described(by_number, by_lid)))
    [chat] = world.rows(SETTINGS)
    assert (chat["name"], chat["archived"]) == ("Siti", True)


def test_a_person_in_the_phones_address_book_is_no_chat_before_a_message_is(world: World) -> None:
    world.feed((events.HISTORY_SYNC, events.described({"ID": SITI, "name": "Siti"})))
    assert world.value("SELECT count(*) FROM chats") == 0
    assert world.ingest is not None
    assert world.ingest.control() == []
    world.feed((MESSAGE, events.message("A1", "hi")))
    assert world.ingest.control() == [(world.device_no, NAMELESS_CHATS, SITI.encode())]


def test_of_a_long_history_the_newest_are_kept_in_their_order(world: World) -> None:
    texts = [(f"H{n}", str(n), NOW - 5000 + n // 3) for n in range(300)]
    world.feed((events.HISTORY_SYNC, events.history(SITI, texts[::-1])))
    rows = world.rows("SELECT message_text FROM whatsapp_messages ORDER BY timestamp, created_at")
    assert [row["message_text"] for row in rows] == [str(n) for n in range(280, 300)]
    assert world.value("SELECT count(*) FROM messages") == 20
    assert world.chats()[0]["last_message_text"] == "299"


def test_what_postgresql_refuses_is_repaired_and_nonsense_times_are_replaced(world: World) -> None:
    who = SITI.replace("6012", "60\x0012")
    world.feed((MESSAGE, events.message("Z\0Z", "a\0b", at=3, chat=who)))
    world.feed((MESSAGE, events.message("Z\0Z", "a\0b", at=3)))
    [message] = world.messages()
    assert (message["message_id"], message["message_text"]) == ("ZZ", "ab")
    assert (message["chat_jid"], message["sender_jid"]) == (SITI, SITI)
    assert abs(message["timestamp"] - time.time()) < 600
    assert world.ingest is not None and world.ingest.stats()["repaired"] == 2


def test_what_is_no_protobuf_is_set_aside_and_holds_nobody_up(world: World) -> None:
    cut = (MESSAGE, events.message_of("CUT", events.image("terpotong").SerializeToString()[:-3]))
    world.feed((MESSAGE, b"\xff" * 20), cut, (MESSAGE, events.message("A1", "selepas")))
    assert [message["message_id"] for message in world.messages()] == ["A1"]
    assert world.ingest is not None and world.ingest.stats()["damaged"] == 2
    assert len(list((world.spool / "poison").iterdir())) == 2


def test_a_message_without_an_id_is_a_message(world: World) -> None:
    world.feed((MESSAGE, events.message("", "satu")), (MESSAGE, events.message("", "satu")))
    assert [(message["message_id"], message["message_text"]) for message in world.messages()] == [("", "satu")]


def test_what_was_done_is_counted_once_it_is_committed(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "satu")), (MESSAGE, events.message("A2", "dua")))
    world.feed((MESSAGE, events.message("A1", "satu")))
    assert world.ingest is not None
    stats, histograms = world.ingest.stats(), world.ingest.histograms()
    assert (stats["events"], stats["stored"], stats["duplicates"]) == (3, 2, 1)
    assert stats["spool_segments"] == 1 and stats["spool_bytes"] > 0
    buckets, count, total = histograms["batch_records"]
    assert (count, total) == (stats["batches"], 3.0)
    assert dict(buckets)[3.0] == count
    _, count, seconds = histograms["commit_seconds"]
    assert count == stats["batches"] and seconds > 0
    assert set(stats) <= {*metrics.COUNTERS, *metrics.GAUGES} and set(histograms) <= set(metrics.HISTOGRAMS)


def test_events_of_a_device_that_is_gone_are_dropped(world: World) -> None:
    ingest = world.start()
    ingest.receive(999, MESSAGE, events.message("A1", "hantu"))
    ingest.receive(world.device_no, MESSAGE, events.message("A2", "hidup"))
    assert ingest.flush(60)
    assert [message["message_id"] for message in world.messages()] == ["A2"]


def test_a_flood_waits_on_disk_and_loses_nothing(world: World) -> None:
    world.start(buffer=3, batch_rows=50, messages_per_chat=0)
    world.feed(*((MESSAGE, events.message(f"F{n}", str(n), at=NOW + n)) for n in range(2000)))
    assert [message["message_text"] for message in world.messages()] == [str(n) for n in range(2000)]
    assert world.ingest is not None and world.ingest.stats()["deferred"] > 0
    assert world.ingest.stats()["open"] == 0


def test_what_comes_between_two_runs_of_the_core_is_taken_by_the_second(world: World) -> None:
    callback = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int)(inlet_address())
    event = events.message("M1", "late")
    world.start()
    world.close()
    late = Thread(target=callback, args=(str(world.device_no).encode(), event, len(event), MESSAGE))
    late.start()
    ingest = world.start("next")
    late.join()
    assert ingest.flush(60)
    assert [message["message_id"] for message in world.messages()] == ["M1"]


def test_users_queries_run_as_they_stand(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "hai")))
    [row] = world.rows(
        "SELECT device_id, COUNT(*) AS message_count FROM whatsapp_messages "
        "WHERE created_at > NOW() - INTERVAL '1 hour' "
        "GROUP BY device_id ORDER BY message_count DESC"
    )
    assert row["message_count"] == 1
    assert world.value(
        "SELECT COUNT(DISTINCT chat_jid) AS active_chats FROM whatsapp_messages "
        "WHERE timestamp > EXTRACT(EPOCH FROM NOW() - INTERVAL '1 hour')"
    )
