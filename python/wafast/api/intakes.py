"""Intakes: leads that enter a sequence by a filter, and how far that is."""

from __future__ import annotations

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from wafast.accounts import audit
from wafast.accounts.principal import Principal
from wafast.api.authentication import require_whole_tenant
from wafast.api.ids import number_of
from wafast.api.paging import below_of, page_of
from wafast.api.parameters import After, Limit
from wafast.api.policy import Policy
from wafast.api.problems import conflict, not_found
from wafast.api.responses import Page, problems
from wafast.api.sequences import find_sequence
from wafast.api.services import Services
from wafast.database.together import together
from wafast.sequences import intakes
from wafast.sequences.intakes import Intake


class IntakeController(Controller):
    """Leads that enter a sequence by a filter, some thousands a second, behind the request that asked for it."""

    path = "/sequences/{sequence_id:str}/intakes"
    tags = ["Sequences"]

    @get(
        opt={"policy": Policy.READ},
        operation_id="list_intakes",
        summary="Intakes of a sequence",
        responses=problems(400, 401, 404),
    )
    async def index(
        self,
        sequence_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Intake]:
        """Newest first."""
        row = await find_sequence(services, principal, sequence_id)
        page = {"before": below_of(after), "limit": limit + 1}
        found = await intakes.list_rows(services.pool, principal.tenant_id, row.id, **page)
        return page_of(found, limit, intakes.intake_of, lambda one: int(one["id"]))

    @get(
        "/{intake_id:str}",
        opt={"policy": Policy.READ},
        operation_id="get_intake",
        summary="How an intake goes",
        responses=problems(401, 404),
    )
    async def show(
        self,
        sequence_id: FromPath[str],
        intake_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Intake:
        """Its state, and how many leads have entered."""
        return await _find(services, principal, sequence_id, intake_id)

    @post(
        "/{intake_id:str}/cancel",
        opt={"policy": Policy.ADMIN},
        status_code=200,
        operation_id="cancel_intake",
        summary="Let nobody more enter",
        responses=problems(401, 403, 404, 409),
    )
    async def cancel(
        self,
        sequence_id: FromPath[str],
        intake_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Intake:
        """Who has entered stays."""
        require_whole_tenant(principal)
        found = await _find(services, principal, sequence_id, intake_id)
        async with together(services.pool) as pool:
            if not await intakes.cancel(pool, principal.tenant_id, found):
                raise conflict("ended", f"Intake {found.id} has ended already.")
            subject = f"sequence:{found.sequence_id}"
            await audit.record(pool, principal.tenant_id, principal.actor, "enrolment.cancel", subject)
        return await _find(services, principal, sequence_id, intake_id)


async def _find(services: Services, principal: Principal, sequence_id: str, intake_id: str) -> Intake:
    row = await find_sequence(services, principal, sequence_id)
    found = await intakes.get(services.pool, principal.tenant_id, row.id, number_of("intake", intake_id))
    if found is None:
        raise not_found("intake", intake_id)
    return found
