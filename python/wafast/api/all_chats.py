"""One list of the chats of all devices the caller sees."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from wafast.accounts.principal import Principal
from wafast.api.authentication import reach_of
from wafast.api.chats import chats_with
from wafast.api.ids import MAX_INT4, number_of, uuid_of
from wafast.api.paging import cursor, place_of
from wafast.api.parameters import After, Limit
from wafast.api.policy import Policy
from wafast.api.problems import not_found, refused_field
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.inbox import all_chats
from wafast.inbox.chats import Chat

Devices = Annotated[
    list[str] | None,
    QueryParameter(name="device_id", required=False, description="Only of this device; may stand several times."),
]
Assignee = Annotated[
    str | None,
    QueryParameter(
        name="assignee",
        required=False,
        max_length=20,
        description="`me`, `none` for those assigned to nobody, or a user's id.",
    ),
]
Label = Annotated[str | None, QueryParameter(name="label_id", required=False, description="Only with this label.")]
Unread = Annotated[
    bool | None, QueryParameter(name="unread", required=False, description="With unread messages, or without.")
]
Groups = Annotated[bool | None, QueryParameter(name="is_group", required=False, description="Groups, or people.")]
Open = Annotated[
    bool | None,
    QueryParameter(name="is_open", required=False, description="Not closed, or closed and not written to since."),
]
Archived = Annotated[bool, QueryParameter(name="archived", required=False, description="The archived ones instead.")]


class AllChatsController(Controller):
    """Conversations of all devices."""

    path = "/chats"
    tags = ["Chats"]

    @get(
        opt={"policy": Policy.READ},
        operation_id="list_all_chats",
        summary="Chats of all devices",
        responses=problems(400, 401, 404),
    )
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        device_ids: Devices = None,
        assignee: Assignee = None,
        label_id: Label = None,
        unread: Unread = None,
        is_group: Groups = None,
        is_open: Open = None,
        archived: Archived = False,
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Chat]:
        """Chats that have messages: those pinned on the phone first, then newest first. Filters go together."""
        wanted = all_chats.Filter(
            devices=await _devices(services, principal, device_ids or []),
            archived=archived,
            unread=unread,
            is_group=is_group,
            assignee_id=_assignee(principal, assignee),
            unassigned=True if assignee == "none" else None,
            label_id=None if label_id is None else number_of("label", label_id, MAX_INT4),
            is_open=is_open,
        )
        page = await all_chats.list_all_chats(
            services.pool,
            principal.tenant_id,
            wanted,
            days=services.settings.chat_days,
            after=place_of(after, 3),
            limit=limit,
        )
        items = await chats_with(services.pool, page.chats, services.hub.activity)
        return Page(items, None if page.last is None else cursor(*page.last))


async def _devices(services: Services, principal: Principal, texts: list[str]) -> list[int] | None:
    wanted = [uuid_of("device", text) for text in texts]
    try:
        return await all_chats.devices_of(services.pool, reach_of(principal), wanted)
    except all_chats.UnknownDevice as error:
        raise not_found("device", error.device_id) from None


def _assignee(principal: Principal, text: str | None) -> int | None:
    if text is None or text == "none":
        return None
    if text != "me":
        return number_of("user", text)
    if principal.user_id is None:
        raise refused_field("assignee", text, "an API key has no chats of its own; give a user's id")
    return principal.user_id
