"""Brings devices to what people want them to be: the one place that makes a device connect, reconnect or stop.

Woken by notifications, and by a slow tick for what no notification tells (a backoff that is over, a worker that died).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from enum import Enum
from uuid import UUID

import asyncpg
import msgspec

from wafast import logs
from wafast.database.away import DATABASE_AWAY
from wafast.database.queries import load
from wafast.devices import lease, state
from wafast.devices.backoff import COOLDOWN_SECONDS, LONGEST_SECONDS
from wafast.devices.fleet import AWAY_SECONDS, Fleet
from wafast.devices.held import Held
from wafast.devices.lease import Leases
from wafast.devices.pairing import Pairing
from wafast.devices.session import PairingEnded, PairingRefused, SessionError
from wafast.devices.session_file import store_name
from wafast.events import bus

q = load(__file__)
log = logs.get("devices.reconciler")

TICK_SECONDS = 5.0
#: Notifications that come together are looked at together.
GATHER_SECONDS = 0.02
#: Sessions that end at once: each waits 0.1 s for what it still holds.
ENDS_AT_ONCE = 25
#: What unlinking may take: whatsmeow waits 75 seconds for an answer.
LOG_OUT_SECONDS = 20.0
#: When a device is looked at again that was just changing.
AGAIN_SECONDS = 0.2
#: Devices handed to another worker with each tick, where it holds fewer: each is offline for a second.
HAND_OVER = 10
#: A session that is not online by then is started anew; what dials again by itself gets longer.
CONNECT_SECONDS = 60.0
REDIAL_SECONDS = 300.0


class Row(msgspec.Struct, frozen=True):
    """A device as the database has it."""

    no: int
    id: UUID
    tenant_id: int
    desired_state: str
    state: state.State
    failures: int
    crashes: int
    jid: str | None
    push_name: str | None
    store: str | None
    proxy: str | None
    is_here: bool
    is_due: bool
    waits_for_person: bool
    epoch: int
    pairing_id: UUID | None
    pairing_phone: str | None
    pairing_expired: bool | None
    state_reason: str | None = None


class Step(Enum):
    """What a device needs now."""

    NOTHING = "nothing"
    RELEASE = "release"
    DROP = "drop"
    PAIR = "pair"
    EXPIRE_PAIRING = "expire_pairing"
    CANCEL_PAIRING = "cancel_pairing"
    CONNECT = "connect"
    DISCONNECT = "disconnect"
    LOG_OUT = "log_out"
    RESTART = "restart"
    SAY_AWAY = "say_away"
    CHANGE_PROXY = "change_proxy"


def decide(row: Row, held: Held, now: float) -> Step:
    """The next step for a device; `now` is of the monotonic clock."""
    if row.epoch != held.lease[1]:
        return Step.DROP
    if row.pairing_id is not None and row.pairing_expired:
        return Step.EXPIRE_PAIRING
    if held.pairing is not None and row.pairing_id != held.pairing.id:
        return Step.CANCEL_PAIRING
    if row.pairing_id is not None:
        return Step.PAIR if held.pairing is None else Step.NOTHING
    if row.desired_state == "logged_out" and row.jid is not None and row.state != "logged_out":
        return Step.LOG_OUT
    if row.desired_state == "connected" and row.jid is not None and row.state != "logged_out":
        return _connected(row, held, now)
    if held.session is not None or row.state in ("pairing", "connecting", "online") or _says_it_comes_back(row):
        return Step.DISCONNECT
    return Step.RELEASE


def _says_it_comes_back(row: Row) -> bool:
    """Whether a device that is to stay offline still gives a reason from before."""
    return row.state == "offline" and row.desired_state == "disconnected" and row.state_reason != state.ON_REQUEST


def _connected(row: Row, held: Held, now: float) -> Step:
    if not row.is_here:  # whoever connects it needs its session file
        says_so = row.state == "offline" and row.state_reason == state.HOME_AWAY
        return Step.RELEASE if says_so or row.state in state.TERMINAL else Step.SAY_AWAY
    if held.session is None:
        if row.waits_for_person:
            return Step.RELEASE
        return Step.CONNECT if row.is_due else Step.NOTHING
    if row.proxy != held.proxy:
        return Step.CHANGE_PROXY
    patience = CONNECT_SECONDS if held.state == "connecting" else REDIAL_SECONDS
    return Step.RESTART if held.state != "online" and now - held.state_at > patience else Step.NOTHING


class Reconciler:
    """The loop of one worker."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        leases: Leases,
        fleet: Fleet,
        on_acquired: Callable[[list[int]], Awaitable[None]],
        most_connecting: int,
    ) -> None:
        """`most_connecting`: sessions that may be between start and online at once."""
        self._pool, self._leases, self._fleet = pool, leases, fleet
        self._on_acquired = on_acquired
        self._most_connecting = most_connecting
        #: Whether suspected devices wait, and no worker tries them.
        self.wants_trial = False
        self._woken = asyncio.Event()
        self._named: set[int] = set()
        self._again: set[int] = set()
        self._missed = True
        self._starts: asyncio.PriorityQueue[tuple[int, int, int]] = asyncio.PriorityQueue()
        self._queued: set[int] = set()
        self._busy: set[int] = set()  # being started or ended
        self._ends = asyncio.Semaphore(ENDS_AT_ONCE)
        self._coming: set[int] = set()  # these, and those that are connecting since
        self._count = 0

    @property
    def queued(self) -> int:
        """Devices that wait for their session to start."""
        return len(self._queued)

    @property
    def connecting(self) -> int:
        """Devices whose session is between its start and being online."""
        return len(self._still_coming())

    @property
    def busy(self) -> int:
        """Devices that wait to be started, or are connecting."""
        return self.queued + self.connecting

    def wake(self, device_no: int) -> None:
        """Something about this device has changed."""
        self._named.add(device_no)
        self._woken.set()

    def wake_all(self) -> None:
        """Notifications may have been missed."""
        self._missed = True
        self._woken.set()

    async def run(self) -> None:
        """Reconcile until cancelled."""
        next_tick = time.monotonic()
        while True:
            try:
                named = self._named | self._again
                self._named, self._again = set(), set()
                self._woken.clear()
                full = self._missed or time.monotonic() >= next_tick
                self._missed = False
                if full:
                    next_tick = time.monotonic() + TICK_SECONDS
                await self.look(None if full else sorted(named))
            except DATABASE_AWAY as error:
                log.warning("the database is away", error=str(error))
                self._missed = True
                await asyncio.sleep(1.0)
            except Exception:
                log.exception("devices were not looked at")
                self._missed = True
                await asyncio.sleep(1.0)
            left = max(0.0, next_tick - time.monotonic())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), min(left, AGAIN_SECONDS) if self._again else left)
            await asyncio.sleep(GATHER_SECONDS)

    async def look(self, named: list[int] | None) -> None:
        """Take what is free, then look at the named devices, or at all."""
        fleet = self._fleet
        acquired: list[int] = []
        if named is None or any(no not in fleet.held for no in named):
            acquired = await self._acquire()
        wanted = None if named is None else named + acquired
        asked = time.monotonic()
        rows = await self._read(wanted)
        known = list(fleet.held) if wanted is None else wanted
        await self._drop_missing([fleet.held[no] for no in known if no in fleet.held and no not in rows])
        releases = []
        for row in rows.values():
            held = fleet.held.get(row.no)
            if held is None:
                releases.append(row.no)
            elif row.no in self._busy or held.is_handling or held.touched >= asked:
                self._again.add(row.no)
            else:
                self._refresh(row, held)
                self._begin(decide(row, held, time.monotonic()), row, held)
        await self._leases.release(releases)
        if named is None:
            await self._settle()

    async def _acquire(self) -> list[int]:
        """Take what is free. All devices of the network are looked through for it: at each tick, and when one is named
        that this worker does not hold."""
        acquired = await self._leases.acquire()
        for taken in acquired:
            await self._fleet.adopt(taken)
        if acquired:
            log.info("devices taken", count=len(acquired))
            await self._on_acquired([taken.device_no for taken in acquired])
        return [taken.device_no for taken in acquired]

    async def _settle(self) -> None:
        """Acquit suspected devices that proved well, and hand over what others should hold."""
        now = time.monotonic()
        proven = [
            held.device_no
            for held in self._fleet.held.values()
            if held.crashes and held.is_online and now - held.state_at >= lease.SETTLED_SECONDS
        ]
        if proven:
            await self._leases.acquit(proven)
        if self._leases.is_trial:  # also whoever was sending when it was acquitted
            moving = proven + [
                held.device_no for held in self._fleet.held.values() if held.is_online and not held.crashes
            ]
        else:
            moving = await self._leases.surplus(HAND_OVER)
        for held in [self._fleet.held[device_no] for device_no in moving if device_no in self._fleet.held]:
            if not held.is_handling and held.device_no not in self._busy:
                self._aside(held.device_no, self._hand_over(held))
        self.wants_trial = await self._leases.wants_trial()

    async def _hand_over(self, held: Held) -> bool:
        """Give a device to whoever should hold it; one that sends just now goes on here until a later tick."""
        if self._fleet.is_sending(held.device_no):
            return False
        await self._fleet.end_session(held)
        await self._fleet.move(held, "offline", state.MOVES)
        await self._fleet.drop(held)
        await self._leases.release([held.device_no])
        await bus.wake(self._pool, "device", self._leases.network, held.device_no)
        return False

    def _begin(self, step: Step, row: Row, held: Held) -> None:
        """Begin what a device needs. What takes time goes on beside the loop: one slow device holds nobody up."""
        match step:
            case Step.NOTHING:
                pass
            case Step.PAIR:
                self._queue(0, row)
            case Step.CONNECT:
                self._queue(1, row)
            case Step.EXPIRE_PAIRING:
                self._expire(row, held)
            case Step.CANCEL_PAIRING:
                self._fleet.hear(row.no, PairingRefused("cancelled"))
            case _:
                self._aside(row.no, self._take_step(step, row, held))

    def _aside(self, device_no: int, work: Coroutine[None, None, bool]) -> None:
        """Do what may take long for a device; it gives whether the device is to be looked at again."""
        self._busy.add(device_no)
        self._fleet.spawn(self._do_aside(device_no, work), kept=True)

    async def _do_aside(self, device_no: int, work: Coroutine[None, None, bool]) -> None:
        again = True
        try:
            async with self._ends:
                again = await work
        except DATABASE_AWAY as error:
            log.warning("the database is away", device=device_no, error=str(error))
        except Exception:
            log.exception("a device was not brought where it should be", device=device_no)
        finally:
            work.close()  # where its turn never came
            self._busy.discard(device_no)
            self._fleet.moved()
            if again:
                self.wake(device_no)

    async def _read(self, wanted: list[int] | None) -> dict[int, Row]:
        records = await self._pool.fetch(q.read_devices, self._leases.worker_id, wanted, LONGEST_SECONDS)
        return {record["no"]: msgspec.convert(dict(record), Row) for record in records}

    async def _drop_missing(self, missing: list[Held]) -> None:
        """Devices that were deleted, or taken by another worker, which needs their session files."""
        if not missing:
            return
        records = await self._pool.fetch(q.which_exist, [held.device_no for held in missing])
        exist = {record["no"] for record in records}
        for held in missing:
            # A phone may just have scanned its code, and is to lose the link again.
            if held.is_handling or held.device_no in self._busy:
                self._again.add(held.device_no)
            else:
                self._aside(held.device_no, self._drop(held, held.device_no in exist))

    async def _drop(self, held: Held, exists: bool) -> bool:
        if not exists and held.pairing is None:
            await self._fleet.unlink(held)
        await self._fleet.drop(held)
        if not exists:
            self._fleet.forget_store(held)
        return False

    async def _take_step(self, step: Step, row: Row, held: Held) -> bool:
        """Do what a device needs; whether it is to be looked at again."""
        fleet = self._fleet
        match step:
            case Step.RELEASE:
                await fleet.drop(held)
                await self._leases.release([row.no])
                return False
            case Step.DROP:
                await fleet.drop(held)
                return False
            case Step.DISCONNECT:
                await self._disconnect(row, held, state.ON_REQUEST)
            case Step.SAY_AWAY:
                await self._disconnect(row, held, state.HOME_AWAY)
            case Step.LOG_OUT:
                await self._log_out(held)
            case Step.CHANGE_PROXY:
                if fleet.is_sending(held.device_no):
                    return False  # a later tick; whether it has left would not be known
                since = time.monotonic() - held.state_at if held.is_online else 0.0  # else it may have dialled just now
                await fleet.move(held, "offline", state.NEW_PROXY, retry=max(0.0, COOLDOWN_SECONDS - since))
                await fleet.end_session(held)
            case Step.RESTART:
                await fleet.restart_stuck(held, state.STUCK)
        return True

    @staticmethod
    def _refresh(row: Row, held: Held) -> None:
        """What only the database knows, while no session tells better."""
        held.failures, held.crashes = row.failures, row.crashes
        if held.session is None:
            held.state, held.jid, held.push_name, held.store = row.state, row.jid, row.push_name, row.store

    def _queue(self, rank: int, row: Row) -> None:
        if row.no not in self._queued:
            self._count += 1
            self._queued.add(row.no)
            self._starts.put_nowait((rank, self._count, row.no))

    async def run_starts(self) -> None:
        """Start queued sessions, pairings first, few at a time, until cancelled."""
        while True:
            _rank, _count, device_no = await self._starts.get()
            await self._fleet.wait_for(self._has_room)
            self._queued.discard(device_no)
            if device_no in self._busy:  # something else came first, and the device is looked at when that is over
                continue
            self._busy.add(device_no)
            self._coming.add(device_no)
            self._fleet.spawn(self._start_one(device_no))

    def _has_room(self) -> bool:
        return self.connecting < self._most_connecting

    def _still_coming(self) -> set[int]:
        """Devices whose session is between its start and being online."""
        held = self._fleet.held
        self._coming = {no for no in self._coming if no in self._busy or (no in held and held[no].is_connecting)}
        return self._coming

    async def _start_one(self, device_no: int) -> None:
        try:
            await self._start(device_no)
        except DATABASE_AWAY as error:
            log.warning("a start was not written", device=device_no, error=str(error))
            await asyncio.sleep(AWAY_SECONDS)  # one that can be read, but not written, would be asked without end
        except Exception:
            log.exception("a device was not started", device=device_no)
        finally:
            self._busy.discard(device_no)
            self._fleet.moved()
            self.wake(device_no)

    async def _start(self, device_no: int) -> None:
        """Start what is still wanted now: the queue may have taken a while."""
        fleet = self._fleet
        held, row = fleet.held.get(device_no), (await self._read([device_no])).get(device_no)
        if held is None or row is None or held.is_handling:
            return
        step = decide(row, held, time.monotonic())
        if step is Step.PAIR and row.pairing_id is not None:
            await fleet.end_session(held)
            if not await fleet.move(held, "pairing", state.PAIRING):
                return
            store = store_name(row.id, row.pairing_id)
            held.pairing = Pairing(self._pool, held.lease, row.no, row.pairing_id, row.pairing_phone, store, row.store)
            await fleet.start(held, store, row.proxy)
        elif step is Step.CONNECT and row.store is not None:
            await fleet.connect(held, row.store, row.proxy)
        elif step is Step.CONNECT:
            await fleet.logged_out(held, state.logged_out("its session file is missing"))

    def _expire(self, row: Row, held: Held) -> None:
        """Nobody scanned in time: told as the session would, so that it comes after what a phone did at the last
        moment. A worker that died may have left the pairing."""
        if held.pairing is None and row.pairing_id is not None:
            held.pairing = Pairing(
                self._pool, held.lease, row.no, row.pairing_id, row.pairing_phone,
                store_name(row.id, row.pairing_id), row.store,
            )  # fmt: skip
        self._fleet.hear(row.no, PairingEnded("timeout"))

    async def _disconnect(self, row: Row, held: Held, reason: str) -> None:
        fleet = self._fleet
        await fleet.end_session(held)
        if row.state == "pairing":
            await fleet.back_from_pairing(held, None)
        elif row.state in ("connecting", "online", "offline"):
            await fleet.move(held, "offline", reason)

    async def _log_out(self, held: Held) -> None:
        """Unlink from the phone where that is possible now; where it is not, the phone shows the link until a person
        removes it there."""
        reason = state.UNLINKED_HERE
        try:
            if held.session is None:
                raise SessionError("not connected")
            await asyncio.wait_for(held.session.log_out(), LOG_OUT_SECONDS)
        except (SessionError, TimeoutError) as error:
            log.info("the phone was not told of a logout", device=held.device_no, error=str(error))
            reason = "Logged out here, but the phone could not be told: remove the device there too. Then pair it again"
        await self._fleet.logged_out(held, reason)
