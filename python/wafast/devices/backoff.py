"""How long to wait after failures."""

from __future__ import annotations

import random

#: A device that failed is not started again within this long, nor is a line dialled again (`gate`); one whose worker
#: died or moved it, or whom a person wants connected, is.
COOLDOWN_SECONDS = 20.0
FIRST_SECONDS = 5.0
#: While nobody reaches WhatsApp, 3,000 devices so try 25 times a second, half of what may connect; after its return the
#: last of them is back this much later.
LONGEST_SECONDS = 240.0


def retry_seconds(failures: int) -> float:
    """Seconds until the next try after so many failures in a row: exponential with full jitter, never below the
    cooldown."""
    longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures, 20))
    return max(COOLDOWN_SECONDS, random.uniform(0.0, longest))
