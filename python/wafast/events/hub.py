"""The hub: one subscription to the bus for an API process, fanned out to its sockets.

Events that pile up while rows are loaded are loaded together, so that a busy second costs a few queries and not one an
event. Frames of a tenant somebody watches are kept for whoever comes back with an id; a tenant nobody has watched for a
while costs nothing, and its next socket is told to resync.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Protocol

import msgspec

from wafast.events.bus import Event, Gap
from wafast.events.frames import Code, Draft, Frame, FrameId, encode, parse_frame_id
from wafast.events.viewing import Viewer, Viewing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from uuid import UUID

log = logging.getLogger("wafast.events")

RING = 4096  # frames kept a tenant, some seconds of a very busy one; also how far one socket may fall behind …
RING_BYTES = 32 << 20  # … and no more than this: 4096 of a usual size take 8 MB, of the longest texts 1 GB
TOGETHER = 32  # frames a socket gets in one go
UNWATCHED_SECONDS = 600.0  # frames are still made for so long after a tenant's last socket went away
TYPING_SECONDS = 25.0  # WhatsApp repeats "composing" about every ten seconds; silence for longer ends it


class Loader(Protocol):
    """Turns events into frames without ids, in order."""

    async def __call__(self, events: list[Event]) -> list[Draft]: ...


class Typing(msgspec.Struct, frozen=True):
    """Somebody writes.

    Args:
        jid: who.
        state: ``composing`` or ``recording``.
    """

    jid: str
    state: str


class Activity(msgspec.Struct, frozen=True):
    """What goes on in a chat right now.

    Args:
        typing: who writes to us, if anybody does.
        viewers: who of the team has it open.
    """

    typing: Typing | None = None
    viewers: Sequence[Viewer] = ()


class Subscription:
    """One socket's place in the stream.

    Args:
        sees: whether the socket may have a device's frames.
    """

    def __init__(self, sees: Callable[[UUID], bool]) -> None:
        self._sees = sees
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._ready = asyncio.Event()
        self._held = False
        #: set when who is at the other end must be asked again
        self.doubted = asyncio.Event()
        #: set when the reader fell RING frames or RING_BYTES behind: nothing more comes
        self.cut = asyncio.Event()

    def offer(self, frame: Frame) -> None:
        """Puts a frame in line, if the socket may have it."""
        if self.cut.is_set() or not (frame.device_id is None or self._sees(frame.device_id)):
            return
        if len(self._frames) > RING or self._bytes > RING_BYTES:
            self._frames.clear()
            self._bytes = 0
            self.cut.set()
            return
        self._frames.append(frame)
        self._bytes += frame.size
        self._ready.set()

    def restart(self, frame: Frame) -> None:
        """Puts a frame in the place of all that wait."""
        self._frames.clear()
        self._bytes = 0
        self.offer(frame)

    def doubt(self) -> None:
        """Its caller may have lost what it saw: nothing goes out until that was asked."""
        self._held = True
        self.doubted.set()

    def trust(self) -> None:
        """It was asked, and frames go out again, unless there was a new doubt meanwhile."""
        if not self.doubted.is_set():
            self._held = False
            self._ready.set()

    async def next(self) -> list[str]:
        """The JSON of each of the next frames, TOGETHER at most, as soon as there is one."""
        while self._held or not self._frames:
            self._ready.clear()
            await self._ready.wait()
        frames = [self._frames.popleft() for _ in range(min(TOGETHER, len(self._frames)))]
        self._bytes -= sum(frame.size for frame in frames)
        return [frame.text for frame in frames]


class _Tenant:
    """Frames and sockets of one tenant."""

    def __init__(self) -> None:
        self.frames: deque[Frame] = deque()
        self._bytes = 0
        self.sockets: set[Subscription] = set()
        self.unwatched_since = time.monotonic()

    def keep(self, frame: Frame, ring: int) -> int | None:
        """Keeps a frame, and as many before it as there is room for; gives the number of the newest that went."""
        self.frames.append(frame)
        self._bytes += frame.size
        gone = None
        while len(self.frames) > ring or self._bytes > RING_BYTES:
            oldest = self.frames.popleft()
            self._bytes -= oldest.size
            gone = oldest.seq
        return gone

    def forget(self) -> None:
        """Keeps no frame any more."""
        self.frames.clear()
        self._bytes = 0


class Hub:
    """Frames for every socket of this process.

    Args:
        load: makes frames of events.
        epoch: what the ids of this run begin with; the time of the start when left out.
        ring: frames kept a tenant.
    """

    def __init__(self, load: Loader, *, epoch: str | None = None, ring: int = RING) -> None:
        self._load = load
        self._ring = ring
        self.epoch = epoch or f"{time.time_ns() // 1_000_000:x}"
        self._seq = 0
        self._tenants: dict[int, _Tenant] = {}
        #: per tenant, the number of the newest frame that is not kept any more or was never made
        self._lost: dict[int, int] = {}
        self._lost_everywhere = 0
        self._typing: dict[int, tuple[Typing, asyncio.TimerHandle]] = {}
        self._viewing = Viewing(self._say)
        self._pending: list[Event | Gap] = []
        self._arrived = asyncio.Event()
        #: how often a socket was told to fetch again, by why: ``new``, ``behind`` (its id is not kept), ``missed``
        #: (events were, or could not be read), ``gone`` (very many things changed, or may not have been told)
        self.resyncs: Counter[str] = Counter(new=0, behind=0, missed=0, gone=0)

    @property
    def newest(self) -> FrameId:
        """Id of the newest frame."""
        return FrameId(self.epoch, self._seq)

    @property
    def sockets(self) -> int:
        """How many sockets are attached."""
        return sum(len(tenant.sockets) for tenant in self._tenants.values())

    @property
    def waiting(self) -> int:
        """Events that came and are not frames yet."""
        return len(self._pending)

    def activity(self, chat_id: int) -> Activity:
        """Who writes in a chat and who looks at it right now."""
        found = self._typing.get(chat_id)
        return Activity(found[0] if found else None, self._viewing.viewers(chat_id))

    def attach(self, tenant_id: int, sees: Callable[[UUID], bool], after: str | None) -> Subscription:
        """Adds a socket. Its first frames are those it missed after an id, or RESYNC when that is not known.

        Args:
            tenant_id: whose frames it gets.
            sees: whether it may have a device's frames.
            after: id of the last frame it got; None for a new one.
        """
        subscription = Subscription(sees)
        tenant = self._tenants.setdefault(tenant_id, _Tenant())
        known = self._known(tenant_id, after)
        if known is None:
            self.resyncs["new" if after is None else "behind"] += 1
            reason = "connected" if after is None else f"frames after {after[:40]} are not kept"
            subscription.offer(self._resync(self._seq, reason))
        else:
            for frame in tenant.frames:
                if frame.seq > known:
                    subscription.offer(frame)
        tenant.sockets.add(subscription)
        return subscription

    def detach(self, tenant_id: int, subscription: Subscription) -> None:
        """Takes a socket away; its tenant's frames are kept for its return."""
        tenant = self._tenants.get(tenant_id)
        if tenant is not None:
            tenant.sockets.discard(subscription)
            tenant.unwatched_since = time.monotonic()

    def resync(self, subscription: Subscription, reason: str) -> None:
        """Tells one socket to fetch again what it shows, and nothing that happened before."""
        # a number of its own: who has the newest frame already would take this one for it
        self._seq += 1
        subscription.restart(self._resync(self._seq, reason))

    def answer(self, subscription: Subscription) -> None:
        """Tells one socket that it is heard, behind all it is to get."""
        self._seq += 1
        subscription.offer(Frame(self._seq, None, encode(self.newest, "PONG", b"null")))

    async def run(self, events: AsyncIterator[list[Event] | Gap]) -> None:
        """Makes frames of a subscription's events until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._collect(events))
            tasks.create_task(self._distribute())

    async def _collect(self, events: AsyncIterator[list[Event] | Gap]) -> None:
        async for item in events:
            if isinstance(item, Gap):
                self._pending.append(item)
            else:
                self._pending.extend(item)
            self._arrived.set()

    async def _distribute(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            batch, self._pending = self._pending, []
            if any(isinstance(item, Gap) for item in batch):
                self._doubt(*self._tenants)
                self._resync_everyone("the connection to the database was cut")
                continue
            try:
                await self._frames_of([item for item in batch if not isinstance(item, Gap)])
            except Exception:
                log.exception("frames of %d events could not be made", len(batch))
                self._resync_everyone("the server could not read what happened")

    async def _frames_of(self, events: list[Event]) -> None:
        self._forget_unwatched()
        watched = []
        for heard in events:
            if heard.get("k") == "access":
                self._doubt(heard["t"])
                # who is away now is not asked, and must not go on with what was shown before
                self._lose(heard["t"])
                continue
            self._note_typing(heard)
            for event in self._viewing.note(heard) if heard.get("k") == "viewing" else [heard]:
                if event.get("t") in self._tenants:
                    watched.append(event)
                else:
                    self._lose(event.get("t"))
        if not watched:
            return
        for draft in await self._load(watched):
            self._publish(draft.tenant_id, draft.device_id, draft.code, draft.result)

    def _doubt(self, *tenants: int) -> None:
        for tenant_id in tenants:
            for socket in self._tenants[tenant_id].sockets if tenant_id in self._tenants else ():
                socket.doubt()

    def _publish(self, tenant_id: int, device_id: UUID | None, code: Code, result: bytes) -> None:
        tenant = self._tenants.get(tenant_id)
        if tenant is None:
            self._lose(tenant_id)
            return
        self._seq += 1
        frame = Frame(self._seq, device_id, encode(self.newest, code, result))
        gone = tenant.keep(frame, self._ring)
        if gone is not None:
            self._lost[tenant_id] = gone
        if code == "RESYNC":
            self.resyncs["gone"] += len(tenant.sockets)
        for socket in tenant.sockets:
            socket.offer(frame)

    def _known(self, tenant_id: int, after: str | None) -> int | None:
        found = parse_frame_id(after) if after is not None else None
        if found is None or found.epoch != self.epoch or found.seq > self._seq:
            return None
        lost = max(self._lost.get(tenant_id, 0), self._lost_everywhere)
        return found.seq if found.seq >= lost else None

    def _lose(self, tenant_id: int | None) -> None:
        if tenant_id is not None:
            self._seq += 1
            self._lost[tenant_id] = self._seq

    def _resync(self, seq: int, reason: str) -> Frame:
        result = msgspec.json.encode({"reason": reason})
        return Frame(seq, None, encode(FrameId(self.epoch, seq), "RESYNC", result))

    def _resync_everyone(self, reason: str) -> None:
        self._seq += 1
        self._lost_everywhere = self._seq
        for tenant in self._tenants.values():
            tenant.forget()
            self.resyncs["missed"] += len(tenant.sockets)
            for socket in tenant.sockets:
                socket.offer(self._resync(self._seq, reason))

    def _forget_unwatched(self) -> None:
        now = time.monotonic()
        for tenant_id, tenant in list(self._tenants.items()):
            if not tenant.sockets and now - tenant.unwatched_since > UNWATCHED_SECONDS:
                if tenant.frames:
                    self._lost[tenant_id] = tenant.frames[-1].seq
                del self._tenants[tenant_id]

    def _note_typing(self, event: Event) -> None:
        if event.get("k") == "message":
            self._stop_typing(event["c"])
        if event.get("k") != "typing":
            return
        chat_id = event["c"]
        self._stop_typing(chat_id)
        if event["s"] in ("composing", "recording"):
            again: Event = {"k": "chat", "t": event["t"], "d": event["d"], "c": [chat_id]}
            timer = asyncio.get_running_loop().call_later(TYPING_SECONDS, self._typing_ended, again)
            self._typing[chat_id] = (Typing(event.get("j") or "", event["s"]), timer)

    def _stop_typing(self, chat_id: int) -> None:
        found = self._typing.pop(chat_id, None)
        if found is not None:
            found[1].cancel()

    def _typing_ended(self, event: Event) -> None:
        self._typing.pop(event["c"][0], None)
        self._say(event)

    def _say(self, event: Event) -> None:
        self._pending.append(event)
        self._arrived.set()
