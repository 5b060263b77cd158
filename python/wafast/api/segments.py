"""Segments: filters of leads with a name."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import number_of
from wafast.api.lead_filters import acted_on
from wafast.api.paging import below_of, page_of
from wafast.api.parameters import After, IdempotencyKey, Limit, name_of
from wafast.api.policy import Policy
from wafast.api.problems import name_taken, not_found
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.leads import segments
from wafast.leads.filters import LeadFilter
from wafast.leads.segments import Segment

Name = Annotated[str, Meta(min_length=1, max_length=100, examples=["Quiet customers in KL"])]
Wanted = Annotated[LeadFilter, Meta(examples=[{"tags": ["kl"], "target_status": "customer", "quiet_days": 60}])]


class CreateSegment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name nobody else has, and a filter."""

    name: Name
    filter: Wanted


class ChangeSegment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    name: Name | None = None
    filter: Wanted | None = None


class SegmentController(Controller):
    """Who is in a segment is looked up each time it is used."""

    path = "/segments"
    tags = ["Leads"]

    @get(opt={"policy": Policy.READ}, operation_id="list_segments", summary="Segments", responses=problems(400, 401))
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Segment]:
        """The last made first."""
        found = await segments.list_segments(
            services.pool, principal.tenant_id, before=below_of(after), limit=limit + 1
        )
        return page_of(found, limit, segments.segment_of, lambda row: int(row["id"]))

    @post(
        opt={"policy": Policy.SEND, "idempotent": IN_ONE},
        operation_id="create_segment",
        summary="Save a filter",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def create(
        self,
        data: JSONBody[CreateSegment],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Segment:
        """Everybody of the workspace has it then."""
        wanted = await acted_on(services.pool, principal, data.filter)
        try:
            return await segments.create(services.pool, principal, name_of(data.name), wanted)
        except segments.NameTaken:
            raise name_taken("segment", data.name) from None

    @patch(
        "/{segment_id:str}",
        opt={"policy": Policy.SEND},
        operation_id="change_segment",
        summary="Rename or change a segment",
        responses=problems(400, 401, 403, 404, 409),
    )
    async def change(
        self,
        segment_id: FromPath[str],
        data: JSONBody[ChangeSegment],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Segment:
        """Name, filter, or both."""
        name = None if data.name is None else name_of(data.name)
        wanted = None if data.filter is None else await acted_on(services.pool, principal, data.filter)
        number = number_of("segment", segment_id)
        try:
            segment = await segments.change(services.pool, principal, number, name, wanted)
        except segments.NameTaken:
            raise name_taken("segment", data.name) from None
        if segment is None:
            raise not_found("segment", segment_id)
        return segment

    @delete(
        "/{segment_id:str}",
        opt={"policy": Policy.SEND},
        operation_id="delete_segment",
        summary="Delete a segment",
        responses=problems(401, 403, 404),
    )
    async def remove(
        self, segment_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> None:
        """Its leads stay."""
        if not await segments.delete(services.pool, principal, number_of("segment", segment_id)):
            raise not_found("segment", segment_id)
