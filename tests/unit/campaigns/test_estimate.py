"""An estimate keeps to caps and hours, counts what others send meanwhile, and says when nobody can say."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wafast.campaigns.estimate import Line, estimate, finish
from wafast.devices.state import TERMINAL
from wafast.outbox.hours import Hours
from wafast.outbox.sources import Pace

START = datetime(2027, 3, 1, 1, tzinfo=UTC)  # 09:00 in Kuala Lumpur, a Monday
KL = "Asia/Kuala_Lumpur"
ANY_HOUR = Hours()


def line(**more: Any) -> Line:
    """A device that sends a message in 20 s and 800 a day."""
    wanted: dict[str, Any] = {
        "id": uuid4(),
        "name": "Shop",
        "state": "online",
        "is_gone": False,
        "seconds": 20.0,
        "day_caps": [800],
    } | more
    return Line(**wanted)


def test_a_short_campaign_takes_its_pace() -> None:
    assert finish(line(), 90, START, ANY_HOUR, KL) == START + timedelta(seconds=1800)


def test_a_day_has_no_more_than_its_cap() -> None:
    end = finish(line(), 801, START, ANY_HOUR, KL)
    assert end is not None
    assert end > datetime(2027, 3, 1, 16, tzinfo=UTC), "the first message of the next day there"


def test_a_ramp_is_followed_day_by_day() -> None:
    end = finish(line(day_caps=[20, 27, 35, 800]), 83, START, ANY_HOUR, KL)
    assert end is not None
    assert datetime(2027, 3, 3, 16, tzinfo=UTC) < end < datetime(2027, 3, 4, 16, tzinfo=UTC)


def test_what_others_send_meanwhile_is_counted_once_in_turn() -> None:
    assert finish(line(others=[10_000, 5]), 10, START, ANY_HOUR, KL) == START + timedelta(seconds=20 * (10 + 10 + 5))


def test_nothing_leaves_in_the_quiet_hours_of_a_device() -> None:
    resting = line(awake=Hours(time(8), time(10)))  # quiet from 10 to 8
    assert finish(resting, 180, START, ANY_HOUR, KL) == START + timedelta(hours=1), "until 10:00 there"
    second_day = datetime(2027, 3, 2, 0, tzinfo=UTC)
    assert finish(resting, 181, START, ANY_HOUR, KL) == second_day + timedelta(seconds=20)
    short = Hours(time(9), time(18))
    assert finish(resting, 181, START, short, KL) == second_day + timedelta(hours=1, seconds=20), "where both are open"
    at_night = line(awake=Hours(time(22), time(7)))
    assert finish(at_night, 180, START, ANY_HOUR, KL) == START + timedelta(hours=14)


def test_nothing_leaves_outside_the_hours_over_a_weekend() -> None:
    hours = Hours(time(9), time(18), 0b11111)
    friday_evening = datetime(2027, 3, 5, 9, 59, tzinfo=UTC)  # 17:59 there
    end = finish(line(), 10, friday_evening, hours, KL)
    assert end is not None
    assert datetime(2027, 3, 8, 1, tzinfo=UTC) < end < datetime(2027, 3, 8, 2, tzinfo=UTC)


def test_a_window_over_midnight_goes_on_in_the_morning() -> None:
    hours = Hours(time(22), time(6))
    at = datetime(2027, 3, 1, 19, tzinfo=UTC)  # 03:00 there, in the window that opened yesterday
    assert finish(line(), 3, at, hours, KL) == at + timedelta(minutes=1)


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_a_device_that_does_not_come_back_by_itself_ends_never(state: str) -> None:
    found = estimate([(line(state=state, is_gone=True), 5), (line(), 9)], 0, None, START, Pace(), KL)
    assert (found.rows, found.is_partial) == (14, True)
    assert found.finishes_at == START + timedelta(seconds=180)
    assert [load.holds for load in found.loads] == [f"the device is {state.replace('_', ' ')}", None]


def test_a_device_that_is_quiet_in_all_hours_of_a_campaign_says_so() -> None:
    by_day = line(awake=Hours(time(8), time(21)))
    found = estimate([(by_day, 5)], 0, None, START, Pace(opens=time(22), closes=time(6)), KL)
    assert [(load.holds_cause, load.finishes_at) for load in found.loads] == [("never_open", None)]
    found = estimate([(by_day, 5)], 0, None, START, Pace(opens=time(20), closes=time(6)), KL)
    assert [load.holds for load in found.loads] == [None]


def test_people_whom_no_device_takes_wait_for_one() -> None:
    found = estimate([(line(), 1)], 7, (7, "None of your devices is online"), START, Pace(), KL)
    assert found.loads[-1].line is None
    assert (found.loads[-1].rows, found.rows, found.without_device, found.is_partial) == (7, 8, 7, True)


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(1, 600))
def test_more_people_never_end_earlier(rows: int, more: int, seconds: float) -> None:
    one, other = (finish(line(seconds=seconds), n, START, ANY_HOUR, KL) for n in (rows, rows + more))
    assert one is not None
    assert other is None or other >= one
