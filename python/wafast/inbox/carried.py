"""What a message carries beside its words that is no file: a place, contacts, or the card of a link. The core reads it
out of what came (rust/core/src/place.rs, card.rs and link.rs) and keeps little of what is long."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

#: What an address begins with, unless it is written as people say it.
SCHEME = re.compile("[a-z][a-z0-9+.-]*://", re.IGNORECASE)

Struct = TypeVar("Struct", bound=msgspec.Struct)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a location is."""

    latitude: Annotated[
        float | None, Meta(description="Degrees; null: those that came are none on Earth.", examples=[3.15785])
    ]
    longitude: Annotated[float | None, Meta(description="Degrees.", examples=[101.71165])]
    accuracy: Annotated[int | None, Meta(description="Metres.", examples=[12])]
    name: Annotated[str | None, Meta(examples=["KLCC"])]
    address: Annotated[str | None, Meta(examples=["Jalan Ampang, Kuala Lumpur"])]
    url: Annotated[str | None, Meta(description="A page about it, http or https.")]
    is_live: Annotated[bool, Meta(description="Where somebody was when they began to share their way.")]


class ContactNumber(msgspec.Struct, frozen=True, kw_only=True):
    """One number on a contact's card."""

    value: Annotated[str, Meta(description="As it is written there.", examples=["+60 12-345 6789"])]
    type: Annotated[
        str | None, Meta(description="`cell`, `home`, `work` or what its owner calls it.", examples=["cell"])
    ]
    waid: Annotated[
        str | None, Meta(description="Digits of its WhatsApp account, if the card says it.", examples=["60123456789"])
    ]


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A contact's card, as far as a person needs it."""

    name: Annotated[str, Meta(examples=["Aisyah"])]
    numbers: Annotated[list[ContactNumber], Meta(description="At most 10.")]


class LinkPreview(msgspec.Struct, frozen=True, kw_only=True):
    """The card of a link, as the one who sent it made it: nothing of it was fetched."""

    url: Annotated[str, Meta(description="An http or https address.", examples=["https://kedai.example/baju"])]
    title: Annotated[str | None, Meta(description="At most 200 characters.", examples=["Kedai Baju"])]
    description: Annotated[str | None, Meta(description="At most 200 characters.")]
    thumbnail_url: Annotated[str | None, Meta(examples=["/media/4711-7711650218893115392.thumb.jpg"])]


def place_of(media: dict[str, Any] | None) -> Place | None:
    """The place in a row's ``media``, if that is one."""
    return _filled(Place, media) if media is not None and media.get("type") == "place" else None


def contacts_of(media: dict[str, Any] | None) -> list[Contact]:
    """The contacts in a row's ``media``, if there are any."""
    if media is None or media.get("type") != "contacts":
        return []
    return [
        Contact(name=one["name"], numbers=[_filled(ContactNumber, number) for number in one["numbers"]])
        for one in media["contacts"]
    ]


def link_of(media: dict[str, Any] | None, *, text: str, edited: bool, thumbnail_url: str | None) -> LinkPreview | None:
    """The card of the link in a row's ``media``, if there is one.

    Args:
        text: the words it belongs to; an edit may have taken the link out of them.
        edited: whether they were changed.
        thumbnail_url: of the picture that came with the message.
    """
    if media is None or media.get("type") != "link" or (edited and media["url"] not in text):
        return None
    url = media["url"] if SCHEME.match(media["url"]) else f"https://{media['url']}"
    title, description = media.get("title"), media.get("description")
    return LinkPreview(url=url, title=title, description=description, thumbnail_url=thumbnail_url)


def _filled(kind: type[Struct], facts: dict[str, Any]) -> Struct:
    """What is not said is None."""
    return kind(**{name: facts.get(name) for name in kind.__struct_fields__})
