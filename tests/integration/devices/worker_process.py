"""A worker in a process of its own, for tests: `python -m … DATA_DIR DATABASE_URI PROFILE [FLAG=VALUE]…`."""

from __future__ import annotations

import sys
from pathlib import Path

from wafast import settings
from wafast.devices import worker

if __name__ == "__main__":
    data_dir, uri, profile, *more = sys.argv[1:]
    flags = {"data_dir": data_dir, "messages_per_chat": "0"} | dict(flag.split("=", 1) for flag in more)
    loaded = settings.load(flags, environment={}, env_file=Path(data_dir, "no.env"))
    worker.run(loaded, uri, "loopback", Path(profile))
