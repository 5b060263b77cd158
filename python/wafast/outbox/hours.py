"""Local time and instants: the one place where a date and a time somewhere become an instant, and working hours.

Hours are a window of the local day, `opens` up to but without `closes`; a window whose end is not later than its start
goes over midnight, and belongs to the day it opens on. Days are bits, bit 0 is Monday. The claim asks the same of the
database (`is_open` and `next_open` in migrations/0016); a test compares them.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

EVERY_DAY = 127


class Hours(msgspec.Struct, frozen=True):
    """When messages may leave, where the person lives. `opens` and `closes` None: at any hour of those days."""

    opens: time | None = None
    closes: time | None = None
    days: int = EVERY_DAY


def instant(on: date, at: time, zone: str) -> datetime:
    """The instant (UTC) of a local date and time. A time that clocks skip is the first instant after the gap, one that
    they show twice is the first.

    Raises zoneinfo.ZoneInfoNotFoundError when there is no such zone.
    """
    place = ZoneInfo(zone)
    first = datetime.combine(on, at, place).replace(fold=0).astimezone(UTC)
    if first.astimezone(place).replace(tzinfo=None) == datetime.combine(on, at):
        return first
    # fold 0 reads a skipped time by the clock of before, so it is after the gap, and fold 1 is before it
    before = datetime.combine(on, at, place).replace(fold=1).astimezone(UTC)
    return _change_between(before, first, place)


def open_at(hours: Hours, zone: str, at: datetime) -> bool:
    """Whether messages may leave at an instant."""
    local = at.astimezone(ZoneInfo(zone))
    clock, today, yesterday = local.time(), _has_day(hours, local.date()), _has_day(hours, local.date() - timedelta(1))
    if hours.opens is None or hours.closes is None:
        return today
    if hours.opens < hours.closes:
        return today and hours.opens <= clock < hours.closes
    return (today and clock >= hours.opens) or (yesterday and clock < hours.closes)


def next_open(hours: Hours, zone: str, at: datetime) -> datetime:
    """The first instant from `at` on when messages may leave."""
    if open_at(hours, zone, at):
        return at.astimezone(UTC)
    place = ZoneInfo(zone)
    today = at.astimezone(place).date()
    candidates: set[datetime] = set()
    for day in (today + timedelta(offset) for offset in range(-1, 9)):
        opens = datetime.combine(day, hours.opens or time(), place)
        candidates |= {instant(day, hours.opens or time(), zone), opens.replace(fold=1).astimezone(UTC)}
        candidates |= set(_changes_around(day, zone))
    return min(one for one in candidates if one >= at and open_at(hours, zone, one))


def _has_day(hours: Hours, day: date) -> bool:
    return bool(hours.days >> day.weekday() & 1)


@lru_cache(maxsize=4096)
def _changes_around(day: date, zone: str) -> tuple[datetime, ...]:
    """The instants at which clocks change on a local day."""
    place = ZoneInfo(zone)
    start = datetime.combine(day, time(), UTC) - timedelta(hours=15)
    ends = [start + timedelta(hours=3 * step) for step in range(19)]
    steps = pairwise(ends)
    return tuple(_change_between(a, b, place) for a, b in steps if _offset(a, place) != _offset(b, place))


def _change_between(before: datetime, after: datetime, place: ZoneInfo) -> datetime:
    """The instant after `before` and not after `after` from which the clock is that of `after`."""
    new = _offset(after, place)
    low, high = before, after
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if _offset(middle, place) == new:
            high = middle
        else:
            low = middle
    return high


def _offset(at: datetime, place: ZoneInfo) -> timedelta | None:
    return at.astimezone(place).utcoffset()
