"""Devices: the workspace's WhatsApp lines."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from wafast.api.authentication import Principal
from wafast.api.parameters import After, IdempotencyKey, Limit, Search
from wafast.api.policy import Policy
from wafast.api.responses import Page, problems
from wafast.api.services import Services

Network = Literal["whatsapp", "loopback"]
DeviceState = Literal[
    "new", "pairing", "connecting", "online", "offline", "logged_out", "banned", "replaced", "outdated"
]
DesiredState = Literal["connected", "disconnected", "logged_out"]


class Pacing(msgspec.Struct, frozen=True, kw_only=True):
    """How fast a device writes, for everything that is not a reply."""

    min_seconds: Annotated[float, Meta(ge=0, le=86_400, description="Shortest gap between two sends.", examples=[5])]
    max_seconds: Annotated[float, Meta(ge=0, le=86_400, description="Longest gap between two sends.", examples=[15])]
    per_hour: Annotated[int, Meta(ge=1, le=100_000, examples=[80])]
    per_day: Annotated[int, Meta(ge=1, le=1_000_000, examples=[800])]
    typing: Annotated[bool, Meta(description="Show typing before a message, longer for longer texts.")]
    ramp: Annotated[bool, Meta(description="Start slower after pairing.")]


class PacingChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change of the pacing; what is left out stays."""

    min_seconds: Annotated[float, Meta(ge=0, le=86_400)] | UnsetType = UNSET
    max_seconds: Annotated[float, Meta(ge=0, le=86_400)] | UnsetType = UNSET
    per_hour: Annotated[int, Meta(ge=1, le=100_000)] | UnsetType = UNSET
    per_day: Annotated[int, Meta(ge=1, le=1_000_000)] | UnsetType = UNSET
    typing: bool | UnsetType = UNSET
    ramp: bool | UnsetType = UNSET


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
    unread_count: Annotated[int, Meta(ge=0, description="Unread messages in all its chats.", examples=[3])]
    pacing: Pacing
    paused_until: Annotated[datetime | None, Meta(description="WhatsApp's own limit holds sends until then.")]
    pause_reason: str | None


class CreateDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line to add; pair it next."""

    name: Annotated[str, Meta(min_length=1, max_length=100, examples=["Sales KL 1"])]
    network: Annotated[Network | None, Meta(description="The workspace's default when left out.")] = None


class ChangeDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    name: Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    tags: Annotated[list[Annotated[str, Meta(min_length=1, max_length=100)]], Meta(max_length=100)] | UnsetType = UNSET
    proxy: (
        Annotated[str, Meta(max_length=500, description="http:// or socks5:// address; null: none.")] | None | UnsetType
    ) = UNSET
    pacing: PacingChange | UnsetType = UNSET


DeviceId = FromPath[str]


class DeviceController(Controller):
    """Lines: add, change, delete, connect."""

    path = "/devices"
    tags = ["Devices"]

    @post(
        opt={"policy": Policy.ADMIN},
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
        raise NotImplementedError

    @get(opt={"policy": Policy.READ}, operation_id="list_devices", summary="Devices", responses=problems(400, 401))
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        search: Search = None,
        in_state: Annotated[
            DeviceState | None, QueryParameter(name="state", required=False, description="Only devices in this state.")
        ] = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Device]:
        """Newest first; search looks at name, number and tags."""
        raise NotImplementedError

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
        """State, identity and pacing."""
        raise NotImplementedError

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
        raise NotImplementedError

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
        """With its chats, messages, media and open sends. The phone keeps the link until it is logged out there
        or `logout` was called before."""
        raise NotImplementedError

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
        raise NotImplementedError

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
        raise NotImplementedError

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
        raise NotImplementedError
