"""A whole running system for tests: `wafast up` as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.simulator import Simulator
from wafast import demo

EMAIL, PASSWORD = "admin@wafast.local", "a password for tests"
SOURCE = Path(__file__).parents[1] / "python"
#: A first start makes a database and pairs the demo's lines: 5 s on an idle machine, two minutes on one with 40 others.
START_SECONDS = 300.0
STOP_SECONDS = 120.0


#: Sockets that are bound to the ports of `free_port`, as long as this process lives.
_kept: list[socket.socket] = []


def free_port() -> int:
    """A port nobody listens on. It is kept: nobody else is given it before a server of ours listens there, also not
    between two starts. One that is bound, but does not listen, is in no server's way that takes addresses again."""
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    _kept.append(kept)
    port: int = kept.getsockname()[1]
    return port


def command(data_dir: Path, *arguments: str) -> list[str]:
    """`wafast` on this data folder."""
    return [sys.executable, "-m", "wafast", "--data-dir", str(data_dir), *arguments]


def environment(**more: str) -> dict[str, str]:
    """What `wafast` is started with: this process's environment, no setting of its own but the password."""
    ours = {"DB_URI", "DATABASE_URL", "REDIS_URL", "PORT", "TZ"}
    kept = {k: v for k, v in os.environ.items() if k not in ours and not k.startswith("WAFAST_")}
    return kept | {"PYTHONPATH": str(SOURCE), "WAFAST_ADMIN_PASSWORD": PASSWORD} | more


def run(data_dir: Path, *arguments: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the command line to its end."""
    return subprocess.run(
        command(data_dir, *arguments),
        env=environment(**more),
        cwd=data_dir.parent,
        check=check,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )


@contextmanager
def demo_system(data_dirs: list[Path]) -> Iterator[System]:
    """A running `wafast up --demo`, its lines online; `data_dirs` is told of its folder."""
    data_dir = Path(tempfile.mkdtemp(prefix="wafast-system-"))
    data_dirs.append(data_dir)
    running = System(data_dir, "--demo")
    try:
        yield running.wait_ready()
    finally:
        running.stop()


class System:
    """A running `wafast up`; `url`, `email` and `password` sign in, `simulator` drives its phones."""

    email, password = EMAIL, PASSWORD

    def __init__(
        self, data_dir: Path, *arguments: str, more: Mapping[str, str] | None = None, port: int | None = None
    ) -> None:
        """Start it; `arguments` are those of `up`, `more` goes into its environment."""
        self.data_dir = data_dir
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._arguments, self._more = arguments, dict(more or {})
        self._simulator: Simulator | None = None
        self.output = data_dir / "up.log"
        self.start()

    def start(self) -> None:
        """Start it (again); returns at once."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._simulator = None
        with self.output.open("ab") as log:
            self.process = subprocess.Popen(
                command(self.data_dir, "up", "--port", str(self.port), *self._arguments),
                env=environment(**self._more),
                cwd=self.data_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def simulator(self) -> Simulator:
        """The phones and contacts of its loopback network."""
        if self._simulator is None:
            self._simulator = Simulator.attach(self.data_dir / "loopback" / "loopback.json")
        return self._simulator

    def wait_ready(self) -> System:
        """Wait until the API says it is ready and, with the demo, its lines are online."""
        deadline = time.monotonic() + START_SECONDS
        while not (self.answers("/readyz") and ("--demo" not in self._arguments or self._demo_is_online())):
            if self.process.poll() is not None:
                raise RuntimeError(f"wafast ended with code {self.process.returncode}:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"wafast is not ready after {START_SECONDS:.0f} s:\n{self.tail()}")
            time.sleep(0.1)
        return self

    def answers(self, path: str) -> bool:
        """Whether this path is served."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self.url + path, timeout=2) as reply:
                return bool(reply.status == 200)
        except (OSError, urllib.error.HTTPError):
            return False

    def _demo_is_online(self) -> bool:
        accounts = self.simulator.accounts()
        return all(
            phone in accounts and any(device.online for device in accounts[phone].devices)
            for _, phone, *_ in demo.LINES
        )

    def lines(self) -> list[str]:
        """What it printed, without the line it may just be printing."""
        return self.output.read_text("utf-8", "replace").rpartition("\n")[0].splitlines()

    def tail(self) -> str:
        """The end of what it printed."""
        return self.output.read_text("utf-8", "replace")[-4000:]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise RuntimeError(f"wafast did not stop within {STOP_SECONDS:.0f} s:\n{self.tail()}") from None

    def left(self) -> dict[int, str]:
        """What is still there when it has stopped. Python's resource tracker ends a moment after its parent."""
        deadline = time.monotonic() + 60
        while (found := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def processes(self) -> dict[int, str]:
        """Every process that belongs to it, by its number, found by the data folder in its command or environment."""
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == os.getpid():
                continue
            try:
                text = (folder / "cmdline").read_bytes() + b"\0" + (folder / "environ").read_bytes()
                place = os.readlink(folder / "cwd")
            except OSError:
                continue
            if str(self.data_dir).encode() in text or place.startswith(str(self.data_dir)):
                found[int(folder.name)] = text.split(b"\0\0")[0].replace(b"\0", b" ").decode("utf-8", "replace")[:120]
        return found
