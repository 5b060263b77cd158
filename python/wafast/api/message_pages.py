"""Pages of a conversation: the newest, older and newer ones, and what lies around a message or an instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
from litestar.params import QueryParameter
from msgspec import Meta

from wafast.api.ids import message_place
from wafast.api.paging import cursor, place_of
from wafast.api.problems import not_found, refused_field
from wafast.inbox import messages
from wafast.inbox.messages import END, At, Message

if TYPE_CHECKING:
    import asyncpg

    from wafast.inbox.reach import Reach

#: The seconds a key can hold.
SECONDS = range(2**31)

Before = Annotated[
    str | None,
    QueryParameter(name="before", required=False, description="`previous` of a page: leads to newer messages."),
]
Around = Annotated[
    str | None,
    QueryParameter(
        name="around",
        required=False,
        max_length=200,
        description="A message's `id`, WhatsApp's id of it, or an instant (RFC 3339): the page around it.",
    ),
]


class MessageWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a conversation, newest first."""

    items: list[Message]
    next: Annotated[str | None, Meta(description="Give it as `after`: older messages; null at the oldest kept.")]
    previous: Annotated[
        str | None, Meta(description="Give it as `before`: newer messages; null where the page has the newest.")
    ]
    target: Annotated[
        str | None,
        Meta(description="Id of the message `around` named; for an instant the first not before it, else the last."),
    ]


async def older(pool: asyncpg.Pool, reach: Reach, chat_id: int, after: str | None, limit: int) -> MessageWindow:
    """The newest messages, or what is older than a page.

    Raises:
        Problem: 400 for a cursor that is none.
    """
    return await _ending(pool, reach, chat_id, END if after is None else _named(after), limit)


async def newer(pool: asyncpg.Pool, reach: Reach, chat_id: int, before: str, limit: int) -> MessageWindow:
    """What is newer than a page.

    Raises:
        Problem: 400 for a cursor that is none.
    """
    places = await messages.places_from(pool, reach, chat_id, _named(before), including=False, limit=limit + 1)
    if not places:
        return MessageWindow(items=[], next=before, previous=None, target=None)
    shown = places[:limit]
    page = await _ending(pool, reach, chat_id, shown[-1], len(shown), including=True)
    return msgspec.structs.replace(page, previous=_above(places, limit))


async def around(pool: asyncpg.Pool, reach: Reach, chat_id: int, wanted: str, limit: int) -> MessageWindow:
    """Half a page before what is wanted, and half a page from it on.

    Args:
        wanted: a message's id here, WhatsApp's id of it, or an instant.

    Raises:
        Problem: 404 for a message that is not kept, 400 for an instant outside of what a clock shows.
    """
    at = _instant(wanted)
    start = await _place(pool, reach, chat_id, wanted) if at is None else At(at << 32, 0)
    half = limit // 2
    places = await messages.places_from(pool, reach, chat_id, start, including=True, limit=half + 2)
    if not places:
        page = await _ending(pool, reach, chat_id, END, limit)
        return msgspec.structs.replace(page, target=page.items[0].id if page.items else None)
    shown = places[: half + 1]
    page = await _ending(pool, reach, chat_id, shown[-1], limit - half - 1 + len(shown), including=True)
    return msgspec.structs.replace(page, previous=_above(places, half + 1), target=f"{chat_id}-{shown[0].key}")


def _named(there: str) -> At:
    """The place a cursor names.

    Raises:
        Problem: 400 when it is not one of such a list.
    """
    place = place_of(there, 2, END.key - 1)
    assert place is not None
    return At(*place)


def _above(places: list[At], shown: int) -> str | None:
    return cursor(*places[shown - 1]) if len(places) > shown else None


async def _ending(
    pool: asyncpg.Pool, reach: Reach, chat_id: int, before: At, limit: int, *, including: bool = False
) -> MessageWindow:
    rows = await messages.list_messages(pool, reach, chat_id, before=before, including=including, limit=limit + 1)
    shown = await messages.messages_of(pool, rows[:limit])
    following = cursor(*At.of(rows[limit - 1])) if len(rows) > limit else None
    return MessageWindow(items=shown, next=following, previous=None, target=None)


async def _place(pool: asyncpg.Pool, reach: Reach, chat_id: int, wanted: str) -> At:
    ours = message_place(wanted)
    if ours is not None and ours[0] == chat_id and ours[1] <= END.key:
        place = await messages.place_of_key(pool, reach, chat_id, ours[1])
    else:
        place = await messages.place_of_message(pool, reach, chat_id, wanted)
    if place is None:
        raise not_found("message", wanted)
    return place


def _instant(wanted: str) -> int | None:
    """Unix seconds of an instant, or None when it is written like none."""
    if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", wanted) is None:
        return None
    try:
        at = datetime.fromisoformat(wanted)
        seconds = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise refused_field("around", wanted[:100], "write an instant as 2026-11-26T00:00:00+08:00") from None
    return min(max(seconds, SECONDS.start), SECONDS.stop - 1)
