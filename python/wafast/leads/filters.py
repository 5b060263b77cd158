"""What a filter of leads says: the members that `leads_matching()` in the database reads."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wafast import phones
from wafast.inbox.reach import Reach
from wafast.leads.tags import tags

TargetStatus = Literal["prospect", "customer"]
#: Something that is seen: a filter whose only tag were blank would be one of every lead.
SEEN = r"\S"
Tags = Annotated[list[Annotated[str, Meta(min_length=1, max_length=100, pattern=SEEN)]], Meta(max_length=100)]


class LeadFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Leads that fit all that is given; `{}` is every lead."""

    tags: Annotated[Tags, Meta(description="Has all of these.", examples=[["kl"]])] | UnsetType = UNSET
    any_tags: Annotated[Tags, Meta(description="Has one of these.")] | UnsetType = UNSET
    no_tags: Annotated[Tags, Meta(description="Has none of these.")] | UnsetType = UNSET
    target_status: Annotated[TargetStatus, Meta(examples=["prospect"])] | UnsetType = UNSET
    device_ids: Annotated[list[UUID], Meta(max_length=10_000, description="One of these writes to it.")] | UnsetType = (
        UNSET
    )
    has_device: bool | UnsetType = UNSET
    search: (
        Annotated[
            str,
            Meta(max_length=200, description="Words begin words of the name; digits also begin or end the number."),
        ]
        | UnsetType
    ) = UNSET
    fields: Annotated[dict[str, str], Meta(description="Custom fields that equal these.")] | UnsetType = UNSET
    replied: Annotated[bool, Meta(description="Has ever written to us.")] | UnsetType = UNSET
    quiet_days: (
        Annotated[int, Meta(ge=0, le=3650, description="Has not written for so many days, or never.")] | UnsetType
    ) = UNSET
    is_suppressed: Annotated[bool, Meta(description="Wants no campaigns.")] | UnsetType = UNSET
    created_after: Annotated[datetime, Meta(tz=True)] | UnsetType = UNSET
    created_before: Annotated[datetime, Meta(tz=True)] | UnsetType = UNSET


def stored(wanted: LeadFilter, region: str) -> dict[str, Any]:
    """The filter as the database reads it: tags as they are stored, and beside what may be
    dialled how the number begins in international form.

    Args:
        wanted: as it came.
        region: of numbers without a country code.
    """
    members: dict[str, Any] = msgspec.to_builtins(wanted)
    for name in ("tags", "any_tags", "no_tags"):
        if name in members:
            members[name] = tags(members[name])
    # an empty list of tags asks for nothing
    members = {name: value for name, value in members.items() if name not in ("tags", "no_tags") or value}
    search = members.pop("search", "").replace("\0", "").replace("\u00a0", " ").strip()
    if search:
        members["search"] = search
        begins = phones.beginning(search, region)
        if begins != search:
            members["begins"] = begins.removeprefix("+")
    return members


def shown(members: dict[str, Any]) -> LeadFilter:
    """A stored filter as it came."""
    return msgspec.convert({name: value for name, value in members.items() if name != "begins"}, LeadFilter)


def within(members: dict[str, Any], reach: Reach) -> dict[str, Any]:
    """A stored filter, narrowed to what a caller sees: leads of his devices, and those of none."""
    if reach.device_ids is None:
        return members
    return {**members, "within": [str(one) for one in reach.device_ids]}
