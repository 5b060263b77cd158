"""Cursors and ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wafast.api.ids import MAX_INT8, number_of, uuid_of
from wafast.api.paging import cursor, page_of, place_of
from wafast.api.problems import Problem

int8 = some.integers(-(2**63 - 1), 2**63 - 1)


@given(some.lists(int8, min_size=1, max_size=3))
def test_a_cursor_is_a_place(place: list[int]) -> None:
    assert place_of(cursor(*place), len(place)) == tuple(place)


@given(some.text(max_size=40))
def test_anything_else_is_refused(text: str) -> None:
    try:
        place = place_of(text, 1)
    except Problem as problem:
        assert problem.status == 400
    else:
        assert place is not None and len(place) == 1


def test_a_cursor_of_another_list_is_refused() -> None:
    for wrong in (cursor(1, 2), cursor(2**63), cursor(-(2**63)), "WzEuNV0", "W251bGxd"):
        with pytest.raises(Problem):
            place_of(wrong, 1)
    for outside in (2**31, -(2**63 - 1)):
        with pytest.raises(Problem):
            place_of(cursor(outside), 1, largest=2**31 - 1)


def test_the_last_page_has_no_next() -> None:
    full = page_of([5, 4, 3], 2, str, lambda row: row)
    assert (full.items, full.next) == (["5", "4"], cursor(4))
    last = page_of([5, 4], 2, str, lambda row: row)
    assert (last.items, last.next) == (["5", "4"], None)


@given(some.text(max_size=50))
def test_an_id_is_a_number_or_nothing(text: str) -> None:
    try:
        number = number_of("chat", text)
    except Problem as problem:
        assert problem.status == 404
    else:
        assert 0 <= number <= MAX_INT8


@given(some.text(max_size=50))
def test_an_id_is_a_uuid_or_nothing(text: str) -> None:
    try:
        uuid_of("device", text)
    except Problem as problem:
        assert problem.status == 404
