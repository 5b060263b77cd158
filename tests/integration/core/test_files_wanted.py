"""Which files the core notes for the worker to fetch."""

from __future__ import annotations

from tests.integration.core import events
from tests.integration.core.conftest import OWN, World
from tests.integration.core.events import HISTORY_SYNC, MESSAGE, NOW, SITI, SITI_LID, UNDECRYPTABLE
from wafast.devices.eager_media import NEW_FILES

WANTED = """
    SELECT m.message_id, f.state FROM media_fetches f
    JOIN messages m ON m.chat_id = f.chat_id AND m.key = f.key
    WHERE m.device_no = f.device_no AND m.tenant_id = f.tenant_id
    ORDER BY m.message_id
"""


def test_the_file_of_a_new_message_is_noted_and_told_once(world: World) -> None:
    ingest = world.start(eager_media=True)
    world.feed((MESSAGE, events.message("P1", events.image("gambar"))), (MESSAGE, events.message("T1", "teks")))
    world.feed((MESSAGE, events.message("P1", events.image("gambar"))))
    assert world.rows(WANTED) == [{"message_id": "P1", "state": "wanted"}]
    assert [control for control in ingest.control() if control[1] == NEW_FILES] == [(world.device_no, NEW_FILES, b"")]


def test_the_file_of_a_message_that_came_after_all_is_noted(world: World) -> None:
    world.start(eager_media=True)
    world.feed((UNDECRYPTABLE, events.undecryptable("U1")))
    world.feed((MESSAGE, events.message("U1", events.image("gambar"), at=NOW + 5)))
    assert world.rows(WANTED) == [{"message_id": "U1", "state": "wanted"}]


def test_files_of_a_history_and_of_own_messages_are_not_wanted(world: World) -> None:
    ingest = world.start(eager_media=True)
    world.feed(
        (HISTORY_SYNC, events.history(SITI, [("H1", events.image("lama"), NOW - 60)])),
        (MESSAGE, events.message("O1", events.image("saya"), sender=OWN, from_me=True)),
    )
    assert [message["message_type"] for message in world.messages()] == ["image", "image"]
    assert world.rows(WANTED) == []
    assert all(control[1] != NEW_FILES for control in ingest.control())


def test_nothing_is_noted_when_files_are_fetched_on_view(world: World) -> None:
    world.feed((MESSAGE, events.message("P1", events.image("gambar"))))
    assert world.rows(WANTED) == []


def test_what_is_wanted_moves_with_its_message(world: World) -> None:
    world.start(eager_media=True)
    world.feed((MESSAGE, events.message("P1", events.image("a"), chat=SITI_LID)))
    world.feed((MESSAGE, events.message("T1", "b", chat=SITI)))
    world.feed((MESSAGE, events.message("T2", "c", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI)))
    assert [chat["chat_jid"] for chat in world.chats()] == [SITI]
    assert world.rows(WANTED) == [{"message_id": "P1", "state": "wanted"}]
