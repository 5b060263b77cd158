"""Labels of the workspace."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.api.authentication import require_whole_tenant
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import MAX_INT4, number_of
from wafast.api.paging import before_of, page_of
from wafast.api.parameters import After, IdempotencyKey, Limit, name_of
from wafast.api.policy import Policy
from wafast.api.problems import name_taken, not_found
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.inbox import labels
from wafast.inbox.labels import Colour, Label

Name = Annotated[str, Meta(min_length=1, max_length=60, examples=["Waiting for payment"])]


class CreateLabel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name nobody else has, and a colour."""

    name: Name
    colour: Annotated[Colour, Meta(examples=["amber"])]


class ChangeLabel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    name: Name | None = None
    colour: Annotated[Colour, Meta(examples=["green"])] | None = None


class LabelController(Controller):
    """Labels are put on chats by `PATCH /chats/{chat_id}`."""

    path = "/labels"
    tags = ["Shared work"]

    @get(opt={"policy": Policy.READ}, operation_id="list_labels", summary="Labels", responses=problems(400, 401))
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Label]:
        """Of the workspace, the last made first."""
        before = before_of(after, MAX_INT4)
        rows = await labels.list_labels(
            services.pool, principal.tenant_id, before=MAX_INT4 if before is None else before, limit=limit + 1
        )
        return page_of(rows, limit, labels.label_of, lambda row: int(row["id"]))

    @post(
        opt={"policy": Policy.ADMIN, "idempotent": IN_ONE},
        operation_id="create_label",
        summary="Make a label",
        responses=problems(400, 401, 403, 409, 422),
    )
    async def create(
        self,
        data: JSONBody[CreateLabel],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Label:
        """Its name is unique in the workspace, whatever its case."""
        require_whole_tenant(principal)
        try:
            return await labels.create_label(services.pool, principal, name_of(data.name), data.colour)
        except labels.NameTaken:
            raise name_taken("label", data.name) from None

    @patch(
        "/{label_id:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="change_label",
        summary="Rename or recolour a label",
        responses=problems(400, 401, 403, 404, 409),
    )
    async def change(
        self,
        label_id: FromPath[str],
        data: JSONBody[ChangeLabel],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Label:
        """On every chat that has it."""
        require_whole_tenant(principal)
        number = number_of("label", label_id, MAX_INT4)
        name = None if data.name is None else name_of(data.name)
        try:
            label = await labels.change_label(services.pool, principal, number, name, data.colour)
        except labels.NameTaken:
            raise name_taken("label", data.name) from None
        if label is None:
            raise not_found("label", label_id)
        return label

    @delete(
        "/{label_id:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="delete_label",
        summary="Delete a label",
        responses=problems(401, 403, 404),
    )
    async def remove(
        self, label_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> None:
        """No chat has it any more."""
        require_whole_tenant(principal)
        if not await labels.delete_label(services.pool, principal, number_of("label", label_id, MAX_INT4)):
            raise not_found("label", label_id)
