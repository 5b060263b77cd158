"""What an answer brings of the message it answers is kept with it: that one may be trimmed, or was never here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from neonize.proto.waE2E import WAWebProtobufsE2E_pb2 as e2e
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message

from tests.integration.core import events
from tests.integration.core.conftest import World
from tests.integration.core.events import GROUP, HISTORY_SYNC, MESSAGE, NOW, SITI, UNDECRYPTABLE

ASKED = Message(conversation="Berapa harga?")


def answer(quoted: Message | None = ASKED, id: str = "Q1", **context: Any) -> Message:
    """Ten ringgit, to what was asked."""
    fields = {"participant": SITI} | context
    said = e2e.ContextInfo(stanzaID=id, quotedMessage=quoted, **fields)
    return Message(extendedTextMessage=e2e.ExtendedTextMessage(text="RM10", contextInfo=said))


def quotes(world: World) -> list[dict[str, Any] | None]:
    """What stands beside each message of the one it answers, oldest first."""
    rows = world.rows("SELECT quote::text AS quote FROM messages ORDER BY key")
    return [row["quote"] and json.loads(row["quote"]) for row in rows]


def test_an_answer_keeps_what_it_answers(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", answer())))
    assert quotes(world) == [{"kind": "text", "text": "Berapa harga?", "sender": SITI}]


def test_one_that_came_after_all_keeps_it_too(world: World) -> None:
    world.feed((UNDECRYPTABLE, events.undecryptable("A1")))
    world.feed((MESSAGE, events.message("A1", answer())))
    assert quotes(world) == [{"kind": "text", "text": "Berapa harga?", "sender": SITI}]


def test_answers_of_a_history_keep_it_too(world: World) -> None:
    world.feed((HISTORY_SYNC, events.history(SITI, [("A1", answer(), NOW)])))
    assert quotes(world) == [{"kind": "text", "text": "Berapa harga?", "sender": SITI}]


@pytest.mark.parametrize(
    ("quoted", "kind", "text"),
    [
        (events.image("menu"), "image", "menu"),
        (Message(imageMessage=e2e.ImageMessage()), "image", ""),
        (Message(documentMessage=e2e.DocumentMessage(fileName="harga.pdf")), "document", "harga.pdf"),
        (Message(locationMessage=e2e.LocationMessage(name="KLCC", address="Jalan Ampang")), "location",
         "KLCC\nJalan Ampang"),
        (Message(audioMessage=e2e.AudioMessage(PTT=True)), "voice", ""),
        (Message(viewOnceMessageV2=e2e.FutureProofMessage(message=events.image("sekali"))), "image", "sekali"),
        (Message(pollCreationMessage=e2e.PollCreationMessage(name="Makan apa?")), "poll", "Makan apa?"),
        (Message(albumMessage=e2e.AlbumMessage(expectedImageCount=3)), "unsupported", ""),
    ],
)  # fmt: skip
def test_it_is_said_as_the_message_itself_would_be(world: World, quoted: Message, kind: str, text: str) -> None:
    world.feed((MESSAGE, events.message("A1", answer(quoted))))
    assert quotes(world) == [{"kind": kind, "text": text, "sender": SITI}]


def test_of_long_words_the_first_two_hundred_characters_are_kept(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", answer(Message(conversation="你" * 5000)))))
    assert [quote and quote["text"] for quote in quotes(world)] == ["你" * 200]


@pytest.mark.parametrize(
    ("remote", "kept"),
    [("status@broadcast", "status@broadcast"), (GROUP, GROUP), (SITI, None), ("", None), ("x" * 5000 + "@g.us", None)],
)
def test_where_it_was_said_is_kept_if_that_is_elsewhere(world: World, remote: str, kept: str | None) -> None:
    world.feed((MESSAGE, events.message("A1", answer(remoteJID=remote))))
    [quote] = quotes(world)
    assert quote is not None and quote.get("chat") == kept


def test_who_said_it_is_a_person_without_device(world: World) -> None:
    for number, (participant, sender) in enumerate([
        ("60123456789:7@s.whatsapp.net", SITI), ("900123@lid", "900123@lid"), ("", None), ("nobody", None),
    ]):  # fmt: skip
        world.feed((MESSAGE, events.message(f"A{number}", answer(participant=participant), at=NOW + number)))
        assert (quotes(world)[-1] or {}).get("sender") == sender


@pytest.mark.parametrize("quoted", [None, Message()], ids=["none", "an empty one"])
def test_an_answer_that_brings_nothing_has_only_its_id(world: World, quoted: Message | None) -> None:
    world.feed(
        (MESSAGE, events.message("A1", answer(quoted))), (MESSAGE, events.message("A2", answer(id=""), at=NOW + 1))
    )
    assert quotes(world) == [None, None]
    assert [row["quoted_message_id"] for row in world.messages()] == ["Q1", None]


def test_two_chats_of_one_person_become_one_with_their_quotes(world: World) -> None:
    lid: dict[str, Any] = {"chat": events.SITI_LID, "sender": events.SITI_LID}
    world.feed((MESSAGE, events.message("A1", answer(), **lid)), (MESSAGE, events.message("B1", "hai", at=NOW + 1)))
    world.feed((MESSAGE, events.message("A2", "ya", at=NOW + 2, sender_alt=SITI, **lid)))
    assert len(world.chats()) == 1
    assert quotes(world) == [{"kind": "text", "text": "Berapa harga?", "sender": SITI}, None, None]
