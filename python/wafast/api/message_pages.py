"""Pages of a conversation: the newest, older and newer ones, and what lies around a message or an instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
from litestar.params import QueryParameter
from msgspec import Meta

from wafast.api.ids import message_place
from wafast.api.paging import before_of, cursor
from wafast.api.problems import not_found, refused_field
from wafast.inbox import messages
from wafast.inbox.chats import NEWEST
from wafast.inbox.messages import Message

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
    before = before_of(after)
    return await _ending(pool, reach, chat_id, NEWEST if before is None else before, limit)


async def newer(pool: asyncpg.Pool, reach: Reach, chat_id: int, before: str, limit: int) -> MessageWindow:
    """What is newer than a page.

    Raises:
        Problem: 400 for a cursor that is none.
    """
    known = before_of(before, NEWEST - 1)
    assert known is not None
    keys = await messages.keys_above(pool, reach, chat_id, known + 1, limit + 1)
    if not keys:
        return MessageWindow(items=[], next=before, previous=None, target=None)
    page = await _ending(pool, reach, chat_id, keys[:limit][-1] + 1, min(limit, len(keys)))
    return msgspec.structs.replace(page, previous=_above(keys, limit))


async def around(pool: asyncpg.Pool, reach: Reach, chat_id: int, wanted: str, limit: int) -> MessageWindow:
    """Half a page before what is wanted, and half a page from it on.

    Args:
        wanted: a message's id here, WhatsApp's id of it, or an instant.

    Raises:
        Problem: 404 for a message that is not kept, 400 for an instant outside of what a clock shows.
    """
    at = _instant(wanted)
    key = await _key_of(pool, reach, chat_id, wanted) if at is None else at << 32
    half = limit // 2
    keys = await messages.keys_above(pool, reach, chat_id, key, half + 2)
    if at is None and keys[:1] != [key]:
        raise not_found("message", wanted)
    if not keys:
        page = await _ending(pool, reach, chat_id, NEWEST, limit)
        return msgspec.structs.replace(page, target=page.items[0].id if page.items else None)
    shown = keys[: half + 1]
    page = await _ending(pool, reach, chat_id, shown[-1] + 1, limit - half - 1 + len(shown))
    return msgspec.structs.replace(page, previous=_above(keys, half + 1), target=f"{chat_id}-{shown[0]}")


def _above(keys: list[int], shown: int) -> str | None:
    return cursor(keys[shown - 1]) if len(keys) > shown else None


async def _ending(pool: asyncpg.Pool, reach: Reach, chat_id: int, before: int, limit: int) -> MessageWindow:
    rows = await messages.list_messages(pool, reach, chat_id, before=before, limit=limit + 1)
    # within one second keys say nothing of the order, but when each was stored does
    shown = sorted(
        await messages.messages_of(pool, rows[:limit]),
        key=lambda one: (one.timestamp, one.created_at),
        reverse=True,
    )
    following = cursor(rows[limit - 1]["key"]) if len(rows) > limit else None
    return MessageWindow(items=shown, next=following, previous=None, target=None)


async def _key_of(pool: asyncpg.Pool, reach: Reach, chat_id: int, wanted: str) -> int:
    ours = message_place(wanted)
    if ours is not None and ours[0] == chat_id and ours[1] < NEWEST:
        return ours[1]
    key = await messages.key_of_message(pool, reach, chat_id, wanted)
    if key is None:
        raise not_found("message", wanted)
    return key


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
