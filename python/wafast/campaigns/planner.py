"""What campaigns do by themselves: begin at their instant, close what must not leave, end, and tell how they go.

One process does it, the others wait for its place. All it knows is in the database: a plan is one transaction, so that
one killed at any instant is begun again from nothing, and the rows of a campaign are all there or none.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import asyncpg

from wafast import logs
from wafast.database.away import DATABASE_AWAY
from wafast.database.pool import connect
from wafast.database.queries import load
from wafast.database.turn import CAMPAIGNS, keep_at
from wafast.events import bus
from wafast.events.bus import EVENTS
from wafast.outbox import counts, lanes, sources
from wafast.outbox.cancel import cancel
from wafast.outbox.claim import NOT_HEARD
from wafast.outbox.lanes import Lane

if TYPE_CHECKING:
    from wafast.events.bus import Executor

q = load(__file__)
log = logs.get("campaigns.planner")

#: Channel that says a campaign may have to begin or to be closed.
WAKE = "wafast_campaigns"
#: A campaign of a million people must not hold up one of ten: plans under way at once, a connection each.
MOST_PLANS = 2
#: Rows closed in one transaction, some 100 ms of the database.
CLOSE_STEP = 5_000
#: At most so often a campaign tells how it goes.
TELL_SECONDS = 0.5
#: What no notification tells.
SAFETY_SECONDS = 60.0
#: Between two tries of a plan that another connection is at.
AGAIN_SECONDS = 1.0
CANCELLED = "the campaign was cancelled"
EXPIRED = "it could not leave before the campaign's end"


async def keep_planned(uri: str, pool: asyncpg.Pool, *, hears: bool = True) -> None:
    """Runs campaigns until cancelled. Any number of processes may do this.

    Args:
        uri: where PostgreSQL is; it takes one connection, and one for each plan under way.
        pool: for the small statements.
        hears: whether people are heard who want no more; where not, none begins.
    """
    await keep_at(uri, "campaigns", CAMPAIGNS, lambda connection: Planner(uri, pool, hears=hears).run(connection))


async def wake(connection: Executor) -> None:
    """Tell the planner that a campaign may have to begin or to be closed; inside a transaction, at its commit."""
    await connection.execute(q.wake_planner)


def changed(tenant_id: int, campaign_id: int) -> bus.Event:
    """The event that a campaign looks different."""
    return {"k": "campaign", "t": tenant_id, "id": campaign_id}


class Planner:
    """The one runner.

    Args:
        uri: where PostgreSQL is.
        pool: for the small statements.
        hears: as of `keep_planned`.
    """

    def __init__(self, uri: str, pool: asyncpg.Pool, *, hears: bool = True) -> None:
        self._uri, self._pool, self._hears = uri, pool, hears
        self._woken = asyncio.Event()
        self._moved = asyncio.Event()
        #: sources whose rows have moved; None: those of any may have
        self._sources: set[int] | None = None
        self._to_close = asyncio.Event()
        self._plans: set[int] = set()
        self._looks: dict[int, str] = {}

    async def run(self, connection: asyncpg.Connection) -> None:
        """Until cancelled. On the connection that holds the turn it only listens."""
        await connection.add_listener(WAKE, lambda *_: self._wake())
        await connection.add_listener(EVENTS, lambda _c, _p, _n, payload: self._hear(str(payload)))
        self._wake()  # what happened before is not told
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._begin(tasks))
            tasks.create_task(self._close())
            tasks.create_task(self._tell())

    def _wake(self) -> None:
        self._sources = None
        self._woken.set()
        self._moved.set()
        self._to_close.set()

    def _hear(self, payload: str) -> None:
        # a thousand messages a second pass here, so nothing is decoded: what moves a campaign's rows has these kinds
        if '"outbox"' in payload or '"status"' in payload:
            self._moved.set()
            self._to_close.set()

    async def _begin(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            self._woken.clear()
            while len(self._plans) < MOST_PLANS:
                row = await self._pool.fetchrow(q.next_to_plan, list(self._plans))
                if row is None:
                    break
                if not self._hears:
                    await self._give_up(row["tenant_id"], row["id"], f"it did not begin: {NOT_HEARD}")
                    continue
                self._plans.add(row["id"])
                tasks.create_task(self._plan(row["tenant_id"], row["id"]))
            seconds = await self._pool.fetchval(q.seconds_to_next)
            wait = SAFETY_SECONDS if seconds is None else min(SAFETY_SECONDS, max(0.0, seconds))
            if not await _within(wait + 0.001, self._woken):
                self._to_close.set()

    async def _plan(self, tenant_id: int, campaign_id: int) -> None:
        connection = await connect(self._uri, "campaign plan")
        try:
            rows = await plan(connection, tenant_id, campaign_id)
            if rows is not None:
                log.info("a campaign is planned", campaign=campaign_id, rows=rows)
            else:  # a planner that was killed left a statement that has not ended
                await asyncio.sleep(AGAIN_SECONDS)
        except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
            log.info("a campaign changed while it was planned", campaign=campaign_id)
        except DATABASE_AWAY:
            raise
        except asyncpg.PostgresError as error:
            log.exception("a campaign could not be planned", campaign=campaign_id)
            await self._give_up(tenant_id, campaign_id, f"it could not be planned: {error}")
        finally:
            connection.terminate()
            self._plans.discard(campaign_id)
            self._wake()

    async def _give_up(self, tenant_id: int, campaign_id: int, reason: str) -> None:
        """It is a draft again, which says why."""
        await self._pool.execute(q.give_up_plan, campaign_id, reason)
        await bus.publish(self._pool, [changed(tenant_id, campaign_id)])

    async def _close(self) -> None:
        """Rows of cancelled and expired campaigns, a bounded step at a time."""
        while True:
            self._to_close.clear()
            for row in await self._pool.fetch(q.to_close):
                while await self._close_step(row):
                    self._moved.set()
            await self._to_close.wait()
            await asyncio.sleep(TELL_SECONDS)

    async def _close_step(self, campaign: asyncpg.Record) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            found = await connection.fetch(q.rows_to_close, campaign["source_id"], CLOSE_STEP)
            ids = [row["id"] for row in found]
            if campaign["state"] == "cancelled":
                await cancel(connection, "parent_gone", CANCELLED, rows=ids)
            else:
                await connection.execute(q.expire_rows, ids, EXPIRED)
        return bool(ids)

    async def _tell(self) -> None:
        """Publishes campaigns whose rows have moved, and ends those of which nothing waits any more."""
        while True:
            planning = await self._pool.fetch(q.being_planned)
            if not planning and not await _within(SAFETY_SECONDS, self._moved):
                self._sources = None
            self._moved.clear()
            only, self._sources = self._sources, set()
            moved = await counts.fold(self._pool)
            rows = await self._pool.fetch(q.that_move, None if only is None else list(only | moved))
            for row in rows:
                if row["has_ended"]:
                    await end(self._pool, row["id"])
            different = [row for row in rows if self._looks.get(row["id"]) != row["look"]]
            looks = {row["id"]: row["look"] for row in rows}
            self._looks = looks if only is None else self._looks | looks
            await bus.publish(self._pool, [changed(row["tenant_id"], row["id"]) for row in [*planning, *different]])
            await asyncio.sleep(TELL_SECONDS)


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Waits for an event; whether it came in time. (`wait_for` of Python 3.11 loses a cancellation now and then.)"""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
            return True
    return False


async def plan(connection: asyncpg.Connection, tenant_id: int, campaign_id: int) -> int | None:
    """Puts the rows of a campaign into the outbox and sets it running, in one transaction of one snapshot.

    Args:
        connection: for this alone.
        campaign_id: of one that is to begin.

    Returns:
        How many rows; None when there was nothing to plan: it is cancelled, or another planner is at it.

    Raises:
        asyncpg.SerializationError: it changed meanwhile, and nothing was put in.
    """
    if not await connection.fetchval(q.take_plan, campaign_id):
        return None
    if await connection.fetchval(q.begin_plan, campaign_id, tenant_id) is None:
        return None
    await bus.publish(connection, [changed(tenant_id, campaign_id)])
    async with connection.transaction(isolation="repeatable_read"):
        row = await connection.fetchrow(q.to_plan, campaign_id)
        if row is None:
            return None
        source_id, audience = row["source_id"], row["audience"]
        wanted = await connection.fetch(q.wanted_lanes, tenant_id, audience)
        await lanes.ensure(connection, [Lane(tenant_id, source_id, row["device_no"], row["zone"]) for row in wanted])
        tag = await connection.execute(q.plan, tenant_id, audience, source_id, campaign_id)
        rows = int(tag.rpartition(" ")[2])
        await connection.fetchval(q.end_plan, campaign_id, rows)
        await sources.set_state(connection, tenant_id, source_id, "running")
        await bus.publish(connection, [changed(tenant_id, campaign_id)])
    return rows


async def end(pool: asyncpg.Pool, campaign_id: int) -> None:
    """Notes that nothing of a campaign waits any more, so that the claim need not look at its lanes."""
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(q.lock_open, campaign_id)
        if row is not None and await connection.fetchval(q.end_campaign, campaign_id) is not None:
            await sources.set_state(connection, row["tenant_id"], row["source_id"], "ended")
