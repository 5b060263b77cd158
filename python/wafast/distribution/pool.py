"""The pool: rows of running sources that have no device yet, or whose device can't send any more.

Everything is done in steps of `STEP` rows, each in a transaction of its own: a process that dies leaves whole steps,
and the next goes on. A row is only ever moved while it is queued.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from wafast.database.queries import load
from wafast.distribution.lines import Standing, why_none
from wafast.distribution.spread import Code, Decision, Line, Person, spread
from wafast.events import bus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import asyncpg

q = load(__file__)

#: Rows of one transaction: some 50 ms.
STEP = 1_000


class Pool(msgspec.Struct, frozen=True):
    """What waits of one source.

    Args:
        tenant_id: whose.
        source_id: the source.
        device_ids: devices it may go to; None for every one.
        lane_ids: its lanes without a device.
        is_due: whether a row of it may leave now.
        due_in: seconds until the first row that may leave later; None where there is none.
    """

    tenant_id: int
    source_id: int
    device_ids: list[UUID] | None
    lane_ids: list[int]
    is_due: bool
    due_in: float | None


async def pools(connection: asyncpg.Connection) -> list[Pool]:
    """The pools of all tenants in which rows wait."""
    return [msgspec.convert(dict(row), Pool) for row in await connection.fetch(q.pools)]


class Rooms:
    """What a tenant's devices can take, less with every step.

    Args:
        lines: how they stood.
    """

    def __init__(self, lines: Iterable[Standing]) -> None:
        self.lines = {line.no: line for line in lines}
        self._left = {no: line.room for no, line in self.lines.items()}

    def of(self, device_ids: Sequence[UUID] | None) -> list[Line]:
        """Those with room, among `device_ids` when given."""
        return [
            Line(no, self._left[no], line.weight)
            for no, line in self.lines.items()
            if self._left[no] > 0 and (device_ids is None or line.device_id in device_ids)
        ]

    def take(self, decisions: Iterable[Decision]) -> None:
        """These have got somebody."""
        for decision in decisions:
            self._left[decision.device_no] -= 1

    def why_none(self, device_ids: Sequence[UUID] | None) -> str:
        """Why there is no room, for people."""
        chosen = [one for one in self.lines.values() if device_ids is None or one.device_id in device_ids]
        return why_none(chosen, device_ids is not None)


def reason_of(decision: Decision, line: Standing) -> str:
    """Why a device got somebody, for people."""
    match decision.code:
        case "own":
            return f"{line.name} writes to this person already"
        case "chat":
            return f"{line.name} has a chat with this person"
        case "wrote":
            return f"{line.name} wrote to this person before"
        case "room":
            return f"{line.name} had the most room: {line.why}"


async def give(connection: asyncpg.Connection, pool: Pool, rooms: Rooms) -> bool:
    """Give the next rows of a pool to devices, and say why the rest is left.

    Args:
        connection: outside a transaction.
        pool: with rows that are due.
        rooms: of its tenant's devices.

    Returns:
        Whether there may be more to give at once.
    """
    lines = rooms.of(pool.device_ids)
    if not lines:
        await connection.execute(q.say_left, pool.lane_ids, rooms.why_none(pool.device_ids))
        return False
    async with connection.transaction():
        # Whoever pauses the source waits, or has done it.
        if await connection.fetchval(q.hold_source, pool.source_id) != "running":
            return False
        rows = await connection.fetch(q.next_rows, pool.tenant_id, pool.lane_ids, STEP)
        people = [Person(row["id"], _known(row)) for row in rows]
        decisions, left = spread(people, lines, seed=rows[0]["id"] if rows else 0)
        rooms.take(decisions)
        await _apply(connection, pool.tenant_id, decisions, rooms.lines)
        await connection.execute(q.say_left, pool.lane_ids, rooms.why_none(pool.device_ids) if left else None)
    return len(rows) == STEP and not left


class StuckLane(msgspec.Struct, frozen=True):
    """Rows that wait at a device that can't send.

    Args:
        id: of the lane.
        source_id: its source.
        zone: of its people.
        reason: why the device can't send, for people.
        takes_all: all its rows may move; else those that came from the pool.
    """

    id: int
    source_id: int
    zone: str
    reason: str
    takes_all: bool


async def stuck_lanes(connection: asyncpg.Connection, device_nos: Sequence[int] | None) -> list[StuckLane]:
    """Lanes whose rows may go to other devices, at these devices or at all.

    Of a device that WhatsApp holds back for more than a minute: lanes whose source lets its rows move. Of one that is
    over (logged out, banned, replaced, outdated) also lanes with rows that came to it from the pool.
    """
    rows = await connection.fetch(q.stuck_lanes, device_nos)
    return [StuckLane(row["id"], row["source_id"], row["zone"], _why_back(row), row["takes_all"]) for row in rows]


async def take_back(connection: asyncpg.Connection, lane: StuckLane) -> bool:
    """Take the next unsent rows of a lane back to the pool; gives whether there may be more."""
    async with connection.transaction():
        pool_lane = await connection.fetchval(q.pool_lane, lane.source_id, lane.zone)
        count = await connection.fetchval(q.take_back, lane.id, pool_lane, lane.takes_all, lane.reason, STEP)
    return bool(count == STEP)


async def _apply(
    connection: asyncpg.Connection, tenant_id: int, decisions: Sequence[Decision], lines: Mapping[int, Standing]
) -> None:
    ids = [one.key for one in decisions]
    devices = [one.device_no for one in decisions]
    await connection.execute(q.ensure_lanes, ids, devices)
    await connection.execute(
        q.give_rows, tenant_id, ids, devices,
        [one.code for one in decisions], [reason_of(one, lines[one.device_no]) for one in decisions],
    )  # fmt: skip
    await bus.wake_each(connection, "outbox", {(lines[no].network, no) for no in devices})
    if decisions:
        await bus.publish(connection, [{"k": "lead", "t": tenant_id, "l": []}])


def _known(row: asyncpg.Record) -> tuple[tuple[int, Code], ...]:
    known: list[tuple[int, Code]] = [(row["own"], "own")] if row["own"] is not None else []
    known += [(no, "chat") for no in row["chats"]]
    if row["wrote"] is not None:
        known.append((row["wrote"], "wrote"))
    return tuple(known)


def _why_back(row: asyncpg.Record) -> str:
    if row["paused_until"] is not None:
        return f"{row['name']} is held back by WhatsApp: {row['pause_reason']}"
    return f"{row['name']} can't send any more: {row['state_reason'] or row['state']}"
