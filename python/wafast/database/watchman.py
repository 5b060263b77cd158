"""Stops the embedded PostgreSQL when the process that answers for it was killed.

PostgreSQL is nobody's child, so nothing would end it. The watchman holds the reading end of a pipe: when the other end
closes he waits for the processes that still write, then stops the server, unless somebody else runs it by then.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import asyncpg

from wafast.data_dir import system_runs, try_claim
from wafast.database.embedded import Embedded, is_running, running_uri
from wafast.database.pool import connect
from wafast.database.queries import load

q = load(__file__)

#: As long as children without a parent may take to end (wafast.children.GRACE_SECONDS), and a little more.
PATIENCE_SECONDS = 17.0


class Watchman:
    """Watches over the server of a data folder until `dismiss`, or until this process ends without it."""

    def __init__(self, data_dir: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """The server is stopped, or somebody else's: nothing to watch any more."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def watch(data_dir: Path) -> None:
    """Wait for the end of the pipe on stdin, then for the others, then stop the server if nobody has the folder."""
    sys.stdin.buffer.read()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        time.sleep(1.0)  # the kernel gives the killed one's lock free a moment after its pipe
        if system_runs(data_dir):
            return
        uri = running_uri(data_dir)
        if uri is None or asyncio.run(_clients(uri)) == 0:
            break
    claim = try_claim(data_dir, "stopping")
    if claim is None:
        return
    if is_running(data_dir):
        Embedded(data_dir).stop()
    claim.release()


async def _clients(uri: str) -> int:
    """How many connections there are beside this one; 0 too when the server is on its way down."""
    try:
        connection = await connect(uri, "watchman")
    except (OSError, asyncpg.PostgresError):
        return 0
    try:
        count: int = await connection.fetchval(q.clients)
        return count
    finally:
        await connection.close()


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
