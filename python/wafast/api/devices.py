"""Devices: the workspace's WhatsApp lines."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import asyncpg
import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from wafast.accounts import audit
from wafast.accounts.principal import Principal
from wafast.api import proxies
from wafast.api.authentication import require_whole_tenant
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import MAX_INT4, uuid_of
from wafast.api.pacing import Pacing, PacingChange, changes_of, check, pacing_of
from wafast.api.paging import before_of, page_of
from wafast.api.parameters import After, DeviceLimit, IdempotencyKey, Limit, Search, name_of
from wafast.api.policy import Policy
from wafast.api.problems import conflict, not_found
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.database.together import together
from wafast.devices import changes, rows
from wafast.devices.bulk import MOST_TAGS
from wafast.devices.rows import DeviceRow, PauseCause
from wafast.devices.state import State
from wafast.distribution import choices
from wafast.outbox.held_by import Clock, clock_of
from wafast.settings import Network

DeviceState = State
DesiredState = Literal["connected", "disconnected", "logged_out"]
Tags = Annotated[list[Annotated[str, Meta(min_length=1, max_length=100)]], Meta(max_length=MOST_TAGS)]

# examples of the document
STATES = dict.fromkeys(get_args(DeviceState), 0) | {"online": 2_990, "offline": 9, "banned": 1}
DESIRED_STATES = {"connected": 2_994, "disconnected": 6, "logged_out": 0}


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One linked WhatsApp line."""

    id: Annotated[str, Meta(examples=["0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"])]
    name: Annotated[str, Meta(examples=["Sales KL 1"])]
    network: Network
    state: Annotated[DeviceState, Meta(examples=["online"])]
    state_reason: Annotated[str | None, Meta(description="Why, and what a person must do where one must.")]
    state_at: datetime
    desired_state: DesiredState
    phone: Annotated[str | None, Meta(description="E.164, once paired.", examples=["+60123456789"])]
    jid: Annotated[str | None, Meta(examples=["60123456789@s.whatsapp.net"])]
    push_name: Annotated[str | None, Meta(description="The name its contacts see.", examples=["Kedai Maju"])]
    tags: Annotated[list[str], Meta(examples=[["sales"]])]
    proxy: Annotated[str | None, Meta(description="Its own proxy; a password is not shown.")]
    paired_at: datetime | None
    online_at: Annotated[datetime | None, Meta(description="When it last came online.")]
    created_at: datetime
    unread_count: Annotated[
        int, Meta(ge=0, description="Unread messages in the chats its list shows: not in archived ones.", examples=[3])
    ]
    pacing: Pacing
    paused_until: Annotated[datetime | None, Meta(description="WhatsApp's own limit holds sends until then.")]
    pause_reason: str | None
    pause_cause: Annotated[PauseCause | None, Meta(description="What kind of reason it is; null: of an old pause.")]
    clock: Annotated[
        Clock | None, Meta(description="How it stands with its pace; only in `GET /devices/{device_id}`.")
    ] = None


class TagCount(msgspec.Struct, frozen=True):
    """A tag, in one of its spellings."""

    tag: Annotated[str, Meta(examples=["sales"])]
    devices: Annotated[int, Meta(ge=1, description="How many devices have it.", examples=[120])]


class DeviceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How many devices the caller sees."""

    total: Annotated[int, Meta(ge=0, examples=[3000])]
    states: Annotated[dict[DeviceState, int], Meta(description="Every state with its devices.", examples=[STATES])]
    desired_states: Annotated[dict[DesiredState, int], Meta(examples=[DESIRED_STATES])]
    tags: Annotated[list[TagCount], Meta(description="Most used first.")]


class CreateDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line to add; pair it next."""

    name: Annotated[str, Meta(min_length=1, max_length=100, examples=["Sales KL 1"])]
    network: Annotated[Network | None, Meta(description="The workspace's default when left out.")] = None


class ChangeDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    name: Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    proxy: (
        Annotated[str, Meta(max_length=500, description="http:// or socks5:// address; null: none.")] | UnsetType | None
    ) = UNSET
    pacing: PacingChange | UnsetType = UNSET


class DeviceChange(msgspec.Struct, frozen=True):
    """A state a device went into."""

    id: Annotated[str, Meta(examples=["1042"])]
    at: datetime
    state: Annotated[DeviceState, Meta(examples=["offline"])]
    reason: Annotated[str | None, Meta(examples=["The connection was lost; connecting again"])]


DeviceId = FromPath[str]


def device_of(row: DeviceRow) -> Device:
    """A device as the API shows it."""
    return Device(
        id=str(row.id),
        name=row.name,
        network=row.network,
        state=msgspec.convert(row.state, DeviceState),
        state_reason=row.state_reason,
        state_at=row.state_at,
        desired_state=msgspec.convert(row.desired_state, DesiredState),
        phone=row.phone,
        jid=row.jid,
        push_name=row.push_name,
        tags=row.tags,
        proxy=None if row.proxy is None else proxies.masked(row.proxy),
        paired_at=row.paired_at,
        online_at=row.online_at,
        created_at=row.created_at,
        unread_count=row.unread_count,
        pacing=pacing_of(row),
        paused_until=row.paused_until,
        pause_reason=row.pause_reason,
        pause_cause=row.pause_cause,
    )


async def find_device(pool: asyncpg.Pool, principal: Principal, device_id: str) -> DeviceRow:
    """A device within the caller's reach.

    Raises:
        Problem: 404.
    """
    wanted = uuid_of("device", device_id)
    row = await rows.get_device(pool, principal.tenant_id, wanted) if principal.sees(wanted) else None
    if row is None:
        raise not_found("device", device_id)
    return row


class DeviceController(Controller):
    """Lines: add, change, delete, connect."""

    path = "/devices"
    tags = ["Devices"]

    @post(
        opt={"policy": Policy.ADMIN, "idempotent": IN_ONE},
        operation_id="create_device",
        summary="Add a device",
        responses=problems(400, 401, 403, 409, 422),
    )
    async def create(
        self,
        data: JSONBody[CreateDevice],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Device:
        """It starts in state `new`; `POST /devices/{device_id}/pairings` links it to a phone."""
        require_whole_tenant(principal)
        async with together(services.pool) as pool:
            row = await rows.create_device(pool, principal.tenant_id, name_of(data.name), data.network)
            await _note(pool, principal, "create", row.id, name=row.name, network=row.network)
        return device_of(row)

    @get(opt={"policy": Policy.READ}, operation_id="list_devices", summary="Devices", responses=problems(400, 401))
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        search: Search = None,
        in_state: Annotated[
            DeviceState | None, QueryParameter(name="state", required=False, description="Only devices in this state.")
        ] = None,
        desired_state: Annotated[
            DesiredState | None, QueryParameter(required=False, description="Only devices that should be so.")
        ] = None,
        tag: Annotated[
            str | None,
            QueryParameter(required=False, max_length=100, description="Only devices with this tag, in any case."),
        ] = None,
        limit: DeviceLimit = 50,
        after: After = None,
    ) -> Page[Device]:
        """Newest first; search looks at name, number and tags."""
        found = await rows.list_devices(
            services.pool,
            principal.tenant_id,
            device_ids=principal.device_ids,
            search=search or None,
            state=in_state,
            desired_state=desired_state,
            tag=tag,
            limit=limit + 1,
            before=before_of(after, MAX_INT4),
        )
        return page_of(found, limit, device_of, lambda row: row.no)

    @get(
        "/summary",
        opt={"policy": Policy.READ},
        operation_id="summarise_devices",
        summary="How many devices there are",
        responses=problems(401),
    )
    async def summary(
        self, principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> DeviceSummary:
        """By state, by desired state and by tag."""
        found = await rows.summarise_devices(services.pool, principal.tenant_id, principal.device_ids)
        return DeviceSummary(
            total=found["total"],
            states={state: found["states"].get(state, 0) for state in get_args(DeviceState)},
            desired_states={state: found["desired_states"].get(state, 0) for state in get_args(DesiredState)},
            tags=msgspec.convert(found["tags"], list[TagCount]),
        )

    @get(
        "/{device_id:str}",
        opt={"policy": Policy.READ},
        operation_id="get_device",
        summary="One device",
        responses=problems(401, 404),
    )
    async def show(
        self, device_id: DeviceId, principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Device:
        """State, identity, pacing and its clock."""
        row = await find_device(services.pool, principal, device_id)
        return msgspec.structs.replace(device_of(row), clock=await clock_of(services.pool, row.no))

    @get(
        "/{device_id:str}/changes",
        opt={"policy": Policy.READ},
        operation_id="list_device_changes",
        summary="What states a device was in",
        responses=problems(400, 401, 404),
    )
    async def show_changes(
        self,
        device_id: DeviceId,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[DeviceChange]:
        """Newest first, each with its reason; kept for 30 days."""
        device = await find_device(services.pool, principal, device_id)
        found = await changes.list_changes(
            services.pool, principal.tenant_id, device.no, limit=limit + 1, before=before_of(after)
        )
        return page_of(found, limit, _change_of, lambda change: change.id)

    @patch(
        "/{device_id:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="change_device",
        summary="Change a device",
        responses=problems(400, 401, 403, 404),
    )
    async def change(
        self,
        device_id: DeviceId,
        data: JSONBody[ChangeDevice],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Device:
        """Name, tags, proxy, pacing. A pacing change counts from the next send."""
        device = await find_device(services.pool, principal, device_id)
        changes = _changes(data)
        checked = functools.partial(check, changes)
        row = await rows.change_device(services.pool, principal.tenant_id, device.id, changes, checked)
        if row is None:
            raise not_found("device", device_id)
        await _note(services.pool, principal, "change", device.id, changed=sorted(changes))
        return device_of(row)

    @delete(
        "/{device_id:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="delete_device",
        summary="Delete a device",
        responses=problems(401, 403, 404),
    )
    async def remove(
        self, device_id: DeviceId, principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> None:
        """With its chats, messages, media and open sends. What campaigns and sequences have waiting for its people goes
        to the pool, for another device; of a campaign that moves nobody (`may_move`) it fails as `device_gone`. A
        device that is online is unlinked from its phone in the seconds after; the phone of one that is not keeps the
        link until a person removes it there."""
        device = await find_device(services.pool, principal, device_id)
        if not await rows.delete_device(services.pool, principal.tenant_id, device.id, choices):
            raise not_found("device", device_id)
        await _note(services.pool, principal, "delete", device.id, name=device.name)

    @post(
        "/{device_id:str}/connect",
        opt={"policy": Policy.SEND},
        status_code=202,
        operation_id="connect_device",
        summary="Keep a device connected",
        responses=problems(401, 403, 404, 409),
    )
    async def connect(
        self, device_id: DeviceId, principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Device:
        """Sets the desired state; the worker does the rest and reports through `state`."""
        return await _steer(services, principal, device_id, "connected")

    @post(
        "/{device_id:str}/disconnect",
        opt={"policy": Policy.SEND},
        status_code=202,
        operation_id="disconnect_device",
        summary="Take a device offline",
        responses=problems(401, 403, 404),
    )
    async def disconnect(
        self, device_id: DeviceId, principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Device:
        """It stays paired and offline until it is connected again."""
        return await _steer(services, principal, device_id, "disconnected")

    @post(
        "/{device_id:str}/logout",
        opt={"policy": Policy.ADMIN},
        status_code=202,
        operation_id="logout_device",
        summary="Unlink a device from its phone",
        responses=problems(401, 403, 404),
    )
    async def logout(
        self, device_id: DeviceId, principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Device:
        """Its chats stay; it must be paired again to be used."""
        return await _steer(services, principal, device_id, "logged_out")


def _change_of(change: changes.Change) -> DeviceChange:
    return DeviceChange(str(change.id), change.at, msgspec.convert(change.state, DeviceState), change.reason)


async def _steer(services: Services, principal: Principal, device_id: str, desired: DesiredState) -> Device:
    device = await find_device(services.pool, principal, device_id)
    try:
        row = await rows.set_desired_state(services.pool, principal.tenant_id, device.id, desired)
    except rows.NeverPaired:
        raise conflict(
            "never-paired",
            f"{device.name} was never linked to a phone: pair it with POST /api/v1/devices/{device.id}/pairings.",
        ) from None
    except rows.LoggedOut:
        raise conflict(
            "logged-out",
            f"{device.name} is logged out: pair it again with POST /api/v1/devices/{device.id}/pairings.",
        ) from None
    if row is None:
        raise not_found("device", device_id)
    await _note(services.pool, principal, desired, device.id)
    return device_of(row)


async def _note(pool: asyncpg.Pool, principal: Principal, action: str, device_id: UUID, **detail: Any) -> None:
    subject = f"device:{device_id}"
    await audit.record(pool, principal.tenant_id, principal.actor, f"device.{action}", subject, **detail)


def _changes(data: ChangeDevice) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if data.name is not UNSET:
        changes["name"] = name_of(data.name)
    if data.tags is not UNSET:
        changes["tags"] = tags_of(data.tags)
    if data.proxy is not UNSET:
        changes["proxy"] = None if data.proxy is None else proxies.checked(data.proxy)
    if data.pacing is not UNSET:
        changes |= changes_of(data.pacing)
    return changes


def tags_of(given: Sequence[str]) -> list[str]:
    """Tags as they are kept: without spaces around them, each once without regard to case, in the first spelling."""
    kept: dict[str, str] = {}
    for tag in given:
        if tag.strip():
            kept.setdefault(tag.strip().casefold(), tag.strip())
    return list(kept.values())
