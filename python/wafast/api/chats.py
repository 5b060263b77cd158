"""Chats of a device: the list, one chat, its messages, reading and typing."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.api.authentication import Principal
from wafast.api.parameters import After, Limit, Search
from wafast.api.policy import Policy
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.inbox.chats import Chat
from wafast.inbox.messages import Message


class Typing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the other side sees us do."""

    state: Annotated[Literal["composing", "recording", "paused"], Meta(examples=["composing"])]


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
        """Chats that have messages, newest first; search looks at name, number and the last message."""
        raise NotImplementedError

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
        """As the list shows it."""
        raise NotImplementedError

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
    ) -> Page[Message]:
        """Newest first; `after` leads to older ones."""
        raise NotImplementedError

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
        """Everything in it is read here at once, and on the phone when the device is online."""
        raise NotImplementedError

    @post(
        "/chats/{chat_id:str}/typing",
        opt={"policy": Policy.SEND},
        status_code=202,
        operation_id="send_typing",
        summary="Show typing",
        responses=problems(400, 401, 403, 404, 409, 504),
    )
    async def typing(
        self,
        chat_id: FromPath[str],
        data: JSONBody[Typing],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> None:
        """The other side sees it for some seconds; say it again while it lasts."""
        raise NotImplementedError
