"""The decision itself, as a pure function: which device writes to whom.

Whom a device knows it gets, strongest knowledge first. All others are spread in proportion to the devices' weights
(Sainte-Laguë: each goes to the device with the most weight for one more), and no device gets more than it has room for.
"""

from __future__ import annotations

import heapq
import random
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    chance = random.Random(seed)
    open_lines = {line.no: line for line in sorted(lines, key=lambda line: line.no) if line.room > 0}
    ties = {no: chance.random() for no in open_lines}
    taken = dict.fromkeys(open_lines, 0)
    decisions: list[Decision] = []
    strangers: list[int] = []

    def take(key: int, no: int, code: Code) -> None:
        decisions.append(Decision(key, no, code))
        taken[no] += 1

    for person in people:
        known = ((no, code) for no, code in person.known if no in open_lines and taken[no] < open_lines[no].room)
        best = next(known, None)
        if best is None:
            strangers.append(person.key)
        else:
            take(person.key, *best)

    def place(no: int) -> tuple[float, float, int]:
        line = open_lines[no]
        return (line.has + taken[no] + 0.5) / line.weight, ties[no], no

    turns = [place(no) for no, line in open_lines.items() if line.weight > 0 and taken[no] < line.room]
    heapq.heapify(turns)
    for number, key in enumerate(strangers):
        if not turns:
            return decisions, strangers[number:]
        no = turns[0][2]
        take(key, no, "room")
        if taken[no] < open_lines[no].room:
            heapq.heapreplace(turns, place(no))
        else:
            heapq.heappop(turns)
    return decisions, []
