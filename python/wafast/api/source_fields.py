"""What a source of the outbox says and how fast, as requests write it and answers show it."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from wafast.api.outbox import file_to_send
from wafast.api.problems import refused_field
from wafast.inbox.media import file_url
from wafast.outbox.sources import Message, Pace, SourceKind

if TYPE_CHECKING:
    import asyncpg

    from wafast.sequences.rows import StepRow

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
Hour = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["09:00"])]


class SourceMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each person gets, rendered when it is due."""

    type: Annotated[SourceKind, Meta(examples=["text"])] = "text"
    text: Annotated[
        str,
        Meta(
            max_length=4096,
            description="The text, or the caption of a file. `{name|friend}` is a field of the lead and what stands "
            "there when it has none, `{{Hi|Hello}}` one of several, `{greeting}` the greeting of the hour.",
            examples=["{greeting} {name|friend}, {{have|did you have}} a look?"],
        ),
    ] = ""
    media_id: Annotated[str | None, Meta(description="From `POST /media`.", examples=[None])] = None
    file_name: Annotated[str, Meta(min_length=1, max_length=255, examples=["price-list.pdf"])] | None = None


class ShownMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What each person gets."""

    type: SourceKind
    text: str
    media_id: str | None
    media_url: str | None
    file_name: str | None


class SourcePace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast messages leave each device, and in which hours of the person's day; the device's own pace holds too."""

    min_seconds: Annotated[float, Meta(ge=0, le=86_400, description="Shortest gap.", examples=[10])] = 10.0
    max_seconds: Annotated[float, Meta(ge=0, le=86_400, description="Longest gap.", examples=[30])] = 30.0
    opens: Annotated[Hour | None, Meta(description="Null with `closes`: at any hour.", examples=["09:00"])] = None
    closes: Annotated[Hour | None, Meta(examples=["18:00"])] = None
    days: Annotated[list[Weekday], Meta(min_length=1, max_length=7, examples=[["mon", "tue", "wed"]])] = msgspec.field(
        default_factory=lambda: list(WEEKDAYS)
    )


async def message_of(pool: asyncpg.Pool, tenant_id: int, data: SourceMessage) -> Message:
    """What the request wants said.

    Raises:
        Problem: 400 or 404 when it can't be sent so.
    """
    sha256 = await file_to_send(pool, tenant_id, data.type, data.text, data.media_id)
    return Message(data.type, data.text, sha256, data.file_name)


def pace_of(data: SourcePace) -> Pace:
    """The pace the request wants.

    Raises:
        Problem: 400 when its parts don't go together.
    """
    if data.max_seconds < data.min_seconds:
        raise refused_field(
            "max_seconds", data.max_seconds, f"the longest gap is below the shortest, {data.min_seconds}"
        )
    if (data.opens is None) != (data.closes is None) or (data.opens is not None and data.opens == data.closes):
        raise refused_field(
            "closes", data.closes, "opens and closes are two different times, or both null: at any hour"
        )
    days = sum(1 << WEEKDAYS.index(day) for day in set(data.days))
    return Pace(data.min_seconds, data.max_seconds, _time(data.opens), _time(data.closes), days)


def shown_message(row: StepRow) -> ShownMessage:
    """The message of a source's row."""
    has_file = row.media_sha256 is not None
    return ShownMessage(
        type=row.kind,
        text=row.template,
        media_id=row.media_sha256.hex() if row.media_sha256 is not None else None,
        media_url=file_url(row.media_sha256 or b"", row.media_mime or "") if has_file and row.media_mime else None,
        file_name=row.file_name,
    )


def shown_pace(row: StepRow) -> SourcePace:
    """The pace of a source's row."""
    return SourcePace(
        min_seconds=row.min_seconds,
        max_seconds=row.max_seconds,
        opens=None if row.opens is None else f"{row.opens:%H:%M}",
        closes=None if row.closes is None else f"{row.closes:%H:%M}",
        days=[day for bit, day in enumerate(WEEKDAYS) if row.days >> bit & 1],
    )


def _time(text: str | None) -> time | None:
    return None if text is None else time.fromisoformat(text)
