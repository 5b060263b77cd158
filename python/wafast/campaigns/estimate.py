"""When a campaign will be done, told before it begins and while it runs: from the pace, the caps, the hours, and what
already waits at each device."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from wafast import clock
from wafast.database.queries import load
from wafast.devices.rows import PauseCause
from wafast.distribution.lines import standings
from wafast.distribution.pool import Rooms
from wafast.leads import rows as leads
from wafast.outbox import hours

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import asyncpg

    from wafast.events.bus import Executor
    from wafast.outbox.sources import Pace

q = load(__file__)

#: What kind of reason holds back what a device has of a campaign.
HoldsCause = PauseCause | Literal["not_online", "caps_full", "no_device", "never_open"]

#: What takes longer is told as "not within a year".
MOST_DAYS = 366
#: Of so many people without a device is asked who knows them, in 0.1 s.
MOST_LOOKED_AT = 20_000
#: So long WhatsApp takes to answer, and a mean message is typed before: the gap to the next counts from then on
#: (outbox/send.py).
ANSWER_SECONDS = 0.3
TYPING_SECONDS = 3.0


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A device as far as a finish depends on it.

    Args:
        is_gone: it does not come back by itself, as when somebody has disconnected it.
        seconds: a message, when nothing but the pace holds it.
        day_caps: messages of each day from today on; the last one holds for all that follow.
        free_at: when its caps and WhatsApp let the next leave; None: now.
        others: rows of each other source that waits here; sources take turns.
        awake: the hours outside its quiet ones.
    """

    id: UUID
    name: str
    state: str
    is_gone: bool
    seconds: float
    day_caps: Sequence[int]
    free_at: datetime | None = None
    paused_until: datetime | None = None
    pause_reason: str | None = None
    pause_cause: PauseCause | None = None
    others: Sequence[int] = ()
    awake: hours.Hours = hours.Hours()


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What one device has of a campaign; `line` None: what waits in the pool while no device can take it.

    Args:
        rows: recipients.
        ahead: rows of others that go in between.
        finishes_at: None: nobody can say, or not within a year.
        holds: why nothing leaves now, in plain words; None when something can.
        holds_cause: what kind of reason that is; None when something can, or a pause is older than its kinds.
    """

    line: Line | None
    rows: int
    ahead: int
    finishes_at: datetime | None
    holds: str | None
    holds_cause: HoldsCause | None


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A whole campaign.

    Args:
        rows: recipients.
        without_device: of them, people whom no device owns yet.
        finishes_at: when the last one leaves that can; None when none can.
        is_partial: some are at devices that can't send, so that nobody can say when these leave.
        opted_out: who fits, wants nothing more, and is none of `rows`; counted before it begins.
    """

    rows: int
    without_device: int
    finishes_at: datetime | None
    is_partial: bool
    loads: list[Load]
    opted_out: int = 0


async def of_audience(
    pool: asyncpg.Pool,
    tenant_id: int,
    audience: Mapping[str, Any],
    pace: Pace,
    device_ids: Sequence[UUID] | None,
    start: datetime,
    zone: str,
    source_id: int = 0,
) -> Estimate:
    """Before it begins. `source_id` is left out of what waits."""
    async with leads.matching(pool) as connection:
        rows = await connection.fetch(q.audience_by_device, tenant_id, audience)
        opted_out = await connection.fetchval(q.opted_out_of_audience, tenant_id, audience)
        rooms = await _rooms(connection, tenant_id, rows)
        one_in = math.ceil(_by_device(rows)[None] / MOST_LOOKED_AT)
        known = await _known(connection, q.known_in_audience, tenant_id, audience, rooms, device_ids, one_in)
    found = await _estimate(pool, tenant_id, rows, rooms, known, pace, device_ids, start, zone, source_id)
    return msgspec.structs.replace(found, opted_out=opted_out)


async def is_anybody(pool: asyncpg.Pool, tenant_id: int, audience: Mapping[str, Any]) -> bool:
    """Whether an audience has somebody who may be written to."""
    async with leads.matching(pool) as connection:
        found: bool = await connection.fetchval(q.is_anybody, tenant_id, audience)
    return found


async def of_running(
    pool: asyncpg.Pool, tenant_id: int, source_id: int, pace: Pace, device_ids: Sequence[UUID] | None, zone: str
) -> Estimate:
    """What of it still waits."""
    rows = await pool.fetch(q.waiting_by_device, tenant_id, source_id)
    rooms = await _rooms(pool, tenant_id, rows)
    known = await _known(pool, q.known_in_pool, tenant_id, source_id, rooms, device_ids, MOST_LOOKED_AT)
    return await _estimate(pool, tenant_id, rows, rooms, known, pace, device_ids, clock.now(), zone, source_id)


async def _rooms(connection: Executor, tenant_id: int, rows: Sequence[asyncpg.Record]) -> Rooms:
    return Rooms(await standings(connection, tenant_id) if _by_device(rows)[None] else [])


async def _known(
    connection: Executor,
    query: str,
    tenant_id: int,
    of: object,
    rooms: Rooms,
    device_ids: Sequence[UUID] | None,
    most: int,
) -> Counter[int | None]:
    """By the device with room that knows them, None where none does: people without a device who were looked at."""
    able = [line.no for line in rooms.of(device_ids)]
    return _by_device(await connection.fetch(query, tenant_id, of, able, most) if able else [])


def _by_device(rows: Sequence[asyncpg.Record]) -> Counter[int | None]:
    return Counter({row["device_no"]: row["n"] for row in rows})


async def _estimate(
    pool: asyncpg.Pool,
    tenant_id: int,
    rows: Sequence[asyncpg.Record],
    rooms: Rooms,
    known: Counter[int | None],
    pace: Pace,
    device_ids: Sequence[UUID] | None,
    start: datetime,
    zone: str,
    source_id: int,
) -> Estimate:
    own = _by_device(rows)
    without = own.pop(None, 0)
    # those who were looked at stand for all
    knowing = {no: n * without // known.total() for no, n in known.items() if no is not None}
    given, left = rooms.foretell(knowing, without - sum(knowing.values()), device_ids)
    shared = own + given
    waiting: dict[int, list[int]] = {}
    for row in await pool.fetch(q.waiting_of_others, tenant_id, source_id):
        waiting.setdefault(row["device_no"], []).append(row["n"])
    lines = await pool.fetch(q.lines, tenant_id, list(shared))
    loads = [(_line(row, pace, waiting.get(row["no"], [])), shared[row["no"]]) for row in lines]
    nobody = (left, rooms.why_none(device_ids)) if left else None
    return estimate(loads, without, nobody, start, pace, zone)


def _line(row: asyncpg.Record, pace: Pace, others: Sequence[int]) -> Line:
    gap = (max(row["min_seconds"], pace.min_seconds) + max(row["max_seconds"], pace.max_seconds)) / 2
    takes = ANSWER_SECONDS + (TYPING_SECONDS if row["typing"] else 0.0)
    return Line(
        id=row["id"], name=row["name"], state=row["state"], is_gone=row["is_gone"],
        seconds=max(gap + takes, 3600 / row["per_hour"]), day_caps=row["day_caps"], free_at=row["free_at"],
        others=others, paused_until=row["paused_until"], pause_reason=row["pause_reason"],
        pause_cause=row["pause_cause"],
        awake=hours.Hours(row["quiet_until"], row["quiet_from"]),
    )  # fmt: skip


def estimate(
    shared: Sequence[tuple[Line, int]],
    without: int,
    nobody: tuple[int, str] | None,
    start: datetime,
    pace: Pace,
    zone: str,
) -> Estimate:
    """Pure: the same lines and rows give the same.

    Args:
        shared: each device with its rows, those it is given as well.
        without: how many rows are of people without a device.
        nobody: so many of them no device takes now, and why; None when each has one.
        start: when it begins.
        zone: whose clock the hours are read by; the people's own may differ.
    """
    window = hours.Hours(pace.opens, pace.closes, pace.days)
    loads = [_load(line, rows, start, window, zone) for line, rows in shared]
    if nobody is not None:
        rows, why = nobody
        loads.append(Load(line=None, rows=rows, ahead=0, finishes_at=None, holds=why, holds_cause="no_device"))
    ends = [load.finishes_at for load in loads if load.finishes_at is not None]
    return Estimate(
        rows=sum(load.rows for load in loads), without_device=without, finishes_at=max(ends, default=None),
        is_partial=len(ends) < len(loads), loads=loads,
    )  # fmt: skip


def finish(line: Line, rows: int, start: datetime, window: hours.Hours, zone: str) -> datetime | None:
    """When `rows` of one source have left a device that stays able to send; None: not within a year."""
    left = float(rows + sum(min(other, rows) for other in line.others))
    at = max(start, line.free_at or start)
    first = at.astimezone(ZoneInfo(zone)).date()
    for number, day in enumerate(_days(first, window)):
        allowed = min(left, line.day_caps[min(number, len(line.day_caps) - 1)])
        for opens, closes in _openings(day, window, line.awake, zone):
            begins = max(opens, at)
            sends = min(allowed, max(0.0, (closes - begins).total_seconds() / line.seconds))
            allowed, left = allowed - sends, left - sends
            if left <= 0:
                return begins + timedelta(seconds=sends * line.seconds)
    return None


def _load(line: Line, rows: int, start: datetime, window: hours.Hours, zone: str) -> Load:
    holds, cause = _holds(line, start, window, zone)
    end = None if line.is_gone else finish(line, rows, start, window, zone)
    ahead = sum(min(other, rows) for other in line.others)
    return Load(line=line, rows=rows, ahead=ahead, finishes_at=end, holds=holds, holds_cause=cause)


def _holds(line: Line, start: datetime, window: hours.Hours, zone: str) -> tuple[str | None, HoldsCause | None]:
    """Why nothing leaves a device now, or ever, and what kind of reason that is."""
    if line.paused_until is not None and line.paused_until > clock.now():
        return line.pause_reason or "WhatsApp has told this number to wait", line.pause_cause
    if line.state != "online":
        return f"the device is {line.state.replace('_', ' ')}", "not_online"
    if line.free_at is not None and line.free_at > clock.now():
        return "its hour or its day is full", "caps_full"
    if not _ever_opens(start.astimezone(ZoneInfo(zone)).date(), window, line.awake, zone):
        return "its quiet hours lie over all hours in which this may leave", "never_open"
    return None, None


def _ever_opens(first: date, window: hours.Hours, awake: hours.Hours, zone: str) -> bool:
    """Whether a source's hours and its device's meet within a week."""
    week = itertools.takewhile(lambda day: day < first + timedelta(8), _days(first, window))
    return any(True for day in week for _ in _openings(day, window, awake, zone))


def _days(first: date, window: hours.Hours) -> Iterator[date]:
    """Days from the one on which a window over midnight may still be open."""
    early = window.opens is not None and window.closes is not None and window.closes <= window.opens
    for number in range(-1 if early else 0, MOST_DAYS):
        day = first + timedelta(number)
        if window.days >> day.weekday() & 1:
            yield day


def _openings(day: date, window: hours.Hours, awake: hours.Hours, zone: str) -> Iterator[tuple[datetime, datetime]]:
    """When the source's window of a day is open and the device's is too, in order."""
    begin, end = _span(day, window, zone)
    for near in (day - timedelta(1), day, day + timedelta(1)):
        opens, closes = _span(near, awake, zone)
        if max(opens, begin) < min(closes, end):
            yield max(opens, begin), min(closes, end)


def _span(day: date, window: hours.Hours, zone: str) -> tuple[datetime, datetime]:
    opens, closes = window.opens or time(), window.closes or time()
    ends_on = day if opens < closes else day + timedelta(1)
    begin, end = hours.instant(day, opens, zone), hours.instant(ends_on, closes, zone)
    return begin.astimezone(UTC), end.astimezone(UTC)
