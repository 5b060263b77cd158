"""The decision itself, as a pure function: which device writes to whom.

Whom a device knows it gets, strongest knowledge first. All others are spread in proportion to the devices' weights
(Sainte-Laguë: each goes to the device with the most weight for one more), and no device gets more than it has room for.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Why a device got somebody: it is the lead's own, it has a chat with it, it wrote to it before, it had the most room.
Code = Literal["own", "chat", "wrote", "room"]


class Line(msgspec.Struct, frozen=True):
    """A device that can take people.

    Args:
        no: its number.
        room: how many it can take at most.
        weight: its share of those whom nobody knows, relative to the others' weights; 0 where it takes none of them.
        has: people it has already; they count in its share, not in its room.
    """

    no: int
    room: int
    weight: float
    has: int = 0


class Person(msgspec.Struct, frozen=True):
    """Somebody to write to.

    Args:
        key: the row or the lead this is about.
        known: devices that know the person and how, strongest first; also such as are not among the lines.
    """

    key: int
    known: tuple[tuple[int, Code], ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """Who gets whom, and why."""

    key: int
    device_no: int
    code: Code


def spread(people: Iterable[Person], lines: Iterable[Line], seed: int) -> tuple[list[Decision], list[int]]:
    """Decide about each of `people`, in their order; who comes when there is no room any more is left.

    Args:
        seed: decides between devices that stand alike. With one seed the same people and lines give the same
            decisions, whatever the order of the lines.

    Returns:
        The decisions, and the keys of those left.
    """
    open_lines = {line.no: line for line in lines if line.room > 0}
    taken: Counter[int] = Counter()
    decisions: list[Decision] = []
    strangers: list[int] = []
    for person in people:
        known = ((no, code) for no, code in person.known if no in open_lines and taken[no] < open_lines[no].room)
        best = next(known, None)
        if best is None:
            strangers.append(person.key)
        else:
            decisions.append(Decision(person.key, *best))
            taken[best[0]] += 1
    turns = _turns(len(strangers), open_lines.values(), taken, seed)
    decisions += [Decision(key, no, "room") for key, no in zip(strangers, turns, strict=False)]
    return decisions, strangers[len(turns) :]


def shared(
    known: Mapping[int, int], strangers: int, lines: Sequence[Line], seed: int = 0
) -> tuple[Counter[int], Counter[int], int]:
    """How many people each line gets, as `spread` decides, without looking at each of a million.

    Args:
        known: people whom a line knows, by its number.
        strangers: people whom nobody knows.
        lines: as there, and so is `seed`.

    Returns:
        Of those a line knows how many it gets, whom it gets besides, and how many nobody gets.
    """
    kept = Counter({line.no: min(known.get(line.no, 0), line.room) for line in lines})
    open_lines = [Line(line.no, line.room - kept[line.no], line.weight, line.has + kept[line.no]) for line in lines]
    others, left = counted(strangers + sum(known.values()) - kept.total(), open_lines, seed)
    return +kept, others, left


def counted(strangers: int, lines: Sequence[Line], seed: int = 0) -> tuple[Counter[int], int]:
    """How many of so many people whom nobody knows each line gets, and how many none: as `shared`."""
    # the places before `surely` are taken whatever comes, and the last few are drawn
    surely, taken = 0.0, Counter[int]()
    beyond = max(((line.has + strangers + 1) / line.weight for line in lines if line.weight > 0), default=0.0)
    while beyond - surely > 1e-9 * beyond:
        middle = (surely + beyond) / 2
        within = Counter({line.no: _places(line, middle) for line in lines})
        if within.total() > strangers:
            beyond = middle
        else:
            surely, taken = middle, within
    turns = _turns(strangers - taken.total(), lines, taken, seed)
    return +(taken + Counter(turns)), strangers - taken.total() - len(turns)


def _turns(strangers: int, lines: Iterable[Line], before: Counter[int], seed: int) -> list[int]:
    """Whose turn it is for each of `strangers`, until there is no more room; `before` are those taken already."""
    chance = random.Random(seed)
    by_number = {line.no: line for line in sorted(lines, key=lambda line: line.no) if line.room > 0}
    ties = {no: chance.random() for no in by_number}
    taken = before.copy()

    def place(no: int) -> tuple[float, float, int]:
        line = by_number[no]
        return (line.has + taken[no] + 0.5) / line.weight, ties[no], no

    waiting = [place(no) for no, line in by_number.items() if line.weight > 0 and taken[no] < line.room]
    heapq.heapify(waiting)
    turns: list[int] = []
    while waiting and len(turns) < strangers:
        no = waiting[0][2]
        turns.append(no)
        taken[no] += 1
        if taken[no] < by_number[no].room:
            heapq.heapreplace(waiting, place(no))
        else:
            heapq.heappop(waiting)
    return turns


def _places(line: Line, end: float) -> int:
    """How many people a line takes before its next place is `end`, a little less where that is a matter of rounding."""
    if line.weight <= 0:
        return 0
    return max(0, min(line.room, math.floor(end * line.weight * (1 - 1e-12) - line.has - 0.5) + 1))
