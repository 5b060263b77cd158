"""A line's home: the data folder with its session file. Of several nodes, only one that has that folder connects it.

A folder carries its name in itself, so that it is the same home on whatever machine its disk is.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path

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
    try:
        return _file(data_dir).read_text("utf-8", "replace").strip() or None
    except FileNotFoundError:
        return None


def make_name(data_dir: Path) -> str:
    """The name of a data folder, which gets one if it has none: the same for all that ask at once, and after a power
    cut. Raises OSError when it can't be written."""
    while (name := name_of(data_dir)) is None:
        draft = _file(data_dir).with_suffix(f".{secrets.token_hex(4)}")
        try:
            _write(draft, f"{socket.gethostname()}-{secrets.token_hex(6)}\n")
            with contextlib.suppress(FileExistsError):  # somebody was first
                os.link(draft, _file(data_dir))
            if name_of(data_dir) is None:  # it was cut short
                os.replace(draft, _file(data_dir))
        finally:
            draft.unlink(missing_ok=True)
        _sync(data_dir)
    return name


def _file(data_dir: Path) -> Path:
    return data_dir / "home"


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    _sync(path)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


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
