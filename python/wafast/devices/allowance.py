"""How much may be asked of WhatsApp at once, and how fast more."""

from __future__ import annotations


class Allowance:
    """So much at once, and what was taken comes back evenly. Instants are of one clock, in seconds.

    Args:
        most: at once, after a rest.
        per_second: what comes back.
    """

    def __init__(self, most: int, per_second: float) -> None:
        self._most, self._per_second = most, per_second
        self._whole_at = 0.0

    def wait(self, count: int, now: float) -> float:
        """Seconds until so much may be taken, at most all of it."""
        spare = (self._most - count) / self._per_second
        return max(0.0, self._whole_at - now - spare)

    def take(self, count: int, now: float) -> None:
        """So much is taken, or will be after its wait."""
        self._whole_at = max(self._whole_at, now) + count / self._per_second
