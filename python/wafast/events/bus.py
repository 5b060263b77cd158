"""The bus: what happened, told by PostgreSQL's NOTIFY after commit, batched.

An event is a small dict: `k` its kind, `t` the tenant, `d` the device's number, and ids. Kinds and their ids: message
and status (`c` chat, `m` message keys), removed (the same, of what turned out to be no message), chat (`c` list of
chats), merged (`c` a chat that is gone, `b` the one it became part of), device, pairing (`p` its id), outbox (`o` list
of rows), typing (`c` chat, `j` who, `s` composing, recording or paused), viewing (events/viewing.py), note (`c` chat,
`n` its id), labels, lead (`l` ids; none: many), import (`i` its id), campaign and sequence (`id`), deleted (`id` of a
device that is gone), access (somebody may see less, or nothing any more; migration 0052 tells it), gone (very many
things, or changes that may not have been told: fetch again what is shown). The core publishes the same format for what
it stores.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec

from wafast import logs
from wafast.database.pool import connect
from wafast.database.queries import load

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    #: What a statement can be executed on: a pool, or a connection of its own or of a pool.
    Executor = asyncpg.Pool | asyncpg.Connection | PoolConnectionProxy[asyncpg.Record]

q = load(__file__)
log = logs.get("events.bus")

#: Channel of events for browsers.
EVENTS = "wafast_event"
#: Channel that wakes workers: `{"w": "device" | "pairing" | "outbox" | "read", "n": network, "d": device number}`.
WORK = "wafast_work"
#: PostgreSQL refuses a payload of 8,000 bytes or more.
MAX_PAYLOAD = 7_900

Event = dict[str, Any]


class Gap:
    """What a subscription yields after it was cut: events in between were missed."""


async def publish(connection: Executor, events: Sequence[Event]) -> None:
    """Tell every API process, in one statement. Call it after the commit, or inside the transaction: PostgreSQL
    delivers at commit."""
    if events:
        await connection.execute(q.notify, EVENTS, list(_payloads(events)))


async def wake(connection: Executor, work: str, network: str, device_no: int) -> None:
    """Tell workers of `network` that there is work for a device."""
    await wake_each(connection, work, [(network, device_no)])


async def wake_each(connection: Executor, work: str, devices: Iterable[tuple[str, int]]) -> None:
    """`wake` for each (network, device number), in one statement."""
    payloads = [msgspec.json.encode({"w": work, "n": network, "d": no}).decode() for network, no in devices]
    if payloads:
        await connection.execute(q.notify, WORK, payloads)


def _payloads(events: Iterable[Event]) -> Iterable[str]:
    batch: list[bytes] = []
    size = 2
    for event in events:
        encoded = msgspec.json.encode(event)
        if len(encoded) + 2 > MAX_PAYLOAD:
            raise ValueError(f"an event of {len(encoded)} bytes does not fit a notification: kind {event.get('k')!r}")
        if batch and size + len(encoded) + 1 > MAX_PAYLOAD:
            yield (b"[" + b",".join(batch) + b"]").decode()
            batch, size = [], 2
        batch.append(encoded)
        size += len(encoded) + 1
    if batch:
        yield (b"[" + b",".join(batch) + b"]").decode()


class Listener:
    """One connection that listens, and comes back by itself after the database was away.

    `channels` maps a channel to what is called with each payload; `on_gap` is called whenever notifications may have
    been missed (also after the first connect).
    """

    def __init__(
        self, uri: str, name: str, channels: dict[str, Callable[[str], None]], on_gap: Callable[[], None]
    ) -> None:
        self._uri, self._name, self._channels, self._on_gap = uri, name, channels, on_gap

    async def run(self, ready: asyncio.Event | None = None) -> None:
        """Listen until cancelled; `ready` is set when the first connection stands."""
        pause = 0.1
        while True:
            try:
                connection = await connect(self._uri, self._name)
            except (OSError, asyncpg.PostgresError, TimeoutError) as error:
                log.warning("the database is away", error=str(error), retry_seconds=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                continue
            pause = 0.1
            try:
                await self._listen(connection, ready)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("the listening connection is cut", error=str(error))
            finally:
                with contextlib.suppress(Exception):
                    await connection.close(timeout=2)

    async def _listen(self, connection: asyncpg.Connection, ready: asyncio.Event | None) -> None:
        cut = asyncio.Event()
        connection.add_termination_listener(lambda _connection: cut.set())
        for channel, handle in self._channels.items():
            await connection.add_listener(channel, lambda _c, _p, _n, payload, handle=handle: handle(str(payload)))
        self._on_gap()
        if ready is not None:
            ready.set()
        # A cut that TCP does not report shows here: one cheap statement a minute.
        while not cut.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(cut.wait(), 60)
            if not cut.is_set():
                await connection.execute(q.still_there, timeout=10)


async def subscribe(uri: str, name: str) -> AsyncIterator[list[Event] | Gap]:
    """Events as they come, each notification's together; `Gap` when some may have been missed.

    The first item is a Gap: it says that the subscription stands.
    """
    queue: asyncio.Queue[list[Event] | Gap] = asyncio.Queue()

    def receive(payload: str) -> None:
        try:
            queue.put_nowait(msgspec.json.decode(payload, type=list[Event]))
        except msgspec.DecodeError as error:
            log.error("an event is not readable", error=str(error))

    listener = Listener(uri, name, {EVENTS: receive}, lambda: queue.put_nowait(Gap()))
    task = asyncio.create_task(listener.run())
    try:
        while True:
            yield await queue.get()
    finally:
        task.cancel()
