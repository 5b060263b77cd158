"""A worker in a process of its own, for tests: `python -m … DATA_DIR DATABASE_URI PROFILE [FLAG=VALUE]…`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from wafast import settings, worker
from wafast.devices import gate, lease, phone_state
from wafast.devices.fleet import Fleet
from wafast.outbox import send


async def never(_fleet: Fleet) -> None:
    """Does not come to an end."""
    await asyncio.Event().wait()


if __name__ == "__main__":
    phone_state.LOOK_SECONDS = 1.0  # a test has no ten seconds for each look
    gate.COOLDOWN_SECONDS = 0.1  # type: ignore[attr-defined]  # nor twenty for each lost line
    worker.WORD_SECONDS = 30.0  # a disk that is written to by all tests may take longer than a second
    data_dir, uri, profile, *more = sys.argv[1:]
    flags = {"data_dir": data_dir, "messages_per_chat": "0"} | dict(flag.split("=", 1) for flag in more)
    if flags.pop("sessions_end", "") == "never":
        Fleet.close = never  # type: ignore[method-assign, assignment]
        worker.SESSIONS_SECONDS = 1.0
    if "node" in flags:  # as if in a container of its own, from which nobody else's process is seen
        node = flags.pop("node")
        lease.this_node = lambda: node  # type: ignore[attr-defined, assignment]
    if "expiry" in flags:
        lease.EXPIRY_SECONDS = float(flags.pop("expiry"))
    if "safety" in flags:
        send.SAFETY_SECONDS = float(flags.pop("safety"))
    loaded = settings.load(flags, environment={}, env_file=Path(data_dir, "no.env"))
    worker.run(loaded, uri, "loopback", Path(profile))
