"""Who voted for what in a poll."""

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
from wafast.inbox.people import names_of
from wafast.inbox.polls import votes_of


class PersonVote(msgspec.Struct, frozen=True, kw_only=True):
    """One person's vote in a poll."""

    jid: Annotated[str, Meta(description="As in the message's `poll_votes`.", examples=["60198765432@s.whatsapp.net"])]
    phone: Annotated[
        str | None, Meta(description="E.164; null while only the LID is known.", examples=["+60198765432"])
    ]
    name: Annotated[str | None, Meta(description="Best known name.", examples=["Aisyah"])]
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
        given, chat_id = votes_of(row), row["chat_id"]
        names = await names_of(services.pool, [(chat_id, one.sender_jid) for one in given])
        people = [
            PersonVote(
                jid=one.sender_jid,
                phone=phones.of_jid(one.sender_jid),
                name=names.get((chat_id, one.sender_jid)),
                options=one.options,
                at=one.at,
            )
            for one in sorted(given, key=lambda one: -one.at)
        ]
        return Votes(people)
