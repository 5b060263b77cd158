"""Stopping clients and calling them, with a library in the place of neonize's that takes as long as a test wants."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from wafast.devices import neonize_binding
from wafast.devices.neonize_binding import Binding
from wafast.devices.session import Offline


class Library:
    """What a binding calls."""

    _name = ""

    def __init__(self) -> None:
        self.begun, self.may_return = threading.Event(), threading.Event()
        self.asked, self.may_answer = threading.Event(), threading.Event()
        self.over = threading.Event()
        self.stopped: list[bytes] = []
        self.called: list[bytes] = []

    def Neonize(self, *_: object) -> bytes:
        """A client's life."""
        self.over.wait(60)
        return b""

    def Stop(self, uuid: bytes) -> None:
        """Returns when it may."""
        self.begun.set()
        self.may_return.wait(30)
        self.stopped.append(uuid)

    def IsConnected(self, uuid: bytes) -> bytes:
        """One of the calls that look a client up."""
        self.called.append(uuid)
        return uuid

    def GetMe(self, uuid: bytes) -> bytes:
        """Another one, which is slow."""
        self.asked.set()
        self.may_answer.wait(60)
        self.called.append(uuid)
        return uuid


class World:
    """A binding on such a library, and whether it wants its process to end."""

    def __init__(self, library: Library) -> None:
        self.library, self.ended = library, asyncio.Event()
        self.binding = Binding(1, lambda *_: None, self.ended.set)

    async def start(self, *uuids: str) -> None:
        """Clients that run."""
        dialled = asyncio.Event()
        dialled.set()
        for uuid in uuids:
            await self.binding.run(uuid, "none.db", "http://127.0.0.1:1", lambda *_: None, dialled, self._log_in)

    async def _log_in(self) -> None:
        pass


@pytest_asyncio.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    library = Library()
    monkeypatch.setattr(neonize_binding, "gocode", library)
    world = World(library)
    yield world
    for event in (library.may_return, library.may_answer, library.over):
        event.set()
    world.binding.close()


async def test_nothing_touches_neonizes_maps_before_a_stop_is_over_though_nobody_waits_for_it(world: World) -> None:
    await world.start("2")
    waiting = asyncio.create_task(world.binding.stop("1", "none.db"))
    assert await asyncio.to_thread(world.library.begun.wait, 20)
    waiting.cancel()
    await asyncio.wait([waiting])
    others = [
        asyncio.create_task(world.binding.call("IsConnected", "2")),
        asyncio.create_task(world.binding.stop("3", "none.db")),
    ]
    done, _ = await asyncio.wait(others, timeout=0.1)
    assert not done
    world.library.may_return.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*others)
    assert world.library.stopped == [b"1", b"3"]


async def test_a_process_whose_neonize_never_comes_back_from_a_stop_ends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neonize_binding, "HUNG_SECONDS", 0.01)
    stopping = asyncio.create_task(world.binding.stop("1", "none.db"))
    async with asyncio.timeout(60):
        await world.ended.wait()
    assert not stopping.done()
    world.library.may_return.set()
    async with asyncio.timeout(60):
        await stopping


async def test_a_call_that_waits_for_its_turn_while_its_client_is_stopped_is_not_made(world: World) -> None:
    await world.start("1", "2")
    stopping = [asyncio.create_task(world.binding.stop("2", "none.db"))]
    assert await asyncio.to_thread(world.library.begun.wait, 20)
    call = asyncio.create_task(world.binding.call("IsConnected", "1"))
    stopping.append(asyncio.create_task(world.binding.stop("1", "none.db")))
    await asyncio.sleep(0)
    world.library.may_return.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*stopping)
        with pytest.raises(Offline):
            await call
    assert world.library.called == [], "neonize ends the process for a client that it does not know"


async def test_a_stop_waits_for_calls_that_may_still_look_their_client_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neonize_binding, "CALLS_END_SECONDS", 60.0)
    await world.start("1")
    call = asyncio.create_task(world.binding.call("GetMe", "1"))
    assert await asyncio.to_thread(world.library.asked.wait, 20)
    stopping = asyncio.create_task(world.binding.stop("1", "none.db"))
    await asyncio.sleep(0.1)
    assert not world.library.begun.is_set()
    world.library.may_answer.set()
    world.library.may_return.set()
    async with asyncio.timeout(60):
        await stopping
        assert await call == b"1"
    assert world.library.stopped == [b"1"]


async def test_a_call_that_is_never_answered_does_not_keep_its_client(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neonize_binding, "CALLS_END_SECONDS", 0.01)
    await world.start("1")
    call = asyncio.create_task(world.binding.call("GetMe", "1"))
    assert await asyncio.to_thread(world.library.asked.wait, 20)
    world.library.may_return.set()
    async with asyncio.timeout(60):
        await world.binding.stop("1", "none.db")
    call.cancel()
