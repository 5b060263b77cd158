"""The order of the list of all devices, kept behind ingest: chats that a queue names get their place in chat_order.

One process does it, the others wait for its place. The queue is a table that is written in the transaction that changes
a chat, so nothing is lost in a crash; and the list reads it too, so it is exact while this is behind, only slower.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

import asyncpg

from wafast.database.queries import load
from wafast.database.turn import CHAT_ORDER, keep_at
from wafast.events.bus import EVENTS

q = load(__file__)

#: Between an announcement and the look at the queue, so that a chat moves once for what comes together.
GATHER_SECONDS = 0.15
#: Rows of the queue taken at once, of a thousand chats each at most.
STEP = 50
#: After each step it rests as long as that took: who stores messages needs the processor more.
REST = 1.0
#: It looks this often without being told: an announcement may be lost.
LOOK_SECONDS = 30.0


async def keep_order(uri: str) -> None:
    """Keeps the order until cancelled. Any number of processes may do this.

    Args:
        uri: where PostgreSQL is; it takes one connection.
    """
    await keep_at(uri, "chat order", CHAT_ORDER, _follow)


async def place_moved(connection: asyncpg.Connection) -> None:
    """Gives every chat that waits in the queue its place; what somebody is in the way of waits for the next time."""
    is_more = True
    while is_more:
        began = time.monotonic()
        try:
            is_more = await connection.fetchval(q.place_moved, STEP) == STEP
        except asyncpg.LockNotAvailableError:
            return
        if is_more:
            await asyncio.sleep(REST * (time.monotonic() - began))


async def _follow(connection: asyncpg.Connection) -> None:
    """Until the connection is cut, which raises."""
    told = asyncio.Event()
    connection.add_termination_listener(lambda _: told.set())
    await connection.execute(q.set_up)
    await connection.add_listener(EVENTS, lambda *_: told.set())
    while True:
        told.clear()
        await place_moved(connection)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), LOOK_SECONDS)
        await asyncio.sleep(GATHER_SECONDS)
