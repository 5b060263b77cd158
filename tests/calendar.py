"""Days that lie ahead, whenever the tests run."""

from __future__ import annotations

from datetime import date, timedelta

from wafast import clock


def change_of_clocks() -> date:
    """The Sunday in March of next year on which Europe's clocks go forward."""
    last = date(clock.now().year + 1, 3, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)
