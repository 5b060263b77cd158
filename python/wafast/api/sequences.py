"""Sequences: messages one after another to each lead, and what became of them."""

from __future__ import annotations

import codecs
from datetime import date, datetime
from typing import Annotated, Any

import asyncpg
import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from wafast.accounts import audit
from wafast.accounts.principal import Principal
from wafast.api.authentication import require_whole_tenant
from wafast.api.campaigns import Counts
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import number_of
from wafast.api.opt_outs import require_hearing
from wafast.api.paging import before_of, page_of
from wafast.api.parameters import After, IdempotencyKey, Limit, name_of
from wafast.api.policy import Policy
from wafast.api.problems import conflict, not_found, refusals_of, refused_field
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.api.sources import SourceMessage, SourcePace, message_of, pace_of, stored_message, stored_pace
from wafast.csv_rows import guarded, lines
from wafast.database.together import together
from wafast.leads.tags import tag
from wafast.outbox.render import check
from wafast.outbox.sources import Message
from wafast.sequences import enrolments, intakes, report, rows
from wafast.sequences.intakes import Intake
from wafast.sequences.rows import MOST_STEPS, SequenceRow, State, StepRow
from wafast.visible import is_visible

#: Ten years.
MOST_DELAY = 315_360_000

Name = Annotated[str, Meta(min_length=1, max_length=100, examples=["Welcome"])]
Trigger = Annotated[str, Meta(min_length=1, max_length=100, description="A tag: who gets it enters.", examples=["new"])]
Delay = Annotated[
    int,
    Meta(ge=0, le=MOST_DELAY, description="Seconds after the step before has left, or after entry.", examples=[86_400]),
]
Expires = Annotated[
    int,
    Meta(
        ge=1,
        le=MOST_DELAY,
        description="How many seconds after its time, when the delay is over, a step may still leave; null: however "
        "late. Who hasn't got it by then goes on to the next one. It does not run while the sequence is paused.",
        examples=[86_400],
    ),
]
Days = Annotated[
    int, QueryParameter(name="days", ge=0, le=366, required=False, description="How many days are told one by one.")
]
Position = Annotated[int, Meta(ge=1, le=MOST_STEPS, description="From 1; the last when left out.", examples=[2])]


class SequenceStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step as it is now."""

    id: Annotated[str, Meta(examples=["31"])]
    position: Annotated[int, Meta(ge=1, examples=[1])]
    delay_seconds: Delay
    expires_seconds: Expires | None
    message: SourceMessage
    pace: SourcePace
    warnings: Annotated[list[str], Meta(description="What in the text is likely not meant so.", examples=[[]])]


class EnrolmentCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many leads are on their way, and how many came to an end."""

    active: int = 0
    paused: int = 0
    completed: int = 0
    stopped: int = 0


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """How far leads on the way are with an edit of the steps."""

    done: Annotated[int, Meta(ge=0, examples=[12_000])]
    total: Annotated[int | None, Meta(description="Null until they are counted.", examples=[50_000])]


class Sequence(msgspec.Struct, frozen=True, kw_only=True):
    """A sequence as lists show it."""

    id: Annotated[str, Meta(examples=["7"])]
    name: Name
    state: Annotated[State, Meta(description="Nothing leaves while it is `paused`; delays go on.")]
    trigger: Trigger | None
    next_sequence_id: Annotated[str | None, Meta(description="Where leads enter at the end.", examples=[None])]
    next_sequence_name: str | None
    stop_on_reply: Annotated[bool, Meta(description="Whoever writes to us gets no further step.")]
    step_count: Annotated[int, Meta(ge=0, examples=[3])]
    enrolments: EnrolmentCounts
    following: Annotated[Following | None, Meta(description="Null: everybody follows the steps as they are.")]
    created_at: datetime


class SequenceWithSteps(Sequence, frozen=True, kw_only=True):
    """A sequence with its steps in order."""

    steps: list[SequenceStep]
    intakes: Annotated[list[Intake], Meta(description="Under way: leads that enter by a filter.", examples=[[]])]


class CreateStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step to make."""

    delay_seconds: Delay
    expires_seconds: Expires | None = None
    message: SourceMessage
    pace: SourcePace = SourcePace()


class InsertStep(CreateStep, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step to make, and where."""

    position: Position | None = None


class ChangeStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    delay_seconds: Delay | UnsetType = UNSET
    expires_seconds: Expires | UnsetType | None = UNSET
    message: SourceMessage | UnsetType = UNSET
    pace: SourcePace | UnsetType = UNSET
    position: Position | UnsetType = UNSET


class CreateSequence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sequence; it is paused until you set it active."""

    name: Name
    trigger: Trigger | None = None
    next_sequence_id: Annotated[str | None, Meta(examples=[None])] = None
    stop_on_reply: bool = True
    steps: Annotated[list[CreateStep], Meta(max_length=MOST_STEPS)] = msgspec.field(default_factory=list)


class ChangeSequence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    name: Name | UnsetType = UNSET
    trigger: Trigger | UnsetType | None = UNSET
    next_sequence_id: str | UnsetType | None = UNSET
    stop_on_reply: bool | UnsetType = UNSET
    state: State | UnsetType = UNSET


class StepReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a step's messages; each is in exactly one of the counts."""

    step_id: str
    position: Annotated[int | None, Meta(description="Null: the step is deleted.")]
    text: str
    counts: Counts
    failed_by_cause: Annotated[dict[str, int], Meta(examples=[{"not_on_whatsapp": 2}])]


class StepDay(msgspec.Struct, frozen=True, kw_only=True):
    """What left on one day, and what became of that since."""

    step_id: str
    day: Annotated[date, Meta(description="In the workspace's time zone.")]
    sent: int
    delivered: int
    read: int
    replied: int


class SequenceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a sequence's messages."""

    total: Counts
    steps: list[StepReport]
    days: Annotated[list[StepDay], Meta(description="The last `days` days.")]


class SequenceController(Controller):
    """Sequences and their steps."""

    path = "/sequences"
    tags = ["Sequences"]

    @get(opt={"policy": Policy.READ}, operation_id="list_sequences", summary="Sequences", responses=problems(400, 401))
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Sequence]:
        """The last made first."""
        found = await rows.list_rows(services.pool, principal.tenant_id, limit + 1, before_of(after))
        counts = await rows.enrolment_counts(services.pool, principal.tenant_id, [row.id for row in found])
        return page_of(found, limit, lambda row: sequence_of(row, counts[row.id]), lambda row: row.id)

    @post(
        opt={"policy": Policy.ADMIN, "idempotent": IN_ONE},
        operation_id="create_sequence",
        summary="Make a sequence",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def create(
        self,
        data: JSONBody[CreateSequence],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> SequenceWithSteps:
        """It is paused at first. Leads enter by their tag, or by `POST /sequences/{sequence_id}/enrolments`. Each gets
        its steps from its device; where that is deleted, as who has none: from one chosen when a step is due."""
        require_whole_tenant(principal)
        tenant_id, following = principal.tenant_id, data.next_sequence_id
        steps = []
        for place, step in enumerate(data.steps):
            with refusals_of(f"steps[{place}]"):
                steps.append(await _wanted(services, tenant_id, step))
        async with together(services.pool) as pool:
            try:
                made = await rows.create(
                    pool,
                    tenant_id,
                    name_of(data.name),
                    trigger=_trigger(data.trigger),
                    next_sequence_id=None if following is None else number_of("sequence", following),
                    stop_on_reply=data.stop_on_reply,
                    steps=steps,
                    created_by=principal.actor,
                )
            except rows.NoSequence:
                raise not_found("sequence", following) from None
            await audit.record(pool, tenant_id, principal.actor, "sequence.create", f"sequence:{made}")
        return await _shown(services, principal, made)

    @get(
        "/{sequence_id:str}",
        opt={"policy": Policy.READ},
        operation_id="get_sequence",
        summary="One sequence with its steps",
        responses=problems(401, 404),
    )
    async def show(
        self, sequence_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> SequenceWithSteps:
        """As it is now."""
        return await _shown(services, principal, number_of("sequence", sequence_id))

    @patch(
        "/{sequence_id:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="change_sequence",
        summary="Change, pause or set a sequence going",
        responses=problems(400, 401, 403, 404, 409),
    )
    async def change(
        self,
        sequence_id: FromPath[str],
        data: JSONBody[ChangeSequence],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> SequenceWithSteps:
        """A pause holds from the next claim on: what is not on the wire then does not leave. A new trigger counts for
        tags that leads get from now on."""
        require_whole_tenant(principal)
        if data.state == "active":
            require_hearing(services)
        number, changes = number_of("sequence", sequence_id), _changes(data)
        if changes.get("next_sequence_id") == number:
            raise refused_field("next_sequence_id", data.next_sequence_id, "a sequence can't follow itself")
        async with together(services.pool) as pool:
            try:
                await rows.change(pool, principal.tenant_id, number, changes)
            except rows.NoSequence as error:
                raise not_found("sequence", error.args[0]) from None
            await _tell(pool, principal, number, "change" if data.state is UNSET else data.state)
        return await _shown(services, principal, number)

    @delete(
        "/{sequence_id:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="delete_sequence",
        summary="Delete a sequence",
        responses=problems(401, 403, 404),
    )
    async def remove(
        self, sequence_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> None:
        """Nothing more of it leaves, and its enrolments are stopped. What was sent stays in the chats."""
        require_whole_tenant(principal)
        number = number_of("sequence", sequence_id)
        async with together(services.pool) as pool:
            try:
                await enrolments.delete(pool, principal.tenant_id, number)
            except rows.NoSequence:
                raise not_found("sequence", sequence_id) from None
            await audit.record(pool, principal.tenant_id, principal.actor, "sequence.delete", f"sequence:{number}")

    @post(
        "/{sequence_id:str}/steps",
        opt={"policy": Policy.ADMIN, "idempotent": IN_ONE},
        operation_id="create_sequence_step",
        summary="Insert a step",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def add_step(
        self,
        sequence_id: FromPath[str],
        data: JSONBody[InsertStep],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> SequenceWithSteps:
        """Leads that wait for a later step, or have come to the end, do not get it."""
        require_whole_tenant(principal)
        tenant_id, number = principal.tenant_id, number_of("sequence", sequence_id)
        await find_sequence(services, principal, sequence_id)
        step = await _wanted(services, tenant_id, data)
        async with together(services.pool) as pool:
            try:
                await rows.add_step(pool, tenant_id, number, step, data.position)
            except rows.NoSequence:
                raise not_found("sequence", sequence_id) from None
            except rows.TooManySteps:
                raise conflict(
                    "too-many-steps",
                    f"A sequence has at most {MOST_STEPS} steps: go on in another one, as its next sequence.",
                ) from None
            await _tell(pool, principal, number, "add_step")
        return await _shown(services, principal, number)

    @patch(
        "/{sequence_id:str}/steps/{step_id:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="change_sequence_step",
        summary="Change or move a step",
        responses=problems(400, 401, 403, 404),
    )
    async def change_step(
        self,
        sequence_id: FromPath[str],
        step_id: FromPath[str],
        data: JSONBody[ChangeStep],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> SequenceWithSteps:
        """What has not left is sent as the step says then. A new delay counts from where the old one did, and so does
        a new end; the step sends nothing until everybody who waits for it follows, which `following` tells. A step
        that is moved behind where a lead stands is sent to it, unless it had it."""
        require_whole_tenant(principal)
        row = await find_sequence(services, principal, sequence_id)
        changes = await _step_changes(services, principal.tenant_id, data)
        position = None if data.position is UNSET else data.position
        number = number_of("step", step_id)
        async with together(services.pool) as pool:
            try:
                await rows.change_step(pool, principal.tenant_id, row.id, number, changes, position)
            except (rows.NoSequence, rows.NoStep):
                raise not_found("step", step_id) from None
            await _tell(pool, principal, row.id, "change_step")
        return await _shown(services, principal, row.id)

    @delete(
        "/{sequence_id:str}/steps/{step_id:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="delete_sequence_step",
        summary="Delete a step",
        responses=problems(401, 403, 404),
    )
    async def remove_step(
        self,
        sequence_id: FromPath[str],
        step_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> None:
        """Leads that wait for it go on to the next one."""
        require_whole_tenant(principal)
        number = number_of("sequence", sequence_id)
        step = number_of("step", step_id)
        async with together(services.pool) as pool:
            try:
                await rows.delete_step(pool, principal.tenant_id, number, step)
            except (rows.NoSequence, rows.NoStep):
                raise not_found("step", step_id) from None
            await _tell(pool, principal, number, "delete_step")

    @get(
        "/{sequence_id:str}/report",
        opt={"policy": Policy.READ},
        operation_id="get_sequence_report",
        summary="What became of a sequence's messages",
        responses=problems(401, 404),
    )
    async def report(
        self,
        sequence_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        days: Days = 31,
    ) -> SequenceReport:
        """By step and by day. A deleted step is told when it had messages, so that the sums are whole."""
        row = await find_sequence(services, principal, sequence_id)
        figures = await report.steps(services.pool, principal.tenant_id, row.id)
        by_day = [] if days == 0 else await report.days(services.pool, principal.tenant_id, row.id, days)
        total = sum((one.buckets for one in figures), start=report.NONE)
        return SequenceReport(
            total=_counts(total),
            steps=[
                StepReport(
                    step_id=str(one.step_id),
                    position=one.position,
                    text=one.template,
                    counts=_counts(one.buckets),
                    failed_by_cause=dict(one.failed),
                )
                for one in figures
            ],
            days=[
                StepDay(
                    step_id=str(one.step_id),
                    day=one.day,
                    sent=one.sent,
                    delivered=one.delivered,
                    read=one.read,
                    replied=one.replied,
                )
                for one in by_day
            ],
        )

    @get(
        "/{sequence_id:str}/report.csv",
        opt={"policy": Policy.READ},
        operation_id="get_sequence_report_csv",
        summary="The report as a file",
        media_type="text/csv",
        responses=problems(401, 404),
    )
    async def report_file(
        self, sequence_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Response[bytes]:
        """A row a step."""
        row = await find_sequence(services, principal, sequence_id)
        figures = await report.steps(services.pool, principal.tenant_id, row.id)
        headers = {"Content-Disposition": f'attachment; filename="sequence-{row.id}.csv"'}
        return Response(_csv(figures), media_type="text/csv; charset=utf-8", headers=headers)


async def find_sequence(services: Services, principal: Principal, sequence_id: str) -> SequenceRow:
    """A sequence of the caller's workspace.

    Raises:
        Problem: 404.
    """
    row = await rows.get(services.pool, principal.tenant_id, number_of("sequence", sequence_id))
    if row is None:
        raise not_found("sequence", sequence_id)
    return row


def sequence_of(row: SequenceRow, counts: dict[str, int]) -> Sequence:
    """A sequence as lists show it.

    Args:
        counts: of its enrolments, by state.
    """
    return Sequence(
        id=str(row.id),
        name=row.name,
        state=row.state,
        trigger=row.trigger,
        next_sequence_id=None if row.next_name is None else str(row.next_sequence_id),
        next_sequence_name=row.next_name,
        stop_on_reply=row.stop_on_reply,
        step_count=row.steps,
        enrolments=EnrolmentCounts(**counts),
        following=None if row.followed is None else Following(done=row.followed, total=row.people),
        created_at=row.created_at,
    )


def _step(row: StepRow) -> SequenceStep:
    return SequenceStep(
        id=str(row.id),
        position=row.position,
        delay_seconds=row.delay_seconds,
        expires_seconds=row.expires_seconds,
        message=message_of(row.step.message, row.media_mime),
        pace=pace_of(row.step.pace),
        warnings=[doubt.words for doubt in check(row.template)],
    )


async def _shown(services: Services, principal: Principal, sequence_id: int) -> SequenceWithSteps:
    row = await rows.get(services.pool, principal.tenant_id, sequence_id)
    if row is None:
        raise not_found("sequence", sequence_id)
    counts = await rows.enrolment_counts(services.pool, principal.tenant_id, [row.id])
    steps = await rows.list_steps(services.pool, principal.tenant_id, row.id)
    shown = sequence_of(row, counts[row.id])
    entering = await intakes.list_open(services.pool, principal.tenant_id, row.id)
    return SequenceWithSteps(**msgspec.structs.asdict(shown), steps=[_step(one) for one in steps], intakes=entering)


async def _tell(pool: asyncpg.Pool, principal: Principal, sequence_id: int, action: str) -> None:
    """Writes down who did what to it, and tells everybody who looks at it."""
    subject = f"sequence:{sequence_id}"
    await audit.record(pool, principal.tenant_id, principal.actor, f"sequence.{action}", subject)
    await enrolments.tell(pool, principal.tenant_id, sequence_id)


def _changes(data: ChangeSequence) -> dict[str, Any]:
    """The columns that were named."""
    changes = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not UNSET}
    if data.name is not UNSET:
        changes["name"] = name_of(data.name)
    if data.trigger is not UNSET:
        changes["trigger"] = _trigger(data.trigger)
    if isinstance(data.next_sequence_id, str):
        changes["next_sequence_id"] = number_of("sequence", data.next_sequence_id)
    return changes


async def _step_changes(services: Services, tenant_id: int, data: ChangeStep) -> dict[str, Any]:
    """What of a step is wanted otherwise."""
    changes: dict[str, Any] = {}
    if data.message is not UNSET:
        changes["message"] = await _message(services, tenant_id, data.message)
    if data.pace is not UNSET:
        changes["pace"] = stored_pace(data.pace)
    times = {"delay_seconds": data.delay_seconds, "expires_seconds": data.expires_seconds}
    return changes | {name: seconds for name, seconds in times.items() if seconds is not UNSET}


async def _wanted(services: Services, tenant_id: int, step: CreateStep) -> rows.Step:
    message = await _message(services, tenant_id, step.message)
    return rows.Step(message, stored_pace(step.pace), step.delay_seconds, step.expires_seconds)


async def _message(services: Services, tenant_id: int, wanted: SourceMessage) -> Message:
    if wanted.type == "text" and not is_visible(wanted.text):
        raise refused_field("message.text", wanted.text, "a text must have at least one visible character")
    return await stored_message(services.pool, tenant_id, wanted)


def _trigger(text: str | None) -> str | None:
    if text is None:
        return None
    if not tag(text):
        raise refused_field("trigger", text, "a tag with at least one letter or digit is wanted, or null for none")
    return tag(text)


def _counts(counts: report.Buckets) -> Counts:
    return Counts(**dict.fromkeys(Counts.__struct_fields__, 0) | counts | {"total": counts.total()})


def _csv(figures: list[report.StepFigures]) -> bytes:
    names = Counts.__struct_fields__
    told = [["step", "text", *names]]
    for one in figures:
        shown = _counts(one.buckets)
        step = "deleted" if one.position is None else str(one.position)
        told.append([step, guarded(one.template), *(str(getattr(shown, name)) for name in names)])
    return codecs.BOM_UTF8 + lines(told)
