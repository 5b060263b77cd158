"""Keeps distribution going: one process does it, woken by whoever fills the pool and by devices that come and go.

A pass costs a few queries a tenant whose pool holds rows, and none when no pool does.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import msgspec

from wafast import logs
from wafast.database.away import DATABASE_AWAY
from wafast.database.turn import DISTRIBUTION, keep_at
from wafast.distribution import lost, people, pool
from wafast.distribution.lines import fold, standings
from wafast.events.bus import EVENTS, Event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import asyncpg

log = logs.get("distribution")

#: Who puts rows into the pool, or asks for a distribution, says so here (migrations/0020).
POOL = "wafast_pool"
#: Between what was heard and the look, so that what comes together is seen together.
GATHER_SECONDS = 0.05
#: Between two looks at what was left: a device that has an hour's rows can take another one every 45 seconds.
AGAIN_SECONDS = 60.0
#: Between two looks at people of a device that is over whom somebody else holds; an import holds many for a minute.
HELD_SECONDS = 5.0
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
        #: devices that changed, or that others held people of; None: any may have
        self._changed: set[int] | None = None

    async def run(self) -> None:
        """Until the connection is cut, which raises."""
        self._connection.add_termination_listener(lambda _: self._heard.set())
        await self._connection.add_listener(EVENTS, lambda _c, _p, _n, payload: self._hear(str(payload)))
        await self._connection.add_listener(POOL, lambda *_: self._heard.set())
        next_safety = time.monotonic() + SAFETY_SECONDS
        while True:
            self._heard.clear()
            if time.monotonic() >= next_safety:  # also where something is heard all the time
                next_safety, self._changed = time.monotonic() + SAFETY_SECONDS, None
            changed, self._changed = self._changed, set()
            wait = min(await self.look(changed), max(0.0, next_safety - time.monotonic()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), wait)
                await asyncio.sleep(GATHER_SECONDS)

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
        held = set[int]()
        if changed is None or changed:
            held = await self._take_back(None if changed is None else list(changed))
        await fold(self._connection)
        wait = await self._give()
        again = await people.step(self._connection)
        if held and self._changed is not None:
            self._changed |= held
        return min(one for one in (wait, again, HELD_SECONDS if held else None) if one is not None)

    async def _take_back(self, changed: Sequence[int] | None) -> set[int]:
        """Gives the devices of whose people some are held by others, an import say, and stay for now."""
        found = await lost.lost_devices(self._connection, changed)
        for device in found:  # before rows, which go with their people
            with _passed_over("people of a device that is over stay there", device=device["no"]):
                while await lost.leave(self._connection, device):
                    pass
        for lane in await pool.stuck_lanes(self._connection, changed):
            with _passed_over("rows of a device that can't send stay there", lane=lane.id):
                while await pool.take_back(self._connection, lane):
                    pass
        left = await lost.lost_devices(self._connection, [device["no"] for device in found]) if found else []
        return {device["no"] for device in left}

    async def _give(self) -> float:
        waiting = await pool.pools(self._connection)
        due = [one for one in waiting if one.is_due]
        for tenant_id in {one.tenant_id for one in due}:
            with _passed_over("what waits for a device stays in the pool", tenant=tenant_id):
                await self._give_of([one for one in due if one.tenant_id == tenant_id])
        later = [one.due_in for one in waiting if one.due_in is not None]
        again = [AGAIN_SECONDS] if due else []
        return min([SAFETY_SECONDS, *again, *(max(0.1, seconds) for seconds in later)])

    async def _give_of(self, due: Sequence[pool.Pool]) -> None:
        """Of one tenant."""
        rooms = pool.Rooms(await standings(self._connection, due[0].tenant_id))
        turns = [(one, pool.FIRST) for one in due]
        while turns:  # a step of each in turn, so that none has all the room
            steps = [(one, await self._give_step(one, rooms, after)) for one, after in turns]
            turns = [(one, after) for one, after in steps if after is not None]

    async def _give_step(self, one: pool.Pool, rooms: pool.Rooms, after: pool.Due) -> pool.Due | None:
        """As pool.give; where a step fails its rows go one by one, and one that fails alone is cancelled."""
        try:
            return await pool.give(self._connection, one, rooms, after)
        except DATABASE_AWAY:
            raise
        except Exception:
            log.exception("a step of the pool failed", source=one.source_id)
        return await self._give_singly(one, rooms, after)

    async def _give_singly(self, one: pool.Pool, rooms: pool.Rooms, place: pool.Due) -> pool.Due | None:
        for _ in range(pool.STEP):
            try:
                following = await pool.give(self._connection, one, rooms, place, step=1)
            except DATABASE_AWAY:
                raise
            except Exception as error:
                following = await pool.drop_next(self._connection, one, place, str(error))
            if following is None:
                return None
            place = following
        return place


@contextlib.contextmanager
def _passed_over(what: str, **whose: int) -> Iterator[None]:
    """A fault of one is told, and the others go on. That the database is away is raised."""
    try:
        yield
    except DATABASE_AWAY:
        raise
    except Exception:
        log.exception(what, **whose)
