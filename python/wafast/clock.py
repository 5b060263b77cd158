"""The present instant. The database and every process hold instants in UTC; only browsers show local times."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)


def since_boot() -> float:
    """Seconds on a clock that nobody sets, and that goes on while the machine sleeps, when the monotonic one stands."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
