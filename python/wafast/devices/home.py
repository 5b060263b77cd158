"""A line's home: the data folder with its session file. Of several nodes, only one that has that folder connects it.

A folder carries its name in itself, so that it is the same home on whatever machine its disk is: in the file `home`,
and once more beside the session files, so that it knows itself again when one of the two is lost.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import asyncpg
import msgspec

from wafast.database.queries import load
from wafast.devices import session_file

q = load(__file__)


class Home(msgspec.Struct, frozen=True):
    """The home of a worker's lines: the data folder's name, and the folder with its network's session files."""

    name: str
    sessions: Path


def name_of(data_dir: Path) -> str | None:
    """The name of a data folder; None when it has none yet."""
    return _read(_file(data_dir)) or _read(_copy(data_dir))


def make_name(data_dir: Path) -> str:
    """The name of a data folder, which gets one if it has none: the same for all that ask at once, and after a power
    cut. Raises OSError when it can't be written."""
    name = _read(_file(data_dir)) or _name_once(data_dir)
    with contextlib.suppress(OSError):  # a disk without room, say: the next start tries again
        if _read(_copy(data_dir)) != name:
            _copy(data_dir).parent.mkdir(exist_ok=True)
            with _copy(data_dir).open("w", encoding="utf-8") as copy:
                _write(copy, name)
    return name


def _name_once(data_dir: Path) -> str:
    with _file(data_dir).open("a+", encoding="utf-8", errors="replace") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        name = file.read().strip()  # somebody was first
        if not name:
            name = _read(_copy(data_dir)) or f"{socket.gethostname()}-{secrets.token_hex(6)}"
            _write(file, name)
    return name


def _file(data_dir: Path) -> Path:
    return data_dir / "home"


def _copy(data_dir: Path) -> Path:
    return data_dir / "sessions" / "home"


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace").strip() or None
    except FileNotFoundError:
        return None


def _write(file: TextIO, name: str) -> None:
    file.write(f"{name}\n")
    file.flush()
    os.fsync(file.fileno())
    folder = os.open(Path(file.name).parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


async def adopt(pool: asyncpg.Pool, data_dir: Path, sessions_dir: Path, device_nos: Sequence[int]) -> dict[int, str]:
    """Make a data folder the home of devices whose session files were moved there. Only for a process that has no
    sessions. Gives, by number, why others stay where they are."""
    name = make_name(data_dir)
    refused: dict[int, str] = {}
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(q.lock_for_adoption, device_nos)
        for row in await connection.fetch(q.to_adopt, device_nos):
            if row["store"] is None:
                refused[row["no"]] = "it has no session file: `wafast device pair` links it here"
            elif row["home"] == name:
                continue
            elif row["node"] is not None:
                refused[row["no"]] = f"it is held on {row['node']}: `wafast device disconnect` it, then move its file"
            elif objection := session_file.inspect(sessions_dir / row["network"] / row["store"]):
                refused[row["no"]] = objection
            else:
                await connection.execute(q.adopt, row["no"], name)
    return refused
