"""The sessions of one worker: started, listened to and ended; what they tell becomes the state of their devices."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Literal
from uuid import UUID

import asyncpg

from wafast import logs
from wafast.database.away import DATABASE_AWAY
from wafast.devices import session as ev
from wafast.devices import session_file, state
from wafast.devices.backoff import retry_seconds
from wafast.devices.counts import Counts
from wafast.devices.held import Held
from wafast.devices.lease import Lease
from wafast.devices.pairing import OUTCOMES, TIMED_OUT, NumberTaken, Pairing
from wafast.devices.session import ControlEvent, Session, SessionError
from wafast.devices.session_file import remove_store

log = logs.get("devices.fleet")

MakeSession = Callable[[int, Path, str | None, Callable[[int, ControlEvent], None]], Session]

#: Unanswered pings, 20 to 30 seconds apart, that make a device offline. The session dials anew by itself after more.
MISSED_PINGS = 2
#: What is written however often that fails: a device of which it is not known would be dialled again.
ENDS = (ev.LoggedOut, ev.Banned, ev.Replaced, ev.Outdated)
#: How long to wait when the database is away, before an event is written again.
AWAY_SECONDS = 1.0
#: What was told is written before the sessions end, if the database is there, and what ends has ended.
KEPT_SECONDS = 3.0
#: How long a device that is to lose its link may take to log in and say so.
UNLINK_SECONDS = 10.0
#: The phone tells its name a moment after the first login.
NAME_SECONDS = 3.0
#: How long after a ban that ends by itself a device connects again, seconds.
AFTER_BAN = (10.0, 60.0)


class Fleet:
    """Every device this worker holds. All methods run on the worker's loop."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        worker_id: UUID,
        sessions_dir: Path,
        make_session: MakeSession,
        counts: Counts,
    ) -> None:
        self._pool, self._worker_id, self._counts = pool, worker_id, counts
        self._sessions_dir, self._make_session = sessions_dir, make_session
        self.held: dict[int, Held] = {}
        self.on_online: Callable[[int], None] = lambda _device_no: None
        self.on_change: Callable[[int], None] = lambda _device_no: None
        self.is_sending: Callable[[int], bool] = lambda _device_no: False
        self._tasks: set[asyncio.Task[None]] = set()
        self._kept: set[asyncio.Task[None]] = set()
        self._moved = asyncio.Event()

    async def wait_for(self, ready: Callable[[], bool]) -> None:
        """Return when it is so; asked again whenever a device has changed."""
        while not ready():
            self._moved.clear()
            await self._moved.wait()

    def moved(self) -> None:
        """A device has changed."""
        self._moved.set()

    def online(self) -> list[int]:
        """Devices that can send now."""
        return [device_no for device_no, held in self.held.items() if held.is_online]

    async def adopt(self, lease: Lease) -> Held:
        """Begin to hold a device; a session of an earlier lease ends first."""
        before = self.held.get(lease.device_no)
        if before is not None:
            await self.end_session(before)
        held = Held(lease.device_no, lease.tenant_id, (self._worker_id, lease.epoch))
        self.held[lease.device_no] = held
        return held

    async def drop(self, held: Held) -> None:
        """Hold a device no more; its session ends, its state stays as it is."""
        await self.end_session(held)
        self.held.pop(held.device_no, None)

    async def connect(self, held: Held, store: str, proxy: str | None) -> None:
        """Start the session of a paired device, unless something stands against its session file."""
        objection = session_file.objection(self._sessions_dir / store)
        # What waited for a person was told to connect, and does not become offline but by way of that.
        if (objection is None or held.state != "offline") and not await self.move(held, "connecting", state.STARTING):
            return
        if objection is None:
            await self.start(held, store, proxy)
        else:
            log.warning("a session file can't be used", device=held.device_no, reason=objection)
            await self._stop_and_retry(held, objection)

    async def start(self, held: Held, store: str, proxy: str | None) -> None:
        """Start the session of a device that has none."""
        held.touch()
        held.state_at = time.monotonic()
        held.store, held.proxy = store, proxy
        held.session = self._make_session(held.device_no, self._sessions_dir / store, proxy, self.hear)
        try:
            if held.pairing is not None:
                self._sessions_dir.mkdir(parents=True, exist_ok=True)
            await held.session.start()
        except Exception as error:
            log.exception("a session did not start", device=held.device_no)
            if held.pairing is not None:
                await self.end_pairing(held, "failed", f"the session did not start: {error}")
            else:
                await self._give_up(held, f"the session did not start: {error}")

    async def end_session(self, held: Held) -> None:
        """End a device's session, if it has one; what it told last is of no use any more."""
        if held.session is not None:
            held.events.clear()
        await self._stop(held)

    async def _stop(self, held: Held) -> None:
        """End a device's session, but forget nothing that it told: while the database is away that is all there is, and
        a device whose events are being handled is not started."""
        session, held.session = held.session, None
        held.touch()
        self.moved()
        if session is not None:
            await session.stop()

    async def move(
        self,
        held: Held,
        to: state.State,
        reason: str | None,
        *,
        retry: float | None = None,
        failed: bool = False,
    ) -> bool:
        """Write a state; what was already so is not written again."""
        moved = await state.move(self._pool, held.lease, held.device_no, to, reason, retry_seconds=retry, failed=failed)
        if not moved:
            log.warning("a state was not written", device=held.device_no, state=to, was=held.state)
            return False
        if held.state != to:
            log.info("device is " + to, device=held.device_no, reason=reason)
            self._counts.state_changed(held.state, to)
            held.state, held.state_at = to, time.monotonic()
        held.failures = 0 if to == "online" else held.failures + failed
        held.touch()
        self.moved()
        self.on_change(held.device_no)
        return True

    def hear(self, device_no: int, event: ControlEvent) -> None:
        """Take what a session tells. A device's events are handled one after the other."""
        held = self.held.get(device_no)
        if held is None:
            return
        held.events.append(event)
        if not held.is_handling:
            held.is_handling = True
            self.spawn(self._drain(held), kept=True)

    def spawn(self, work: Coroutine[None, None, None], *, kept: bool = False) -> None:
        """Run a coroutine as a task; one that is `kept` has a while to end by itself when the worker stops."""
        task = asyncio.get_running_loop().create_task(work)
        for tasks in (self._tasks, self._kept) if kept else (self._tasks,):
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _drain(self, held: Held) -> None:
        try:
            while held.events:
                event = held.events[0]
                try:
                    await self._handle(held, event)
                except Exception as error:
                    is_away = isinstance(error, DATABASE_AWAY)
                    say = log.debug if is_away else log.exception
                    say("an event is not written", device=held.device_no, event_type=type(event).__name__)
                    if is_away or isinstance(event, ENDS):
                        await asyncio.sleep(AWAY_SECONDS * random.uniform(0.5, 1.5))
                        continue
                if held.events and held.events[0] is event:
                    held.events.popleft()
        finally:
            held.is_handling = False

    async def _handle(self, held: Held, event: ControlEvent) -> None:
        if held.pairing is not None and await self._handle_pairing(held, held.pairing, event):
            return
        match event:
            case ev.Own():
                await self._keep_name(held, event.push_name)
            case ev.Connected() | ev.KeepAliveRestored():
                if held.session is not None:
                    await self._came_online(held)
            case ev.Disconnected():
                if held.state in ("online", "connecting"):
                    await self.move(held, "offline", state.LOST)
            case ev.KeepAliveTimeout():
                if event.errors >= MISSED_PINGS and held.state == "online":
                    await self.move(held, "offline", state.NO_ANSWER)
            case ev.LoggedOut():
                await self.logged_out(held, state.logged_out(event.reason))
            case ev.Qr():
                # Only a session whose keys are gone shows codes to a device that was paired. WhatsApp has said nothing.
                await self._store_failed(held, ev.StoreFailed("unlinked", "it shows codes"))
            case ev.StoreFailed():
                await self._store_failed(held, event)
            case ev.Banned():
                retry = event.seconds + random.uniform(*AFTER_BAN) if event.seconds > 0 else state.NEVER
                await self._terminate(held, "banned", state.banned(event.reason, event.seconds), retry=retry)
            case ev.Replaced():
                await self._terminate(held, "replaced", state.REPLACED)
            case ev.Outdated():
                await self._terminate(held, "outdated", state.OUTDATED)
            case ev.ConnectFailure():
                await self._give_up(held, event.reason)
            case ev.Ended():
                await self._give_up(held, f"WhatsApp is not reached: {event.error or 'the session ended'}")
            case ev.Silent():
                if held.state == "online" and held.session is not None:
                    log.warning("a device is silent", device=held.device_no)
                    await self.move(held, "offline", state.NO_ANSWER)
                    held.session.redial()
            case ev.Stuck():
                if held.state == "online":
                    await self.restart_stuck(held, state.UNANSWERED)
            case ev.StreamError():
                log.info("WhatsApp ended the stream", device=held.device_no, code=event.code)

    async def _handle_pairing(self, held: Held, pairing: Pairing, event: ControlEvent) -> bool:
        """Take an event of a device that is being paired; False for one that is not about the pairing."""
        match event:
            case ev.Qr():
                await self._show(held, pairing, event.code)
            case ev.Own():
                await self._paired(held, pairing, event)
            case ev.Paired():
                pass  # Own follows, and says more
            case ev.PairingRefused():
                await self.end_pairing(held, "failed", event.reason)
            case ev.PairingEnded(outcome="success"):
                pass
            case ev.PairingEnded(outcome="timeout"):
                await self.end_pairing(held, "expired", TIMED_OUT)
            case ev.PairingEnded():
                await self.end_pairing(held, "failed", OUTCOMES.get(event.outcome, f"it ended: {event.outcome}"))
            case ev.ConnectFailure() | ev.LoggedOut() | ev.Banned():
                await self.end_pairing(held, "failed", event.reason)
            case ev.Outdated():
                await self.end_pairing(held, "failed", OUTCOMES["err-client-outdated"])
            case ev.Replaced():
                await self.end_pairing(held, "failed", state.REPLACED)
            case ev.StoreFailed():
                await self.end_pairing(held, "failed", f"its session file failed: {event.error}")
            case ev.Ended():
                await self.end_pairing(held, "failed", f"WhatsApp is not reached: {event.error or 'the session ended'}")
            case _:
                return False
        return True

    async def _show(self, held: Held, pairing: Pairing, qr: str) -> None:
        if pairing.phone is None:
            await pairing.show(qr=qr)
        elif held.session is not None:
            try:
                pairing.code = pairing.code or await held.session.pair_by_code(pairing.phone)
            except SessionError as error:
                await self.end_pairing(held, "failed", f"WhatsApp gave no code: {error}")
            else:
                await pairing.show(code=pairing.code)

    async def _paired(self, held: Held, pairing: Pairing, own: ev.Own) -> None:
        try:
            written = await pairing.succeed(own)
        except NumberTaken as error:
            await self.end_pairing(held, "failed", str(error))
            return
        if not written:
            await self._leave_pairing(held, pairing, None)
            return
        held.pairing = None
        held.touch()
        log.info("device is paired", device=held.device_no)
        if pairing.old_store is not None:
            remove_store(self._sessions_dir / pairing.old_store)
        self._counts.state_changed(held.state, "connecting")
        held.jid, held.push_name, held.state, held.state_at = own.jid, None, "connecting", time.monotonic()
        await self._keep_name(held, own.push_name)

    async def unlink(self, held: Held) -> None:
        """The phone has linked a device that nobody wants, or not any more: give the link back, once the session is in.
        The phone of one that does not come in keeps it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(UNLINK_SECONDS):
                while held.session is not None:
                    try:
                        await held.session.log_out()
                        return
                    except SessionError:
                        await asyncio.sleep(0.25)
        if held.session is not None:
            log.warning("the phone was not told that its device is gone", device=held.device_no)

    async def end_pairing(self, held: Held, outcome: Literal["failed", "expired"], reason: str) -> None:
        """End a device's waiting pairing without a phone."""
        pairing = held.pairing
        if pairing is None:
            return
        await pairing.end(outcome, reason)
        await self._leave_pairing(held, pairing, reason)

    async def _leave_pairing(self, held: Held, pairing: Pairing, reason: str | None) -> None:
        """Nothing comes of a pairing: what it made goes. Where the lease is lost, its next holder goes on with it."""
        is_ours = await self.back_from_pairing(held, reason)  # first: a session that shows codes ends slowly
        is_ours = is_ours or not await state.exists(self._pool, held.device_no)
        held.pairing = None
        if is_ours and any(isinstance(event, ev.Own) for event in held.events):  # a phone has scanned
            await self.unlink(held)
        await self.end_session(held)
        if is_ours:
            remove_store(self._sessions_dir / pairing.store)

    async def back_from_pairing(self, held: Held, reason: str | None) -> bool:
        """A device without a link is new again, because of `reason`; one that has one is what it was before."""
        if held.jid is None:
            return await self.move(held, "new", reason and f"Pairing failed: {reason}", retry=state.NEVER)
        was, why, retry = await state.before_pairing(self._pool, held.device_no)
        return await self.move(held, was, why, retry=retry)

    async def _ask_name(self, held: Held) -> None:
        await asyncio.sleep(NAME_SECONDS)
        if held.is_online and held.session is not None:
            with contextlib.suppress(SessionError, *DATABASE_AWAY):
                await self._keep_name(held, (await held.session.own()).push_name)

    async def _keep_name(self, held: Held, name: str) -> None:
        if name and name != held.push_name:
            held.push_name = name
            await state.set_push_name(self._pool, held.lease, held.device_no, name)

    async def _came_online(self, held: Held) -> None:
        if held.state != "online" and await self.move(held, "online", None):
            self.on_online(held.device_no)
            if not held.push_name:
                self.spawn(self._ask_name(held))

    async def logged_out(self, held: Held, reason: str) -> None:
        """The link to the phone is over: the session's keys go, a person has to pair again."""
        store = held.store
        if await self._terminate(held, "logged_out", reason) and store is not None:
            remove_store(self._sessions_dir / store)
            held.store = None

    def forget_store(self, held: Held) -> None:
        """Delete the session file of a device that is gone."""
        if held.store is not None:
            remove_store(self._sessions_dir / held.store)

    async def _terminate(self, held: Held, to: state.State, reason: str, *, retry: float = state.NEVER) -> bool:
        """End its session for good; whether this worker had a say."""
        await self._stop(held)
        moved = await self.move(held, to, reason, retry=retry)
        held.events.clear()
        return moved

    async def _give_up(self, held: Held, reason: str) -> None:
        """The session cannot go on by itself: end it, and try again later."""
        await self._stop_and_retry(held, state.refused(reason))

    async def restart_stuck(self, held: Held, reason: str) -> None:
        """End a session that came to nothing, so that the reconciler starts another."""
        log.warning("a session is stuck", device=held.device_no, state=held.state)
        await self.move(held, "offline", reason, retry=retry_seconds(held.failures), failed=True)
        await self.end_session(held)

    async def _store_failed(self, held: Held, event: ev.StoreFailed) -> None:
        """What a session can't keep it must not take: WhatsApp sends that again to the next one."""
        log.warning("a session file has failed", device=held.device_no, file=held.store, error=event.error)
        reason = session_file.failure(self._sessions_dir / (held.store or ""), event.fault)
        await self._stop_and_retry(held, reason)

    async def _stop_and_retry(self, held: Held, reason: str) -> None:
        """Events stay until the state is written: while the database is away this is done once more."""
        await self._stop(held)
        await self.move(held, "offline", reason, retry=retry_seconds(held.failures), failed=True)
        held.events.clear()

    async def close(self) -> None:
        """End every session, and say so; leases are released elsewhere."""
        if self._kept:  # a phone may have linked its device just now, or a session may just be ending
            await asyncio.wait(self._kept, timeout=KEPT_SECONDS)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        alive = [held for held in self.held.values() if held.session is not None]
        await asyncio.gather(*(self.end_session(held) for held in alive), return_exceptions=True)
        for held in alive:
            if held.pairing is not None:
                with contextlib.suppress(*DATABASE_AWAY):
                    await self.end_pairing(held, "failed", "wafast was stopped; start again")

    async def say_offline(self) -> None:
        """Write that what this worker held is offline, in one statement: it comes back where it is next held."""
        await state.leave(self._pool, self._worker_id)
