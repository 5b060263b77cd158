"""Who voted for what in a poll."""

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
from wafast.inbox.people import Person, people_of
from wafast.inbox.polls import votes_of


class PersonVote(Person, frozen=True, kw_only=True):
    """One person's vote in a poll."""

    options: Annotated[list[str], Meta(examples=[["Friday"]])]
    at: Annotated[int, Meta(description="Unix seconds.", examples=[1795502469])]


class Votes(msgspec.Struct, frozen=True):
    """All votes in a poll, the last first."""

    items: list[PersonVote]


class VoteController(Controller):
    """Votes in polls."""

    tags = ["Messages"]

    @get(
        "/messages/{message_id:str}/votes",
        opt={"policy": Policy.READ},
        operation_id="list_message_votes",
        summary="Who voted in a poll",
        responses=problems(401, 404),
    )
    async def index(
        self, message_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Votes:
        """With names, which the message itself has not."""
        row = await find_message(services.pool, principal, message_id)
        given = votes_of(row)
        told = await people_of(services.pool, row["chat_id"], [one.sender_jid for one in given])
        people = [
            PersonVote(**told[one.sender_jid], options=one.options, at=one.at)
            for one in sorted(given, key=lambda one: -one.at)
        ]
        return Votes(people)
