"""Processes that ended by themselves: the one who sees a process end notes it, and whoever finds that it is gone asks
whether something in it is to blame."""

from __future__ import annotations

import time
from collections.abc import Container
from pathlib import Path

#: A note is of use until the process is found gone, which takes seconds.
KEPT_SECONDS = 600.0


#: A process of a node: its number, and when it began (devices/node.py), as the number alone may be another's by now.
Mark = tuple[int, int]


class Crashes(Container[Mark]):
    """Notes in a data folder, an empty file each, so that they outlive who wrote them and need no database."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "crashes"

    def note(self, mark: Mark) -> None:
        """It ended, and nobody had asked it to. Raises OSError when the disk takes no file."""
        self._folder.mkdir(exist_ok=True)
        for old in self._folder.iterdir():
            if not self._is_young(old):
                old.unlink(missing_ok=True)
        self._of(mark).touch()

    def __contains__(self, mark: object) -> bool:
        """Whether it was noted not long ago."""
        return self._is_young(self._of(mark))

    def _of(self, mark: object) -> Path:
        return self._folder / str(mark)

    @staticmethod
    def _is_young(note: Path) -> bool:
        try:
            return time.time() - note.stat().st_mtime < KEPT_SECONDS
        except FileNotFoundError:
            return False
