"""Campaigns as rows: made, changed, and what people decide about them. The planner does the rest."""

from __future__ import annotations

import contextlib
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, UnsetType

from wafast import clock
from wafast.campaigns import planner
from wafast.database.queries import load
from wafast.events import bus
from wafast.outbox import hours, resolve, sources
from wafast.outbox.again import queue_again, queue_one_again
from wafast.outbox.device_gone import wake_pool
from wafast.outbox.rows import hold_file
from wafast.outbox.sources import Message, Pace, SourceKind
from wafast.visible import is_visible

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from asyncpg.pool import PoolConnectionProxy

    from wafast.accounts.principal import Principal

    Connection = PoolConnectionProxy[asyncpg.Record]

q = load(__file__)

State = Literal["draft", "scheduled", "planning", "running", "paused", "finished", "cancelled"]
#: From these on nothing has been put in, so everything can be changed.
NOT_STARTED: tuple[State, ...] = ("draft", "scheduled")
#: Rows that are tried again in one transaction, which holds the campaign: some 100 ms.
RETRY_STEP = 5_000
WORDS = {"running": "resumed", "paused": "paused", "cancelled": "cancelled"}


class CampaignRow(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign as stored, with its message, its pace and how many of its rows are in each bucket."""

    id: int
    tenant_id: int
    source_id: int
    name: str
    audience: dict[str, Any]
    on_date: date | None
    at_time: time | None
    zone: str | None
    starts_at: datetime | None
    expires_at: datetime | None
    state: State
    reason: str | None
    device_ids: list[UUID] | None
    plan_size: int | None
    plan_from: int | None
    planned: int | None
    planned_at: datetime | None
    ended_at: datetime | None
    created_by: str
    created_at: datetime
    deleted_at: datetime | None
    kind: SourceKind
    template: str
    media_sha256: bytes | None
    media_mime: str | None
    file_name: str | None
    min_seconds: float
    max_seconds: float
    opens: time | None
    closes: time | None
    days: int
    may_move: bool
    total: int
    waiting: int
    sent: int
    delivered: int
    read: int
    replied: int
    failed: int
    unknown: int
    expired: int
    opted_out: int
    cancelled: int

    @property
    def message(self) -> Message:
        """What it says."""
        return Message(self.kind, self.template, self.media_sha256, self.file_name)

    @property
    def pace(self) -> Pace:
        """How fast it goes."""
        return Pace(self.min_seconds, self.max_seconds, self.opens, self.closes, self.days)

    @property
    def plan(self) -> Plan:
        """What a person decided of it."""
        return Plan(
            name=self.name, audience=self.audience, message=self.message, pace=self.pace, may_move=self.may_move,
            device_ids=self.device_ids, expires_at=self.expires_at,
        )  # fmt: skip

    @property
    def schedule(self) -> Schedule | None:
        """When it begins by itself."""
        if self.on_date is None or self.at_time is None or self.zone is None:
            return None
        return Schedule(self.on_date, self.at_time, self.zone)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decides of a campaign, but for when."""

    name: str
    audience: dict[str, Any]
    message: Message
    pace: Pace
    may_move: bool = False
    device_ids: Sequence[UUID] | None = None
    expires_at: datetime | None = None


class Schedule(msgspec.Struct, frozen=True):
    """When, as a person writes it: the clock of a place."""

    date: date
    time: time
    zone: str

    @property
    def instant(self) -> datetime:
        """The instant that is."""
        return hours.instant(self.date, self.time, self.zone)


class NotPossible(Exception):
    """It can't be done to a campaign in this state; the text says why and what can."""


class NoWords(NotPossible):
    """Nothing can be sent while a text has no words."""


def _row(record: asyncpg.Record | None) -> CampaignRow | None:
    return None if record is None else msgspec.convert(dict(record), CampaignRow)


async def get(pool: bus.Executor, tenant_id: int, campaign_id: int) -> CampaignRow | None:
    """One campaign of the tenant that was not deleted."""
    return _row(await pool.fetchrow(q.get_campaign, tenant_id, campaign_id))


async def get_many(pool: asyncpg.Pool, campaign_ids: Sequence[int]) -> list[CampaignRow]:
    """Campaigns of any tenant, for the live frames; deleted ones too."""
    return [msgspec.convert(dict(row), CampaignRow) for row in await pool.fetch(q.get_campaigns, list(campaign_ids))]


async def list_campaigns(
    pool: asyncpg.Pool,
    tenant_id: int,
    *,
    states: Sequence[State] | None = None,
    search: str | None = None,
    before: int,
    limit: int,
) -> list[CampaignRow]:
    """Newest first, with ids below `before`."""
    wanted = None if states is None else list(states)
    rows = await pool.fetch(q.list_campaigns, tenant_id, wanted, search, before, limit)
    return [msgspec.convert(dict(row), CampaignRow) for row in rows]


async def list_between(
    pool: asyncpg.Pool, tenant_id: int, first: datetime, end: datetime, limit: int
) -> list[CampaignRow]:
    """Those that began or will begin in a span of time, by their beginning."""
    rows = await pool.fetch(q.list_campaigns_between, tenant_id, first, end, limit)
    return [msgspec.convert(dict(row), CampaignRow) for row in rows]


async def create(
    pool: asyncpg.Pool,
    tenant_id: int,
    created_by: str,
    wanted: Plan,
    schedule: Schedule | None,
    *,
    is_draft: bool = False,
) -> CampaignRow:
    """A draft, or with a schedule one that begins by itself; `is_draft`: the schedule is only kept. Raises
    UnknownMedia, NotPossible."""
    async with pool.acquire() as connection, connection.transaction():
        await hold_file(connection, tenant_id, wanted.message.media_sha256)
        source_id = await sources.create(connection, tenant_id, wanted.message, wanted.pace, may_move=wanted.may_move)
        await connection.execute(q.set_source_devices, tenant_id, source_id, wanted.device_ids)
        campaign_id = await connection.fetchval(
            q.create_campaign, tenant_id, source_id, wanted.name, wanted.audience, wanted.device_ids,
            wanted.expires_at, created_by,
        )  # fmt: skip
        if is_draft:
            await _unschedule(connection, tenant_id, campaign_id, schedule)
        elif schedule is not None:
            await _schedule(connection, tenant_id, campaign_id, schedule, wanted)
        await planner.wake(connection)
        await bus.publish(connection, [planner.changed(tenant_id, campaign_id)])
        row = await get(connection, tenant_id, campaign_id)
    assert row is not None, "a row that was just put in is there"
    return row


async def change(
    pool: asyncpg.Pool,
    tenant_id: int,
    campaign_id: int,
    changes: Mapping[str, Any],
    schedule: Schedule | UnsetType | None = UNSET,
    *,
    is_draft: bool = False,
) -> CampaignRow | None:
    """Everything while it has not begun; then only the pace and the devices, which hold from the next claim on. Of two
    at the same instant the second changes what the first has left.

    Args:
        changes: fields of its plan; those that are not named stay as they are.
        schedule: when it begins; None for "not by itself", which makes it a draft again.
        is_draft: it is one, and its schedule is only kept.

    Returns:
        None when there is no such campaign.

    Raises:
        UnknownMedia, NotPossible.
    """
    async with _changing(pool, tenant_id, campaign_id) as (connection, row):
        if row is None:
            return None
        wanted = msgspec.structs.replace(row.plan, **changes)
        if row.state in NOT_STARTED:
            await hold_file(connection, tenant_id, wanted.message.media_sha256)
            await _reschedule(connection, row, wanted, schedule, is_draft=is_draft)
        else:
            _require_of_begun(row, wanted, None if is_draft else schedule)
        told = wanted.name, wanted.audience, wanted.device_ids, wanted.expires_at
        await connection.execute(q.change_campaign, tenant_id, campaign_id, *told)
        if wanted.device_ids != row.device_ids:
            await connection.execute(q.set_source_devices, tenant_id, row.source_id, wanted.device_ids)
            await wake_pool(connection)
        await sources.change(
            connection, tenant_id, row.source_id, wanted.message, wanted.pace, may_move=wanted.may_move
        )
        return await get(connection, tenant_id, campaign_id)


async def schedule(pool: asyncpg.Pool, tenant_id: int, campaign_id: int, wanted: Schedule) -> CampaignRow | None:
    """When it begins by itself. Raises NotPossible."""
    async with _changing(pool, tenant_id, campaign_id) as (connection, row):
        if row is None:
            return None
        _require(row, NOT_STARTED, "scheduled")
        await _schedule(connection, tenant_id, campaign_id, wanted, row)
        return await get(connection, tenant_id, campaign_id)


async def start(pool: asyncpg.Pool, tenant_id: int, campaign_id: int) -> CampaignRow | None:
    """Begins it now. Raises NotPossible."""
    async with _changing(pool, tenant_id, campaign_id) as (connection, row):
        if row is None:
            return None
        _require(row, NOT_STARTED, "started")
        require_words(row)
        if row.expires_at is not None and row.expires_at <= clock.now():
            raise NotPossible(f"Its end {row.expires_at.isoformat()} is over: give it a later `expires_at`, or none.")
        await connection.execute(q.schedule_campaign, tenant_id, campaign_id, None, None, None, None, "planning")
        return await get(connection, tenant_id, campaign_id)


async def pause(pool: asyncpg.Pool, tenant_id: int, campaign_id: int) -> CampaignRow | None:
    """Nothing of it leaves from the next claim on. Raises NotPossible."""
    return await _decide(pool, tenant_id, campaign_id, "paused", ("running",))


async def resume(pool: asyncpg.Pool, tenant_id: int, campaign_id: int) -> CampaignRow | None:
    """It goes on from where it was. Raises NotPossible."""
    return await _decide(pool, tenant_id, campaign_id, "running", ("paused",))


async def cancel(pool: asyncpg.Pool, tenant_id: int, campaign_id: int) -> CampaignRow | None:
    """What has not left does not leave any more. Raises NotPossible."""
    return await _decide(pool, tenant_id, campaign_id, "cancelled", ("scheduled", "planning", "running", "paused"))


async def clone(
    pool: asyncpg.Pool, tenant_id: int, campaign_id: int, created_by: str, name: str | None
) -> CampaignRow | None:
    """A new draft with the same audience, message and pace. Raises UnknownMedia when its file is gone."""
    row = await get(pool, tenant_id, campaign_id)
    if row is None:
        return None
    wanted = msgspec.structs.replace(row.plan, name=name or f"{row.name[:190]} (copy)", expires_at=None)
    return await create(pool, tenant_id, created_by, wanted, None)


async def retry_failed(pool: asyncpg.Pool, tenant_id: int, campaign_id: int) -> int | None:
    """Queues what failed once more, but for people who want no more, a bounded step at a time; gives how many. Raises
    NotPossible: what was queued before that stays so."""
    queued, after, is_more = 0, "", True
    while is_more:
        async with _changing(pool, tenant_id, campaign_id) as (connection, row):
            if row is None:
                return None
            _require_retryable(row)
            failed = await connection.fetch(q.failed_rows, tenant_id, row.source_id, after, RETRY_STEP)
            rows = await queue_again(connection, tenant_id, [one["id"] for one in failed])
            if rows:
                await _reopen(connection, row)
        queued, is_more = queued + len(rows), len(failed) == RETRY_STEP
        after = failed[-1]["to_jid"] if failed else after
    return queued


async def resolve_unknown(pool: asyncpg.Pool, who: Principal, row: CampaignRow, *, arrived: bool, keep: int) -> int:
    """A person says of all that nobody could say about whether it arrived; gives how many that were."""
    count = 0
    async for settled in resolve.say_of_source(pool, who, row.source_id, arrived=arrived, keep=keep):
        count += len(settled)
        await bus.publish(pool, [planner.changed(row.tenant_id, row.id)])
    return count


async def retry_row(pool: asyncpg.Pool, tenant_id: int, outbox_id: int) -> None:
    """Queues a row of a campaign once more, as `retry_failed` does. Raises NotPossible, again.NotRetryable."""
    campaign_id = await pool.fetchval(q.campaign_of_row, tenant_id, outbox_id)
    async with _changing(pool, tenant_id, campaign_id) as (connection, row):
        if row is None:
            raise NotPossible("Its campaign was deleted: write to this person anew.")
        _require_retryable(row)
        await queue_one_again(connection, tenant_id, outbox_id)
        await _reopen(connection, row)


async def remove(pool: asyncpg.Pool, tenant_id: int, campaign_id: int) -> CampaignRow | None:
    """Takes it from every list; what was sent stays. Gives it as it was. Raises NotPossible."""
    async with _changing(pool, tenant_id, campaign_id) as (connection, row):
        if row is not None:
            _require(row, ("draft", "scheduled", "finished", "cancelled"), "deleted", "Cancel it first.")
            await connection.execute(q.delete_campaign, tenant_id, campaign_id)
            await sources.set_state(connection, tenant_id, row.source_id, "ended")
        return row


async def zone_of_tenant(pool: asyncpg.Pool, tenant_id: int) -> str:
    """The time zone of the tenant: an IANA name."""
    zone: str = await pool.fetchval(q.zone_of_tenant, tenant_id)
    return zone


async def newest_row(pool: asyncpg.Pool) -> int:
    """Where the numbers of the outbox stand; they grow while a plan puts rows in, before these can be seen."""
    number: int = await pool.fetchval(q.newest_row)
    return number


@contextlib.asynccontextmanager
async def _changing(
    pool: asyncpg.Pool, tenant_id: int, campaign_id: int
) -> AsyncIterator[tuple[Connection, CampaignRow | None]]:
    """A transaction that holds a campaign's row; what it did is told at its commit."""
    async with pool.acquire() as connection, connection.transaction():
        held = await connection.fetchrow(q.lock_campaign, tenant_id, campaign_id)
        yield connection, None if held is None else await get(connection, tenant_id, campaign_id)
        if held is not None:
            await planner.wake(connection)
            await bus.publish(connection, [planner.changed(tenant_id, campaign_id)])


async def _decide(
    pool: asyncpg.Pool,
    tenant_id: int,
    campaign_id: int,
    state: Literal["running", "paused", "cancelled"],
    allowed: Sequence[State],
) -> CampaignRow | None:
    async with _changing(pool, tenant_id, campaign_id) as (connection, row):
        if row is None:
            return None
        _require(row, allowed, WORDS[state])
        await connection.execute(q.set_campaign_state, tenant_id, campaign_id, state, None)
        # While it is planned the source is the planner's until its commit, which fails as the campaign has changed.
        if row.state != "planning":
            source: sources.SourceState = "ended" if state == "cancelled" else state
            await sources.set_state(connection, tenant_id, row.source_id, source)
        return await get(connection, tenant_id, campaign_id)


def require_words(plan: Plan | CampaignRow) -> None:
    """Raises NoWords when it would say nothing."""
    if plan.message.kind == "text" and not is_visible(plan.message.template):
        raise NoWords("Its message has no visible character: write one first.")


def _require(row: CampaignRow, allowed: Sequence[State], word: str, way_out: str = "") -> None:
    if row.state not in allowed:
        which = ", ".join(allowed[:-1]) + (" or " if len(allowed) > 1 else "") + allowed[-1]
        raise NotPossible(f"It is {row.state}; only one that is {which} can be {word}. {way_out}".strip())


def _require_retryable(row: CampaignRow) -> None:
    _require(row, ("running", "paused", "finished"), "tried again")
    if row.expires_at is not None and row.expires_at <= clock.now():
        raise NotPossible(f"Its end {row.expires_at.isoformat()} is over: clone it to write again.")


async def _reopen(connection: Connection, row: CampaignRow) -> None:
    """Some of it waits again: one that had finished runs again, a paused one stays so."""
    state: Literal["running", "paused"] = "paused" if row.state == "paused" else "running"
    await connection.execute(q.reopen_campaign, row.tenant_id, row.id, state)
    await sources.set_state(connection, row.tenant_id, row.source_id, state)


def _require_of_begun(row: CampaignRow, wanted: Plan, schedule: Schedule | UnsetType | None) -> None:
    if row.state not in ("running", "paused"):
        raise NotPossible(f"It is {row.state}: clone it to change it.")
    fixed = row.name, row.audience, row.message, row.expires_at
    if schedule is not UNSET or (wanted.name, wanted.audience, wanted.message, wanted.expires_at) != fixed:
        raise NotPossible("It has begun: of one that runs, the pace and the devices can be changed, nothing else.")


async def _reschedule(
    connection: Connection, row: CampaignRow, wanted: Plan, schedule: Schedule | UnsetType | None, *, is_draft: bool
) -> None:
    """One that keeps its schedule is looked at by it once more: its new end may lie before."""
    if schedule is UNSET:
        if row.state == "draft":
            return
        schedule = row.schedule
    if is_draft or schedule is None:
        await _unschedule(connection, row.tenant_id, row.id, schedule)
    else:
        await _schedule(connection, row.tenant_id, row.id, schedule, wanted)


async def _unschedule(connection: Connection, tenant_id: int, campaign_id: int, kept: Schedule | None) -> None:
    told = (None, None, None) if kept is None else (kept.date, kept.time, kept.zone)
    await connection.execute(q.unschedule_campaign, tenant_id, campaign_id, *told)


async def _schedule(
    connection: Connection, tenant_id: int, campaign_id: int, wanted: Schedule, plan: Plan | CampaignRow
) -> None:
    require_words(plan)
    if wanted.instant <= clock.now():
        raise NotPossible(f"{wanted.date} {wanted.time:%H:%M} in {wanted.zone} is over: choose a later time.")
    ends = plan.expires_at
    if ends is not None and ends <= wanted.instant:
        raise NotPossible(f"It would end at {ends.isoformat()}, before it begins: choose a later `expires_at`.")
    await connection.execute(
        q.schedule_campaign, tenant_id, campaign_id, wanted.date, wanted.time, wanted.zone, wanted.instant, "scheduled"
    )
