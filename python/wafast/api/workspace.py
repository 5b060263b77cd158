"""What holds for a workspace as a whole: its country and its time zone."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import available_timezones

import msgspec
from litestar import Controller, get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, Meta, UnsetType

from wafast import phones
from wafast.accounts import tenants
from wafast.accounts.principal import Principal
from wafast.api.authentication import require_whole_tenant
from wafast.api.policy import Policy
from wafast.api.problems import Problem, refused_field
from wafast.api.responses import problems
from wafast.api.services import Services

Country = Annotated[
    str, Meta(min_length=2, max_length=2, description="Of numbers without a country code: ISO 3166.", examples=["MY"])
]
Zone = Annotated[
    str,
    Meta(
        max_length=64,
        description="IANA zone of its reports' days, and of people whose number tells none.",
        examples=["Asia/Kuala_Lumpur"],
    ),
]


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace as its administrators set it."""

    name: Annotated[str, Meta(examples=["Main"])]
    country: Country
    time_zone: Zone


class ChangeWorkspace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    country: Country | UnsetType = UNSET
    time_zone: Zone | UnsetType = UNSET


class WorkspaceController(Controller):
    """The workspace one is in."""

    path = "/workspace"
    tags = ["People"]

    @get(
        opt={"policy": Policy.READ},
        operation_id="get_workspace",
        summary="Country and time zone of the workspace",
        responses=problems(401),
    )
    async def show(self, principal: NamedDependency[Principal], services: NamedDependency[Services]) -> Workspace:
        """As it is now."""
        return _shown(await tenants.get_place(services.pool, principal.tenant_id))

    @patch(
        opt={"policy": Policy.ADMIN},
        operation_id="change_workspace",
        summary="Change the country or the time zone of the workspace",
        responses=problems(400, 401, 403),
    )
    async def change(
        self,
        data: JSONBody[ChangeWorkspace],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Workspace:
        """For numbers that come in and reports that are looked at from now on; leads keep the zone of their number."""
        require_whole_tenant(principal)
        region = None if data.country is UNSET else data.country.upper()
        zone = None if data.time_zone is UNSET else data.time_zone
        if region is not None and region not in phones.REGIONS:
            raise refused_field("country", data.country, "a country's two letters are wanted, as MY")
        if zone is not None and zone not in available_timezones():
            raise _no_zone(zone)
        try:
            return _shown(await tenants.change_place(services.pool, principal.tenant_id, principal.actor, region, zone))
        except tenants.UnknownZone:
            raise _no_zone(zone) from None


def _no_zone(zone: str | None) -> Problem:
    return refused_field("time_zone", zone, "an IANA zone is wanted, as Asia/Kuala_Lumpur")


def _shown(found: tenants.Place) -> Workspace:
    return Workspace(name=found.name, country=found.region, time_zone=found.time_zone)
