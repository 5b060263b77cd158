"""One action on many devices."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, Meta, UnsetType

from wafast.accounts.principal import Principal
from wafast.api.authentication import require_scope
from wafast.api.devices import DesiredState, DeviceState, Tags, tags_of
from wafast.api.ids import MAX_INT4
from wafast.api.pacing import PacingChange, changes_of, check_by_itself
from wafast.api.paging import before_of, cursor
from wafast.api.parameters import MAX_DEVICES, IdempotencyKey
from wafast.api.policy import Policy
from wafast.api.problems import refused_field
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.devices import bulk, rows
from wafast.distribution import choices

#: The others change what a device is, as the routes of one device do.
FOR_SENDERS: frozenset[bulk.Action] = frozenset({"connect", "disconnect"})

WHY: dict[bulk.Reason, str] = {
    "not_found": "No such device.",
    "never_paired": "It was never linked to a phone: pair it first.",
    "logged_out": "It is logged out: pair it again.",
    "too_many_tags": f"It would have more than {bulk.MOST_TAGS} tags.",
}


class DeviceFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Devices that fit all that is given; `{}` is every device."""

    search: Annotated[str, Meta(max_length=200, description="Looks at name, number and tags.")] | None = None
    state: DeviceState | None = None
    desired_state: DesiredState | None = None
    tag: Annotated[str, Meta(max_length=100, examples=["sales"])] | None = None


class ChangeDevices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An action, and the devices it is for: either `device_ids` or `filter`."""

    action: Annotated[bulk.Action, Meta(examples=["connect"])]
    device_ids: (
        Annotated[
            list[str],
            Meta(min_length=1, max_length=MAX_DEVICES, examples=[["0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"]]),
        ]
        | UnsetType
    ) = UNSET
    filter: Annotated[DeviceFilter, Meta(examples=[{"tag": "sales"}])] | UnsetType = UNSET
    after: Annotated[
        str | None, Meta(description="With `filter`: `next` of the answer before, to go on behind it.", examples=[None])
    ] = None
    tags: Annotated[Tags, Meta(description="For `add_tags` and `remove_tags`.", examples=[["sales"]])] | UnsetType = (
        UNSET
    )
    pacing: (
        Annotated[
            PacingChange,
            Meta(
                description="For `set_pacing`: what to change. Both seconds go together, and so do both quiet times.",
                examples=[{"per_hour": 40, "ramp": True}],
            ),
        ]
        | UnsetType
    ) = UNSET


class Skipped(msgspec.Struct, frozen=True):
    """A device the action was not for."""

    device_id: Annotated[str, Meta(examples=["5f3c9a52-41f4-4a57-9c0e-3b1f0c9a7d20"])]
    reason: Annotated[bulk.Reason, Meta(examples=["never_paired"])]
    detail: Annotated[str, Meta(examples=[WHY["never_paired"]])]


class ChangedDevices(msgspec.Struct, frozen=True):
    """What became of the devices; each is in one of the three lists."""

    action: bulk.Action
    changed: Annotated[list[str], Meta(description="Ids.", examples=[["0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"]])]
    unchanged: Annotated[list[str], Meta(description="Ids of those that were so already.", examples=[[]])]
    skipped: list[Skipped]
    next: Annotated[
        str | None, Meta(description="More devices fit `filter`: give it as `after` to go on.", examples=[None])
    ]


class DeviceBulkController(Controller):
    """Many lines at once."""

    path = "/devices/bulk"
    tags = ["Devices"]

    @post(
        opt={"policy": Policy.SEND, "idempotent": True},
        status_code=200,
        operation_id="change_devices",
        summary="Change many devices at once",
        responses=problems(400, 401, 403, 422),
    )
    async def change(
        self,
        data: JSONBody[ChangeDevices],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> ChangedDevices:
        """Up to 1,000 devices a request, by their ids or by a filter, newest first. What can't be done on one is told
        and holds up no other. `connect` and `disconnect` need scope `send`, the others `admin`; they do what the routes
        of one device do. `delete` takes its time with devices that have many messages: a few ids a request show
        progress, and what is deleted stays deleted when a request is cut off."""
        if data.action not in FOR_SENDERS:
            require_scope(principal, "admin")
        tags = _checked(data)
        pacing = _checked_pacing(data)
        if data.filter is UNSET:
            wanted, following = _ids(data), None
        else:
            wanted, following = await _fitting(services, principal, data.filter, data.after)
        reached = [found for found in wanted.values() if found is not None and principal.sees(found)]
        changed: list[str] = []
        unchanged: list[str] = []
        skipped: dict[str, bulk.Reason] = dict.fromkeys(wanted, "not_found")
        size = bulk.DELETE_AT_ONCE if data.action == "delete" else MAX_DEVICES
        for start in range(0, len(reached), size):
            part = reached[start : start + size]
            outcome = await bulk.act(
                services.pool,
                principal.tenant_id,
                principal.actor,
                data.action,
                part,
                tags=tags,
                pacing=pacing,
                sends=choices,
            )
            changed += map(str, outcome.changed)
            unchanged += map(str, outcome.unchanged)
            for device_id in (*outcome.changed, *outcome.unchanged):
                skipped.pop(str(device_id))
            skipped |= {str(device_id): reason for device_id, reason in outcome.skipped.items()}
        told = [Skipped(device_id, reason, WHY[reason]) for device_id, reason in skipped.items()]
        return ChangedDevices(data.action, changed, unchanged, told, following)


async def _fitting(
    services: Services, principal: Principal, wanted: DeviceFilter, after: str | None
) -> tuple[dict[str, UUID | None], str | None]:
    """Ids of the devices that fit, and where the next ones go on."""
    found = await rows.list_devices(
        services.pool,
        principal.tenant_id,
        device_ids=principal.device_ids,
        search=wanted.search or None,
        state=wanted.state,
        desired_state=wanted.desired_state,
        tag=wanted.tag,
        limit=MAX_DEVICES + 1,
        before=before_of(after, MAX_INT4),
    )
    page = found[:MAX_DEVICES]
    return {str(row.id): row.id for row in page}, cursor(page[-1].no) if len(found) > MAX_DEVICES else None


def _ids(data: ChangeDevices) -> dict[str, UUID | None]:
    """The named devices, each once and as the API writes it; None for what cannot be an id."""
    wanted: dict[str, UUID | None] = {}
    for text in data.device_ids or []:
        try:
            device_id = UUID(text)
        except ValueError:
            wanted[text] = None
        else:
            wanted[str(device_id)] = device_id
    return wanted


def _checked(data: ChangeDevices) -> list[str]:
    """The tags of a request whose fields go together.

    Raises:
        Problem: 400.
    """
    if (data.device_ids is UNSET) == (data.filter is UNSET):
        raise refused_field("device_ids", None, "either device_ids or filter is wanted, and not both")
    if data.filter is UNSET and data.after is not None:
        raise refused_field("after", data.after[:100], "it goes on behind a filter; device_ids are all named at once")
    tags = [] if data.tags is UNSET else tags_of(data.tags)
    if data.action in ("add_tags", "remove_tags"):
        if not tags:
            raise refused_field("tags", None, f"{data.action} wants at least one tag with a letter or digit")
    elif data.tags is not UNSET:
        raise refused_field("tags", ", ".join(tags)[:100], f"{data.action} takes no tags")
    return tags


def _checked_pacing(data: ChangeDevices) -> dict[str, Any]:
    """What to change of the pace, for devices of any pace.

    Raises:
        Problem: 400.
    """
    changes = {} if data.pacing is UNSET else changes_of(data.pacing)
    if data.action == "set_pacing":
        if not changes:
            raise refused_field("pacing", None, "set_pacing wants at least one value to change")
        check_by_itself(changes)
    elif data.pacing is not UNSET:
        raise refused_field("pacing", ", ".join(changes), f"{data.action} takes no pacing")
    return changes
