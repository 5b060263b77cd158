"""Places, contacts and links are kept beside their words, and never pass for files."""

from __future__ import annotations

import json

import pytest
from neonize.proto.waE2E import WAWebProtobufsE2E_pb2 as e2e

from tests.integration.core import events
from tests.integration.core.conftest import World
from tests.integration.core.events import MESSAGE, UNDECRYPTABLE
from wafast.inbox.carried import Contact, ContactNumber, Place, contacts_of, place_of

KLCC = e2e.Message(
    locationMessage=e2e.LocationMessage(
        degreesLatitude=3.15785, degreesLongitude=101.71165, name="KLCC", address="Jalan Ampang", accuracyInMeters=9,
        URL="https://klcc.example", JPEGThumbnail=b"\xff\xd8map",
    )
)  # fmt: skip
CARD = """BEGIN:VCARD
VERSION:3.0
N:;Ali;;;
FN:Ali
TEL;type=CELL;waid=60123456789:+60 12-345 6789
END:VCARD"""
ALI = e2e.ContactMessage(displayName="Ali", vcard=CARD)
ALI_CARD = Contact(name="Ali", numbers=[ContactNumber(value="+60 12-345 6789", type="cell", waid="60123456789")])


def carried(world: World) -> list[dict[str, object] | None]:
    """What stands beside the words of each message, oldest first."""
    rows = world.rows("SELECT media::text AS media FROM messages ORDER BY key")
    return [row["media"] and json.loads(row["media"]) for row in rows]


@pytest.mark.parametrize("came_late", [False, True], ids=["at once", "after all"])
def test_a_place_keeps_where_it_is(world: World, came_late: bool) -> None:
    if came_late:
        world.feed((UNDECRYPTABLE, events.undecryptable("L1")))
    world.feed((MESSAGE, events.message("L1", KLCC)))
    place = place_of(carried(world)[0])
    assert place == Place(
        latitude=3.15785, longitude=101.71165, accuracy=9, name="KLCC", address="Jalan Ampang",
        url="https://klcc.example", is_live=False,
    )  # fmt: skip
    [message] = world.messages()
    assert (message["message_type"], message["media_url"]) == ("location", None)
    assert world.value("SELECT jpeg FROM thumbnails") == b"\xff\xd8map"


def test_contacts_keep_their_numbers(world: World) -> None:
    many = e2e.ContactsArrayMessage(contacts=[ALI, e2e.ContactMessage(displayName="Abu")])
    world.feed(
        (MESSAGE, events.message("C1", e2e.Message(contactMessage=ALI), at=events.NOW)),
        (MESSAGE, events.message("C2", e2e.Message(contactsArrayMessage=many), at=events.NOW + 1)),
    )
    one, both = carried(world)
    assert contacts_of(one) == [ALI_CARD]
    assert contacts_of(both) == [ALI_CARD, Contact(name="Abu", numbers=[])]
    assert [message["media_url"] for message in world.messages()] == [None, None]


def linked(**said: str | bytes) -> e2e.Message:
    """Words with a link, of which this is said."""
    words = {"text": "Lihat https://kedai.example/baju ya", "matchedText": "https://kedai.example/baju"}
    return e2e.Message(extendedTextMessage=e2e.ExtendedTextMessage(**words | said))


@pytest.mark.parametrize("came_late", [False, True], ids=["at once", "after all"])
def test_a_text_keeps_the_card_of_its_link(world: World, came_late: bool) -> None:
    world.start(eager_media=True)
    if came_late:
        world.feed((UNDECRYPTABLE, events.undecryptable("T1")))
    card = linked(title="Kedai Baju", description="B" * 5000, JPEGThumbnail=b"\xff\xd8shop")
    world.feed((MESSAGE, events.message("T1", card)))
    assert carried(world) == [
        {"type": "link", "url": "https://kedai.example/baju", "title": "Kedai Baju", "description": "B" * 200}
    ]
    [message] = world.messages()
    assert (message["message_type"], message["message_text"], message["media_url"]) == (
        "text", "Lihat https://kedai.example/baju ya", None,
    )  # fmt: skip
    assert world.value("SELECT jpeg FROM thumbnails") == b"\xff\xd8shop"
    assert world.value("SELECT count(*) FROM media_fetches") == 0


@pytest.mark.parametrize(
    "said",
    [{}, {"title": "\u200b"}, {"title": "Kedai", "matchedText": ""}, {"title": "Kedai", "matchedText": "ftp://x"}],
)
def test_a_link_of_which_nothing_is_said_has_no_card(world: World, said: dict[str, str | bytes]) -> None:
    world.feed((MESSAGE, events.message("T1", linked(JPEGThumbnail=b"\xff\xd8shop", **said))))
    assert carried(world) == [None]
    assert world.value("SELECT count(*) FROM thumbnails") == 0


def test_the_card_of_a_link_goes_and_comes_with_the_words_that_an_edit_gives(world: World) -> None:
    def edit(id: str, content: e2e.Message, at: int) -> tuple[int, bytes]:
        new = events.edit("T1", "")
        new.protocolMessage.editedMessage.CopyFrom(content)
        return MESSAGE, events.message(id, new, at=events.NOW + at)

    world.feed((MESSAGE, events.message("T1", linked(title="Baju", JPEGThumbnail=b"\xff\xd8shop"))))
    world.feed(edit("X1", e2e.Message(conversation="tiada lagi"), 1))
    assert carried(world) == [None]
    assert world.value("SELECT count(*) FROM thumbnails") == 0
    world.feed(edit("X2", linked(title="Kasut", JPEGThumbnail=b"\xff\xd8shoe"), 2))
    [card] = carried(world)
    assert card is not None and card["title"] == "Kasut"
    assert world.value("SELECT jpeg FROM thumbnails") == b"\xff\xd8shoe"
    world.feed(edit("X3", linked(title="Lain"), 3))
    assert world.value("SELECT count(*) FROM thumbnails") == 0
    # One that comes first waits with its card.
    first = events.edit("T2", "")
    first.protocolMessage.editedMessage.CopyFrom(linked(title="Topi", JPEGThumbnail=b"\xff\xd8hat"))
    world.feed((MESSAGE, events.message("X4", first, at=events.NOW + 4)))
    world.feed((MESSAGE, events.message("T2", "topi", at=events.NOW + 3)))
    assert [card and card["title"] for card in carried(world)] == ["Lain", "Topi"]
    assert world.value("SELECT jpeg FROM thumbnails") == b"\xff\xd8hat"


def test_what_stands_on_top_of_buttons_is_kept(world: World) -> None:
    picture = events.image("").imageMessage
    kind = e2e.InteractiveMessage
    tops = {
        "buttons": e2e.Message(buttonsMessage=e2e.ButtonsMessage(contentText="satu", imageMessage=picture)),
        "interactive": e2e.Message(
            interactiveMessage=kind(header=kind.Header(imageMessage=picture), body=kind.Body(text="dua"))
        ),
        "product": e2e.Message(
            productMessage=e2e.ProductMessage(
                product=e2e.ProductMessage.ProductSnapshot(title="tiga", productImage=picture)
            )
        ),
        "preview": e2e.Message(
            interactiveMessage=kind(header=kind.Header(JPEGThumbnail=b"\xff\xd8jpeg"), body=kind.Body(text="empat"))
        ),
    }
    world.feed(
        *((MESSAGE, events.message(id, top, at=events.NOW + n)) for n, (id, top) in enumerate(tops.items(), start=1))
    )
    messages = world.messages()
    assert [(row["message_type"], row["message_text"], row["media_url"] is not None) for row in messages] == [
        ("text", "satu", True), ("text", "dua", True), ("text", "tiga", True), ("text", "empat", False),
    ]  # fmt: skip
    assert world.value("SELECT count(*) FROM thumbnails") == 4


def test_what_says_nothing_carries_nothing(world: World) -> None:
    nowhere = e2e.LocationMessage(degreesLatitude=9e99, degreesLongitude=1)
    world.feed(
        (MESSAGE, events.message("L1", e2e.Message(locationMessage=nowhere), at=events.NOW)),
        (MESSAGE, events.message("C1", e2e.Message(contactMessage=e2e.ContactMessage()), at=events.NOW + 1)),
    )
    assert carried(world) == [None, None]


def test_nobody_fetches_a_place_and_a_deletion_takes_it(world: World) -> None:
    world.start(eager_media=True)
    world.feed((MESSAGE, events.message("L1", KLCC)))
    assert world.value("SELECT count(*) FROM media_fetches") == 0
    world.feed((MESSAGE, events.message("X1", events.revoke("L1"), at=events.NOW + 1)))
    assert carried(world) == [None]
    assert world.value("SELECT count(*) FROM thumbnails") == 0
