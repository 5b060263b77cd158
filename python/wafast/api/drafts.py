"""Drafts of replies by the AI endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from wafast.accounts import audit
from wafast.accounts.principal import Principal
from wafast.ai import AiError
from wafast.api.authentication import reach_of
from wafast.api.chats import find_chat
from wafast.api.policy import Policy
from wafast.api.problems import Problem, conflict
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.inbox import drafting

if TYPE_CHECKING:
    from wafast.ai_client import Endpoint


class ReplyDraft(msgspec.Struct, frozen=True):
    """Words to change and send."""

    text: Annotated[str, Meta(examples=["Yes, it is still available. Shall I reserve it for you?"])]


class DraftController(Controller):
    """Replies that nobody has sent."""

    path = "/chats/{chat_id:str}/draft"
    tags = ["Chats"]

    @post(
        opt={"policy": Policy.SEND},
        status_code=200,
        operation_id="draft_reply",
        summary="Draft a reply",
        responses=problems(401, 403, 404, 409, 502, 503),
    )
    async def create(
        self, chat_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> ReplyDraft:
        """The text of a reply to the last messages of the chat, as the AI endpoint would write it. It is neither kept
        nor sent: `POST /messages` sends what a person makes of it. Takes up to a minute."""
        chat = await find_chat(services.pool, principal, chat_id)
        endpoint = require_ai(services)
        said = await drafting.conversation(services.pool, reach_of(principal), int(chat.id))
        if said is None:
            raise conflict("nothing-said", "This chat has no message that could be answered.")
        if endpoint.is_full:
            raise Problem(
                503, "ai-busy", "Many drafts are being written already. Try again.", headers={"Retry-After": "5"}
            )
        subject = f"chat:{chat.id}"
        await audit.record(services.pool, principal.tenant_id, principal.actor, "chat.draft", subject)
        try:
            return ReplyDraft(await drafting.reply_to(endpoint, said))
        except AiError as error:
            raise Problem(502, "ai-failed", str(error)) from None


def require_ai(services: Services) -> Endpoint:
    """The AI endpoint.

    Raises:
        Problem: 409 when there is none.
    """
    if services.ai is None:
        raise conflict("ai-off", "No AI endpoint is set: WAFAST_AI_URL and WAFAST_AI_MODEL name one.")
    return services.ai
