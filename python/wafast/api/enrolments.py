"""Enrolments: leads on their way through a sequence."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from wafast.accounts import audit
from wafast.accounts.principal import Principal
from wafast.api.authentication import require_whole_tenant
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import as_number, number_of
from wafast.api.lead_filters import acted_on
from wafast.api.paging import before_of, page_of
from wafast.api.parameters import After, IdempotencyKey, Limit, Search
from wafast.api.policy import Policy
from wafast.api.problems import Problem, conflict, not_found, refused_field
from wafast.api.responses import Page, problems
from wafast.api.sequences import find_sequence
from wafast.api.services import Services
from wafast.leads.filters import LeadFilter
from wafast.sequences import enrolments, intakes, rows
from wafast.sequences.enrolments import EnrolmentRow, KeptOut, Reason, State
from wafast.sequences.intakes import Intake

InState = Annotated[State | None, QueryParameter(name="state", required=False, description="Only those in this state.")]


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """One lead on its way through one sequence."""

    id: Annotated[str, Meta(examples=["4711"])]
    sequence_id: str
    lead_id: str
    lead_name: Annotated[str, Meta(examples=["Farid"])]
    phone: Annotated[str, Meta(examples=["+60123456789"])]
    state: State
    reason: Annotated[Reason | None, Meta(description="Why it was stopped.")]
    position: Annotated[int | None, Meta(description="Of the step it waits for or got last; null before the first.")]
    due_at: Annotated[datetime | None, Meta(description="When that step may leave; pace and hours come on top.")]
    outbox_id: Annotated[str | None, Meta(description="The row of that step: `GET /outbox/{outbox_id}`.")]
    outbox_state: str | None
    started_at: datetime
    ended_at: datetime | None


class Enrol(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who enters: either `lead_ids` or `filter`."""

    lead_ids: Annotated[list[str], Meta(min_length=1, max_length=1000, examples=[["12", "13"]])] | UnsetType = UNSET
    filter: Annotated[LeadFilter, Meta(examples=[{"tags": ["new"]}])] | UnsetType = UNSET
    again: Annotated[bool, Meta(description="Also those who were in this sequence before.")] = False


WHY: dict[KeptOut, str] = {
    "not_found": "No such lead.",
    "opted_out": "This person wants no messages.",
    "in_it": "This person is in the sequence.",
    "was_in_it": "This person was in the sequence before: `again` lets them enter once more.",
}


class NotEnrolled(msgspec.Struct, frozen=True):
    """A lead that has not entered."""

    lead_id: Annotated[str, Meta(examples=["4712"])]
    reason: Annotated[KeptOut, Meta(examples=["opted_out"])]
    detail: Annotated[str, Meta(examples=[WHY["opted_out"]])]


class Enrolled(msgspec.Struct, frozen=True):
    """How many have entered so far."""

    enrolled: Annotated[int, Meta(ge=0, description="Who wants no messages or is in it already is not among them.")]
    skipped: Annotated[
        list[NotEnrolled],
        Meta(description="Of `lead_ids` those that have not entered; an intake counts the others.", examples=[[]]),
    ]
    intake: Annotated[
        Intake | None,
        Meta(
            description="By a filter: how far it is. While it runs others enter in the background.",
            examples=[None],
        ),
    ]


class ChangeEnrolment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to become of it. What was stopped stays so; the lead can enter again."""

    state: Annotated[Literal["active", "paused", "stopped"], Meta(examples=["paused"])]


class EnrolmentController(Controller):
    """Leads in a sequence."""

    path = "/sequences/{sequence_id:str}/enrolments"
    tags = ["Sequences"]

    @get(
        opt={"policy": Policy.READ},
        operation_id="list_enrolments",
        summary="Leads in a sequence",
        responses=problems(400, 401, 404),
    )
    async def index(
        self,
        sequence_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        in_state: InState = None,
        search: Search = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Enrolment]:
        """Who entered last first; search looks at name and number."""
        row = await find_sequence(services, principal, sequence_id)
        found = await enrolments.list_rows(
            services.pool,
            principal.tenant_id,
            row.id,
            state=in_state,
            search=search.strip() if search and search.strip() else None,
            device_ids=None if principal.device_ids is None else list(principal.device_ids),
            limit=limit + 1,
            before=before_of(after),
        )
        return page_of(found, limit, enrolment_of, lambda one: one.id)

    @post(
        opt={"policy": Policy.ADMIN, "idempotent": True},
        operation_id="create_enrolments",
        summary="Let leads enter a sequence",
        responses=problems(400, 401, 403, 404, 422),
    )
    async def create(
        self,
        sequence_id: FromPath[str],
        data: JSONBody[Enrol],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Enrolled:
        """Up to 1,000 by their ids, or all that fit a filter: the first thousands of them at once, the others in the
        background, which `GET /sequences/{sequence_id}/intakes/{intake_id}` follows. Each is in a sequence once at a
        time. While the sequence is paused they wait at its first step."""
        require_whole_tenant(principal)
        if (data.lead_ids is UNSET) == (data.filter is UNSET):
            raise refused_field("lead_ids", None, "either lead_ids or filter is wanted, and not both")
        number = number_of("sequence", sequence_id)
        if isinstance(data.filter, LeadFilter):
            wanted = await acted_on(services.pool, principal, data.filter)
            entering = _enter_by_filter(services, principal, number, wanted, again=data.again)
        else:
            entering = _enter(services, principal, number, data.lead_ids or [], again=data.again)
        try:
            return await entering
        except rows.NoSequence:
            raise not_found("sequence", sequence_id) from None

    @patch(
        "/{enrolment_id:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="change_enrolment",
        summary="Pause, resume or stop one lead",
        responses=problems(400, 401, 403, 404, 409),
    )
    async def change(
        self,
        sequence_id: FromPath[str],
        enrolment_id: FromPath[str],
        data: JSONBody[ChangeEnrolment],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Enrolment:
        """The delay goes on while it is paused."""
        require_whole_tenant(principal)
        place = number_of("sequence", sequence_id), number_of("enrolment", enrolment_id)
        try:
            row = await enrolments.set_state(services.pool, principal.tenant_id, *place, data.state)
        except enrolments.HasEnded:
            raise _has_ended(enrolment_id) from None
        if row is None:
            raise not_found("enrolment", enrolment_id)
        await _record(services, principal, data.state, f"enrolment:{row.id}", lead=row.lead_id)
        return enrolment_of(row)

    @post(
        "/{enrolment_id:str}/skip",
        opt={"policy": Policy.ADMIN, "idempotent": IN_ONE},
        status_code=200,
        operation_id="skip_enrolment_step",
        summary="Skip the step a lead waits for",
        responses=problems(401, 403, 404, 409, 422),
    )
    async def skip(
        self,
        sequence_id: FromPath[str],
        enrolment_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Enrolment:
        """The next one follows after its delay, from now."""
        require_whole_tenant(principal)
        place = number_of("sequence", sequence_id), number_of("enrolment", enrolment_id)
        try:
            row = await enrolments.skip(services.pool, principal.tenant_id, *place)
        except enrolments.HasEnded:
            raise _has_ended(enrolment_id) from None
        except enrolments.NotBegun:
            detail = f"Enrolment {enrolment_id} waits for no step yet: try again once it does."
            raise conflict("enrolment-not-begun", detail) from None
        if row is None:
            raise not_found("enrolment", enrolment_id)
        await _record(services, principal, "skip", f"enrolment:{row.id}", lead=row.lead_id)
        return enrolment_of(row)


def enrolment_of(row: EnrolmentRow) -> Enrolment:
    """An enrolment as the API shows it."""
    return Enrolment(
        id=str(row.id),
        sequence_id=str(row.sequence_id),
        lead_id=str(row.lead_id),
        lead_name=row.lead_name,
        phone=row.phone,
        state=row.state,
        reason=row.reason,
        position=row.position or None,
        due_at=row.due_at,
        outbox_id=None if row.outbox_id is None else str(row.outbox_id),
        outbox_state=row.outbox_state,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


async def _enter(
    services: Services, principal: Principal, sequence_id: int, lead_ids: list[str], *, again: bool
) -> Enrolled:
    numbers = {text: as_number(text) for text in dict.fromkeys(lead_ids)}
    known = list({number for number in numbers.values() if number is not None})
    found = await enrolments.enrol(services.pool, principal.tenant_id, sequence_id, known, again=again)
    enrolled = sum(kept_out is None for kept_out in found.values())
    await _record(services, principal, "create", f"sequence:{sequence_id}", enrolled=enrolled)
    kept: dict[str, KeptOut | None] = {
        text: "not_found" if number is None else found[number] for text, number in numbers.items()
    }
    skipped = [NotEnrolled(text, reason, WHY[reason]) for text, reason in kept.items() if reason is not None]
    return Enrolled(enrolled, skipped, None)


async def _enter_by_filter(
    services: Services, principal: Principal, sequence_id: int, wanted: dict[str, Any], *, again: bool
) -> Enrolled:
    place = principal.tenant_id, sequence_id
    made = await intakes.begin(services.pool, *place, wanted, again=again, created_by=principal.actor)
    await _record(services, principal, "create", f"sequence:{sequence_id}", leads=made.leads)
    return Enrolled(made.entered, [], made)


async def _record(services: Services, principal: Principal, action: str, subject: str, **detail: int) -> None:
    await audit.record(services.pool, principal.tenant_id, principal.actor, f"enrolment.{action}", subject, **detail)


def _has_ended(enrolment_id: str) -> Problem:
    return conflict(
        "enrolment-ended",
        f"Enrolment {enrolment_id} has ended: let the lead enter again with `again` in POST …/enrolments.",
    )
