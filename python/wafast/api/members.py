"""The members of a group."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.api.authentication import reach_of
from wafast.api.calls import ask
from wafast.api.chats import find_chat
from wafast.api.ids import uuid_of
from wafast.api.policy import Policy
from wafast.api.problems import Problem, conflict, not_found
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.inbox import chats, members
from wafast.inbox.members import Member


class GroupMembers(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody in a group: the device itself first, then admins, then by name."""

    items: list[Member]
    told_at: Annotated[datetime, Meta(description="When WhatsApp said so.")]
    is_current: Annotated[
        bool, Meta(description="False: it may have changed since, and the device could not be asked now.")
    ]


class MemberController(Controller):
    """Who is in a group."""

    tags = ["Chats"]

    @get(
        "/chats/{chat_id:str}/members",
        opt={"policy": Policy.READ},
        operation_id="list_members",
        summary="Members of a group",
        responses=problems(401, 404, 409, 502, 504),
    )
    async def index(
        self, chat_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> GroupMembers:
        """Asked of WhatsApp through the device, at most every quarter of an hour while nothing happens to the group.
        While the device is offline the members are those of the last time; 409 when there was none."""
        chat, reach = await find_chat(services.pool, principal, chat_id), reach_of(principal)
        if not chat.is_group:
            raise conflict("not-a-group", "Only a group has members.")
        kept, refusal = await members.kept_of(services.pool, reach, int(chat.id)), None
        if kept is None or kept.is_old:
            device_no = await chats.device_no(services.pool, reach, uuid_of("device", chat.device_id))
            if device_no is None:
                raise not_found("chat", chat_id)
            try:
                await ask(services.caller, device_no, "read_members", {"chat_id": int(chat.id)})
                kept = await members.kept_of(services.pool, reach, int(chat.id))
            except Problem as problem:
                refusal = problem
        if kept is None:
            raise refusal or not_found("chat", chat_id)
        return GroupMembers(items=kept.members, told_at=kept.told_at, is_current=refusal is None)
