"""Who gave which reaction."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from wafast import phones
from wafast.accounts.principal import Principal
from wafast.api.message_actions import find_message
from wafast.api.policy import Policy
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.inbox.messages import reactions_of
from wafast.inbox.people import names_of


class PersonReaction(msgspec.Struct, frozen=True, kw_only=True):
    """One person's reaction to a message."""

    jid: Annotated[str, Meta(description="As in the message's `reactions`.", examples=["60198765432@s.whatsapp.net"])]
    phone: Annotated[
        str | None, Meta(description="E.164; null while only the LID is known.", examples=["+60198765432"])
    ]
    name: Annotated[str | None, Meta(description="Best known name.", examples=["Aisyah"])]
    emoji: Annotated[str, Meta(examples=["👍"])]
    at: Annotated[int, Meta(description="Unix seconds.", examples=[1795502469])]


class Reactions(msgspec.Struct, frozen=True):
    """All reactions to a message, the last first."""

    items: list[PersonReaction]


class ReactionController(Controller):
    """Reactions to messages."""

    tags = ["Messages"]

    @get(
        "/messages/{message_id:str}/reactions",
        opt={"policy": Policy.READ},
        operation_id="list_message_reactions",
        summary="Who reacted to a message",
        responses=problems(401, 404),
    )
    async def index(
        self, message_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Reactions:
        """With names, which the message itself has not."""
        row = await find_message(services.pool, principal, message_id)
        given, chat_id = reactions_of(row), row["chat_id"]
        names = await names_of(services.pool, [(chat_id, one.sender_jid) for one in given])
        people = [
            PersonReaction(
                jid=one.sender_jid,
                phone=phones.of_jid(one.sender_jid),
                name=names.get((chat_id, one.sender_jid)),
                emoji=one.emoji,
                at=one.at,
            )
            for one in reversed(given)  # those of one second stand as they came
        ]
        return Reactions(sorted(people, key=lambda one: -one.at))
