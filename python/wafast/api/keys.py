"""API keys: shown once when made, kept as a hash."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.api.authentication import Principal
from wafast.api.parameters import After, IdempotencyKey, Limit
from wafast.api.policy import Policy
from wafast.api.responses import Page, problems
from wafast.api.services import Services

Scope = Literal["read", "send", "admin"]


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key without its secret."""

    id: Annotated[str, Meta(examples=["3"])]
    name: Annotated[str, Meta(examples=["CRM"])]
    prefix: Annotated[str, Meta(description="The key's first characters.", examples=["wf_4Jq2"])]
    scope: Scope
    device_ids: Annotated[list[str] | None, Meta(description="The only devices it reaches; null: every device.")]
    created_at: datetime
    last_used_at: datetime | None


class NewKey(Key, frozen=True, kw_only=True):
    """An API key just made: the only time its secret is shown."""

    key: Annotated[str, Meta(description="The whole key. It is not stored; keep it.", examples=["wf_4Jq2…"])]


class CreateKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the key is for and what it may do."""

    name: Annotated[str, Meta(min_length=1, max_length=100, examples=["CRM"])]
    scope: Annotated[Scope, Meta(examples=["send"])]
    device_ids: Annotated[list[str], Meta(max_length=1000, description="Only these devices.")] | None = None


class KeyController(Controller):
    """The workspace's API keys."""

    path = "/keys"
    tags = ["Keys"]

    @get(opt={"policy": Policy.ADMIN}, operation_id="list_keys", summary="API keys", responses=problems(400, 401, 403))
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Key]:
        """Keys in use; revoked ones are gone."""
        raise NotImplementedError

    @post(
        opt={"policy": Policy.ADMIN},
        operation_id="create_key",
        summary="Make an API key",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def create(
        self,
        data: JSONBody[CreateKey],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> NewKey:
        """The answer holds the secret; it is not shown again."""
        raise NotImplementedError

    @delete(
        "/{key_id:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="revoke_key",
        summary="Revoke an API key",
        responses=problems(401, 403, 404),
    )
    async def revoke(
        self,
        key_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> None:
        """It stops working at once; its sockets close within a minute."""
        raise NotImplementedError
