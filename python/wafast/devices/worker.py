"""One worker process: it holds devices of one network, their sessions, and everything that leaves through them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import uvloop

from wafast import _core, logs
from wafast.database.away import DATABASE_AWAY
from wafast.database.pool import WORKER_CONNECTIONS, open_pool
from wafast.devices import loopback_trust, native_output
from wafast.devices.calls_served import Verbs
from wafast.devices.counts import Counts
from wafast.devices.eager_media import NEW_FILES, EagerMedia
from wafast.devices.fleet import Fleet
from wafast.devices.gate import Gate
from wafast.devices.group_names import NAMELESS_CHATS, GroupNames
from wafast.devices.health import Health
from wafast.devices.ingest import figures, open_ingest
from wafast.devices.lease import BEAT_SECONDS, BURY_SECONDS, Leases
from wafast.devices.media_fetcher import MediaFetcher
from wafast.devices.reconciler import Reconciler
from wafast.devices.session import ControlEvent, Session
from wafast.events.bus import WORK, Listener
from wafast.events.calls import Server, request_channel
from wafast.inbox.media_store import MediaStore
from wafast.outbox import claim as claims
from wafast.outbox.send import Sender
from wafast.pulse import BEAT_SECONDS as LIFE_SECONDS
from wafast.pulse import Pulse
from wafast.settings import Network, Settings
from wafast.vitals import watch_loop

if TYPE_CHECKING:
    from wafast.devices.phone_state import PhoneState

log = logs.get("devices.worker")

#: Devices that may be connecting at once, in all workers of a network.
MAX_CONNECTING = 50
#: A worker that tries suspected devices ends when it has had none for so long.
IDLE_SECONDS = 20.0
FLUSH_SECONDS = 10.0
#: Releasing what 3,000 stores hold takes 0.1 s.
RELEASE_SECONDS = 15.0
#: How long the last claim may take.
STOP_SECONDS = 5.0


class _Work(msgspec.Struct):
    """A notification on bus.WORK."""

    w: str
    n: str
    d: int


def run(
    settings: Settings,
    database_uri: str,
    network: Network,
    profile: Path | None,
    pulse: Pulse | None = None,
    is_trial: bool = False,
    crashed_pid: int | None = None,
) -> None:
    """Be one worker until SIGTERM or SIGINT: then sessions stop, what came in is committed, devices are given back.
    `pulse` tells a supervisor that all is well. With `is_trial` it tries devices that are suspected of taking workers
    down, and ends when none is left. `crashed_pid` is the worker before this one, when it ended by itself.

    Raises ValueError for a network with the wrong kind of profile, RuntimeError in a process that was not started for
    its profile (`loopback_trust.environment`).
    """
    if (profile is not None) != (network == "loopback"):
        raise ValueError(f"a worker of network {network} {'takes no' if profile else 'needs a'} loopback profile")
    os.umask(0o077)  # session files are keys
    native_output.divert(settings.data_dir / "logs" / f"neonize-{network}.log")
    worker_id = uuid4()
    logs.configure(settings.log, f"worker {network}", worker=str(worker_id))
    _raise_file_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_Worker(settings, database_uri, network, profile, worker_id, pulse, is_trial).run(crashed_pid))
    # neonize leaves threads of Go behind that may call back at any time: the interpreter must not be taken down first.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _raise_file_limit() -> None:
    """A session takes up to five descriptors."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class _Worker:
    def __init__(
        self,
        settings: Settings,
        uri: str,
        network: Network,
        profile: Path | None,
        worker_id: UUID,
        pulse: Pulse | None,
        is_trial: bool,
    ) -> None:
        self._settings, self._uri, self._network, self._profile = settings, uri, network, profile
        self._pulse, self._is_trial = pulse, is_trial
        self._id, self._counts = worker_id, Counts()
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self, crashed_pid: int | None) -> None:
        """Everything from the first connection to the last."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        settings = self._settings
        pool = await open_pool(self._uri, size=WORKER_CONNECTIONS, name=f"worker {self._network}")
        ingest = open_ingest(settings, self._uri, str(self._id))
        make_session, gate = self._prepare_sessions(ingest.receive)
        from wafast.devices.phone_state import PhoneState  # neonize, now that it is prepared

        leases = Leases(
            pool,
            self._id,
            self._network,
            is_trial=self._is_trial,
            is_supervised=self._pulse is not None,
            expected=settings.workers,
        )
        await leases.bury_dead_neighbours(crashed_pid)
        await leases.beat(figures(ingest, self._counts))
        await gate.open()
        sessions_dir = settings.sessions_dir / self._network
        fleet = Fleet(pool, self._id, sessions_dir, make_session, self._counts)
        keep = settings.messages_per_chat
        sender = Sender(pool, self._id, settings.media_dir, fleet.online, lambda no: _session(fleet, no), keep)
        most_connecting = max(1, MAX_CONNECTING // settings.workers)
        reconciler = Reconciler(pool, leases, fleet, lambda numbers: _orphan(pool, numbers), most_connecting)
        names = GroupNames(pool, lambda no: _session(fleet, no))
        phones = PhoneState(fleet.held, sessions_dir, ingest.receive)
        fetcher = MediaFetcher(pool, MediaStore(pool, settings.media_dir))
        eager = EagerMedia(pool, fetcher, fleet.online, lambda no: _session(fleet, no))

        def came_online(device_no: int) -> None:
            sender.wake(device_no)
            names.wake()
            eager.wake()

        fleet.on_online = came_online
        fleet.on_change = reconciler.wake
        self._counts.watch(connecting=lambda: reconciler.connecting, connect_queue=lambda: reconciler.queued)
        loop.add_reader(ingest.control_fd(), self._drain_control, ingest, fleet, names, phones, eager)
        listener = self._listener(pool, fleet, reconciler, sender, fetcher, eager)
        log.info("worker is ready", id=str(self._id), network=self._network, pid=os.getpid())
        background = [
            self._task(self._beat(leases, ingest, reconciler)),
            self._task(self._show_life(fleet, reconciler)),
            self._task(listener.run()),
            self._task(_bury(leases)),
            self._task(reconciler.run()),
            self._task(Health(fleet).run()),
            self._task(_release_stores()),
            self._task(reconciler.run_starts()),
            self._task(names.run()),
            self._task(phones.run()),
            self._task(eager.run()),
            self._task(watch_loop(self._counts.loop_late.observe)),
        ]
        sending = self._task(sender.run())
        await self._stop.wait()
        log.info("worker stops")
        for task in background[2:]:
            task.cancel()
        sender.stop()
        await asyncio.wait([sending], timeout=STOP_SECONDS)
        await sender.drain()
        await fleet.close()
        loop.remove_reader(ingest.control_fd())
        if not await asyncio.to_thread(ingest.flush, FLUSH_SECONDS):
            log.warning("not all is committed; the rest lies in the spool until the next start")
        for task in background[:2]:
            task.cancel()
        with contextlib.suppress(*DATABASE_AWAY):
            await fleet.say_offline()
        with contextlib.suppress(*DATABASE_AWAY):
            await leases.resign()
        await asyncio.to_thread(ingest.close)
        await gate.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(pool.close(), 3)
        log.info("worker has stopped")

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that ends the worker when it fails: its supervisor starts another."""
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("a part of the worker failed", exc_info=task.exception())
            self._stop.set()

    def _prepare_sessions(self, feed: Callable[[int, int, bytes], None]) -> tuple[Callable[..., Session], Gate]:
        """neonize, trusting whom this worker is to trust, and the gate it dials through."""
        if self._profile is not None and not loopback_trust.was_started_for(self._profile):
            raise RuntimeError("a loopback worker's process must be started with the environment of its profile")
        from wafast.devices.neonize_binding import Binding
        from wafast.devices.neonize_session import NeonizeSession

        only = loopback_trust.patch(self._profile).address if self._profile is not None else None
        binding = Binding(_core.inlet_address(), feed)
        workers = self._settings.workers
        gate = Gate(self._settings.connect_rate / workers, max(1, MAX_CONNECTING // workers), only, self._counts)

        def make(device_no: int, store: Path, proxy: str | None, tell: Callable[[int, ControlEvent], None]) -> Session:
            return NeonizeSession(binding, gate, device_no, store, proxy, tell, feed)

        return make, gate

    def _drain_control(
        self, ingest: _core.Ingest, fleet: Fleet, names: GroupNames, phones: PhoneState, eager: EagerMedia
    ) -> None:
        for device_no, code, data in ingest.control():
            if code == NAMELESS_CHATS:
                jids = data.decode().split("\n")
                names.want(device_no, jids)
                phones.want(device_no, jids)
                continue
            if code == NEW_FILES:
                eager.wake()
                continue
            held = fleet.held.get(device_no)
            if held is not None and held.session is not None:
                try:
                    held.session.receive(code, data)
                except Exception:
                    log.exception("a control event is not readable", device=device_no, code=code)

    def _listener(
        self,
        pool: asyncpg.Pool,
        fleet: Fleet,
        reconciler: Reconciler,
        sender: Sender,
        fetcher: MediaFetcher,
        eager: EagerMedia,
    ) -> Listener:
        server = Server(pool, Verbs(fleet, fetcher).handle)

        def work(payload: str) -> None:
            order = msgspec.json.decode(payload, type=_Work)
            if order.n != self._network:
                return
            if order.w == "outbox":
                if order.d in fleet.held:
                    sender.wake(order.d)
            else:
                reconciler.wake(order.d)

        def gap() -> None:
            reconciler.wake_all()
            sender.wake_all()
            eager.wake()

        channels: dict[str, Callable[[str], None]] = {WORK: work, request_channel(self._id): server.receive}
        return Listener(self._uri, f"worker {self._network} listener", channels, gap)

    async def _show_life(self, fleet: Fleet, reconciler: Reconciler) -> None:
        """Tell the supervisor that the loop runs; end a trial that has nothing to try."""
        idle_since = time.monotonic()
        while True:
            if self._pulse is not None:
                self._pulse.beat(held=len(fleet.held), busy=reconciler.busy, wants_trial=reconciler.wants_trial)
            if fleet.held or not self._is_trial:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > IDLE_SECONDS:
                self._stop.set()
            await asyncio.sleep(LIFE_SECONDS)

    async def _beat(self, leases: Leases, ingest: _core.Ingest, reconciler: Reconciler) -> None:
        """Say that this worker lives. While the database is away its sessions go on, and what comes in is spooled. When
        it is back the living are heard before anybody is buried (`Leases.bury_others`); what was taken after all shows
        when the reconciler next looks."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                if not await leases.beat(figures(ingest, self._counts)):
                    log.warning("the heartbeat came late: devices may be others' by now")
                    reconciler.wake_all()
            except DATABASE_AWAY as error:
                log.warning("no heartbeat: the database is away", error=str(error))


def _session(fleet: Fleet, device_no: int) -> Session | None:
    held = fleet.held.get(device_no)
    return held.session if held is not None and held.is_online else None


async def _bury(leases: Leases) -> None:
    """Free what dead workers held; every worker looks, and whoever is first tells all."""
    while True:
        with contextlib.suppress(*DATABASE_AWAY):  # whoever needs it says so
            await leases.bury_others()
        await asyncio.sleep(BURY_SECONDS)


async def _release_stores() -> None:
    """Quiet sessions hold pages of their stores that they may never need again."""
    while True:
        await asyncio.sleep(RELEASE_SECONDS)
        await asyncio.to_thread(_core.release_stores)


async def _orphan(pool: asyncpg.Pool, device_nos: list[int]) -> None:
    count = await claims.orphan(pool, device_nos)
    if count:
        log.warning("sends were cut off and are unknown", count=count)
