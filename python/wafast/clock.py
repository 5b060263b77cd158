"""Instants and zones: the database holds UTC instants, and this is the one place that converts them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)


def local(instant: datetime, zone: str) -> datetime:
    """The instant as a clock in `zone` (IANA name) shows it."""
    return instant.astimezone(ZoneInfo(zone))


def instant(day: date, at: time, zone: str) -> datetime:
    """The UTC instant of a local date and time.

    A time that summer time skips means the instant after the gap; one that comes twice, the first.
    """
    local_time = datetime.combine(day, at, ZoneInfo(zone))
    return local_time.astimezone(UTC)
