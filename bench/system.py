"""A simulator and a `wafast up` beside it, as processes of their own on a folder that is thrown away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx

from bench import processes
from bench.lines import q
from bench.processes import Group
from tests.system import free_port
from wafast import demo
from wafast.database.embedded import running_uri

WORKERS, IDLE_WORKERS, POSTGRESQL = "workers", "workers of network whatsapp, no line", "PostgreSQL"
PASSWORD = "a password for benches"
START_SECONDS = 60.0
STOP_SECONDS = 90.0


@contextmanager
def simulator(folder: Path) -> Iterator[tuple[demo.Profile, int]]:
    """A simulator as long as the block lasts; its profile and process number."""
    program = "import sys; from wafast._core import loopback; sys.exit(loopback(sys.argv[1:]))"
    process = subprocess.Popen([sys.executable, "-c", program, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    try:
        profile = folder / "loopback.json"
        _wait_for(profile.exists, process, "the simulator")
        yield demo.read_profile(profile), process.pid
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _wait_for(is_so: Callable[[], bool], process: subprocess.Popen[bytes], what: str) -> None:
    until = time.monotonic() + START_SECONDS
    while not is_so():
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"{what} did not start")
        time.sleep(0.02)


def postmaster(data_dir: Path) -> int | None:
    """Process number of the PostgreSQL on this data folder; None while it takes no connections."""
    if running_uri(data_dir) is None:
        return None
    return int((data_dir / "postgres/postmaster.pid").read_text("utf-8").splitlines()[0])


class System:
    """A running `wafast up`. `began` is when it was started, of the monotonic clock."""

    def __init__(self, folder: Path, workers: int, connect_rate: float, **settings: str) -> None:
        """Start it on `folder`/data with the simulator of `folder`/loopback; `settings` by their variables' names."""
        self.data_dir = folder / "data"
        self.log = folder / "up.log"
        port = free_port()
        theirs = ("WAFAST_", "DB_URI", "DATABASE_URL", "PORT")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(theirs)} | {
            "WAFAST_DATA_DIR": str(self.data_dir),
            "WAFAST_LOOPBACK": str(folder / "loopback" / "loopback.json"),
            "WAFAST_WORKERS": str(workers),
            "WAFAST_CONNECT_RATE": str(connect_rate),
            "WAFAST_LOG": "warning",
            "WAFAST_ADMIN_PASSWORD": PASSWORD,
            "PORT": str(port),
            **settings,
        }
        self.url = f"http://127.0.0.1:{port}"
        self._offset = self.log.stat().st_size if self.log.exists() else 0
        self.began = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "wafast", "up"], env=environment, cwd=folder, stdout=log, stderr=log
            )
        self._workers = workers

    async def reach(self, workers: int | None = None) -> asyncpg.Connection:
        """A connection to its database, once all workers beat: those of the lines, and one of the other network.

        `workers` are those of the lines, where not all start: without a line there is one.
        """
        wanted = 1 + (self._workers if workers is None else workers)
        async with asyncio.timeout(START_SECONDS):
            while True:
                if self._process.poll() is not None:
                    raise SystemExit(f"wafast ended:\n{self.said()[-4000:]}")
                uri = running_uri(self.data_dir)
                if uri is not None:
                    try:
                        connection = await asyncpg.connect(uri)
                        if len(await connection.fetch(q.workers)) >= wanted:
                            self.uri = uri
                            return connection
                        await connection.close()
                    except (OSError, asyncpg.PostgresError):
                        pass
                await asyncio.sleep(0.1)

    async def serves(self) -> None:
        """Returns once its web server answers, which may start later than the workers."""
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient() as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.1)

    async def groups(self, connection: asyncpg.Connection) -> dict[str, Group]:
        """Its processes by what they are."""
        rows = await connection.fetch(q.workers)
        workers = {name: [r["pid"] for r in rows if r["network"] == name] for name in ("loopback", "whatsapp")}
        known = {pid for pids in workers.values() for pid in pids}
        api = [pid for pid in processes.children(self._process.pid) if pid not in known]
        database = postmaster(self.data_dir)
        return {
            WORKERS: Group(workers["loopback"]),
            IDLE_WORKERS: Group(workers["whatsapp"]),
            "API": Group(api),
            "supervisor": Group([self._process.pid], alone=True),
            POSTGRESQL: Group([] if database is None else [database]),
        }

    def said(self) -> str:
        """What it has printed since its start."""
        return self.log.read_bytes()[self._offset :].decode("utf-8", "replace")

    def stop(self) -> float:
        """Ask it to stop; seconds until it has."""
        began = time.monotonic()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise SystemExit("wafast did not stop") from None
        return time.monotonic() - began
