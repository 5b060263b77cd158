"""Days, times of day and instants that people and programs write, within years that every calendar can reckon with."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from wafast.api.problems import refused_field

if TYPE_CHECKING:
    from datetime import date, datetime

#: Seconds may be left out. (`$` alone would take a line break behind it.)
TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?(?!\n)$"
#: A text, as JSON has no type for it: the decoder's own wants seconds, which nobody writes.
TimeOfDay = Annotated[
    str,
    Meta(
        pattern=TIME_OF_DAY,
        description="A time of day: `09:00` or `09:00:00`; answers have seconds.",
        examples=["09:00:00"],
    ),
]
#: At the ends of the calendar an instant is in no year in another zone.
YEARS = range(2000, 2200)


def instant_of(field: str, at: datetime) -> datetime:
    """An instant that was written.

    Raises:
        Problem: 400 when it has no zone, or is of no year anybody means.
    """
    if at.tzinfo is None:
        raise refused_field(field, at.isoformat(), "an instant needs its zone, as 2027-03-01T18:00:00+08:00")
    _check_year(field, at)
    return at


def day_of(field: str, day: date) -> date:
    """A day that was written.

    Raises:
        Problem: 400 when it is of no year anybody means.
    """
    _check_year(field, day)
    return day


def time_of(text: str) -> time:
    """A `TimeOfDay` that was written."""
    return time.fromisoformat(text)


def written(at: time) -> str:
    """A time of day as answers have it: `09:00:00`."""
    return at.isoformat()


def _check_year(field: str, at: date) -> None:
    if at.year not in YEARS:
        raise refused_field(field, at.isoformat(), f"a year from {YEARS.start} to {YEARS.stop - 1} is wanted")
