"""What may be asked at once, and how fast more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wafast.devices.allowance import Allowance


def test_all_at_once_after_a_rest_and_then_as_it_comes_back() -> None:
    allowed = Allowance(50, 1 / 6)
    assert allowed.wait(50, 1000.0) == 0
    allowed.take(50, 1000.0)
    assert [allowed.wait(count, 1000.0) for count in (1, 10, 50)] == [6.0, 60.0, 300.0]
    assert allowed.wait(10, 1060.0) == 0
    allowed.take(10, 1060.0)
    assert allowed.wait(1, 1060.0) == 6.0
    assert allowed.wait(50, 100_000.0) == 0


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 400)), max_size=40))
def test_no_time_has_more_than_its_part(asked: list[tuple[int, float]]) -> None:
    allowed, now, taken = Allowance(50, 1 / 6), 0.0, list[tuple[float, int]]()
    for count, later in asked:
        now += later
        begins = now + allowed.wait(count, now)
        allowed.take(count, now)
        taken.append((begins, count))
    for first, (begin, _) in enumerate(taken):
        sum_so_far = 0
        for end, count in taken[first:]:
            sum_so_far += count
            assert sum_so_far <= 50 + (end - begin) / 6 + 1e-6
