"""A device's session file: its name, what stands against it, and its end. It holds the keys of the link to the phone;
without them only a new pairing helps, so nothing is ever made in its place.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path
from uuid import UUID

from wafast.database.queries import load
from wafast.devices.session import StoreFault

q = load(__file__)

#: A journal takes 4 MiB before SQLite clears it, and several sessions write at once. With less room none starts: what
#: comes while keys can't be written is lost, and what comes to nobody waits at WhatsApp.
ROOM_BYTES = 16 << 20

#: What SQLite says of a file with other contents; anything else is of the moment.
DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR)

#: How long a file may be locked before it counts as well.
BUSY_SECONDS = 1.0

COMES_BACK = "the device comes online by itself"
WAY_OUT = f"back and {COMES_BACK}, or log the device out and pair it again"


def store_name(device_id: UUID, pairing_id: UUID) -> str:
    """The session file of a pairing, relative to the network's sessions folder: a new one each time."""
    return f"{device_id}-{pairing_id.hex[:8]}.db"


def told_file(store: Path) -> Path:
    """Where it is kept what of a session file's settings the core was told of (`phone_state`)."""
    return store.with_name(store.name + "-told")


def remove_store(path: Path) -> None:
    """Delete a session file with its journal."""
    told_file(path).unlink(missing_ok=True)
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def objection(path: Path) -> str | None:
    """Why a session can't start on the file of a paired device, with the way out, for people; None when it may try.

    The file is not opened: in a worker, closing it would take the locks of neonize's SQLite away.
    """
    try:
        size = path.stat().st_size
        free = shutil.disk_usage(path.parent).free
    except FileNotFoundError:
        return _missing(path)
    except OSError as error:
        return f"Session file {_shown(path)} can't be reached: {error.strerror}. Bring it {WAY_OUT}"
    if size == 0:
        return f"Session file {_shown(path)} is empty. Put a sound one {WAY_OUT}"
    return failure(path, "full") if free < ROOM_BYTES else None


def failure(path: Path, fault: StoreFault) -> str:
    """What people read when a session could not go on with its file."""
    match fault:
        case "damaged":
            return f"Session file {_shown(path)} is damaged. Put a sound one {WAY_OUT}"
        case "unlinked":
            return f"Session file {_shown(path)} holds no link to a phone. Put a sound one {WAY_OUT}"
        case "full":
            return f"The disk with session file {_shown(path)} is full. Make room and {COMES_BACK}"
        case "unusable":
            return f"Session file {_shown(path)} can't be read or written. Mend its disk or its rights and {COMES_BACK}"


def inspect(path: Path) -> str | None:
    """As `objection`, and the file is opened: only for a process that has no sessions."""
    found = objection(path)
    if found is not None:
        return found
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", timeout=BUSY_SECONDS, uri=True)) as database:
            ((links,),) = database.execute(q.count_links)
    except sqlite3.DatabaseError as error:
        return failure(path, "damaged") if error.sqlite_errorcode & 0xFF in DAMAGED else None
    return None if links else failure(path, "unlinked")


def _missing(path: Path) -> str:
    if path.parent.is_dir():
        return f"Session file {_shown(path)} is missing. Put it {WAY_OUT}"
    return f"The folder {'/'.join(path.parts[-3:-1])} with the session files is missing. Put it {WAY_OUT}"


def _shown(path: Path) -> str:
    """As seen from the data folder."""
    return "/".join(path.parts[-3:])
