"""What is pinned in a chat."""

from __future__ import annotations

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from wafast.accounts.principal import Principal
from wafast.api.authentication import reach_of
from wafast.api.chats import find_chat
from wafast.api.policy import Policy
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.inbox.messages import Message, list_pinned


class Pinned(msgspec.Struct, frozen=True):
    """The pinned messages of a chat that are kept, the last pinned first; three at most."""

    items: list[Message]


class PinController(Controller):
    """Messages that stand above the others, for all in the chat."""

    tags = ["Messages"]

    @get(
        "/chats/{chat_id:str}/pinned",
        opt={"policy": Policy.READ},
        operation_id="list_pinned_messages",
        summary="Pinned messages of a chat",
        responses=problems(401, 404),
    )
    async def index(
        self, chat_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Pinned:
        """A pin comes and goes by `MESSAGE_STATUS`; when it ends by itself (`pinned_until`), nothing does."""
        chat = await find_chat(services.pool, principal, chat_id)
        return Pinned(await list_pinned(services.pool, reach_of(principal), int(chat.id)))
