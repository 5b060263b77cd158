"""The folder a bench works in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def working_folder(kept: Path | None = None) -> Iterator[Path]:
    """A folder for everything a bench makes, which goes when it ends; or `kept`, made where it is not there, which
    stays."""
    with tempfile.TemporaryDirectory(prefix="wafast-bench-") as name:
        folder = kept or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # PostgreSQL may run as another user
        yield folder
