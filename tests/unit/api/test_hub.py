"""The hub: who gets which frame, what is kept for whoever comes back, and who is cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from wafast.events.bus import Event, Gap
from wafast.events.frames import Draft, FrameId, encode, parse_frame_id
from wafast.events.hub import Hub, Subscription

DEVICE = uuid4()


async def _load(events: list[Event]) -> list[Draft]:
    if any(event.get("broken") for event in events):
        raise RuntimeError("no database")
    return [
        Draft(event["t"], event.get("device", DEVICE), "NEW_MESSAGE", msgspec.json.encode(event["n"]))
        for event in events
        if "n" in event
    ]


class Running:
    """A hub with a bus that a test fills."""

    def __init__(self, ring: int = 100) -> None:
        self.hub = Hub(_load, epoch="e", ring=ring)
        self._queue: asyncio.Queue[list[Event] | Gap] = asyncio.Queue()
        self._task = asyncio.create_task(self.hub.run(self._events()))

    async def _events(self) -> AsyncIterator[list[Event] | Gap]:
        while True:
            yield await self._queue.get()

    async def happen(self, *items: Event | Gap) -> None:
        for item in items:
            await self._tell(item if isinstance(item, Gap) else [item])

    async def happen_at_once(self, events: list[Event]) -> None:
        await self._tell(events)

    async def _tell(self, events: list[Event] | Gap) -> None:
        """Until it is out: what waits between the bus and the sockets waits for its turn alone."""
        self._queue.put_nowait(events)
        for _ in iter(lambda: self._queue.empty() and not self.hub.waiting, True):
            await asyncio.sleep(0)

    def attach(self, after: str | None = None, sees: Callable[[UUID], bool] = lambda _: True) -> Subscription:
        return self.hub.attach(1, sees, after)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    made = Running()
    yield made
    await made.stop()


async def _all(subscription: Subscription) -> list[Any]:
    found = []
    while subscription._frames:
        for frame in map(msgspec.json.decode, await subscription.next()):
            found.append((frame["id"], frame["code"], frame["result"]))
    return found


def _event(number: int, **more: Any) -> Event:
    return {"k": "message", "t": 1, "d": 1, "c": 1, "m": [], "n": number} | more


async def test_frames_come_in_order_with_growing_ids(running: Running) -> None:
    socket = running.attach()
    await running.happen(_event(1), _event(2))
    assert await _all(socket) == [
        (str(FrameId("e", 0)), "RESYNC", {"reason": "connected"}),
        (str(FrameId("e", 1)), "NEW_MESSAGE", 1),
        (str(FrameId("e", 2)), "NEW_MESSAGE", 2),
    ]


async def test_whoever_comes_back_gets_what_was_missed_and_nothing_twice(running: Running) -> None:
    running.hub.detach(1, running.attach())
    await running.happen(_event(1), _event(2), _event(3))
    assert [result for _, _, result in await _all(running.attach("e:1"))] == [2, 3]
    assert await _all(running.attach("e:3")) == []


async def test_an_id_too_old_of_another_run_or_of_the_future_gets_resync(running: Running) -> None:
    await running.stop()
    short = Running(ring=2)
    short.attach()
    await short.happen(*(_event(number) for number in range(5)))
    for after in ("e:1", "other:4", "e:99", "x"):
        assert [code for _, code, _ in await _all(short.attach(after))] == ["RESYNC"], after
    assert [result for _, _, result in await _all(short.attach("e:3"))] == [3, 4]
    await short.stop()


async def test_another_tenants_and_hidden_devices_frames_stay_away(running: Running) -> None:
    socket = running.attach(sees=lambda device: device == DEVICE)
    other = running.hub.attach(2, lambda _: True, None)
    await running.happen(_event(1, device=uuid4()), _event(2, t=2), _event(3), _event(4, device=None))
    assert [result for _, code, result in await _all(socket) if code != "RESYNC"] == [3, 4]
    assert [result for _, code, result in await _all(other) if code != "RESYNC"] == [2]


async def test_who_was_away_while_access_changed_fetches_again(running: Running) -> None:
    there = running.attach()
    await running.happen(_event(1))
    assert [code for _, code, _ in await _all(there)] == ["RESYNC", "NEW_MESSAGE"]
    seen = str(running.hub.newest)
    await running.happen({"k": "access", "t": 1}, _event(2))
    assert [code for _, code, _ in await _all(running.attach(after=seen))] == ["RESYNC"]
    there.doubted.clear()
    there.trust()
    assert [code for _, code, _ in await _all(there)] == ["NEW_MESSAGE"], "who is there is asked instead"


async def test_what_nobody_watched_is_not_kept(running: Running) -> None:
    other = running.hub.attach(2, lambda _: True, None)
    ((known, _, _),) = await _all(other)
    await running.happen(_event(1))
    assert [code for _, code, _ in await _all(running.attach(known))] == ["RESYNC"]


@pytest.mark.parametrize(
    "cut", [Gap(), _event(1, broken=True), {"k": "typing", "t": 1}], ids=["gap", "no database", "poison"]
)
async def test_what_could_not_be_told_is_a_resync(running: Running, cut: Event | Gap) -> None:
    socket = running.attach()
    await running.happen(_event(1), cut, _event(2))
    assert socket.doubted.is_set() == isinstance(cut, Gap), "what was taken from people may have been missed too"
    socket.doubted.clear()
    socket.trust()
    assert [code for _, code, _ in await _all(socket)] == ["RESYNC", "NEW_MESSAGE", "RESYNC", "NEW_MESSAGE"]
    assert [code for _, code, _ in await _all(running.attach("e:1"))] == ["RESYNC"]


async def test_a_socket_that_falls_behind_is_cut(running: Running) -> None:
    slow, quick = running.attach(), running.attach()
    for first in range(0, 4200, 600):
        await running.happen_at_once([_event(number) for number in range(first, first + 600)])
        await _all(quick)
    assert slow.cut.is_set()
    assert not quick.cut.is_set()


async def test_long_frames_are_kept_and_wait_in_a_line_only_as_long_as_there_is_room(running: Running) -> None:
    slow, quick = running.attach(), running.attach()
    for number in range(40):
        await running.happen(_event(number, n="x" * (1 << 20)))
        await _all(quick)
    assert (slow.cut.is_set(), quick.cut.is_set()) == (True, False)
    assert [code for _, code, _ in await _all(running.attach("e:5"))] == ["RESYNC"]
    assert [code for _, code, _ in await _all(running.attach("e:20"))] == ["NEW_MESSAGE"] * 20


async def test_typing_ends_with_a_message_or_a_pause(running: Running) -> None:
    typing: Event = {"k": "typing", "t": 1, "d": 1, "c": 7, "j": "60@s.whatsapp.net", "s": "composing"}
    await running.happen(typing)
    shown = running.hub.activity(7).typing
    assert shown is not None and (shown.jid, shown.state) == ("60@s.whatsapp.net", "composing")
    await running.happen({**typing, "s": "paused"})
    assert running.hub.activity(7).typing is None
    await running.happen(typing, _event(1, c=7))
    assert running.hub.activity(7).typing is None


def test_ids_grow_as_text_too() -> None:
    ids = [str(FrameId("1a", seq)) for seq in (0, 9, 10, 99, 100, 4097)]
    assert ids == sorted(ids)


def test_ids_and_frames() -> None:
    assert parse_frame_id("1a:17") == parse_frame_id("1a:000000000017") == FrameId("1a", 17)
    for wrong in ("", ":", "1a", "1a:", ":5", "1a:-1", "1a:x", "1a:" + "9" * 19, "1a:١"):
        assert parse_frame_id(wrong) is None, wrong
    frame = msgspec.json.decode(encode(FrameId("1a", 17), "RESYNC", b'{"reason":"x"}'))
    assert frame == {"id": "1a:000000000017", "code": "RESYNC", "message": frame["message"], "result": {"reason": "x"}}
