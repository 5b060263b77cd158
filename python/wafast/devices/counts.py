"""What a worker counts of its devices' lines since it started; `/metrics` shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from wafast.devices.state import State
from wafast.vitals import LATE_BOUNDS, Spread


class Counts:
    """One worker's. All methods are called on its loop."""

    def __init__(self) -> None:
        self._moves: Counter[tuple[State, State]] = Counter()
        self._dials = self._reconnects = self._held_back = 0
        self._connecting: Callable[[], int] = lambda: 0
        self._connect_queue: Callable[[], int] = lambda: 0
        #: How late the worker's loop comes to its timers, in seconds (`vitals.watch_loop`).
        self.loop_late = Spread(LATE_BOUNDS)

    def watch(self, *, connecting: Callable[[], int], connect_queue: Callable[[], int]) -> None:
        """Ask these whenever figures are wanted: sessions between start and online, and those that wait to start."""
        self._connecting, self._connect_queue = connecting, connect_queue

    def state_changed(self, was: State, to: State) -> None:
        """A device went from one state to another; the same state with another reason is no change."""
        if was != to:
            self._moves[was, to] += 1

    def dial(self, *, again: bool) -> None:
        """A session dials WhatsApp; `again` when it has dialled before, so that its line was lost or it was told to."""
        self._dials += 1
        self._reconnects += again

    def reconnect_held_back(self) -> None:
        """A dial has to wait, because its session dials too often."""
        self._held_back += 1

    def figures(self) -> dict[str, Any]:
        """For `workers.figures`; all but the moves by the names `api.metrics` knows."""
        return {
            "moves": [[was, to, count] for (was, to), count in self._moves.items()],
            "dials": self._dials,
            "reconnects": self._reconnects,
            "held_back": self._held_back,
            "connecting": self._connecting(),
            "connect_queue": self._connect_queue(),
        }
