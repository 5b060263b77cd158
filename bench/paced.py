"""Messages that come one by one, as from live lines: from the inlet to what PostgreSQL tells after the commit."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

import asyncpg
import msgspec

from bench.bed import Bed
from bench.corpus import MESSAGE, Corpus, Drawn
from wafast._core import Ingest
from wafast.events.bus import EVENTS

Key = TypeVar("Key")
#: A message, its device, its event.
Message = tuple[Drawn, int, bytes]


def messages(corpus: Corpus, bed: Bed, count: int) -> list[Message]:
    """The next messages, made beforehand."""
    return [(drawn, corpus.device(drawn), corpus.event(drawn)) for drawn in corpus.draw(count, bed.at)]


def feed(ingest: Ingest, messages: list[Message], rate: int) -> list[tuple[Drawn, int]]:
    """Gives the inlet `rate` messages a second; gives each back with when it was given.

    Instants are nanoseconds of the machine's monotonic clock, which all processes share.
    """
    given = []
    begun = time.monotonic()
    for place, (drawn, device_no, event) in enumerate(messages):
        early = begun + place / rate - time.monotonic()
        if early > 0:
            time.sleep(early)
        given.append((drawn, time.monotonic_ns()))
        ingest.receive(device_no, MESSAGE, event)
    return given


class Listener:
    """A process that notes when each message is announced, which is just after its commit."""

    def __init__(self, uri: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_listen, args=(uri, theirs), daemon=True)
        self._process.start()
        self._ours.recv()

    def stop(self, wanted: set[int]) -> dict[int, int]:
        """Ends it when these keys were announced, or a minute has passed; when each was, by its key."""
        self._ours.send(wanted)
        told: dict[int, int] = self._ours.recv()
        self._process.join()
        return told


def _listen(uri: str, parent: Connection) -> None:
    asyncio.run(_note(uri, parent))


async def _note(uri: str, parent: Connection) -> None:
    told: dict[int, int] = {}

    def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        now = time.monotonic_ns()
        for event in msgspec.json.decode(str(payload)):
            if event["k"] == "message":
                told.update((key, now) for key in event["m"])

    connection = await asyncpg.connect(uri)
    await connection.add_listener(EVENTS, hear)
    parent.send(None)
    wanted: set[int] = await asyncio.to_thread(parent.recv)
    await wait_until(lambda: wanted <= told.keys())
    await connection.close()
    parent.send(told)


async def wait_until(is_so: Callable[[], bool]) -> None:
    """Waits for it, a minute at most."""
    for _ in range(600):
        if is_so():
            return
        await asyncio.sleep(0.1)


def milliseconds(given: dict[Key, int], seen: dict[Key, int]) -> list[float]:
    """How long each message took that was seen, in ascending order."""
    return sorted((seen[key] - at) / 1e6 for key, at in given.items() if key in seen)


def percentile(ascending: list[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    return ascending[min(int(len(ascending) * share), len(ascending) - 1)]
