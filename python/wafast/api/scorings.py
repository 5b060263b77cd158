"""Scores of leads by the AI endpoint: asking for them, and how that goes."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from wafast.accounts.principal import Principal
from wafast.api.authentication import require_whole_tenant
from wafast.api.drafts import require_ai
from wafast.api.ids import number_of
from wafast.api.lead_filters import acted_on
from wafast.api.paging import below_of, page_of
from wafast.api.parameters import After, IdempotencyKey, Limit
from wafast.api.policy import Policy
from wafast.api.problems import conflict, not_found, refused_field
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.api.skipped_leads import SkippedLead, named_leads
from wafast.leads import scorings
from wafast.leads.filters import LeadFilter
from wafast.leads.scorings import Scoring


class ScoreLeads(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who gets a score: either `lead_ids` or `filter`."""

    lead_ids: Annotated[list[str], Meta(min_length=1, max_length=scorings.AT_ONCE, examples=[["4711"]])] | UnsetType = (
        UNSET
    )
    filter: Annotated[LeadFilter, Meta(examples=[{"tags": ["kl"]}])] | UnsetType = UNSET
    goal: Annotated[
        str,
        Meta(
            max_length=500,
            description="What makes a good lead for you; the endpoint is told.",
            examples=["Restaurants in Penang that order every week"],
        ),
    ] = ""


class BegunScoring(Scoring, frozen=True, kw_only=True):
    """As it begins."""

    skipped: Annotated[list[SkippedLead], Meta(description="Of `lead_ids` those that are no lead's.", examples=[[]])]


class ScoringController(Controller):
    """Leads get a score of 0 to 100 with a reason from the AI endpoint, one after the other in the background. It is
    told tags, status and fields of a lead, and whether it has ever answered: no name and no number. Distribution gives
    out the highest scores first."""

    path = "/scorings"
    tags = ["Leads"]

    @post(
        opt={"policy": Policy.ADMIN, "idempotent": True},
        operation_id="score_leads",
        summary="Score leads",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def create(
        self,
        data: JSONBody[ScoreLeads],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> BegunScoring:
        """Follow `GET /scorings/{scoring_id}`; the scores stand on the leads."""
        require_whole_tenant(principal)
        require_ai(services)
        if (data.lead_ids is UNSET) == (data.filter is UNSET):
            raise refused_field("lead_ids", None, "either lead_ids or filter is wanted, and not both")
        wanted = {} if data.filter is UNSET else await acted_on(services.pool, principal, data.filter)
        ids: list[int] | None = None
        skipped: list[SkippedLead] = []
        if data.lead_ids is not UNSET:
            ids, skipped = await named_leads(services.pool, principal, data.lead_ids)
        begun = await scorings.begin(services.pool, principal, wanted, ids, " ".join(data.goal.split()))
        return BegunScoring(**msgspec.structs.asdict(begun), skipped=skipped)

    @get(
        opt={"policy": Policy.READ},
        operation_id="list_scorings",
        summary="Scorings of leads",
        responses=problems(400, 401, 403),
    )
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Scoring]:
        """Newest first."""
        require_whole_tenant(principal)
        found = await scorings.list_scorings(
            services.pool, principal.tenant_id, before=below_of(after), limit=limit + 1
        )
        return page_of(found, limit, scorings.scoring_of, lambda row: int(row["id"]))

    @get(
        "/{scoring_id:str}",
        opt={"policy": Policy.READ},
        operation_id="get_scoring",
        summary="How a scoring goes",
        responses=problems(401, 403, 404),
    )
    async def show(
        self, scoring_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Scoring:
        """Its state, and how many leads have their score."""
        return await _find(services, principal, scoring_id)

    @post(
        "/{scoring_id:str}/cancel",
        opt={"policy": Policy.ADMIN},
        status_code=200,
        operation_id="cancel_scoring",
        summary="Stop a scoring",
        responses=problems(401, 403, 404, 409),
    )
    async def cancel(
        self, scoring_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Scoring:
        """Scores that there are stay."""
        found = await _find(services, principal, scoring_id)
        if not await scorings.cancel(services.pool, principal, int(found.id)):
            raise conflict("ended", f"Scoring {found.id} has ended already.")
        return await _find(services, principal, scoring_id)


async def _find(services: Services, principal: Principal, scoring_id: str) -> Scoring:
    number = number_of("scoring", scoring_id)
    found = await scorings.get(services.pool, principal.tenant_id, number)
    if found is None:
        raise not_found("scoring", scoring_id)
    require_whole_tenant(principal)
    if services.ai is None and found.state == "running":
        return msgspec.structs.replace(found, reason="No AI endpoint is set any more.")
    return found
