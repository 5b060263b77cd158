"""Shared work on a chat: who answers it, whether it is done, its labels; and what is known of it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, patch, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from wafast.accounts.principal import Principal
from wafast.api.authentication import reach_of
from wafast.api.chats import chat_with, find_chat
from wafast.api.ids import MAX_INT4, as_number, number_of, uuid_of
from wafast.api.policy import Policy
from wafast.api.problems import conflict, not_found, refused_field
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.inbox import work
from wafast.inbox.chats import Chat
from wafast.inbox.work import MOST_LABELS, Change, Colleague, Facts


class ChangeChat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    assignee_id: (
        Annotated[str | None, Meta(description="Who answers it from now on; null: nobody.", examples=["7"])] | UnsetType
    ) = UNSET
    is_open: (
        Annotated[bool, Meta(description="False closes it until the other side writes again.", examples=[False])]
        | UnsetType
    ) = UNSET
    label_ids: (
        Annotated[list[str], Meta(max_length=MOST_LABELS, description="All its labels from now on.", examples=[["3"]])]
        | UnsetType
    ) = UNSET


class ChatWorkController(Controller):
    """Shared work."""

    tags = ["Shared work"]

    @patch(
        "/chats/{chat_id:str}",
        opt={"policy": Policy.SEND},
        operation_id="change_chat",
        summary="Assign, close or label a chat",
        responses=problems(400, 401, 403, 404),
    )
    async def change(
        self,
        chat_id: FromPath[str],
        data: JSONBody[ChangeChat],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Chat:
        """Everybody who sees the chat is told at once."""
        change = Change(
            assignee_id=data.assignee_id if data.assignee_id in (UNSET, None) else _user(data.assignee_id),
            is_open=data.is_open,
            label_ids=UNSET if data.label_ids is UNSET else sorted({_label(text) for text in data.label_ids}),
        )
        try:
            return await _changed(services, principal, chat_id, change)
        except work.NotColleague:
            raise refused_field(
                "assignee_id", data.assignee_id, "nobody of this id can answer this chat; GET /colleagues lists who can"
            ) from None
        except work.UnknownLabel as error:
            raise refused_field("label_ids", str(error.label_id), "no such label; GET /labels lists them") from None

    @put(
        "/chats/{chat_id:str}/labels/{label_id:str}",
        opt={"policy": Policy.SEND},
        operation_id="label_chat",
        summary="Put a label on a chat",
        responses=problems(401, 403, 404, 409),
    )
    async def add_label(
        self,
        chat_id: FromPath[str],
        label_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Chat:
        """Beside those it has, whatever others do to them meanwhile. Again is the same."""
        change = Change(add_label_id=number_of("label", label_id, MAX_INT4))
        try:
            return await _changed(services, principal, chat_id, change)
        except work.UnknownLabel:
            raise not_found("label", label_id) from None
        except work.TooManyLabels:
            raise conflict(
                "too-many-labels", f"A chat has {MOST_LABELS} labels at most: take one away first."
            ) from None

    @delete(
        "/chats/{chat_id:str}/labels/{label_id:str}",
        opt={"policy": Policy.SEND},
        status_code=200,
        operation_id="unlabel_chat",
        summary="Take a label from a chat",
        responses=problems(401, 403, 404),
    )
    async def remove_label(
        self,
        chat_id: FromPath[str],
        label_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Chat:
        """The others stay. Again is the same."""
        change = Change(remove_label_id=number_of("label", label_id, MAX_INT4))
        try:
            return await _changed(services, principal, chat_id, change)
        except work.UnknownLabel:
            raise not_found("label", label_id) from None

    @get(
        "/chats/{chat_id:str}/facts",
        opt={"policy": Policy.READ},
        operation_id="get_chat_facts",
        summary="What is known of a chat",
        responses=problems(401, 404),
    )
    async def facts(
        self, chat_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Facts:
        """Beside what lists show."""
        found = await work.facts(services.pool, reach_of(principal), number_of("chat", chat_id))
        if found is None:
            raise not_found("chat", chat_id)
        return found

    @get(
        "/colleagues",
        opt={"policy": Policy.READ},
        operation_id="list_colleagues",
        summary="Who can answer",
        responses=problems(401, 404),
    )
    async def colleagues(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        device_id: Annotated[
            str | None, QueryParameter(name="device_id", required=False, description="Who sees this device.")
        ] = None,
    ) -> list[Colleague]:
        """People a chat can be assigned to, by name."""
        wanted = None if device_id is None else uuid_of("device", device_id)
        if wanted is not None and not principal.sees(wanted):
            raise not_found("device", device_id)
        return await work.colleagues(services.pool, principal.tenant_id, wanted)


async def _changed(services: Services, principal: Principal, chat_id: str, change: Change) -> Chat:
    """The chat as it is then.

    Raises:
        Problem: 404 for the chat.
        NotColleague, UnknownLabel, TooManyLabels: nothing was changed.
    """
    number = number_of("chat", chat_id)
    if not await work.change_chat(services.pool, reach_of(principal), principal.actor, number, change):
        raise not_found("chat", chat_id)
    chat = await find_chat(services.pool, principal, chat_id)
    return await chat_with(services, chat)


def _user(text: str | UnsetType | None) -> int:
    number = as_number(text) if isinstance(text, str) else None
    if not number:
        raise refused_field("assignee_id", text, "not a user's id; GET /colleagues lists who can answer")
    return number


def _label(text: str) -> int:
    number = as_number(text, MAX_INT4)
    if number is None:
        raise refused_field("label_ids", text, "not a label's id; GET /labels lists them")
    return number
