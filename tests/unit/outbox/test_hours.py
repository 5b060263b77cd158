"""Local times as instants, and working hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wafast.outbox.hours import Hours, instant, next_open, open_at

ZONES = ["Asia/Kuala_Lumpur", "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
         "America/Santiago", "Africa/Cairo", "Pacific/Apia"]  # fmt: skip
zones = some.sampled_from(ZONES)
instants = some.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=some.just(UTC))
clocks = some.times().map(lambda at: at.replace(second=0, microsecond=0))
every_hours = some.builds(Hours, clocks, clocks, some.integers(1, 127)) | some.builds(Hours, days=some.integers(1, 127))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("on", "at", "zone", "wanted"),
    [
        (date(2026, 11, 26), time(9), "Asia/Kuala_Lumpur", "2026-11-26T01:00"),
        (date(2026, 3, 29), time(2, 10), "Europe/Berlin", "2026-03-29T01:00"),  # 02:00 to 03:00 is skipped
        (date(2026, 10, 25), time(2, 30), "Europe/Berlin", "2026-10-25T00:30"),  # shown twice: the first
        (date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe", "2026-10-03T15:30"),  # skips half an hour
    ],
)
def test_a_local_time_is_one_instant(on: date, at: time, zone: str, wanted: str) -> None:
    """SPEC section 10, invariant 5."""
    assert instant(on, at, zone) == utc(wanted)


def test_a_window_over_midnight_belongs_to_the_day_it_opens_on() -> None:
    friday_nights = Hours(time(22), time(6), days=1 << 4)
    for at, is_open in {
        "2026-11-27T21:59": False,
        "2026-11-27T22:00": True,  # a Friday
        "2026-11-28T05:59": True,
        "2026-11-28T06:00": False,
        "2026-11-28T23:00": False,
        "2026-11-27T03:00": False,
    }.items():
        assert open_at(friday_nights, "UTC", utc(at)) is is_open, at
    assert next_open(friday_nights, "UTC", utc("2026-11-28T06:00")) == utc("2026-12-04T22:00")


def test_hours_keep_to_the_clock_when_it_changes() -> None:
    office = Hours(time(9), time(17))
    assert next_open(office, "Europe/Berlin", utc("2026-03-28T18:00")) == utc("2026-03-29T07:00")
    assert next_open(office, "Europe/Berlin", utc("2026-03-27T18:00")) == utc("2026-03-28T08:00")


@given(every_hours, zones, instants)
def test_the_next_opening_is_open_and_nothing_before_it_is(hours: Hours, zone: str, at: datetime) -> None:
    found = next_open(hours, zone, at)
    assert found >= at
    assert open_at(hours, zone, found)
    if found > at:
        assert not open_at(hours, zone, found - timedelta(seconds=1)) or found - timedelta(seconds=1) < at
        step = (found - at) / 50
        assert not any(open_at(hours, zone, at + step * n) for n in range(50))


@given(some.dates(date(2026, 1, 1), date(2030, 1, 1)), clocks, zones)
def test_an_instant_shows_its_time_or_is_the_first_after_the_gap(on: date, at: time, zone: str) -> None:
    from zoneinfo import ZoneInfo

    shown = instant(on, at, zone).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    wanted = datetime.combine(on, at)
    before = (instant(on, at, zone) - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert shown == wanted or before < wanted < shown
