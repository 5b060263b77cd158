"""Whose data folder it is: one program at a time runs a system, or its embedded PostgreSQL, on it."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Literal

import msgspec

from wafast.settings import SettingError

Purpose = Literal["up", "command", "stopping"]

#: A command of the command line, and the end of a run, are soon over: these are waited for.
WAIT_SECONDS = 60.0


class InUse(RuntimeError):
    """Another wafast runs on this data folder; the text says which."""


class Claim:
    """The data folder is ours until `release`, or until this process ends in whatever way."""

    def __init__(self, file: int) -> None:
        self._file = file

    def release(self) -> None:
        """Let others have it."""
        os.close(self._file)


class Running(msgspec.Struct, frozen=True):
    """The process that runs a whole system (`wafast up`) on a data folder, and the port it serves."""

    pid: int
    port: int


def claim(data_dir: Path, purpose: Purpose, port: int = 0) -> Claim:
    """Take the data folder, made if need be; waits for short holders. `port` is where a system is to serve. Raises
    InUse when a system runs there."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        taken = try_claim(data_dir, purpose, port)
        if taken is not None:
            return taken
        holder, pid, _ = _holder(data_dir)
        if holder == "up" or time.monotonic() > deadline:
            raise InUse(f"another wafast (process {pid}) runs on {data_dir}: stop it, or set WAFAST_DATA_DIR")
        time.sleep(0.1)


def try_claim(data_dir: Path, purpose: Purpose, port: int = 0) -> Claim | None:
    """Take the data folder, made if need be, if nobody has it. Raises SettingError when it can't be made."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"WAFAST_DATA_DIR is {str(data_dir)!r}, and can't be made: {error.strerror}") from None
    file = os.open(_lock(data_dir), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    os.ftruncate(file, 0)
    os.pwrite(file, f"{purpose} {os.getpid()} {port}\n".encode(), 0)
    return Claim(file)


def system_runs(data_dir: Path) -> bool:
    """Whether a whole system (`wafast up`) has the data folder."""
    return running(data_dir) is not None


def running(data_dir: Path) -> Running | None:
    """The whole system that runs on the data folder; None when there is none."""
    if not _lock(data_dir).exists():
        return None
    file = os.open(_lock(data_dir), os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        holder, pid, port = _holder(data_dir)
        return Running(pid, port) if holder == "up" else None
    finally:
        os.close(file)
    return None


def _lock(data_dir: Path) -> Path:
    return data_dir / "wafast.lock"


def _holder(data_dir: Path) -> tuple[str, int, int]:
    words = _lock(data_dir).read_text("utf-8").split()
    if len(words) != 3:  # it is being written
        return "", 0, 0
    return words[0], int(words[1]), int(words[2])
