"""`wafast up`: PostgreSQL, the API, the workers and, with the demo, the simulator; kept alive, stopped in order."""

from __future__ import annotations

import asyncio
import http.client
import multiprocessing.connection
import signal
import socket
import time
from pathlib import Path
from types import FrameType

import asyncpg

from wafast import demo, logs
from wafast.accounts import tenants
from wafast.children import GRACE_SECONDS, Child
from wafast.data_dir import claim
from wafast.database import long_chats
from wafast.database.embedded import Embedded, is_made, is_running
from wafast.database.migrations import migrate
from wafast.database.pool import connect
from wafast.database.watchman import Watchman
from wafast.devices import rows
from wafast.limits import raise_limits
from wafast.pulse import Pulse
from wafast.settings import Network, SettingError, Settings, without_password
from wafast.worker_group import ROLL_SIGNAL, Rolling, WorkerGroup

log = logs.get("supervisor")

#: How often children and the embedded PostgreSQL are looked at.
LOOK_SECONDS = 1.0
SIMULATOR_START_SECONDS = 30.0
PORT_SECONDS = 3.0


class StartError(RuntimeError):
    """The system can't start; the text says why and what would help."""


def up(settings: Settings) -> int:
    """Run the whole system until Ctrl-C or SIGTERM; gives the exit code.

    Raises StartError, data_dir.InUse, and what the database or its migrations raise, before anything runs.
    """
    logs.configure(settings.log, "supervisor")
    taken = claim(settings.data_dir, "up", settings.port)
    try:
        _require_free_port(settings)
        return _System(settings).run()
    finally:
        taken.release()


class _System:
    """Everything that runs, and the order of it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._began = time.monotonic()
        self._embedded: Embedded | None = None
        self._watchman: Watchman | None = None
        self._uri = settings.database_uri or ""
        self._stops = 0
        self._next_look = 0.0
        self._wake_read, self._wake_write = socket.socketpair()
        #: In the order of starting; stopping goes backwards.
        self._ranks: list[list[Child]] = []
        self._groups: list[WorkerGroup] = []
        self._rolling = Rolling()
        self._looked = self._watching_since = 0.0

    def run(self) -> int:
        """Start everything, keep it alive, stop everything."""
        self._listen_to_signals()
        raise_limits()
        try:
            self._start()
            if self._wait_ready():
                self._show_banner()
                self._keep_alive()
        except Exception:
            if not self._stops:  # else Ctrl-C hit a step half done, and that is how it says so
                raise
        finally:
            self._stop()
        return 0

    def _start(self) -> None:
        for step in (self._start_database, self._prepare_database, self._start_children):
            if not self._stops:
                step()

    # starting

    def _listen_to_signals(self) -> None:
        self._wake_write.setblocking(False)
        self._wake_read.setblocking(False)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            numbers.append(signal.SIGHUP)
        for number in numbers:
            signal.signal(number, self._on_signal)
        signal.signal(ROLL_SIGNAL, self._on_roll)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stops += 1

    def _on_roll(self, _number: int, _frame: FrameType | None) -> None:
        self._rolling.ask()

    def _start_database(self) -> None:
        if self._settings.database_uri is not None:
            return
        made = is_made(self._settings.data_dir)
        self._say("starting the database" if made else "making a database (only the first time)")
        self._watchman = Watchman(self._settings.data_dir)
        self._embedded = Embedded(self._settings.data_dir)
        self._uri = self._embedded.uri

    def _prepare_database(self) -> None:
        try:
            names = asyncio.run(migrate(self._uri))
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            if self._settings.database_uri is None:
                raise
            shown = without_password(self._uri)
            raise SettingError(f"DB_URI is {shown!r}, and can't be used: {error}") from None
        for name in names:
            self._say(f"migration {name}")
        asyncio.run(long_chats.prepare(self._uri, self._settings.messages_per_chat, self._say))
        password = asyncio.run(bootstrap(self._uri, self._settings))
        if password is not None:
            self._show_password(password)

    def _start_children(self) -> None:
        settings, uri = self._settings, self._uri
        profile = settings.loopback
        if settings.demo:
            self._say("starting the simulator")
            profile = settings.simulator_dir / "loopback.json"
            self._add([_simulator(settings)])
            self._wait_for_profile(profile)
        self._say("starting the web server and the workers")
        pulse = Pulse()
        self._add([Child("api", "wafast.api.serve:run", lambda: (settings, uri, pulse), pulse=pulse)])
        networks: list[tuple[Network, Path | None]] = [("whatsapp", None)]
        if profile is not None:
            networks.append(("loopback", profile))
        used = asyncio.run(_networks_in_use(uri))
        self._groups = [
            WorkerGroup(settings, uri, network, path, has_devices=network in used) for network, path in networks
        ]
        self._ranks.append([child for group in self._groups for child in [*group.workers, group.trial]])
        self._start_all([child for group in self._groups for child in group.first])
        if settings.demo:
            self._add([Child("demo", "wafast.demo:main", lambda: (settings, uri), once=True)])

    def _add(self, rank: list[Child]) -> None:
        self._ranks.append(rank)
        self._start_all(rank)

    def _start_all(self, children: list[Child]) -> None:
        for child in children:
            if not self._stops:
                child.start()

    def _wait_for_profile(self, profile: Path) -> None:
        deadline = time.monotonic() + SIMULATOR_START_SECONDS
        while not profile.exists() and not self._stops:
            self._tend(0.05)
            if time.monotonic() > deadline:
                raise StartError(f"the simulator wrote no {profile} within {SIMULATOR_START_SECONDS:.0f} seconds")

    def _wait_ready(self) -> bool:
        while not self._stops:
            if is_ready(self._settings):
                return True
            self._tend(0.1)
        return False

    # running

    def _keep_alive(self) -> None:
        while not self._stops:
            self._tend(LOOK_SECONDS)

    def _look_at_database(self) -> None:
        """The embedded PostgreSQL is nobody's child, so nothing tells when it ends."""
        now = time.monotonic()
        if self._embedded is None or now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        if is_running(self._settings.data_dir):
            return
        log.error("the database is gone, will be restarted")
        try:
            self._embedded = Embedded(self._settings.data_dir)
        except RuntimeError as error:
            log.error("the database does not start", reason=str(error))

    def _tend(self, seconds: float) -> None:
        """Restart what is due and a database that is gone, then wait so long for a child's end or a signal."""
        self._look_at_database()
        now = time.monotonic()
        children = [child for rank in self._ranks for child in rank]
        for child in children:
            if child.start_at is not None and child.start_at <= now:
                child.start_again()
        due = [child.start_at - now for child in children if child.start_at is not None]
        watched: list[int | socket.socket] = [child.sentinel for child in children if child.sentinel is not None]
        multiprocessing.connection.wait([*watched, self._wake_read], min([seconds, *due]))
        try:
            self._wake_read.recv(4096)
        except BlockingIOError:
            pass
        if not self._stops:
            self._check(children)

    def _check(self, children: list[Child]) -> None:
        """See who has ended, who hangs, and what is wished for. When this process itself stood still, everybody did,
        and thousands of lines take a while until they are at work again."""
        for child in children:
            child.reap()
        before, self._looked = self._looked, time.monotonic()
        if self._looked - before > 2 * LOOK_SECONDS:
            self._watching_since = self._looked
        for child in children:
            child.check(self._looked, self._watching_since)
        for group in self._groups:
            group.start_wanted()
        self._rolling.go_on([worker for group in self._groups for worker in group.workers], self._looked)

    # stopping

    def _stop(self) -> None:
        if any(child.pid for rank in self._ranks for child in rank):
            self._say("stopping; Ctrl-C again stops at once what is left")
        asked = self._stops
        for rank in reversed(self._ranks):
            for child in rank:
                child.ask_to_stop()
            until = time.monotonic() + GRACE_SECONDS
            while self._stops == asked and time.monotonic() < until and any(child.alive for child in rank):
                time.sleep(0.02)
            for child in rank:
                child.finish()
        if self._embedded is not None:
            self._embedded.stop()
        if self._watchman is not None:
            self._watchman.dismiss()
        signal.set_wakeup_fd(-1)
        self._wake_read.close()
        self._wake_write.close()
        self._say("stopped")

    # saying

    def _say(self, text: str) -> None:
        _print(f"{time.monotonic() - self._began:6.1f} s  {text}")

    def _show_password(self, password: str) -> None:
        _print(
            f"\n    first administrator   {self._settings.admin_email}"
            f"\n    password              {password}"
            "\n    (shown this once; `wafast user reset-password` makes another)\n"
        )

    def _show_banner(self) -> None:
        self._say("ready")
        host = "localhost" if self._settings.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else self._settings.host
        _print(f"\n    wafast is at http://{host}:{self._settings.port}    (Ctrl-C stops it)\n")


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError:  # whoever read it is gone; that is no reason to stop
        pass


async def bootstrap(uri: str, settings: Settings) -> str | None:
    """Make the first workspace and administrator if nobody is there; the password when it was made up."""
    async with asyncpg.create_pool(uri, min_size=1, max_size=2) as pool:
        return await tenants.bootstrap(pool, settings.admin_email, settings.admin_password)


async def _networks_in_use(uri: str) -> set[str]:
    """Networks that have devices."""
    connection = await connect(uri, "up")
    try:
        return await rows.networks_in_use(connection)
    finally:
        await connection.close()


def is_ready(settings: Settings) -> bool:
    """Whether the API answers and says that the system is ready."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _simulator(settings: Settings) -> Child:
    """The simulator; started again it listens where it did, because its clients know no other place."""
    profile = settings.simulator_dir / "loopback.json"
    settings.simulator_dir.mkdir(parents=True, exist_ok=True)
    profile.unlink(missing_ok=True)

    def arguments() -> tuple[list[str]]:
        ports: list[str] = []
        if profile.exists():
            known = demo.read_profile(profile)
            ports = ["--proxy-port", known.proxy.rpartition(":")[2], "--control-port", known.control.rpartition(":")[2]]
        return (["--dir", str(settings.simulator_dir), *ports],)

    return Child("simulator", "wafast._core:loopback", arguments)


def _require_free_port(settings: Settings) -> None:
    """A web server whose supervisor was killed a moment ago may still hold the port: it is waited for."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    deadline = time.monotonic() + PORT_SECONDS
    while True:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.host, settings.port))
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    address = f"{settings.host}:{settings.port}"
                    raise StartError(f"{address} can't be used ({error.strerror}): set PORT") from None
        time.sleep(0.1)
