"""How many may begin in any second, by a clock that is only counted."""

from __future__ import annotations

import pytest

from wafast.devices.rate import Rate


def begun(per_second: float, count: int, *, pauses: dict[int, float] | None = None, busy: float = 0.0) -> list[float]:
    """When each of so many begins that all want to at once; before some there is a pause, and each takes `busy`."""
    rate, now, instants = Rate(per_second), 1000.0, []
    for number in range(count):
        now += (pauses or {}).get(number, 0.0)
        now += rate.wait(now)
        rate.begin(now)
        instants.append(now)
        now += busy
    return instants


def most_in_a_second(instants: list[float]) -> int:
    return max(sum(start <= one < start + 1 - 1e-9 for one in instants) for start in instants)


@pytest.mark.parametrize("per_second", [50.0, 25.0, 50 / 3, 5.0, 1.0])
def test_no_second_has_more_than_the_rate_also_after_a_calm(per_second: float) -> None:
    instants = begun(per_second, 400, pauses={100: 30.0, 200: 0.7, 300: 1.5})
    assert most_in_a_second(instants) <= per_second


def test_a_rate_below_one_a_second_is_kept_too() -> None:
    assert begun(0.5, 3) == [1000.0, 1002.0, 1004.0]


def test_three_thousand_begin_in_a_minute_whatever_each_takes_of_the_gate() -> None:
    """By two workers, each at half the rate of 50 a second."""
    for busy in (0.0, 0.02, 0.039):
        instants = begun(25.0, 1500, busy=busy)
        assert instants[-1] - instants[0] <= 60.0
