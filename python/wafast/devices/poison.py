"""Events nothing could be done with: the core sets them aside in `<spool>/poison`, a file each, to be looked at and
replayed once the fault is mended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from wafast import _core  # the doctor looks here also where it is not built

#: As the core writes them, and while a replay has them.
KEPT, TAKEN = ".poison", ".replaying"
FLUSH_SECONDS = 60.0


class NotStored(RuntimeError):
    """What was replayed is not committed yet."""


class Poison(msgspec.Struct, frozen=True):
    """An event as it came. `received_at` is in Unix seconds, `code` neonize's."""

    id: str
    path: Path
    device_no: int
    code: int
    received_at: int
    reason: str
    data: bytes


class Damaged(msgspec.Struct, frozen=True):
    """A file among those that are kept that is no event; `reason` says why, in one line."""

    id: str
    path: Path
    reason: str


class _Head(msgspec.Struct):
    device_no: int
    code: int
    received_at: int
    reason: str


def find(spool_dir: Path) -> list[Poison]:
    """All that can be read, the latest first; what a replay that was cut off had taken is among them."""
    by_id = {found.id: found for found in _files(spool_dir) if isinstance(found, Poison)}
    return sorted(by_id.values(), key=lambda poison: (-poison.received_at, poison.id))


def find_damaged(spool_dir: Path) -> list[Damaged]:
    """Those that can't, by their ids: a disk was full, or somebody wrote into them."""
    return sorted((found for found in _files(spool_dir) if isinstance(found, Damaged)), key=lambda one: one.id)


def _files(spool_dir: Path) -> Iterator[Poison | Damaged | None]:
    return (_read(path) for ending in (KEPT, TAKEN) for path in (spool_dir / "poison").glob(f"*{ending}"))


def _read(path: Path) -> Poison | Damaged | None:
    try:
        line, _, data = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None  # another process has just replayed or dropped it
    try:
        head = msgspec.json.decode(line, type=_Head)
    except msgspec.DecodeError as error:
        return Damaged(path.stem, path, f"damaged: {path} is no event that was kept ({error}); drop it or move it away")
    return Poison(path.stem, path, head.device_no, head.code, head.received_at, head.reason, data)


def drop(poison: Poison | Damaged) -> None:
    """Forget an event for good."""
    poison.path.unlink(missing_ok=True)


def replay(ingest: _core.Ingest, wanted: Sequence[Poison]) -> list[str]:
    """Send events the way they once came; gives the ids of those that were set aside again.

    The spool has each before its file goes, and a message that comes twice is one row: a replay that is cut off at any
    instant neither loses nor doubles. Raises NotStored when the database does not take them in FLUSH_SECONDS.
    """
    taken = []
    for poison in wanted:
        path = poison.path.with_suffix(TAKEN)
        poison.path.replace(path)
        ingest.receive(poison.device_no, poison.code, poison.data, poison.received_at)
        taken.append(path)
    if not ingest.flush(FLUSH_SECONDS):
        raise NotStored("the database takes nothing now; what was replayed is stored when it does, or is listed again")
    for path in taken:
        path.unlink(missing_ok=True)
    return [path.stem for path in taken if path.with_suffix(KEPT).exists()]
