"""How many may begin in any second."""

from __future__ import annotations

from collections import deque


class Rate:
    """At most so many a second, in whatever second that is looked at. Instants are of one clock, in seconds."""

    def __init__(self, per_second: float) -> None:
        count = max(1, int(per_second))
        self._span = max(1.0, count / per_second)
        self._begun: deque[float] = deque(maxlen=count)

    def wait(self, now: float) -> float:
        """Seconds until the next one may begin."""
        is_full = len(self._begun) == self._begun.maxlen
        return max(0.0, self._begun[0] + self._span - now) if is_full else 0.0

    def begin(self, now: float) -> None:
        """One begins."""
        self._begun.append(now)
