"""A worker in a process of its own, for tests: `python -m … DATA_DIR DATABASE_URI PROFILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from wafast import settings
from wafast.devices import worker

if __name__ == "__main__":
    data_dir, uri, profile = sys.argv[1:]
    loaded = settings.load({"data_dir": data_dir, "log": "info"}, environment={}, env_file=Path(data_dir, "no.env"))
    worker.run(loaded, uri, "loopback", Path(profile))
