"""Chats by name or number, those with the newest messages first; and which chats of a device's list are meant.

Few that the index finds are ranked. Of a name that very many have the index would give them all, in no order: then the
order of all lists is walked from the newest down, which fills a page the sooner the more have it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from wafast.database.queries import load
from wafast.inbox import chats, search
from wafast.inbox.chats import Chat, ChatPage
from wafast.inbox.search import TOP, Highlights, Place, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from wafast.inbox.grams import Wanted

q = load(__file__)

#: Chats of a walk, 2 ms: a name that one in twenty-five has fills a page with them.
WALK = 500
#: More are not ranked: 3,000 take 8 ms; a name that more have is met every few hundred chats of a walk.
MOST_RANKED = 3000
#: Chats that a device's list is narrowed to at once; of more it is walked.
MOST_LISTED = 1000
#: Chats of a device's list whose messages are looked at together.
STEP = 1000
#: A gram nothing has.
NOWHERE = -1


class FoundChat(msgspec.Struct, frozen=True):
    """A chat whose name or number has what was looked for."""

    chat: Chat
    name_highlights: Highlights
    phone_highlights: Highlights


class FoundChats(msgspec.Struct, frozen=True):
    """Chats of one page, and the place to go on from: (last_key, chat), or None when no more follow."""

    items: list[FoundChat]
    last: Place | None


class _Asked(msgspec.Struct, frozen=True):
    """What a chat must have, as the index knows it: grams and patterns of its name, or of its number."""

    names: list[int]
    patterns: list[str]
    numbers: list[int]
    number: str
    one_of: list[int]


async def find_chats(
    pool: asyncpg.Pool, scope: Scope, wanted: Wanted, *, after: Place | None = None, limit: int = 20
) -> FoundChats:
    """Chats by name or number, those with the newest messages first.

    Args:
        after: ``last`` of the page before.
        limit: how many at most; there may be fewer although more follow, where few were found in BUDGET_SECONDS.
    """
    until = time.monotonic() + search.BUDGET_SECONDS
    asked, start = _asked(scope, wanted), after or TOP
    if asked is None:
        return FoundChats([], None)
    places: list[Place] = []
    further: Place | None = start
    if not scope.is_narrow:
        places, further = await _walk(pool, scope, asked, start)
    if len(places) <= limit:
        ids = await _meant(pool, scope, asked, MOST_RANKED)
        if ids is not None:
            rows = await pool.fetch(q.rank_chats, scope.reach.tenant_id, ids, scope.devices, *start, limit + 1)
            places, further = [(row["last_key"], row["id"]) for row in rows], None
    while further is not None and len(places) <= limit and time.monotonic() < until:
        more, further = await _walk(pool, scope, asked, further)
        places += more
    page = places[:limit]
    found = await _shown(pool, scope, wanted, [chat_id for _, chat_id in page])
    return FoundChats(found, page[-1] if len(places) > limit else further)


async def list_with(
    pool: asyncpg.Pool, scope: Scope, device: int, wanted: Wanted, *, days: int, after: Place | None, limit: int
) -> ChatPage:
    """Of a device's list the chats whose name, number or messages have what is looked for; as ``chats.list_chats``, but
    there may be fewer, or none, although it goes on."""
    until = time.monotonic() + search.BUDGET_SECONDS
    only, further = await _all_with(pool, scope, wanted), None
    if only is None:
        only, further = await _next_with(pool, scope, device, wanted, days, after, limit, until)
    page = await chats.list_chats(pool, scope.reach, device, days=days, only=only, after=after, limit=limit)
    return ChatPage(page.chats, page.last or further)


async def _all_with(pool: asyncpg.Pool, scope: Scope, wanted: Wanted) -> list[int] | None:
    """Chats with what is looked for, in no order; None where they are too many, or take too long to find."""
    asked = _asked(scope, wanted)
    by_name = [] if asked is None else await _meant(pool, scope, asked, MOST_LISTED)
    if by_name is None:
        return None
    page = await search.find_messages(pool, scope, wanted, limit=MOST_LISTED)
    return None if page.last is not None else list({*by_name, *(int(one.chat.id) for one in page.items)})


async def _next_with(
    pool: asyncpg.Pool,
    scope: Scope,
    device: int,
    wanted: Wanted,
    days: int,
    after: Place | None,
    limit: int,
    until: float,
) -> tuple[list[int], Place | None]:
    """The next chats with what is looked for, by a walk down the list until there are more than a page's or a time has
    come, and where it goes on."""
    tenant_id, oldest = scope.reach.tenant_id, chats.oldest_listed(days)
    found: list[int] = []
    place = after or TOP
    while True:
        rows = await pool.fetch(q.next_listed, tenant_id, device, oldest, *place, STEP)
        ids = await _with_words(pool, tenant_id, [row["id"] for row in rows], wanted)
        found += [row["id"] for row in rows if row["id"] in ids]
        if len(rows) < STEP:
            return found, None
        place = rows[-1]["last_key"], rows[-1]["id"]
        if len(found) > limit or time.monotonic() > until:
            return found, place


def _asked(scope: Scope, wanted: Wanted) -> _Asked | None:
    tenant_id = scope.reach.tenant_id
    names = wanted.salted(tenant_id)
    numbers = wanted.number_grams(tenant_id) if wanted.digits else []
    if (not names and not numbers) or scope.devices == []:
        return None
    one_of = scope.one_of(names[:1] + numbers[:1])
    patterns = search.patterns(wanted)
    return _Asked(names or [NOWHERE], patterns, numbers or [NOWHERE], f"%{wanted.digits}%", one_of)


async def _meant(pool: asyncpg.Pool, scope: Scope, asked: _Asked, most: int) -> list[int] | None:
    """Chats that the index finds, in no order; None when there are more than ``most``."""
    rows = await pool.fetch(
        q.chats_meant, scope.reach.tenant_id, asked.names, asked.patterns, asked.numbers, asked.number, asked.one_of,
        most + 1,
    )  # fmt: skip
    return None if len(rows) > most else [row["chat_id"] for row in rows]


async def _walk(pool: asyncpg.Pool, scope: Scope, asked: _Asked, place: Place) -> tuple[list[Place], Place | None]:
    """Places of those that are meant among the next chats below a place, and where to go on; None at the end."""
    rows = await pool.fetch(
        q.walk_chats, scope.reach.tenant_id, scope.devices, *place, WALK, asked.names, asked.patterns, asked.numbers,
        asked.number,
    )  # fmt: skip
    places = [(row["last_key"], row["id"]) for row in rows if row["is_meant"]]
    is_more = bool(rows) and rows[-1]["is_last"]
    return places, (rows[-1]["last_key"], rows[-1]["id"]) if is_more else None


async def _with_words(pool: asyncpg.Pool, tenant_id: int, ids: Sequence[int], wanted: Wanted) -> set[int]:
    number = f"%{wanted.digits}%" if wanted.digits else ""
    rows = await pool.fetch(q.words_of_chats, tenant_id, ids, search.patterns(wanted), number)
    return {row["chat_id"] for row in rows if row["words"] is None or wanted.ranges(row["words"]) is not None}


async def _shown(pool: asyncpg.Pool, scope: Scope, wanted: Wanted, ids: Sequence[int]) -> list[FoundChat]:
    within = await search.chats_within(pool, scope.reach, ids)
    found = (_found_chat(within[chat_id], wanted) for chat_id in ids if chat_id in within)
    return [one for one in found if one is not None]


def _found_chat(chat: Chat, wanted: Wanted) -> FoundChat | None:
    names = wanted.ranges(chat.chat_name or "") if wanted.terms else None
    digits = wanted.digit_ranges(chat.phone or "")
    if names is None and not digits:
        return None
    return FoundChat(chat, list(map(list, names or [])), list(map(list, digits)))
