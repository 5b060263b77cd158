"""What becomes of rows whose device is gone: those of sources go back to the pool, until they are given to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.database.queries import load
from wafast.outbox import lanes, sources
from wafast.outbox.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    from wafast.events.bus import Executor

    Connection = PoolConnectionProxy[asyncpg.Record]

q = load(__file__)

#: Rows that are moved by one statement.
STEP = 5_000


async def wake_pool(connection: Executor) -> None:
    """Tell whoever gives rows to devices that some may wait in the pool."""
    await connection.execute(q.wake_pool)


async def waiting_at(connection: Connection, device_nos: Sequence[int]) -> AsyncIterator[list[asyncpg.Record]]:
    """What waits for sources at these devices, and what is just being sent and may wait again: id, and tenant_id,
    source_id and zone of the lane; STEP at a time, however many there are. Run it in a transaction."""
    cursor = await connection.cursor(q.waiting_at, list(device_nos))
    while rows := await cursor.fetch(STEP):
        yield rows


async def give_back(connection: Executor, rows: Sequence[asyncpg.Record]) -> list[int]:
    """Rows (as of `waiting_at`) go back to the pool; gives those that did. Run it in a transaction."""
    wanted = [Lane(row["tenant_id"], row["source_id"], None, row["zone"]) for row in rows]
    moved = await lanes.move(connection, [row["id"] for row in rows], await lanes.ensure(connection, wanted))
    if moved:
        await wake_pool(connection)
    return moved


async def stop(connection: Connection, device_nos: Sequence[int]) -> None:
    """Devices, held, are about to be deleted: what is just being sent for a source is unknown."""
    # held before the devices (distribution/choices.py), but for those that have begun to wait there since
    await sources.hold(connection, await connection.fetchval(q.sources_at, list(device_nos)))
    # before what waits goes elsewhere: a send that fails now would be queued again behind that
    await connection.execute(q.lose_sends, list(device_nos))


async def leave(connection: Connection, device_nos: Sequence[int]) -> None:
    """After `stop`: what still waits at these devices for a source goes to the pool, and what no source has sent is
    deleted."""
    async for rows in waiting_at(connection, device_nos):
        await give_back(connection, rows)
    await connection.execute(q.delete_sends, list(device_nos))
