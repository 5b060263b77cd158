"""Stopping clients, with a library in the place of neonize's that takes as long as a test wants."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from wafast.devices import neonize_binding
from wafast.devices.neonize_binding import Binding


class Library:
    """What a binding calls."""

    _name = ""

    def __init__(self) -> None:
        self.begun, self.may_return = threading.Event(), threading.Event()
        self.stopped: list[bytes] = []

    def Stop(self, uuid: bytes) -> None:
        """Returns when it may."""
        self.begun.set()
        self.may_return.wait(30)
        self.stopped.append(uuid)

    def IsConnected(self, uuid: bytes) -> bytes:
        """One of the calls that look a client up."""
        return uuid


class World:
    """A binding on such a library, and whether it wants its process to end."""

    def __init__(self, library: Library) -> None:
        self.library, self.ended = library, asyncio.Event()
        self.binding = Binding(1, lambda *_: None, self.ended.set)


@pytest_asyncio.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    library = Library()
    monkeypatch.setattr(neonize_binding, "gocode", library)
    world = World(library)
    yield world
    library.may_return.set()
    world.binding.close()


async def test_nothing_touches_neonizes_maps_before_a_stop_is_over_though_nobody_waits_for_it(world: World) -> None:
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
