"""Who writes to whom, as properties."""

from __future__ import annotations

from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from wafast.distribution.spread import Line, Person, counted, shared, spread

LINES = st.lists(
    st.builds(Line, no=st.integers(1, 40), room=st.integers(0, 60), weight=st.just(0.0) | st.floats(0.01, 1000)),
    max_size=12,
    unique_by=lambda line: line.no,
)
KNOWN = st.lists(st.tuples(st.integers(1, 40), st.sampled_from(["own", "chat", "wrote"])), max_size=3).map(tuple)
PEOPLE = st.lists(
    st.builds(Person, key=st.integers(1, 10_000), known=KNOWN), max_size=200, unique_by=lambda one: one.key
)


@given(PEOPLE, LINES, st.integers())
def test_each_is_given_once_or_left_and_nobody_is_left_while_there_is_room(
    people: list[Person], lines: list[Line], seed: int
) -> None:
    decisions, left = spread(people, lines, seed)
    assert sorted([one.key for one in decisions] + left) == sorted(one.key for one in people)
    given_to = Counter(one.device_no for one in decisions)
    assert not left or all(given_to[line.no] == line.room for line in lines if line.weight > 0)


@given(PEOPLE, LINES, st.integers())
def test_no_device_gets_more_than_it_has_room_for(people: list[Person], lines: list[Line], seed: int) -> None:
    given_to = Counter(one.device_no for one in spread(people, lines, seed)[0])
    assert all(given_to[line.no] <= line.room for line in lines)
    assert given_to.keys() <= {line.no for line in lines}


@given(PEOPLE, LINES, st.integers(), st.randoms())
def test_one_seed_gives_the_same_decisions_whatever_the_order_of_devices(
    people: list[Person], lines: list[Line], seed: int, chance: object
) -> None:
    turned = list(lines)
    chance.shuffle(turned)  # type: ignore[attr-defined]
    assert spread(people, lines, seed) == spread(people, turned, seed)


@given(PEOPLE, LINES, st.integers())
def test_who_knows_a_person_gets_it_while_it_has_room(people: list[Person], lines: list[Line], seed: int) -> None:
    room = {line.no: line.room for line in lines}
    decided = {one.key: one for one in spread(people, lines, seed)[0]}
    for person in people:
        best = next(((no, code) for no, code in person.known if room.get(no, 0) > 0), None)
        if best is not None:
            room[best[0]] -= 1
            assert (decided[person.key].device_no, decided[person.key].code) == best
        elif person.key in decided:
            assert decided[person.key].code == "room"


@given(st.integers(0, 3000), LINES, st.integers())
def test_strangers_are_spread_in_proportion(count: int, lines: list[Line], seed: int) -> None:
    """Nobody who has room would rather be in another's place: Sainte-Laguë's condition."""
    decisions, _ = spread([Person(key) for key in range(count)], lines, seed)
    given_to = Counter(one.device_no for one in decisions)
    for one in lines:
        for other in lines:
            if other.weight == 0:
                assert given_to[other.no] == 0
            elif given_to[one.no] and given_to[other.no] < other.room:
                last = (given_to[one.no] - 0.5) / one.weight
                following = (given_to[other.no] + 0.5) / other.weight
                assert last <= following * (1 + 1e-9)


def test_twice_the_weight_is_twice_the_people() -> None:
    lines = [Line(1, 1000, 1.0), Line(2, 1000, 2.0), Line(3, 1000, 3.0)]
    decisions, left = spread([Person(key) for key in range(600)], lines, 7)
    assert Counter(one.device_no for one in decisions) == {1: 100, 2: 200, 3: 300}
    assert left == []


def test_who_has_people_already_gets_fewer_until_all_are_in_proportion() -> None:
    lines = [Line(1, 1000, 1.0, has=90), Line(2, 1000, 1.0), Line(3, 1000, 1.0)]
    decisions, _ = spread([Person(key) for key in range(60)], lines, 7)
    assert Counter(one.device_no for one in decisions) == {2: 30, 3: 30}
    decisions, _ = spread([Person(key) for key in range(210)], lines, 7)
    assert Counter(one.device_no for one in decisions) == {1: 10, 2: 100, 3: 100}


@given(st.integers(0, 3000), LINES, st.lists(st.integers(0, 500), min_size=12, max_size=12), st.integers())
def test_what_is_counted_is_what_is_decided(count: int, lines: list[Line], has: list[int], seed: int) -> None:
    lines = [msgspec.structs.replace(line, has=people) for line, people in zip(lines, has, strict=False)]
    decisions, left = spread([Person(key) for key in range(count)], lines, seed)
    assert counted(count, lines, seed) == (Counter(one.device_no for one in decisions), len(left))


@given(st.lists(st.integers(0, 13), max_size=400), LINES, st.integers())
def test_who_is_known_is_counted_as_it_is_decided(knows: list[int], lines: list[Line], seed: int) -> None:
    people = [Person(key, ((no, "chat"),)) for key, no in enumerate(knows)] + [Person(key) for key in range(1000, 1200)]
    decisions, left = spread(people, lines, seed)
    by_code = [Counter(one.device_no for one in decisions if one.code == code) for code in ("chat", "room")]
    assert shared(Counter(knows), 200, lines, seed) == (*by_code, len(left))
