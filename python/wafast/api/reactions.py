"""Who gave which reaction."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.api.message_actions import find_message
from wafast.api.policy import Policy
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.inbox.messages import reactions_of
from wafast.inbox.people import Person, people_of


class PersonReaction(Person, frozen=True, kw_only=True):
    """One person's reaction to a message."""

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
        given = reactions_of(row)
        told = await people_of(services.pool, row["chat_id"], [one.sender_jid for one in given])
        people = [
            PersonReaction(**told[one.sender_jid], emoji=one.emoji, at=one.at)
            for one in reversed(given)  # those of one second stand as they came
        ]
        return Reactions(sorted(people, key=lambda one: -one.at))
