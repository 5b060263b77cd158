"""Search over names, numbers and messages of everything the caller sees."""

from __future__ import annotations

import asyncio
from typing import Annotated, TypeVar, get_args

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.api.authentication import reach_of
from wafast.api.chats import chats_with, find_chat
from wafast.api.ids import uuid_of
from wafast.api.paging import cursor, place_of
from wafast.api.parameters import After, Limit
from wafast.api.policy import Policy
from wafast.api.problems import not_found
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.inbox import chats, search
from wafast.inbox.grams import wanted
from wafast.inbox.kinds import MessageType
from wafast.inbox.search_chats import FoundChat, FoundChats, find_chats

#: Chats shown above the messages.
MOST_CHATS = 20

_Found = TypeVar("_Found", FoundChat, search.FoundMessage)

Query = Annotated[
    str,
    QueryParameter(
        name="q",
        min_length=1,
        max_length=200,
        description="Words, parts of words of at least three letters, beginnings of words, or a phone number in any "
        "writing. What is found has all of them.",
    ),
]
DeviceId = Annotated[str | None, QueryParameter(name="device_id", required=False, description="Only of this device.")]
ChatId = Annotated[str | None, QueryParameter(name="chat_id", required=False, description="Only in this chat.")]
Kind = Annotated[
    MessageType | None, QueryParameter(name="kind", required=False, description="Only messages of this kind.")
]


class Found(msgspec.Struct, frozen=True):
    """What was found: chats by name or number, and messages, each newest first."""

    chats: list[FoundChat]
    """Those with the newest messages, at most 20; none on further pages, and none with `chat_id` or `kind`."""
    chats_next: Annotated[str | None, Meta(description="`after` of `GET /search/chats`, where more chats follow.")]
    messages: Page[search.FoundMessage]
    """A page may be short, or empty, although `next` leads on: then few are found in much."""


class SearchController(Controller):
    """Search."""

    tags = ["Search"]

    @get(
        "/search",
        opt={"policy": Policy.READ},
        operation_id="search",
        summary="Search names, numbers and messages",
        responses=problems(400, 401, 404),
    )
    async def index(
        self,
        q: Query,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        device_id: DeviceId = None,
        chat_id: ChatId = None,
        kind: Kind = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Found:
        """Inside words too, in any script, whatever the case. A message can be found about a second after it came."""
        scope = await _scope(services, principal, device_id)
        pool, query, place = services.pool, wanted(q), _place(after)
        if chat_id is not None:
            scope = msgspec.structs.replace(scope, chat_id=int((await find_chat(pool, principal, chat_id)).id))
        if kind is not None:
            scope = msgspec.structs.replace(scope, kinds=[get_args(MessageType).index(kind)])
        is_first = place is None and chat_id is None and kind is None
        people, page = await asyncio.gather(
            find_chats(pool, scope, query, limit=MOST_CHATS) if is_first else _none(),
            search.find_messages(pool, scope, query, after=place, limit=limit),
        )
        return Found(
            await _as_now(services, people.items),
            _next(people.last),
            Page(await _as_now(services, page.items), _next(page.last)),
        )

    @get(
        "/search/chats",
        opt={"policy": Policy.READ},
        operation_id="search_chats",
        summary="Search names and numbers",
        responses=problems(400, 401, 404),
    )
    async def chats(
        self,
        q: Query,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        device_id: DeviceId = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Page[FoundChat]:
        """Those with the newest messages first. A page may be short, or empty, although `next` leads on."""
        scope = await _scope(services, principal, device_id)
        page = await find_chats(services.pool, scope, wanted(q), after=_place(after), limit=limit)
        return Page(await _as_now(services, page.items), _next(page.last))


async def _scope(services: Services, principal: Principal, device_id: str | None) -> search.Scope:
    reach, device = reach_of(principal), None if device_id is None else uuid_of("device", device_id)
    if device is not None and await chats.device_no(services.pool, reach, device) is None:
        raise not_found("device", device_id or "")
    return await search.scope_of(services.pool, reach, device_id=device)


def _place(after: str | None) -> search.Place | None:
    place = place_of(after, 2)
    return None if place is None else (place[0], place[1])


def _next(place: search.Place | None) -> str | None:
    return None if place is None else cursor(*place)


async def _none() -> FoundChats:
    return FoundChats([], None)


async def _as_now(services: Services, found: list[_Found]) -> list[_Found]:
    """With what is told of chats wherever they are shown."""
    shown = await chats_with(services.pool, [one.chat for one in found], services.hub.activity)
    return [msgspec.structs.replace(one, chat=chat) for one, chat in zip(found, shown, strict=True)]
