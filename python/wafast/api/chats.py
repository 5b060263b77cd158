"""Chats of a device: the list, one chat, its messages, reading and typing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import asyncpg
import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.api import message_pages
from wafast.api.authentication import reach_of
from wafast.api.calls import ask
from wafast.api.ids import number_of, uuid_of
from wafast.api.message_pages import Around, Before, MessageWindow
from wafast.api.paging import cursor, place_of
from wafast.api.parameters import After, Limit, Search
from wafast.api.policy import Policy
from wafast.api.problems import Problem, not_found
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.events.hub import Activity
from wafast.inbox import chats
from wafast.inbox.chats import Chat
from wafast.inbox.grams import wanted
from wafast.inbox.mentions import mentions_in
from wafast.inbox.notices import last_notices
from wafast.inbox.people import names_of
from wafast.inbox.search import scope_of
from wafast.inbox.search_chats import list_with


class Typing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the other side sees us do."""

    state: Annotated[Literal["composing", "recording", "paused"], Meta(examples=["composing"])]


async def chats_with(pool: asyncpg.Pool, found: list[Chat], activity: Callable[[int], Activity]) -> list[Chat]:
    """The chats with who writes in them and who looks at them right now, and who is named in the newest message."""
    shown = [(chat, activity(int(chat.id))) for chat in found]
    in_groups = [(chat.id, now.typing.jid) for chat, now in shown if now.typing is not None and chat.is_group]
    typists = {chat_id: (int(chat_id), jid) for chat_id, jid in in_groups}
    names = await names_of(pool, typists.values())
    texts = [(int(chat.id), chat.last_message_type, chat.last_message_text or "") for chat in found]
    mentions = await mentions_in(pool, texts)
    notices = await last_notices(pool, [int(chat.id) for chat in found if chat.last_message_type == "system"])
    return [
        msgspec.structs.replace(
            chat,
            last_message_mentions=named,
            last_message_notice=notices.get(int(chat.id)),
            typing=None if now.typing is None else now.typing.jid,
            typing_name=names.get(typists[chat.id]) if chat.id in typists else None,
            typing_state=None if now.typing is None else now.typing.state,
            viewers=list(now.viewers),
        )
        for (chat, now), named in zip(shown, mentions, strict=True)
    ]


async def chat_with(services: Services, chat: Chat) -> Chat:
    """As `chats_with`, for one."""
    return (await chats_with(services.pool, [chat], services.hub.activity))[0]


async def find_chat(pool: asyncpg.Pool, principal: Principal, chat_id: str) -> Chat:
    """A chat within the caller's reach.

    Raises:
        Problem: 404.
    """
    chat = await chats.get_chat(pool, reach_of(principal), number_of("chat", chat_id))
    if chat is None:
        raise not_found("chat", chat_id)
    return chat


class ChatController(Controller):
    """Conversations."""

    tags = ["Chats"]

    @get(
        "/devices/{device_id:str}/chats",
        opt={"policy": Policy.READ},
        operation_id="list_chats",
        summary="Chats of a device",
        responses=problems(400, 401, 404),
    )
    async def index(
        self,
        device_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        search: Search = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Chat]:
        """Chats that have messages, newest first; search looks at name, number and messages, and a page of it may be
        short, or empty, although `next` leads on."""
        reach = reach_of(principal)
        device = uuid_of("device", device_id)
        device_no = await chats.device_no(services.pool, reach, device)
        if device_no is None:
            raise not_found("device", device_id)
        place = place_of(after, 2)
        begin, days = None if place is None else (place[0], place[1]), services.settings.chat_days
        if search and search.strip():
            scope = await scope_of(services.pool, reach, device_id=device)
            page = await list_with(services.pool, scope, device_no, wanted(search), days=days, after=begin, limit=limit)
        else:
            page = await chats.list_chats(services.pool, reach, device_no, days=days, after=begin, limit=limit)
        items = await chats_with(services.pool, page.chats, services.hub.activity)
        return Page(items, None if page.last is None else cursor(*page.last))

    @get(
        "/chats/{chat_id:str}",
        opt={"policy": Policy.READ},
        operation_id="get_chat",
        summary="One chat",
        responses=problems(401, 404),
    )
    async def show(
        self, chat_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Chat:
        """As the list shows it. One that became part of another of the same person, when its number was known, answers
        with that one."""
        reach, number = reach_of(principal), number_of("chat", chat_id)
        chat = await chats.get_chat(services.pool, reach, number) or await chats.successor(services.pool, reach, number)
        if chat is None:
            raise not_found("chat", chat_id)
        return await chat_with(services, chat)

    @get(
        "/chats/{chat_id:str}/messages",
        opt={"policy": Policy.READ},
        operation_id="list_messages",
        summary="Messages of a chat",
        responses=problems(400, 401, 404),
    )
    async def messages(
        self,
        chat_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
        before: Before = None,
        around: Around = None,
    ) -> MessageWindow:
        """Newest first; `after` leads to older ones, `before` to newer ones, and `around` to a place in the middle."""
        number = number_of("chat", chat_id)
        place = (services.pool, reach_of(principal), number)
        if sum(one is not None for one in (after, before, around)) > 1:
            raise Problem(400, "invalid-request", "Give one of `after`, `before` and `around`, not several.")
        if around is not None:
            page = await message_pages.around(*place, around, limit)
        elif before is not None:
            page = await message_pages.newer(*place, before, limit)
        else:
            page = await message_pages.older(*place, after, limit)
        if not page.items:
            await find_chat(services.pool, principal, chat_id)
        return page

    @post(
        "/chats/{chat_id:str}/read",
        opt={"policy": Policy.SEND},
        status_code=200,
        operation_id="read_chat",
        summary="Mark a chat read",
        responses=problems(401, 403, 404),
    )
    async def read(
        self, chat_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Chat:
        """Everything in it is read here at once, and on the phone as soon as the device is online."""
        if not await chats.read_chat(services.pool, reach_of(principal), number_of("chat", chat_id)):
            raise not_found("chat", chat_id)
        chat = await find_chat(services.pool, principal, chat_id)
        return await chat_with(services, chat)

    @post(
        "/chats/{chat_id:str}/typing",
        opt={"policy": Policy.SEND},
        status_code=202,
        operation_id="send_typing",
        summary="Show typing",
        responses=problems(400, 401, 403, 404, 409, 502, 504),
    )
    async def typing(
        self,
        chat_id: FromPath[str],
        data: JSONBody[Typing],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> None:
        """The other side sees it for some seconds; say it again while it lasts."""
        chat = await find_chat(services.pool, principal, chat_id)
        device_no = await chats.device_no(services.pool, reach_of(principal), uuid_of("device", chat.device_id))
        if device_no is None:
            raise not_found("chat", chat_id)
        await ask(services.caller, device_no, "typing", {"chat": chat.chat_jid, "state": data.state})
