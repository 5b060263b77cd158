"""What a child process tells its supervisor without a database: that its loop runs, and what it would like."""

from __future__ import annotations

import multiprocessing
import time

_spawn = multiprocessing.get_context("spawn")

#: How often it beats.
BEAT_SECONDS = 1.0
_BEAT, _BUSY, _HELD, _WANTS_TRIAL = range(4)


class Pulse:
    """A few numbers in memory that both processes see. The child writes, the supervisor reads."""

    def __init__(self) -> None:
        self._cells = _spawn.Array("d", 4, lock=False)

    def clear(self) -> None:
        """Forget what an earlier child said."""
        for cell in range(len(self._cells)):
            self._cells[cell] = 0.0

    def beat(self, *, held: int = 0, busy: int = 0, wants_trial: bool = False) -> None:
        """The child's loop runs. Of a worker, `held`: devices it holds; `busy`: those it is about to bring online;
        `wants_trial`: some are suspected of taking workers down, and should be tried in a process of their own."""
        self._cells[_HELD], self._cells[_BUSY], self._cells[_WANTS_TRIAL] = held, busy, wants_trial
        self._cells[_BEAT] = time.monotonic()

    @property
    def beat_at(self) -> float:
        """When it last beat, on the monotonic clock, which all processes of a machine share; 0 before the first."""
        return float(self._cells[_BEAT])

    @property
    def held(self) -> int:
        """See `beat`."""
        return int(self._cells[_HELD])

    @property
    def busy(self) -> int:
        """See `beat`."""
        return int(self._cells[_BUSY])

    @property
    def wants_trial(self) -> bool:
        """See `beat`."""
        return bool(self._cells[_WANTS_TRIAL])
