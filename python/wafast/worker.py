"""One worker process: it holds devices of one network, their sessions, and everything that leaves through them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import uvloop

from wafast import _core, logs
from wafast.crashes import Crashes
from wafast.database.away import DATABASE_AWAY
from wafast.database.pool import WORKER_CONNECTIONS, open_pool
from wafast.devices import loopback_trust, native_output
from wafast.devices.calls_served import Verbs
from wafast.devices.counts import Counts
from wafast.devices.eager_media import NEW_FILES, EagerMedia
from wafast.devices.fleet import Fleet
from wafast.devices.gate import Gate
from wafast.devices.group_members import GROUPS_READ, GroupMembers
from wafast.devices.group_names import NAMELESS_CHATS, GroupNames
from wafast.devices.health import Health
from wafast.devices.home import Home, make_name
from wafast.devices.ingest import figures, open_ingest
from wafast.devices.lease import BEAT_SECONDS, BURY_SECONDS, Leases
from wafast.devices.media_fetcher import MediaFetcher
from wafast.devices.reconciler import Reconciler
from wafast.devices.session import ControlEvent, Session
from wafast.devices.untold_reads import UntoldReads
from wafast.devices.uploads import Uploads
from wafast.events.bus import WORK, Listener
from wafast.events.calls import Server, request_channel
from wafast.inbox.media_store import MediaStore
from wafast.limits import raise_limits
from wafast.loaded import leave_loaded
from wafast.outbox import claim as claims
from wafast.outbox.send import Sender
from wafast.pulse import BEAT_SECONDS as LIFE_SECONDS
from wafast.pulse import Pulse
from wafast.settings import Network, Settings
from wafast.vitals import watch_loop

if TYPE_CHECKING:
    from wafast.devices.phone_state import PhoneState

log = logs.get("worker")

#: Devices that may be connecting at once, in all workers of a network on this machine.
MAX_CONNECTING = 50
#: What a worker that tries suspected devices has of these, and dials beside the others, who share the rest.
TRIAL_SHARE = 0.1
#: One that stands still has locked no device any more when its lease is over, which is nine seconds later at the
#: soonest (the core has the same, rust/core/src/connection.rs).
STANDSTILL_SECONDS = 8.0
#: A worker that tries suspected devices ends when it has had none for so long.
IDLE_SECONDS = 20.0
#: Of the 15 seconds a supervisor gives (children.GRACE_SECONDS): sends under way end, and with them the sessions; what
#: came in is committed; and each of two words to the database is heard, or not.
SENDS_SECONDS, SESSIONS_SECONDS, FLUSH_SECONDS, WORD_SECONDS = 4.0, 9.0, 3.0, 1.0
#: Releasing what 3,000 stores hold takes 0.1 s.
RELEASE_SECONDS = 15.0


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
) -> None:
    """Be one worker until SIGTERM or SIGINT: then sessions stop, what came in is committed, devices are given back.
    `pulse` tells a supervisor that all is well. With `is_trial` it tries devices that are suspected of taking workers
    down, and ends when none is left.

    Raises ValueError for a network with the wrong kind of profile, RuntimeError in a process that was not started for
    its profile (`loopback_trust.environment`).
    """
    if (profile is not None) != (network == "loopback"):
        raise ValueError(f"a worker of network {network} {'takes no' if profile else 'needs a'} loopback profile")
    os.umask(0o077)  # session files are keys
    native_output.divert(settings.data_dir / "logs" / f"neonize-{network}.log")
    worker_id = uuid4()
    logs.configure(settings.log, f"worker {network}", worker=str(worker_id))
    raise_limits()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_Worker(settings, database_uri, network, profile, worker_id, pulse, is_trial).run())
    # neonize leaves threads of Go behind that may call back at any time: the interpreter must not be taken down first.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a worker is made of."""

    pool: asyncpg.Pool
    beats: asyncpg.Pool
    """For the heartbeat alone."""
    ingest: _core.Ingest
    """Stores what comes in."""
    gate: Gate
    """Every session dials through it."""
    leases: Leases
    """Which devices it holds."""
    fleet: Fleet
    """Their sessions."""
    reconciler: Reconciler
    """Brings them to what people want."""
    sender: Sender
    """Everything that leaves."""
    names: GroupNames
    members: GroupMembers
    phones: PhoneState
    """What the phone says of chats."""
    fetcher: MediaFetcher
    eager: EagerMedia
    """Fetches files before anybody looks."""
    reads: UntoldReads
    """Tells phones what was read here."""


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
        trial_places = int(MAX_CONNECTING * TRIAL_SHARE)
        self._places = trial_places if is_trial else max(1, (MAX_CONNECTING - trial_places) // settings.workers)
        self._rate = settings.connect_rate * (TRIAL_SHARE if is_trial else 1 / settings.workers)
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Everything from the first connection to the last."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        parts = await self._open()
        self._wire(parts)
        leave_loaded()
        await parts.leases.bury_dead_neighbours()
        await parts.leases.beat(figures(parts.ingest, self._counts))
        await parts.gate.open()
        log.info("worker is ready", id=str(self._id), network=self._network, pid=os.getpid())
        lasting = [self._task(work) for work in (self._beat(parts), self._show_life(parts))]
        others = [self._task(work) for work in self._works(parts)]
        sending = self._task(parts.sender.run())
        await self._stop.wait()
        log.info("worker stops")
        for task in others:
            task.cancel()
        await self._close(parts, sending, lasting)
        log.info("worker has stopped")

    async def _open(self) -> _Parts:
        settings, sessions_dir = self._settings, self._settings.sessions_dir / self._network
        name, idle = f"worker {self._network}", STANDSTILL_SECONDS
        pool = await open_pool(self._uri, size=WORKER_CONNECTIONS, name=name, idle_seconds=idle)
        beats = await open_pool(self._uri, size=1, name=f"{name} heartbeat", idle_seconds=idle)
        ingest = open_ingest(settings, self._uri, str(self._id))
        make_session, gate = self._prepare_sessions(ingest.receive, Uploads(pool))
        from wafast.devices.phone_state import PhoneState  # neonize, now that it is prepared

        leases = Leases(
            pool, self._id, self._network, is_trial=self._is_trial, is_supervised=self._pulse is not None,
            expected=settings.workers, beats=beats, crashes=Crashes(settings.data_dir),
            home=Home(make_name(settings.data_dir), sessions_dir),
        )  # fmt: skip
        fleet = Fleet(pool, self._id, sessions_dir, make_session, self._counts)
        fetcher = MediaFetcher(pool, MediaStore(pool, settings.media_dir))

        def session(device_no: int) -> Session | None:
            held = fleet.held.get(device_no)
            return held.session if held is not None and held.is_online else None

        return _Parts(
            pool=pool,
            beats=beats,
            ingest=ingest,
            gate=gate,
            leases=leases,
            fleet=fleet,
            reconciler=Reconciler(pool, leases, fleet, lambda numbers: _orphan(pool, numbers), self._places),
            sender=Sender(
                pool,
                self._id,
                settings.media_dir,
                fleet.online,
                session,
                settings.messages_per_chat,
                hears=settings.chat_storage,
            ),
            names=GroupNames(pool, session),
            members=GroupMembers(pool, session),
            phones=PhoneState(fleet.held, sessions_dir, ingest.receive),
            fetcher=fetcher,
            eager=EagerMedia(pool, fetcher, fleet.online, session),
            reads=UntoldReads(pool, session),
        )

    def _wire(self, parts: _Parts) -> None:
        """Who hears of what."""
        fleet, reconciler, gate = parts.fleet, parts.reconciler, parts.gate

        def came_online(device_no: int) -> None:
            parts.sender.wake(device_no)
            parts.names.wake()
            parts.eager.wake()
            parts.reads.wake([device_no])

        fleet.on_online = came_online
        fleet.on_change = reconciler.wake
        fleet.is_sending = parts.sender.is_sending
        self._counts.watch(
            connecting=lambda: reconciler.connecting + gate.redialling,
            connect_queue=lambda: reconciler.queued + gate.waiting,
        )
        asyncio.get_running_loop().add_reader(parts.ingest.control_fd(), _drain_control, parts)

    def _works(self, parts: _Parts) -> list[Coroutine[Any, Any, None]]:
        """What goes on until it stops, beside what is sent and what tells that it lives."""
        return [
            self._listener(parts).run(),
            _bury(parts.leases),
            parts.reconciler.run(),
            parts.reconciler.run_starts(),
            Health(parts.fleet).run(),
            _release_stores(),
            parts.names.run(),
            parts.members.run(),
            parts.phones.run(),
            parts.eager.run(),
            parts.reads.run(),
            watch_loop(self._counts.loop_late.observe),
        ]

    async def _close(self, parts: _Parts, sending: asyncio.Task[None], lasting: list[asyncio.Task[None]]) -> None:
        """Sends end, then sessions; what came in is committed; devices are given back. `lasting` goes on until then."""
        loop = asyncio.get_running_loop()
        are_ended = await _end(parts.fleet, parts.sender, sending)
        loop.remove_reader(parts.ingest.control_fd())
        await _within(loop.time() + WORD_SECONDS, parts.fleet.say_offline(), "their states")
        if not await asyncio.to_thread(parts.ingest.flush, FLUSH_SECONDS):
            log.warning("not all is committed; the rest lies in the spool until the next start")
        for task in lasting:
            task.cancel()
        if are_ended:  # else the leases are free once this process is gone
            await _within(loop.time() + WORD_SECONDS, parts.leases.resign(), "leases")
        await asyncio.to_thread(parts.ingest.close)
        await parts.gate.close()
        for opened in (parts.pool, parts.beats):
            opened.terminate()

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that ends the worker when it fails: its supervisor starts another."""
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("a part of the worker failed", exc_info=task.exception())
            self._stop.set()

    def _prepare_sessions(
        self, feed: Callable[[int, int, bytes], None], uploads: Uploads
    ) -> tuple[Callable[..., Session], Gate]:
        """neonize, trusting whom this worker is to trust, and the gate it dials through."""
        if self._profile is not None and not loopback_trust.was_started_for(self._profile):
            raise RuntimeError("a loopback worker's process must be started with the environment of its profile")
        from wafast.devices.neonize_binding import Binding
        from wafast.devices.neonize_session import NeonizeSession

        only = loopback_trust.patch(self._profile).address if self._profile is not None else None
        binding = Binding(_core.inlet_address(), feed, self._stop.set)
        gate = Gate(self._rate, self._places, only, self._counts)

        def make(device_no: int, store: Path, proxy: str | None, tell: Callable[[int, ControlEvent], None]) -> Session:
            return NeonizeSession(binding, gate, uploads, device_no, store, proxy, tell, feed)

        return make, gate

    def _listener(self, parts: _Parts) -> Listener:
        fleet, sender, reads = parts.fleet, parts.sender, parts.reads

        def work(payload: str) -> None:
            order = msgspec.json.decode(payload, type=_Work)
            if order.n != self._network:
                return
            if order.w == "outbox":
                if order.d in fleet.held:
                    sender.wake(order.d)
            elif order.w == "read":
                if order.d in fleet.held:
                    reads.wake([order.d])
            else:
                parts.reconciler.wake(order.d)

        def gap() -> None:
            parts.reconciler.wake_all()
            sender.wake_all()
            parts.eager.wake()
            reads.wake(fleet.online())

        server = Server(parts.pool, Verbs(parts.pool, fleet, parts.fetcher).handle)
        channels: dict[str, Callable[[str], None]] = {WORK: work, request_channel(self._id): server.receive}
        return Listener(self._uri, f"worker {self._network} listener", channels, gap)

    async def _show_life(self, parts: _Parts) -> None:
        """Tell the supervisor that the loop runs; end a trial that has nothing to try."""
        fleet, reconciler = parts.fleet, parts.reconciler
        idle_since = time.monotonic()
        while True:
            if self._pulse is not None:
                self._pulse.beat(held=len(fleet.held), busy=reconciler.busy, wants_trial=reconciler.wants_trial)
            if fleet.held or not self._is_trial:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > IDLE_SECONDS:
                self._stop.set()
            await asyncio.sleep(LIFE_SECONDS)

    async def _beat(self, parts: _Parts) -> None:
        """Say that this worker lives. While the database is away its sessions go on, and what comes in is spooled. When
        it is back the living are heard before anybody is buried (`Leases.bury_others`); what was taken after all shows
        when the reconciler next looks."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                if not await parts.leases.beat(figures(parts.ingest, self._counts)):
                    log.warning("the heartbeat came late: devices may be others' by now")
                    parts.reconciler.wake_all()
            except DATABASE_AWAY as error:
                log.warning("no heartbeat: the database is away", error=str(error))


def _drain_control(parts: _Parts) -> None:
    """What sessions tell goes to who needs it."""
    for device_no, code, data in parts.ingest.control():
        if code == NAMELESS_CHATS:
            jids = data.decode().split("\n")
            parts.names.want(device_no, jids)
            parts.phones.want(device_no, jids)
            continue
        if code == NEW_FILES:
            parts.eager.wake()
            continue
        if code == GROUPS_READ:
            parts.members.heard(device_no, [int(chat_id) for chat_id in data.split()])
            continue
        held = parts.fleet.held.get(device_no)
        if held is not None and held.session is not None:
            try:
                held.session.receive(code, data)
            except Exception:
                log.exception("a control event is not readable", device=device_no, code=code)


async def _end(fleet: Fleet, sender: Sender, sending: asyncio.Task[None]) -> bool:
    """Let sends under way end, then the sessions; whether these have."""
    began = asyncio.get_running_loop().time()
    sender.stop()
    await asyncio.wait([sending], timeout=SENDS_SECONDS)
    await _within(began + SENDS_SECONDS, sender.drain(), "sends")
    return await _within(began + SESSIONS_SECONDS, fleet.close(), "sessions")


async def _within(until: float, step: Coroutine[Any, Any, object], what: str) -> bool:
    """Do a step of stopping, until an instant of the loop's clock: what comes after it matters more. Whether it was
    done."""
    try:
        async with asyncio.timeout_at(until):
            await step
        return True
    except DATABASE_AWAY as error:  # TimeoutError is one of them
        log.warning("stopping goes on without it", step=what, error=str(error) or "it takes too long")
        return False


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
