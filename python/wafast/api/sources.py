"""The message and the pace of what is sent to many, as the API shows and takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from wafast.api.instants import TimeOfDay, time_of, written
from wafast.api.outbox import WANTED_MIME
from wafast.api.problems import not_found, refused_field
from wafast.inbox.media import file_url, hash_of, mime_of_stored
from wafast.outbox.sources import Message, Pace, SourceKind

if TYPE_CHECKING:
    import asyncpg

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_GAP = 86_400.0


class SourceMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent. The text is rendered for each person when it is due."""

    type: Annotated[SourceKind, Meta(examples=["text"])] = "text"
    text: Annotated[
        str,
        Meta(
            max_length=65_536,
            description="Text or caption. `{name}` is a field of the person, `{name|friend}` says what stands there "
            "for who has none, `{{Hi|Hello}}` is one of its choices, `{greeting}` greets by the hour where the person "
            "lives. Everything else stays as it is.",
            examples=["{greeting} {name|friend}, our Raya sale begins on Friday."],
        ),
    ] = ""
    media_id: Annotated[str | None, Meta(description="From `POST /media`; for all types but text.")] = None
    file_name: Annotated[str, Meta(min_length=1, max_length=255, examples=["price-list.pdf"])] | None = None
    media_url: Annotated[str | None, Meta(description="Only in answers.", examples=[None])] = None


class SourcePace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast it goes; the device's own pace and caps hold as well, and the stricter of both."""

    min_seconds: Annotated[float, Meta(ge=0, le=LONGEST_GAP, description="Shortest gap.", examples=[10])] = 10.0
    max_seconds: Annotated[float, Meta(ge=0, le=LONGEST_GAP, description="Longest gap.", examples=[30])] = 30.0
    opens: Annotated[
        TimeOfDay | None,
        Meta(description="Nothing leaves before, on the clock of who gets it; with `closes`.", examples=["09:00:00"]),
    ] = None
    closes: Annotated[
        TimeOfDay | None,
        Meta(description="Nothing leaves from then on; before `opens`: past midnight.", examples=["18:00:00"]),
    ] = None
    days: Annotated[
        Sequence[Day],
        Meta(min_length=1, max_length=7, description="Days on which it leaves.", examples=[["mon", "tue", "wed"]]),
    ] = DAYS


def message_of(message: Message, mime: str | None) -> SourceMessage:
    """A stored message as the API shows it."""
    sha256 = message.media_sha256
    return SourceMessage(
        type=message.kind,
        text=message.template,
        media_id=None if sha256 is None else sha256.hex(),
        file_name=message.file_name,
        media_url=None if sha256 is None or mime is None else file_url(sha256, mime),
    )


def pace_of(pace: Pace) -> SourcePace:
    """A stored pace as the API shows it."""
    return SourcePace(
        # stored as real: 0.1 comes back as 0.10000000149
        min_seconds=round(pace.min_seconds, 3),
        max_seconds=round(pace.max_seconds, 3),
        opens=None if pace.opens is None else written(pace.opens),
        closes=None if pace.closes is None else written(pace.closes),
        days=days_of(pace.days),
    )


def days_of(bits: int) -> list[Day]:
    """The days of a set of bits; bit 0 is Monday."""
    return [day for number, day in enumerate(DAYS) if bits >> number & 1]


async def stored_message(pool: asyncpg.Pool, tenant_id: int, wanted: SourceMessage) -> Message:
    """What to store of a message.

    Raises:
        Problem: 400 or 404 when its file does not go with it.
    """
    if wanted.type == "text":
        if wanted.media_id is not None:
            raise refused_field("message.media_id", wanted.media_id, "a text has no file; say in `type` what it is")
        return Message("text", wanted.text)
    if wanted.media_id is None:
        raise refused_field("message.media_id", None, f"a message of type {wanted.type} needs one; POST /api/v1/media")
    sha256 = hash_of(wanted.media_id)
    mime = None if sha256 is None else await mime_of_stored(pool, tenant_id, sha256)
    if sha256 is None or mime is None:
        raise not_found("media", wanted.media_id)
    if not mime.startswith(WANTED_MIME[wanted.type]):
        raise refused_field("message.type", wanted.type, f"the file is {mime}; send it as document")
    return Message(wanted.type, wanted.text, sha256, wanted.file_name)


def stored_pace(wanted: SourcePace) -> Pace:
    """What to store of a pace.

    Raises:
        Problem: 400 when its parts don't go together.
    """
    if wanted.max_seconds < wanted.min_seconds:
        raise refused_field("pace.max_seconds", wanted.max_seconds, f"it is below min_seconds, {wanted.min_seconds:g}")
    if (wanted.opens is None) != (wanted.closes is None):
        raise refused_field("pace.closes", wanted.closes, "opens and closes go together: give both, or neither")
    opens, closes = (None if one is None else time_of(one) for one in (wanted.opens, wanted.closes))
    if opens is not None and opens == closes:
        raise refused_field("pace.closes", wanted.closes, "it is the same as opens; leave both out for any hour")
    return Pace(wanted.min_seconds, wanted.max_seconds, opens, closes, bits_of(wanted.days))


def bits_of(days: Sequence[Day]) -> int:
    """A set of days as bits."""
    return sum(1 << number for number, day in enumerate(DAYS) if day in days)
