"""Keeps distribution going: one process does it, woken by whoever fills the pool and by devices that come and go.

A pass costs a few queries a tenant whose pool holds rows, and none when no pool does.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import msgspec

from wafast.database.turn import DISTRIBUTION, keep_at
from wafast.distribution import people, pool
from wafast.distribution.lines import fold, standings
from wafast.events.bus import EVENTS, Event

if TYPE_CHECKING:
    from collections.abc import Collection

    import asyncpg

#: Who puts rows into the pool, or asks for a distribution, says so here (migrations/0020).
POOL = "wafast_pool"
#: Between what was heard and the look, so that what comes together is seen together.
GATHER_SECONDS = 0.05
#: Between two looks at what was left: a device that has an hour's rows can take another one every 45 seconds.
AGAIN_SECONDS = 60.0
#: Between two looks at everything, for what no notification tells.
SAFETY_SECONDS = 300.0


async def keep_distributing(uri: str) -> None:
    """Distributes until cancelled. Any number of processes may do this.

    Args:
        uri: where PostgreSQL is; it takes one connection.
    """
    await keep_at(uri, "distribution", DISTRIBUTION, lambda connection: Runner(connection).run())


class Runner:
    """Follows what happens on one connection.

    Args:
        connection: for this alone.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._heard = asyncio.Event()
        #: devices that changed; None: any may have
        self._changed: set[int] | None = None

    async def run(self) -> None:
        """Until the connection is cut, which raises."""
        self._connection.add_termination_listener(lambda _: self._heard.set())
        await self._connection.add_listener(EVENTS, lambda _c, _p, _n, payload: self._hear(str(payload)))
        await self._connection.add_listener(POOL, lambda *_: self._heard.set())
        while True:
            self._heard.clear()
            changed, self._changed = self._changed, set()
            wait = await self.look(changed)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), wait)
                await asyncio.sleep(GATHER_SECONDS)
            if not self._heard.is_set() and wait == SAFETY_SECONDS:
                self._changed = None

    def _hear(self, payload: str) -> None:
        for event in msgspec.json.decode(payload, type=list[Event]):
            if event.get("k") in ("device", "deleted"):
                if self._changed is not None:
                    self._changed.add(event["d"])
                self._heard.set()

    async def look(self, changed: Collection[int] | None = None) -> float:
        """Does all that can be done now.

        Args:
            changed: devices to look at for rows that can't leave from them; None for all.

        Returns:
            Seconds after which to look again when nothing is heard.
        """
        if changed is None or changed:
            await self._take_back(changed)
        await fold(self._connection)
        wait = await self._give()
        again = await people.step(self._connection)
        return wait if again is None else min(wait, again)

    async def _take_back(self, changed: Collection[int] | None) -> None:
        for lane in await pool.stuck_lanes(self._connection, None if changed is None else list(changed)):
            while await pool.take_back(self._connection, lane):
                pass

    async def _give(self) -> float:
        waiting = await pool.pools(self._connection)
        due = [one for one in waiting if one.is_due]
        for tenant_id in {one.tenant_id for one in due}:
            rooms = pool.Rooms(await standings(self._connection, tenant_id))
            turns = [(one, pool.FIRST) for one in due if one.tenant_id == tenant_id]
            while turns:  # a step of each in turn, so that none has all the room
                steps = [(one, await pool.give(self._connection, one, rooms, after)) for one, after in turns]
                turns = [(one, after) for one, after in steps if after is not None]
        later = [one.due_in for one in waiting if one.due_in is not None]
        again = [AGAIN_SECONDS] if due else []
        return min([SAFETY_SECONDS, *again, *(max(0.1, seconds) for seconds in later)])
