"""Search over messages: what the index finds, looked at again in the rows themselves."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from wafast.database.queries import load
from wafast.inbox import chats, messages
from wafast.inbox.chats import Chat
from wafast.inbox.grams import BUCKET_SECONDS, Wanted, bucket_of, device_gram
from wafast.inbox.messages import Message

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import asyncpg

    from wafast.inbox.reach import Reach

q = load(__file__)

#: So many devices are looked for by their own gram; of more the rows are looked at.
MOST_DEVICE_GRAMS = 16
#: Places of a look, at least: some may turn out not to be meant.
LEAST = 20
#: A search that has taken so long says what it has, and where to go on: a word nobody wrote, of letters that many words
#: have, costs a look at many rows. The four hours it is at then are looked through: 12 ms if one row in nine has it.
BUDGET_SECONDS = 0.025

Range = Annotated[list[int], Meta(min_length=2, max_length=2)]
Highlights = Annotated[
    list[Range],
    Meta(description="Where it stands: [start, end) in Unicode code points, in order.", examples=[[[6, 11]]]),
]
Place = tuple[int, int]  # key and chat
TOP: Place = (chats.NEWEST, chats.NEWEST)


class FoundMessage(msgspec.Struct, frozen=True):
    """A message that has all the words, and its chat."""

    message: Message
    chat: Chat
    highlights: Highlights


class FoundMessages(msgspec.Struct, frozen=True):
    """Messages of one page, and the place to go on from: (key, chat), or None when no more follow."""

    items: list[FoundMessage]
    last: Place | None


class Scope(msgspec.Struct, frozen=True):
    """Where is looked.

    Args:
        reach: what the caller sees.
        devices: inner numbers of the only devices; None for all of the tenant's.
        chat_id: only this chat.
        kinds: codes of the only kinds of messages; None for all.
    """

    reach: Reach
    devices: list[int] | None
    chat_id: int | None = None
    kinds: list[int] | None = None

    def one_of(self, otherwise: Sequence[int]) -> list[int]:
        """Grams of the devices where these narrow the search, else those that are looked for anyway."""
        if self.devices is None or not self.is_narrow:
            return list(otherwise)
        return [device_gram(no, self.reach.tenant_id) for no in self.devices]

    @property
    def is_narrow(self) -> bool:
        """Whether it is of few devices, each looked for by its own gram."""
        return self.devices is not None and len(self.devices) <= MOST_DEVICE_GRAMS


async def scope_of(pool: asyncpg.Pool, reach: Reach, *, device_id: UUID | None = None) -> Scope:
    """Where a caller may look, narrowed to a device."""
    if reach.device_ids is None and device_id is None:
        return Scope(reach, None)
    rows = await pool.fetch(q.device_numbers, reach.tenant_id, reach.device_ids, device_id)
    return Scope(reach, [row["no"] for row in rows])


async def find_messages(
    pool: asyncpg.Pool, scope: Scope, wanted: Wanted, *, after: Place | None = None, limit: int = 50
) -> FoundMessages:
    """Messages with all the words, newest first.

    Args:
        after: ``last`` of the page before.
        limit: how many at most; there may be fewer although more follow, where few were found in BUDGET_SECONDS.
    """
    until = time.monotonic() + BUDGET_SECONDS
    found: list[FoundMessage] = []
    further: Place | None = after or TOP
    while further is not None and len(found) <= limit:
        count = max(limit + 1 - len(found), LEAST)
        places, further = await _look(pool, scope, wanted, further, count, until - time.monotonic())
        found += await _checked(pool, scope.reach, wanted, places)
        if time.monotonic() > until:
            break
    if len(found) > limit:
        return FoundMessages(_in_order(found[:limit]), _place_of(found[limit - 1].message))
    return FoundMessages(_in_order(found), further)


async def _look(
    pool: asyncpg.Pool, scope: Scope, wanted: Wanted, place: Place, count: int, seconds: float
) -> tuple[list[Place], Place | None]:
    """Places of messages that may be meant, at most ``count`` in so many seconds, and where to go on; None when there
    is nothing further back."""
    tenant_id, words = scope.reach.tenant_id, patterns(wanted)
    if not words or scope.devices == []:
        return [], None
    if scope.chat_id is not None:
        rows = await pool.fetch(q.find_in_chat, tenant_id, scope.chat_id, scope.kinds, place[0], words, count)
        places = [(row["key"], row["chat_id"]) for row in rows]
        return places, places[-1] if len(places) == count else None
    grams = wanted.salted(tenant_id)
    if not grams:
        return [], None
    rows = await pool.fetch(
        q.find_messages, tenant_id, scope.devices, scope.kinds, bucket_of(place[0]), *place, grams,
        scope.one_of(grams[:1]), words, count, seconds,
    )  # fmt: skip
    places = [(row["key"], row["chat_id"]) for row in rows if row["key"] is not None]
    left = [row["bucket"] for row in rows if row["key"] is None]
    if left:
        return places, (((left[0] + 1) * BUCKET_SECONDS << 32) - 1, chats.NEWEST)
    return places, places[-1] if len(places) == count else None


async def _checked(pool: asyncpg.Pool, reach: Reach, wanted: Wanted, places: Sequence[Place]) -> list[FoundMessage]:
    """Of these places the messages that are there, seen by the caller, and have all the words."""
    if not places:
        return []
    keys = [(chat_id, key) for key, chat_id in places]
    rows = {(row["chat_id"], row["key"]): row for row in await messages.get_messages(pool, [reach.tenant_id], keys)}
    within = await chats_within(pool, reach, list({chat_id for chat_id, _ in keys}))
    found = []
    for chat_id, key in keys:
        row = rows.get((chat_id, key))
        if row is None or row["is_trimmed"] or row["kind"] == "deleted" or chat_id not in within:
            continue
        ranges = wanted.ranges(row["body"])
        if ranges is not None:
            found.append((row, list(map(list, ranges))))
    shown = await messages.messages_of(pool, [row for row, _ in found])
    return [
        FoundMessage(message, within[row["chat_id"]], highlights)
        for message, (row, highlights) in zip(shown, found, strict=True)
    ]


async def chats_within(pool: asyncpg.Pool, reach: Reach, ids: Sequence[int]) -> dict[int, Chat]:
    """Chats that the caller sees, by their ids."""
    rows = await chats.get_chats(pool, [reach.tenant_id], ids)
    return {row["id"]: chats.chat_of(row) for row in rows if reach.sees(row["device_id"])}


def patterns(wanted: Wanted) -> list[str]:
    """Of LIKE, which a folded text with all the words matches."""
    return ["%" + re.sub(r"([\\%_])", r"\\\1", term.text) + "%" for term in wanted.terms]


def _place_of(message: Message) -> Place:
    chat_id, _, key = message.id.partition("-")
    return int(key), int(chat_id)


def _in_order(found: list[FoundMessage]) -> list[FoundMessage]:
    """Within one second keys say nothing of the order, but when each was stored does."""
    return sorted(found, key=lambda one: (one.message.timestamp, one.message.created_at), reverse=True)
