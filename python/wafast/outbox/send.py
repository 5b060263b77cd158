"""The sending loop of one worker: claim, show typing, send, record."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal, cast
from uuid import UUID

import asyncpg
import msgspec

from wafast import clock, logs
from wafast.database.away import DATABASE_AWAY
from wafast.devices.session import (
    Busy,
    Change,
    Content,
    Media,
    MediaKind,
    NotSent,
    Offline,
    Refused,
    Session,
    SessionError,
    Unanswered,
)
from wafast.inbox.media import OCTETS, Film
from wafast.outbox import claim as claims
from wafast.outbox import naming, transition
from wafast.outbox.claim import Claim
from wafast.outbox.ends import Ends
from wafast.outbox.resolve import resolve
from wafast.outbox.rows import Cause
from wafast.outbox.transition import REACH_OUT, End, Pause

log = logs.get("outbox.send")

#: What no notification tells: rows that were expired or skipped, and receipts of sends nobody could say about.
SAFETY_SECONDS = 30.0
#: Rows that come together are claimed together, but of no more devices than so many: the first don't wait for the last.
GATHER_SECONDS = 0.01
LOOKED_AT_ONCE = 500
#: Claims of that many at once, of different devices: with 3,000 due the last is claimed after half the time of one by
#: one, and two of a worker's connections are left to all else.
CLAIMS_AT_ONCE = 2
#: Between two looks at a device that could not be claimed from though something was due (somebody holds its row).
SHORTEST_WAIT = 0.05
#: A person types about so fast, and a message shows typing no longer than this.
CHARACTERS_A_SECOND = 12.0
LONGEST_TYPING = 8.0
#: What is so long on its way to its send (a file, a slow server, a process that stood still, a machine that slept) is
#: looked at once more.
LOOK_AGAIN_SECONDS = 1.0
#: What a campaign or a step sends first from a device: who has started it sees it leave.
FIRST_TYPING = 0.3
#: Waits after a send that surely did not leave.
FIRST_RETRY = 2.0
#: The same when WhatsApp takes nothing for a moment; so long paced sends of the device wait as well.
FIRST_BUSY_RETRY = 15.0
LONGEST_RETRY = 300.0
#: Nobody takes what was not taken so often: within an hour of those waits. Attempts without a connection don't count.
MOST_REFUSALS = 20
#: So many refusals of one device in a row, each of another message, are about the device: its paced sends wait.
REFUSED_IN_A_ROW = 3
REFUSED_PAUSE_SECONDS = 900.0
#: A row that was not taken so often, a pause or a device apart, is itself what WhatsApp does not take.
MOST_REFUSED = 2
#: WhatsApp's "you reached out to too many people who do not know you".
REACH_OUT_LOCK = 463
#: Why what was claimed has not left, by what `held_since` says.
NOT_LEFT: dict[Literal["held", "given_up"], str] = {
    "held": "not sent yet: it was held back before it left",
    "given_up": "not sent: its worker stood still, and others had given it up before it left",
}
#: How long stopping waits for sends under way; what is not answered by then shows as unknown.
STOP_SECONDS = 10.0


#: Of a device one of each may be on its way at once.
Turn = Literal["reply", "file", "paced"]


def _turn(claim: Claim) -> Turn:
    """A reply's file has a turn of its own: it may be on its way for minutes, and replies leave at once."""
    return "paced" if claim.priority == "paced" else "reply" if claim.media_sha256 is None else "file"


class Sender:
    """Sends for the devices that are online at this worker."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        worker_id: UUID,
        media_dir: Path,
        online: Callable[[], Sequence[int]],
        session_of: Callable[[int], Session | None],
        keep: int,
        *,
        hears: bool = True,
    ) -> None:
        """`keep` is how many messages a chat shows, 0 for all; `hears` whether what people write is stored."""
        self._pool, self._worker_id, self._media_dir, self._keep = pool, worker_id, media_dir, keep
        self._hears = hears
        self._online, self._session_of = online, session_of
        self._woken = asyncio.Event()
        self._due: dict[int, float] = {}
        self._turns: dict[Turn, dict[int, Claim]] = {"reply": {}, "file": {}, "paced": {}}
        self._in_flight: dict[asyncio.Task[None], int] = {}
        self._refused: Counter[int] = Counter()  # by device, since it last sent something
        self._ends = Ends(lambda ends: transition.record(pool, worker_id, ends, keep))
        self._stopping = False

    def wake(self, device_no: int) -> None:
        """Something of this device may be due."""
        self._due[device_no] = 0.0
        self._woken.set()

    def wake_all(self) -> None:
        """Something of any device may be due."""
        self._due.update(dict.fromkeys(self._online(), 0.0))
        self._woken.set()

    def is_sending(self, device_no: int) -> bool:
        """Whether something of this device is on its way."""
        return any(device_no in turns for turns in self._turns.values())

    async def run(self) -> None:
        """Send until `stop`."""
        next_safety = 0.0
        while not self._stopping:
            self._woken.clear()
            if time.monotonic() >= next_safety:
                next_safety = time.monotonic() + SAFETY_SECONDS
                self.wake_all()
                await self._look_after()
                self._woken.clear()
            if await _tried("nothing was claimed", self._tick()):
                wait = min(SAFETY_SECONDS, min(self._due.values(), default=math.inf) - time.monotonic())
            else:
                wait, next_safety = 1.0, 0.0
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait)
                await asyncio.sleep(GATHER_SECONDS)

    async def _look_after(self) -> None:
        """What no notification tells. One of these that goes wrong holds up neither the others nor what is to leave."""
        pool = self._pool
        await _tried("clocks were not set back", claims.set_clocks_back(pool, self._worker_id))
        await _tried("rows were not expired", claims.expire(pool))
        await _tried("sends that were cut off were not given up", claims.orphan(pool, self._online()))
        lost = claims.give_up_lost(pool, self._worker_id, list(self._in_flight.values()))
        await _tried("claims that were lost were not given up", lost)
        await _tried("unknown sends were not settled", resolve(pool, self._online(), self._session_of, self._keep))

    async def _tick(self) -> None:
        """Claim and begin to send for the devices that are due."""
        now = time.monotonic()
        online = set(self._online())
        due = [no for no, at in self._due.items() if at <= now]
        for no in due:
            del self._due[no]
        looked = [no for no in due if no in online]  # others are woken when they come online
        parts = [looked[start : start + LOOKED_AT_ONCE] for start in range(0, len(looked), LOOKED_AT_ONCE)]
        for start in range(0, len(parts), CLAIMS_AT_ONCE):
            await _all(map(self._claim, parts[start : start + CLAIMS_AT_ONCE]))
        for part in parts:
            await self._look_ahead(part)

    def _free(self, devices: Sequence[int]) -> tuple[list[int], list[int]]:
        """Those whose last reply has left, and those whose last paced row has."""
        replying, pacing = self._turns["reply"], self._turns["paced"]
        return [no for no in devices if no not in replying], [no for no in devices if no not in pacing]

    def _filing(self) -> claims.Filing:
        return {no: claim.to_jid for no, claim in self._turns["file"].items()}

    async def _claim(self, devices: Sequence[int]) -> None:
        """Claim of these, and begin to send."""
        replies, paced = self._free(devices)
        if not replies and not paced:
            return
        looked = self._pool, self._worker_id, replies, paced
        began = clock.since_boot()
        for claim in await claims.claim(*looked, filing=self._filing(), hears=self._hears):
            self._turns[_turn(claim)][claim.device_no] = claim
            task = asyncio.create_task(self._carry_out(claim, began))
            self._in_flight[task] = claim.id
            task.add_done_callback(self._in_flight.pop)

    async def _look_ahead(self, devices: Sequence[int]) -> None:
        """When to look at these devices again."""
        waits = await claims.next_due(self._pool, *self._free(devices), filing=self._filing(), hears=self._hears)
        now = time.monotonic()
        for no, seconds in waits.items():
            # one that was woken meanwhile stays so
            self._due[no] = min(self._due.get(no, math.inf), now + max(SHORTEST_WAIT, seconds))

    def stop(self) -> None:
        """Claim nothing more: `run` ends."""
        self._stopping = True
        self._woken.set()

    async def drain(self) -> None:
        """Wait a while for sends under way."""
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=STOP_SECONDS)

    async def _carry_out(self, claim: Claim, began: float) -> None:
        """`began`: before its claim, by `clock.since_boot`."""
        try:
            await self._prepare_and_send(claim, began)
        except Exception as error:
            log.exception("a send was not carried out", outbox=claim.id, device=claim.device_no)
            await self._ends.record(End(claim, "unknown", f"it went wrong in the middle, it may have left: {error}"))
        finally:
            del self._turns[_turn(claim)][claim.device_no]
            self.wake(claim.device_no)

    async def _prepare_and_send(self, claim: Claim, began: float) -> None:
        session = self._session_of(claim.device_no)
        if session is None:
            await self._wait_for_connection(claim, "the device is not connected")
            return
        ends = math.inf if claim.expires_in is None else began + claim.expires_in
        takes_time = claim.priority == "paced" and (claim.typing or claim.media_sha256 is not None)
        try:
            named, held = await self._introduce(claim, session)
            claim = msgspec.structs.replace(claim, to_jid=named)
            content = await self._content(claim)
            if held is None and claim.media_sha256 is not None:
                with contextlib.suppress(FileNotFoundError):  # of which `send` tells
                    await session.prepare(content)
            if held is None and takes_time:
                await self._type(session, claim)
            if held is None and (takes_time or clock.since_boot() >= began + LOOK_AGAIN_SECONDS):
                held = await self._held_since(claim)
            if held is None and clock.since_boot() >= ends:
                held = End(claim, "queued", "not sent: its time was over before it could leave")
        except asyncpg.LockNotAvailableError as error:
            await self._wait_for_connection(claim, f"the database is busy: {error}")
        except DATABASE_AWAY as error:
            await self._wait_for_connection(claim, f"the database is away: {error}")
        except SessionError as error:
            await self._not_sent(claim, error)
        else:
            await (self._send(claim, session, content) if held is None else self._ends.record(held))

    async def _introduce(self, claim: Claim, session: Session) -> tuple[str, End | None]:
        """How WhatsApp names a claim's person; and how its send ends that must not leave, now that this is known."""
        named = await session.introduce(claim.to_jid)
        cause = None if named == claim.to_jid else await naming.note(self._pool, self._worker_id, claim, named)
        return named, None if cause is None else End(claim, "cancelled", claims.ENDINGS[cause].reason, cause=cause)

    async def _held_since(self, claim: Claim) -> End | None:
        """How a send ends that somebody, or its person by a STOP, stopped since the claim, or that is another worker's
        matter by now; None where it leaves."""
        held = await claims.held_since(self._pool, self._worker_id, claim)
        if held == "opted_out":
            return End(claim, "cancelled", claims.ENDINGS[held].reason, cause=held)
        return None if held is None else End(claim, "queued", NOT_LEFT[held])

    async def _send(self, claim: Claim, session: Session, content: Content | Change) -> None:
        try:
            sent = await session.send(claim.to_jid, content)
        except (SessionError, FileNotFoundError) as error:
            await self._not_sent(claim, error)
        else:
            if isinstance(content, Change):
                session.changed(claim.to_jid, content, sent)
            del self._refused[claim.device_no]
            await self._ends.record(End(claim, "sent", sent=sent))

    async def _not_sent(self, claim: Claim, error: SessionError | FileNotFoundError) -> None:
        """What its session could not do, as far as it says."""
        match error:
            case Offline():
                await self._wait_for_connection(claim, error)
            case NotSent():
                await self._not_taken(claim, error)
            case FileNotFoundError():
                reason = "the file is not there any more; upload it again"
                await self._ends.record(End(claim, "failed", reason, cause="media_gone"))
            case Refused():
                await self._refuse(claim, error)
            case Unanswered():
                await self._ends.record(End(claim, "unknown", f"WhatsApp did not answer, it may have left: {error}"))
            case _:
                raise error

    async def _content(self, claim: Claim) -> Content | Change:
        """What to send."""
        change = await transition.change(self._pool, claim)
        if change is not None:
            return change
        answered = await transition.quoted(self._pool, claim)
        if claim.kind == "text" or claim.media_sha256 is None:
            return Content(claim.body, quoted=answered, forwarded=claim.forwarded)
        name = claim.media_sha256.hex()
        path, mime = self._media_dir / name[:2] / name, claim.media_mime or OCTETS
        kind = cast(MediaKind, claim.kind)  # nothing else has a file
        film = None
        if kind == "video":
            film = Film(claim.media_seconds, claim.media_width, claim.media_height, claim.media_poster)
        media = Media(
            kind, path, claim.media_sha256, mime, claim.file_name, claim.media_seconds, claim.media_waveform, film
        )
        return Content(claim.body, media, answered, claim.forwarded)

    async def _type(self, session: Session, claim: Claim) -> None:
        """Show a while that somebody types; a message leaves even when that cannot be shown."""
        if not claim.typing:
            return
        state = "recording" if claim.kind == "voice" else "composing"
        with contextlib.suppress(SessionError):
            await session.show_typing(claim.to_jid, state)
        await asyncio.sleep(typing_seconds(claim))

    async def _refuse(self, claim: Claim, error: Refused) -> None:
        """It failed. Where it is the device that WhatsApp refuses, that pauses, and a paced row waits until then
        or goes to another as its campaign allows."""
        cause: Cause = error.cause
        pause, most = None, MOST_REFUSED
        if error.code == REACH_OUT_LOCK:
            cause, pause, most = "reach_out", REACH_OUT, MOST_REFUSALS
        elif error.cause == "refused":
            self._refused[claim.device_no] += 1
            if (count := self._refused[claim.device_no]) >= REFUSED_IN_A_ROW:
                told = f"WhatsApp refused {count} messages one after the other: {error}"
                pause = Pause(REFUSED_PAUSE_SECONDS, told, "refused_often")
        if pause is not None and claim.priority == "paced" and claim.refusals + 1 < most:
            end = End(claim, "queued", f"not sent yet: {error}", is_not_taken=True, pause=pause)
        else:
            end = End(claim, "failed", str(error), cause=cause, pause=pause)
        await self._ends.record(end)

    async def _not_taken(self, claim: Claim, error: NotSent) -> None:
        """It is tried again, but not for ever."""
        refusals = claim.refusals + 1
        if refusals >= MOST_REFUSALS:
            reason = f"given up after {refusals} attempts: {error}"
            await self._ends.record(End(claim, "failed", reason, cause="not_taken"))
            return
        is_busy = isinstance(error, Busy)
        longest = _longest_wait(claim, FIRST_BUSY_RETRY if is_busy else FIRST_RETRY)
        pause = Pause(longest, str(error), "not_now") if is_busy else None
        await self._ends.record(msgspec.structs.replace(_again(claim, error, longest), is_not_taken=True, pause=pause))

    async def _wait_for_connection(self, claim: Claim, reason: object) -> None:
        """It is tried again for as long as that lasts."""
        await self._ends.record(_again(claim, reason, _longest_wait(claim, FIRST_RETRY)))


def _again(claim: Claim, reason: object, longest: float) -> End:
    """It waits for half of `longest`, or more, and is tried again."""
    return End(claim, "queued", f"not sent yet: {reason}", again_seconds=random.uniform(longest / 2, longest))


def _longest_wait(claim: Claim, first: float) -> float:
    """The longest that a row is to wait after this attempt, when it is `first` after the first one."""
    return min(LONGEST_RETRY, first * 2.0 ** min(claim.attempts - 1, 10))


def typing_seconds(claim: Claim) -> float:
    """How long it shows that somebody types."""
    if claim.is_first:
        return FIRST_TYPING
    return min(LONGEST_TYPING, max(1.0, len(claim.body) / CHARACTERS_A_SECOND))


async def _all(work: Iterable[Awaitable[None]]) -> None:
    """Waits for each, also where another fails: a claim that is cut off is one nobody knows of."""
    for failed in await asyncio.gather(*work, return_exceptions=True):
        if failed is not None:
            raise failed


async def _tried(failure: str, work: Awaitable[object]) -> bool:
    """Whether it went well; where not, `failure` is logged."""
    try:
        await work
    except DATABASE_AWAY as error:
        log.warning("the database is away", error=str(error))
    except Exception:
        log.exception(failure)
    else:
        return True
    return False
