"""When a campaign will be done, told before it begins and while it runs: from the pace, the caps, the hours, and what
already waits at each device."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from wafast import clock
from wafast.database.queries import load
from wafast.devices.state import TERMINAL
from wafast.leads import rows as leads
from wafast.outbox import hours

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import asyncpg

    from wafast.outbox.sources import Pace

q = load(__file__)

#: What takes longer is told as "not within a year".
MOST_DAYS = 366
#: A mean message is typed so long, in seconds, and WhatsApp answers (outbox/send.py).
TYPING_SECONDS = 3.0
#: From these a device does not come back by itself.
GONE = TERMINAL | {"new", "pairing"}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A device as far as a finish depends on it.

    Args:
        seconds: a message, when nothing but the pace holds it.
        day_caps: messages of each day from today on; the last one holds for all that follow.
        free_at: when its caps and WhatsApp let the next leave; None: now.
        others: rows of each other source that waits here; sources take turns.
        takes_others: whether people without a device are given to it.
    """

    id: UUID
    name: str
    state: str
    seconds: float
    day_caps: Sequence[int]
    free_at: datetime | None = None
    paused_until: datetime | None = None
    pause_reason: str | None = None
    others: Sequence[int] = ()
    takes_others: bool = True

    @property
    def a_day(self) -> float:
        """Messages of a whole day."""
        return min(86_400 / self.seconds, self.day_caps[0])


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What one device has of a campaign; `line` None: what waits in the pool while no device can take it.

    Args:
        rows: recipients.
        ahead: rows of others that go in between.
        finishes_at: None: nobody can say, or not within a year.
        holds: why nothing leaves now, in plain words; None when something can.
    """

    line: Line | None
    rows: int
    ahead: int
    finishes_at: datetime | None
    holds: str | None


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A whole campaign.

    Args:
        rows: recipients.
        without_device: of them, people whom no device owns yet.
        finishes_at: when the last one leaves that can; None when none can.
        is_partial: some are at devices that can't send, so that nobody can say when these leave.
    """

    rows: int
    without_device: int
    finishes_at: datetime | None
    is_partial: bool
    loads: list[Load]


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
    return await _estimate(pool, tenant_id, rows, pace, device_ids, start, zone, source_id)


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
    return await _estimate(pool, tenant_id, rows, pace, device_ids, clock.now(), zone, source_id)


async def _estimate(
    pool: asyncpg.Pool,
    tenant_id: int,
    rows: Sequence[asyncpg.Record],
    pace: Pace,
    device_ids: Sequence[UUID] | None,
    start: datetime,
    zone: str,
    source_id: int,
) -> Estimate:
    own = {row["device_no"]: row["n"] for row in rows}
    without = own.pop(None, 0)
    waiting: dict[int, list[int]] = {}
    for row in await pool.fetch(q.waiting_of_others, tenant_id, source_id):
        waiting.setdefault(row["device_no"], []).append(row["n"])
    chosen = None if device_ids is None else list(device_ids)
    lines = {row["no"]: row for row in await pool.fetch(q.lines, tenant_id, list(own), chosen)}
    made = {no: _line(row, pace, waiting.get(no, [])) for no, row in lines.items()}
    return estimate([(made[no], own.get(no, 0)) for no in lines], without, start, pace, zone)


def _line(row: asyncpg.Record, pace: Pace, others: Sequence[int]) -> Line:
    gap = (max(row["min_seconds"], pace.min_seconds) + max(row["max_seconds"], pace.max_seconds)) / 2
    return Line(
        id=row["id"], name=row["name"], state=row["state"], day_caps=row["day_caps"], free_at=row["free_at"],
        seconds=max(gap, TYPING_SECONDS, 3600 / row["per_hour"]), others=others, takes_others=row["takes_others"],
        paused_until=row["paused_until"], pause_reason=row["pause_reason"],
    )  # fmt: skip


def estimate(own: Sequence[tuple[Line, int]], without: int, start: datetime, pace: Pace, zone: str) -> Estimate:
    """Pure: the same lines and rows give the same.

    Args:
        own: each device with the rows that are its own.
        without: rows of people without a device: shared among those that take others, by what they can send a day.
        start: when it begins.
        zone: whose clock the hours are read by; the people's own may differ.
    """
    takers = [line for line, _ in own if line.takes_others and line.state not in GONE]
    shared = dict(zip([id(line) for line in takers], shares(without, [line.a_day for line in takers]), strict=True))
    window = hours.Hours(pace.opens, pace.closes, pace.days)
    loads = [
        _load(line, rows + shared.get(id(line), 0), start, window, zone)
        for line, rows in own
        if rows + shared.get(id(line), 0) > 0
    ]
    if without and not takers:
        nobody = "no device is online to give them to"
        loads.append(Load(line=None, rows=without, ahead=0, finishes_at=None, holds=nobody))
    ends = [load.finishes_at for load in loads if load.finishes_at is not None]
    total = sum(rows for _, rows in own) + without
    return Estimate(
        rows=total, without_device=without, finishes_at=max(ends, default=None), is_partial=len(ends) < len(loads),
        loads=loads,
    )  # fmt: skip


def shares(rows: int, weights: Sequence[float]) -> list[int]:
    """Whole parts of `rows` in proportion to weights; they sum to it when there is a weight."""
    total = sum(weights)
    given, passed, found = 0, 0.0, []
    for weight in weights:
        passed += weight
        upto = round(rows * passed / total) if total else 0
        found.append(upto - given)
        given = upto
    return found


def finish(line: Line, rows: int, start: datetime, window: hours.Hours, zone: str) -> datetime | None:
    """When `rows` of one source have left a device that stays able to send; None: not within a year."""
    left = float(rows + sum(min(other, rows) for other in line.others))
    at = max(start, line.free_at or start)
    first = at.astimezone(ZoneInfo(zone)).date()
    for number, day in enumerate(_days(first, window)):
        allowed = min(left, line.day_caps[min(number, len(line.day_caps) - 1)])
        for opens, closes in _openings(day, window, zone):
            begins = max(opens, at)
            sends = min(allowed, max(0.0, (closes - begins).total_seconds() / line.seconds))
            allowed, left = allowed - sends, left - sends
            if left <= 0:
                return begins + timedelta(seconds=sends * line.seconds)
    return None


def _load(line: Line, rows: int, start: datetime, window: hours.Hours, zone: str) -> Load:
    holds = None
    if line.state != "online":
        holds = f"the device is {line.state.replace('_', ' ')}"
    elif line.paused_until is not None and line.paused_until > clock.now():
        holds = line.pause_reason or "WhatsApp has told this number to wait"
    elif line.free_at is not None and line.free_at > clock.now():
        holds = "its hour or its day is full"
    end = None if line.state in GONE else finish(line, rows, start, window, zone)
    ahead = sum(min(other, rows) for other in line.others)
    return Load(line=line, rows=rows, ahead=ahead, finishes_at=end, holds=holds)


def _days(first: date, window: hours.Hours) -> Iterator[date]:
    """Days from the one on which a window over midnight may still be open."""
    early = window.opens is not None and window.closes is not None and window.closes <= window.opens
    for number in range(-1 if early else 0, MOST_DAYS):
        day = first + timedelta(number)
        if window.days >> day.weekday() & 1:
            yield day


def _openings(day: date, window: hours.Hours, zone: str) -> Iterator[tuple[datetime, datetime]]:
    opens, closes = window.opens or time(), window.closes or time()
    ends_on = day if opens < closes else day + timedelta(1)
    begin, end = hours.instant(day, opens, zone), hours.instant(ends_on, closes, zone)
    yield begin.astimezone(UTC), end.astimezone(UTC)
