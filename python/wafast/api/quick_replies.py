"""Quick replies: what the composer offers after a slash."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import number_of
from wafast.api.paging import before_of, page_of
from wafast.api.parameters import After, IdempotencyKey, Limit, check_visible
from wafast.api.policy import Policy
from wafast.api.problems import Problem, conflict, not_found, refused_field
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.inbox import quick_replies as replies
from wafast.inbox.quick_replies import NameTaken, QuickReplyRow
from wafast.visible import of_word

MOST_CHARACTERS = 40

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MOST_CHARACTERS,
        description="Letters, digits, - and _; without the slash.",
        examples=["bank"],
    ),
]
Body = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=4096,
        description="`{name}` becomes the chat's name; `{name|friend}` says what stands where there is none.",
        examples=["Hi {name|there}, our account is Maybank 5140 1234 5678."],
    ),
]


class QuickReply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer the team writes often."""

    id: Annotated[str, Meta(examples=["12"])]
    name: Name
    text: Body
    updated_at: datetime


class CreateQuickReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new quick reply."""

    name: Name
    text: Body


class ChangeQuickReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays."""

    name: Name | None = None
    text: Body | None = None


class QuickReplyController(Controller):
    """The workspace's quick replies."""

    path = "/quick-replies"
    tags = ["Messages"]

    @get(opt={"policy": Policy.READ}, operation_id="list_quick_replies", summary="Quick replies",
         responses=problems(400, 401))  # fmt: skip
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[QuickReply]:
        """By name."""
        rows = await replies.list_rows(services.pool, principal.tenant_id, limit + 1, before_of(after))
        return page_of(list(rows), limit, _shown, lambda row: row.id)

    @post(
        opt={"policy": Policy.SEND, "idempotent": IN_ONE},
        operation_id="create_quick_reply",
        summary="Save a quick reply",
        responses=problems(400, 401, 403, 409, 422),
    )
    async def create(
        self,
        data: JSONBody[CreateQuickReply],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> QuickReply:
        """Everybody of the workspace has it then."""
        name, text = _name(data.name), _text(data.text)
        try:
            return _shown(await replies.add(services.pool, principal, name, text))
        except NameTaken:
            raise _taken(name) from None

    @patch(
        "/{reply_id:str}",
        opt={"policy": Policy.SEND},
        operation_id="change_quick_reply",
        summary="Change a quick reply",
        responses=problems(400, 401, 403, 404, 409),
    )
    async def change(
        self,
        reply_id: FromPath[str],
        data: JSONBody[ChangeQuickReply],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> QuickReply:
        """Name, text, or both."""
        name = None if data.name is None else _name(data.name)
        text = None if data.text is None else _text(data.text)
        number = number_of("quick reply", reply_id)
        try:
            row = await replies.change(services.pool, principal, number, name, text)
        except NameTaken:
            raise _taken(name) from None
        if row is None:
            raise not_found("quick reply", reply_id)
        return _shown(row)

    @delete(
        "/{reply_id:str}",
        opt={"policy": Policy.SEND},
        operation_id="delete_quick_reply",
        summary="Delete a quick reply",
        responses=problems(401, 403, 404),
    )
    async def remove(
        self, reply_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> None:
        """For everybody of the workspace."""
        if not await replies.remove(services.pool, principal, number_of("quick reply", reply_id)):
            raise not_found("quick reply", reply_id)


def _name(name: str) -> str:
    wanted = name.strip().removeprefix("/").lower()
    if not 0 < len(wanted) <= MOST_CHARACTERS or not all(of_word(one) or one in "-_" for one in wanted):
        raise refused_field(
            "name", name, "one word of letters, digits, - and _ is wanted, as it is typed after the slash"
        )
    return wanted


def _text(text: str) -> str:
    check_visible(text)
    return text


def _taken(name: str | None) -> Problem:
    return conflict("name-taken", f"There is a quick reply /{name} already: change that one, or take another name.")


def _shown(row: QuickReplyRow) -> QuickReply:
    return QuickReply(id=str(row.id), name=row.name, text=row.body, updated_at=row.updated_at)
