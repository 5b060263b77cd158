"""API keys: shown once when made, kept as a hash."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.accounts import audit
from wafast.accounts import keys as accounts
from wafast.accounts.principal import Principal, Scope
from wafast.api.authentication import require_whole_tenant
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import number_of, uuids_of
from wafast.api.paging import before_of, page_of
from wafast.api.parameters import After, IdempotencyKey, Limit
from wafast.api.policy import Policy
from wafast.api.problems import not_found, refused_field
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.database.together import together


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
        require_whole_tenant(principal)
        rows = await accounts.list_keys(services.pool, principal.tenant_id, limit + 1, before_of(after))
        return page_of(rows, limit, _shown, lambda row: row.id)

    @post(
        opt={"policy": Policy.ADMIN, "idempotent": IN_ONE, "secret": True},
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
        require_whole_tenant(principal)
        name = data.name.strip()
        if not name:
            raise refused_field("name", data.name, "a name with at least one letter or digit is wanted")
        devices = None if data.device_ids is None else uuids_of("device", data.device_ids)
        tenant_id, actor = principal.tenant_id, principal.actor
        async with together(services.pool) as pool:
            try:
                text, key = await accounts.create_key(pool, tenant_id, name, data.scope, devices)
            except accounts.UnknownDevice as error:
                raise not_found("device", error.device_id) from None
            await audit.record(pool, tenant_id, actor, "key.create", f"key:{key.id}", name=name, scope=key.scope)
        return NewKey(**msgspec.structs.asdict(_shown(key)), key=text)

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
        """It stops working at once, and its sockets close."""
        require_whole_tenant(principal)
        number = number_of("key", key_id)
        async with together(services.pool) as pool:
            if not await accounts.revoke_key(pool, principal.tenant_id, number):
                raise not_found("key", key_id)
            await audit.record(pool, principal.tenant_id, principal.actor, "key.revoke", f"key:{number}")


def _shown(key: accounts.Key) -> Key:
    return Key(
        id=str(key.id),
        name=key.name,
        prefix=key.prefix,
        scope=key.scope,
        device_ids=None if key.device_ids is None else [str(device_id) for device_id in key.device_ids],
        created_at=key.created_at,
        last_used_at=key.last_used_at,
    )
