"""What these tests stand on: a running system and the simulator's phones."""

from __future__ import annotations

from typing import NamedTuple

from tests.simulator import Simulator


class Stack(NamedTuple):
    """A running system with its demo, and the simulator's phones beside it."""

    url: str
    email: str
    password: str
    phones: Simulator
