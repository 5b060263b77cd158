"""The gallery of a chat and of a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from wafast.accounts.principal import Principal
from wafast.api.authentication import reach_of
from wafast.api.chats import find_chat
from wafast.api.ids import number_of, uuid_of
from wafast.api.paging import cursor, place_of
from wafast.api.parameters import After, Limit
from wafast.api.policy import Policy
from wafast.api.problems import not_found
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.inbox import chats, gallery
from wafast.inbox.gallery import GalleryKind, GalleryPage
from wafast.inbox.messages import Message

if TYPE_CHECKING:
    from wafast.inbox.reach import Reach

Kind = Annotated[
    GalleryKind,
    QueryParameter(
        name="kind", required=False, description="What to show; links are found in the words of any message."
    ),
]


class GalleryController(Controller):
    """What was sent, by kind."""

    tags = ["Media"]

    @get(
        "/chats/{chat_id:str}/media",
        opt={"policy": Policy.READ},
        operation_id="list_chat_media",
        summary="Gallery of a chat",
        responses=problems(400, 401, 404),
    )
    async def of_chat(
        self,
        chat_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        kind: Kind = "image",
        limit: Limit = 60,
        after: After = None,
    ) -> Page[Message]:
        """Messages with pictures, videos, documents or links, newest first. A page may hold fewer than `limit`, even
        none, while `next` still leads on: a long chat is looked through a part at a time."""
        number = number_of("chat", chat_id)
        place = _after(after)
        await find_chat(services.pool, principal, chat_id)
        reach = reach_of(principal)
        return _page(await gallery.gallery(services.pool, reach, kind, chat=number, after=place, limit=limit))

    @get(
        "/devices/{device_id:str}/media",
        opt={"policy": Policy.READ},
        operation_id="list_device_media",
        summary="Gallery of a device",
        responses=problems(400, 401, 404),
    )
    async def of_device(
        self,
        device_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        kind: Kind = "image",
        limit: Limit = 60,
        after: After = None,
    ) -> Page[Message]:
        """As of a chat, over all chats of the device."""
        reach: Reach = reach_of(principal)
        place = _after(after)
        device_no = await chats.device_no(services.pool, reach, uuid_of("device", device_id))
        if device_no is None:
            raise not_found("device", device_id)
        return _page(await gallery.gallery(services.pool, reach, kind, device=device_no, after=place, limit=limit))


def _after(after: str | None) -> tuple[int, int]:
    place = place_of(after, 2)
    return (chats.NEWEST, chats.NEWEST) if place is None else (place[0], place[1])


def _page(found: GalleryPage) -> Page[Message]:
    return Page(found.items, None if found.last is None else cursor(*found.last))
