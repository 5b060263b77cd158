"""What the machine lets this user have."""

from __future__ import annotations

import contextlib
import resource


def raise_limits() -> None:
    """Let this process, and those it starts, have all that may be had: a connected line takes 4 to 5 file descriptors
    and a thread. What does not suffice `wafast doctor` tells."""
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC):
        _, most = resource.getrlimit(limit)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (most, most))
