"""Distribution: people without a device are given to devices, and why each is where it is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.api.authentication import require_whole_tenant
from wafast.api.chosen_devices import chosen_devices
from wafast.api.ids import MAX_INT8, number_of
from wafast.api.lead_filters import acted_on
from wafast.api.outbox import find_row
from wafast.api.paging import below_of, page_of
from wafast.api.parameters import MAX_DEVICES, After, IdempotencyKey, Limit
from wafast.api.policy import Policy
from wafast.api.problems import conflict, not_found
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.distribution import decisions, people
from wafast.distribution.decisions import DecisionRow
from wafast.distribution.people import Distribution as DistributionRow
from wafast.leads.filters import LeadFilter

DEVICE_ID = "0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"
WHY = "Sales 1 had the most room: 520 of 800 sends left today, paired 40 days ago"


class Distribute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to be given to whom."""

    filter: Annotated[
        LeadFilter,
        Meta(description="Leads that fit; who has a device is left out.", examples=[{"tags": ["vip"]}]),
    ] = LeadFilter()
    device_ids: (
        Annotated[
            list[str],
            Meta(min_length=1, max_length=MAX_DEVICES, description="Null: every device.", examples=[[DEVICE_ID]]),
        ]
        | None
    ) = None
    most_each: (
        Annotated[int, Meta(ge=1, le=1_000_000, description="A device gets this many people at most.", examples=[500])]
        | None
    ) = None


class DistributionShare(msgspec.Struct, frozen=True, kw_only=True):
    """What one device gets."""

    device_id: Annotated[str, Meta(examples=[DEVICE_ID])]
    name: Annotated[str, Meta(examples=["Sales 1"])]
    planned: Annotated[int, Meta(description="People it gets.", examples=[120])]
    known: Annotated[int, Meta(description="Of them those it has a chat with, or wrote to.", examples=[14])]
    given: Annotated[int, Meta(description="People it has got so far.", examples=[120])]
    reason: Annotated[str, Meta(examples=["520 of 800 sends left today, paired 40 days ago, 310 people already"])]


class DistributionPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen now."""

    people: Annotated[int, Meta(description="Leads that fit and have no device.", examples=[130])]
    shares: list[DistributionShare]
    left: Annotated[int, Meta(description="People for whom there is no room.", examples=[10])]
    left_reason: Annotated[str | None, Meta(examples=["Each device gets 120 at most"])]


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """People given to devices."""

    id: Annotated[str, Meta(examples=["7"])]
    state: Annotated[Literal["running", "done", "undoing", "undone"], Meta(examples=["done"])]
    filter: dict[str, Any]
    people: Annotated[int, Meta(examples=[130])]
    shares: list[DistributionShare]
    left: Annotated[int, Meta(examples=[10])]
    left_reason: str | None
    created_by: Annotated[str, Meta(examples=["user:7"])]
    created_at: datetime
    ended_at: datetime | None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Why a person, or a send, is with this device."""

    at: datetime
    device_id: Annotated[str | None, Meta(description="Null: it went back to the pool.", examples=[DEVICE_ID])]
    device_name: Annotated[str | None, Meta(examples=["Sales 1"])]
    code: Annotated[
        Literal["own", "chat", "wrote", "room", "returned", "replaced"],
        Meta(
            description="`own` is the lead's device, `chat` has a chat with it, `wrote` wrote to it before, `room` had "
            "the most room; `returned` from a device that can't send, `replaced` with its number.",
            examples=["room"],
        ),
    ]
    reason: Annotated[str, Meta(examples=[WHY])]
    outbox_id: Annotated[str | None, Meta(description="The send it was about, if it was about one.", examples=["93"])]
    distribution_id: Annotated[str | None, Meta(examples=[None])]


class Decisions(msgspec.Struct, frozen=True):
    """The last twenty, newest first."""

    items: list[Decision]


class DistributionController(Controller):
    """Leads without a device go to devices: who knows them first, all others in proportion to what devices can send,
    their health and age."""

    path = "/distributions"
    tags = ["Leads"]

    @post(
        "/preview",
        opt={"policy": Policy.ADMIN},
        status_code=200,
        operation_id="preview_distribution",
        summary="How many leads each device would get",
        responses=problems(400, 401, 403, 404),
    )
    async def preview(
        self, data: JSONBody[Distribute], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> DistributionPreview:
        """Exactly what `POST /distributions` would do now."""
        require_whole_tenant(principal)
        wanted, device_ids = await _checked(services, principal, data)
        found = await people.plan(services.pool, principal.tenant_id, wanted, device_ids, data.most_each)
        shares = [
            DistributionShare(
                device_id=str(share.line.device_id),
                name=share.line.name,
                planned=share.known + share.others,
                known=share.known,
                given=0,
                reason=share.reason,
            )
            for share in found.shares
        ]
        shares.sort(key=lambda share: (-share.planned, share.name))
        return DistributionPreview(people=found.people, shares=shares, left=found.left, left_reason=found.left_reason)

    @post(
        opt={"policy": Policy.ADMIN, "idempotent": True},
        operation_id="distribute_leads",
        summary="Give leads without a device to devices",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def create(
        self,
        data: JSONBody[Distribute],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Distribution:
        """Done in the background, some ten thousand a second; follow `GET /distributions/{distribution_id}`. A lead
        keeps the device it was given."""
        require_whole_tenant(principal)
        wanted, device_ids = await _checked(services, principal, data)
        begun = await people.begin(services.pool, principal, wanted, device_ids, data.most_each)
        return _shown(await _find(services, principal, str(begun)))

    @get(
        opt={"policy": Policy.READ},
        operation_id="list_distributions",
        summary="Distributions",
        responses=problems(400, 401, 403),
    )
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Distribution]:
        """Newest first."""
        require_whole_tenant(principal)
        rows = await people.list_distributions(
            services.pool, principal.tenant_id, limit=limit + 1, before=below_of(after)
        )
        return page_of(rows, limit, _shown, lambda row: row.id)

    @get(
        "/{distribution_id:str}",
        opt={"policy": Policy.READ},
        operation_id="get_distribution",
        summary="How a distribution goes",
        responses=problems(401, 403, 404),
    )
    async def show(
        self,
        distribution_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Distribution:
        """Its state, and how many each device has got so far."""
        return _shown(await _find(services, principal, distribution_id))

    @post(
        "/{distribution_id:str}/undo",
        opt={"policy": Policy.ADMIN},
        status_code=202,
        operation_id="undo_distribution",
        summary="Take distributed leads back",
        responses=problems(401, 403, 404, 409),
    )
    async def undo(
        self,
        distribution_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Distribution:
        """Those whom their device has not written to since, and whom nobody gave to another, have no device again."""
        found = await _find(services, principal, distribution_id)
        if not await people.undo(services.pool, principal, found.id):
            raise conflict("undone", f"Distribution {found.id} is {found.state} already.")
        return _shown(await _find(services, principal, distribution_id))


class DecisionController(Controller):
    """Why somebody is with this device."""

    tags = ["Leads"]

    @get(
        "/outbox/{outbox_id:str}/decisions",
        opt={"policy": Policy.READ},
        operation_id="list_decisions_of_send",
        summary="Why this device sends it",
        responses=problems(401, 404),
    )
    async def of_row(
        self, outbox_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Decisions:
        """Empty for a send whose device nobody had to choose."""
        row = await find_row(services.pool, principal, outbox_id)
        found = await decisions.of_row(services.pool, principal.tenant_id, row.id)
        return Decisions([_decision(one) for one in found])

    @get(
        "/leads/{lead_id:str}/decisions",
        opt={"policy": Policy.READ},
        operation_id="list_decisions_of_lead",
        summary="Why this device writes to a lead",
        responses=problems(401, 404),
    )
    async def of_lead(
        self, lead_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Decisions:
        """Empty for a lead whose device somebody has set."""
        number = number_of("lead", lead_id)
        found = await decisions.of_lead(services.pool, principal.tenant_id, number, principal.device_ids)
        if found is None:
            raise not_found("lead", lead_id)
        return Decisions([_decision(one) for one in found])


async def _checked(
    services: Services, principal: Principal, data: Distribute
) -> tuple[dict[str, Any], list[UUID] | None]:
    """The filter as it is stored, and the chosen devices.

    Raises:
        Problem: 404 for a device that is not the tenant's.
    """
    lead_filter = await acted_on(services.pool, principal, data.filter)
    if data.device_ids is None:
        return lead_filter, None
    return lead_filter, await chosen_devices(services.pool, principal, data.device_ids)


async def _find(services: Services, principal: Principal, distribution_id: str) -> DistributionRow:
    number = number_of("distribution", distribution_id, MAX_INT8 - 1)
    found = await people.get(services.pool, principal.tenant_id, number)
    if found is None:
        raise not_found("distribution", distribution_id)
    require_whole_tenant(principal)
    return found


def _shown(row: DistributionRow) -> Distribution:
    return Distribution(
        id=str(row.id),
        state=msgspec.convert(row.state, Literal["running", "done", "undoing", "undone"]),
        filter=row.filter,
        people=row.people,
        shares=msgspec.convert(row.shares, list[DistributionShare]),
        left=row.left_over,
        left_reason=row.left_reason,
        created_by=row.created_by,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def _decision(row: DecisionRow) -> Decision:
    return msgspec.convert(
        {
            "at": row.at,
            "device_id": None if row.device_id is None else str(row.device_id),
            "device_name": row.device_name,
            "code": row.code,
            "reason": row.reason,
            "outbox_id": None if row.outbox_id is None else str(row.outbox_id),
            "distribution_id": None if row.distribution_id is None else str(row.distribution_id),
        },
        Decision,
    )
