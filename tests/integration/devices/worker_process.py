"""A worker in a process of its own, for tests: `python -m … DATA_DIR DATABASE_URI PROFILE [FLAG=VALUE]…`."""

from __future__ import annotations

import sys
from pathlib import Path

import pylibmagic  # noqa: F401  (neonize finds libmagic only when this was imported first)

from wafast import settings
from wafast.devices import phone_state, worker

if __name__ == "__main__":
    phone_state.LOOK_SECONDS = 1.0  # a test has no ten seconds for each look
    data_dir, uri, profile, *more = sys.argv[1:]
    flags = {"data_dir": data_dir, "messages_per_chat": "0"} | dict(flag.split("=", 1) for flag in more)
    loaded = settings.load(flags, environment={}, env_file=Path(data_dir, "no.env"))
    worker.run(loaded, uri, "loopback", Path(profile))
