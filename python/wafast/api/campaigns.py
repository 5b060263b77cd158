"""Campaigns: one message to an audience at a time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from datetime import date, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID
from zoneinfo import available_timezones

import asyncpg
import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from wafast import clock
from wafast.accounts import audit
from wafast.accounts.principal import Principal
from wafast.api.authentication import require_whole_tenant
from wafast.api.chosen_devices import chosen_devices
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import number_of
from wafast.api.instants import TimeOfDay, day_of, instant_of, time_of, written
from wafast.api.lead_filters import acted_on
from wafast.api.opt_outs import require_hearing
from wafast.api.paging import below_of, page_of
from wafast.api.parameters import After, IdempotencyKey, Limit, Search, name_of
from wafast.api.policy import Policy
from wafast.api.problems import conflict, not_found, refused_field
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.api.sources import SourceMessage, SourcePace, message_of, pace_of, stored_message, stored_pace
from wafast.campaigns import rows
from wafast.campaigns.rows import CampaignRow, NotPossible, NoWords, Plan, Schedule, State
from wafast.campaigns.standstill import Standstill, standstills
from wafast.database.together import together
from wafast.leads.filters import LeadFilter, shown
from wafast.outbox.rows import UnknownMedia

Result = TypeVar("Result")
MOST_DEVICES = 1_000
#: A month of a busy team; more are not told apart in a calendar.
MOST_IN_CALENDAR = 500
#: One line for all those out of the caller's reach.
OTHER_DEVICES = "Other devices"

Name = Annotated[str, Meta(min_length=1, max_length=200, examples=["Raya sale"])]
DeviceIds = Annotated[
    list[str],
    Meta(
        min_length=1,
        max_length=MOST_DEVICES,
        description="Devices that people without one are given to.",
        examples=[["0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"]],
    ),
]

Draft = Annotated[
    bool,
    Meta(description="It is a draft, also with a `schedule`, which is kept: nothing begins before somebody says so."),
]


class CampaignSchedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When it begins: the clock of a place."""

    date: Annotated[date, Meta(examples=["2027-03-01"])]
    time: TimeOfDay
    zone: Annotated[str, Meta(max_length=64, examples=["Asia/Kuala_Lumpur"])]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Every recipient is in exactly one of these; they sum to `total`."""

    total: int
    waiting: int
    sent: Annotated[int, Meta(description="Left, and not known to have arrived.")]
    delivered: Annotated[int, Meta(description="Arrived, and not read.")]
    read: Annotated[int, Meta(description="Read, and not answered.")]
    replied: int
    failed: int
    unknown: Annotated[int, Meta(description="Nobody could say whether it left.")]
    expired: int
    opted_out: int
    cancelled: int


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """One message to an audience."""

    id: Annotated[str, Meta(examples=["12"])]
    name: Name
    state: Annotated[State, Meta(examples=["running"])]
    reason: Annotated[str | None, Meta(description="Why it is so, when nobody decided it.", examples=[None])]
    audience: LeadFilter
    message: SourceMessage
    pace: SourcePace
    device_ids: Annotated[
        list[str] | None, Meta(description="Devices that people without one are given to; null: all that are online.")
    ]
    may_move: Annotated[
        bool,
        Meta(
            description="Whether a recipient may go to another device when its own can't send, or is deleted. When "
            "not, and its own is deleted, its row fails (`device_gone`) and can be tried again. Whoever no person "
            "gave to a device, but distribution or the pool, goes to another in any case."
        ),
    ]
    schedule: Annotated[
        CampaignSchedule | None, Meta(description="Of a `draft` it is only kept, for who schedules it.")
    ]
    starts_at: datetime | None
    expires_at: datetime | None
    planned: Annotated[int | None, Meta(description="Recipients put in when it began.", examples=[5000])]
    planned_at: datetime | None
    plan_share: Annotated[
        float | None, Meta(description="While it is planned, how far that is: 0 to 1.", examples=[None])
    ]
    standstill: Annotated[
        Standstill | None,
        Meta(description="Of one that is `running`: why nothing of it can leave; null while something can."),
    ]
    counts: Counts
    ended_at: datetime | None
    created_by: Annotated[str, Meta(examples=["user:1"])]
    created_at: datetime


class CreateCampaign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft, or with a schedule one that begins by itself."""

    name: Name
    audience: LeadFilter = LeadFilter()
    message: SourceMessage = SourceMessage()
    pace: SourcePace = SourcePace()
    device_ids: DeviceIds | None = None
    may_move: bool = False
    expires_at: datetime | None = None
    schedule: CampaignSchedule | None = None
    draft: Draft = False


class ChangeCampaign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays. Of one that has begun only the pace can be changed."""

    name: Name | UnsetType = UNSET
    audience: LeadFilter | UnsetType = UNSET
    message: SourceMessage | UnsetType = UNSET
    pace: SourcePace | UnsetType = UNSET
    device_ids: DeviceIds | UnsetType | None = UNSET
    may_move: bool | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET
    schedule: Annotated[CampaignSchedule | UnsetType | None, Meta(description="null: it does not begin by itself.")] = (
        UNSET
    )
    draft: Draft = False


class CloneCampaign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The copy's name; made from the first one's when left out."""

    name: Name | None = None


def counts_of(row: CampaignRow) -> Counts:
    """A campaign's buckets."""
    return Counts(
        total=row.total, waiting=row.waiting, sent=row.sent, delivered=row.delivered, read=row.read,
        replied=row.replied, failed=row.failed, unknown=row.unknown, expired=row.expired, opted_out=row.opted_out,
        cancelled=row.cancelled,
    )  # fmt: skip


def _shown(row: CampaignRow, newest_row: int, standstill: Standstill | None) -> Campaign:
    """`newest_row` is where the numbers of the outbox stand, for one being planned."""
    share = None
    if row.state == "planning":
        share = min(1.0, max(0, newest_row - (row.plan_from or newest_row)) / max(1, row.plan_size or 1))
    return Campaign(
        id=str(row.id),
        name=row.name,
        state=row.state,
        reason=row.reason,
        audience=shown(row.audience),
        message=message_of(row.message, row.media_mime),
        pace=pace_of(row.pace),
        device_ids=None if row.device_ids is None else [str(one) for one in row.device_ids],
        may_move=row.may_move,
        schedule=None if row.schedule is None else schedule_of(row.schedule),
        starts_at=row.starts_at,
        expires_at=row.expires_at,
        planned=row.planned,
        planned_at=row.planned_at,
        plan_share=share,
        standstill=standstill,
        counts=counts_of(row),
        ended_at=row.ended_at,
        created_by=row.created_by,
        created_at=row.created_at,
    )


async def show_campaigns(pool: asyncpg.Pool, found: Sequence[CampaignRow]) -> list[Campaign]:
    """Campaigns as the API shows them."""
    newest = await rows.newest_row(pool) if any(row.state == "planning" for row in found) else 0
    still = await standstills(pool, found)
    return [_shown(row, newest, still.get(row.id)) for row in found]


async def show_campaign(pool: asyncpg.Pool, row: CampaignRow) -> Campaign:
    """As `show_campaigns`, of one."""
    [shown] = await show_campaigns(pool, [row])
    return shown


async def find_campaign(pool: asyncpg.Pool, principal: Principal, campaign_id: str) -> CampaignRow:
    """A campaign of the caller's workspace.

    Raises:
        Problem: 404.
    """
    row = await rows.get(pool, principal.tenant_id, number_of("campaign", campaign_id))
    if row is None:
        raise not_found("campaign", campaign_id)
    return row


async def stored_devices(pool: asyncpg.Pool, principal: Principal, device_ids: list[str] | None) -> list[UUID] | None:
    """What to store of devices, each once.

    Raises:
        Problem: 404 when one is not the workspace's, or out of the caller's reach.
    """
    return None if device_ids is None else await chosen_devices(pool, principal, device_ids)


def schedule_of(schedule: Schedule) -> CampaignSchedule:
    """A stored schedule as the API shows it."""
    return CampaignSchedule(schedule.date, written(schedule.time), schedule.zone)


def stored_schedule(wanted: CampaignSchedule) -> Schedule:
    """What to store of a schedule.

    Raises:
        Problem: 400 when there is no such time zone, or nobody means that year.
    """
    if wanted.zone not in available_timezones():
        raise refused_field("schedule.zone", wanted.zone, "no such time zone; Asia/Kuala_Lumpur is one")
    return Schedule(day_of("schedule.date", wanted.date), time_of(wanted.time), wanted.zone)


async def attempt(work: Coroutine[Any, Any, Result]) -> Result:
    """Does it.

    Raises:
        Problem: 409 when it can't be done.
    """
    try:
        return await work
    except NotPossible as error:
        raise conflict("no-words" if isinstance(error, NoWords) else "not-possible", str(error)) from None
    except UnknownMedia:
        raise conflict("media-gone", "Its file is not there any more: upload it again.") from None


async def present(
    services: Services,
    principal: Principal,
    action: str,
    campaign_id: str,
    work: Callable[[asyncpg.Pool], Coroutine[Any, Any, CampaignRow | None]],
) -> Campaign:
    """What becomes of a campaign that somebody does something to, which is written down with it.

    Raises:
        Problem: 404 when it is not there, 409 when that can't be done to it.
    """
    async with together(services.pool) as pool:
        row = await attempt(work(pool))
        if row is None:
            raise not_found("campaign", campaign_id)
        await record(pool, principal, action, row)
    return await show_campaign(services.pool, row)


async def record(pool: asyncpg.Pool, principal: Principal, action: str, row: CampaignRow) -> None:
    """Writes down who did what to a campaign."""
    subject = f"campaign:{row.id}"
    await audit.record(pool, principal.tenant_id, principal.actor, f"campaign.{action}", subject, name=row.name)


class CampaignController(Controller):
    """Everybody of the workspace sees them, administrators make them."""

    path = "/campaigns"
    tags = ["Campaigns"]

    @get(opt={"policy": Policy.READ}, operation_id="list_campaigns", summary="Campaigns", responses=problems(400, 401))
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        in_state: Annotated[
            State | None, QueryParameter(name="state", required=False, description="Only those in this state.")
        ] = None,
        search: Search = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Campaign]:
        """Newest first."""
        found = await rows.list_campaigns(
            services.pool,
            principal.tenant_id,
            states=None if in_state is None else [in_state],
            search=search or None,
            before=below_of(after),
            limit=limit + 1,
        )
        shown = {one.id: one for one in await show_campaigns(services.pool, found)}
        return page_of(found, limit, lambda row: shown[str(row.id)], lambda row: row.id)

    @get(
        "/calendar",
        opt={"policy": Policy.READ},
        operation_id="list_campaigns_by_day",
        summary="Campaigns of some days",
        responses=problems(400, 401),
    )
    async def calendar(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        first: Annotated[datetime, QueryParameter(name="from", description="Begun or to begin from then on.")],
        end: Annotated[datetime, QueryParameter(name="to", description="And before.")],
    ) -> list[Campaign]:
        """By their beginning, at most 500."""
        span = instant_of("from", first), instant_of("to", end)
        found = await rows.list_between(services.pool, principal.tenant_id, *span, MOST_IN_CALENDAR)
        return await show_campaigns(services.pool, found)

    @post(
        opt={"policy": Policy.ADMIN, "idempotent": IN_ONE},
        operation_id="create_campaign",
        summary="Make a campaign",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def create(
        self,
        data: JSONBody[CreateCampaign],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Campaign:
        """A draft; with `schedule` it begins by itself."""
        require_whole_tenant(principal)
        if data.schedule is not None and not data.draft:
            require_hearing(services)
        plan = Plan(
            name=name_of(data.name),
            audience=await acted_on(services.pool, principal, data.audience),
            message=await stored_message(services.pool, principal.tenant_id, data.message),
            pace=stored_pace(data.pace),
            may_move=data.may_move,
            device_ids=await stored_devices(services.pool, principal, data.device_ids),
            expires_at=_expiry(data.expires_at),
        )
        schedule = None if data.schedule is None else stored_schedule(data.schedule)
        async with together(services.pool) as pool:
            row = await attempt(
                rows.create(pool, principal.tenant_id, principal.actor, plan, schedule, is_draft=data.draft)
            )
            await record(pool, principal, "create", row)
        return await show_campaign(services.pool, row)

    @get(
        "/{campaign_id:str}",
        opt={"policy": Policy.READ},
        operation_id="get_campaign",
        summary="A campaign",
        responses=problems(401, 404),
    )
    async def show(
        self, campaign_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Campaign:
        """State, message and counts; `CAMPAIGN_UPDATE` follows it live."""
        return await show_campaign(services.pool, await find_campaign(services.pool, principal, campaign_id))

    @patch(
        "/{campaign_id:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="change_campaign",
        summary="Change a campaign",
        responses=problems(400, 401, 403, 404, 409),
    )
    async def change(
        self,
        campaign_id: FromPath[str],
        data: JSONBody[ChangeCampaign],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Campaign:
        """Before it begins everything, at once or not at all; afterwards the pace, which holds from the next message
        on, and the devices, for what is given to a device from then on."""
        require_whole_tenant(principal)
        if isinstance(data.schedule, CampaignSchedule) and not data.draft:
            require_hearing(services)
        row = await find_campaign(services.pool, principal, campaign_id)
        changes = await _changes(services.pool, principal, data)
        schedule = stored_schedule(data.schedule) if isinstance(data.schedule, CampaignSchedule) else data.schedule

        def change(pool: asyncpg.Pool) -> Coroutine[Any, Any, CampaignRow | None]:
            return rows.change(pool, principal.tenant_id, row.id, changes, schedule, is_draft=data.draft)

        return await present(services, principal, "change", campaign_id, change)

    @post(
        "/{campaign_id:str}/clone",
        opt={"policy": Policy.ADMIN, "idempotent": IN_ONE},
        operation_id="clone_campaign",
        summary="Copy a campaign",
        responses=problems(400, 401, 403, 404, 422),
    )
    async def clone(
        self,
        campaign_id: FromPath[str],
        data: JSONBody[CloneCampaign],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Campaign:
        """A draft with the same audience, message and pace."""
        require_whole_tenant(principal)
        number = number_of("campaign", campaign_id)

        def clone(pool: asyncpg.Pool) -> Coroutine[Any, Any, CampaignRow | None]:
            return rows.clone(pool, principal.tenant_id, number, principal.actor, data.name)

        return await present(services, principal, "clone", campaign_id, clone)

    @delete(
        "/{campaign_id:str}",
        opt={"policy": Policy.ADMIN},
        operation_id="delete_campaign",
        summary="Delete a campaign",
        responses=problems(401, 403, 404, 409),
    )
    async def remove(
        self, campaign_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> None:
        """It leaves every list. What it sent stays in the chats."""
        require_whole_tenant(principal)
        number = number_of("campaign", campaign_id)
        await present(
            services, principal, "delete", campaign_id, lambda pool: rows.remove(pool, principal.tenant_id, number)
        )


async def _changes(pool: asyncpg.Pool, principal: Principal, data: ChangeCampaign) -> dict[str, Any]:
    """What of a plan is wanted otherwise."""
    changes: dict[str, Any] = {}
    if data.name is not UNSET:
        changes["name"] = name_of(data.name)
    if data.audience is not UNSET:
        changes["audience"] = await acted_on(pool, principal, data.audience)
    if data.message is not UNSET:
        changes["message"] = await stored_message(pool, principal.tenant_id, data.message)
    if data.pace is not UNSET:
        changes["pace"] = stored_pace(data.pace)
    if data.may_move is not UNSET:
        changes["may_move"] = data.may_move
    if data.device_ids is not UNSET:
        changes["device_ids"] = await stored_devices(pool, principal, data.device_ids)
    if data.expires_at is not UNSET:
        changes["expires_at"] = _expiry(data.expires_at)
    return changes


def _expiry(wanted: datetime | None) -> datetime | None:
    """When it is to end. Raises Problem 400 when that is over already."""
    if wanted is None:
        return None
    at = instant_of("expires_at", wanted)
    if at <= clock.now():
        raise refused_field("expires_at", at.isoformat(), "it is over: choose a later time, or none")
    return at
