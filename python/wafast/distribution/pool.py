"""The pool: rows of running sources that have no device yet, or whose device can't send any more.

Everything is done in steps of `STEP` rows, each in a transaction of its own: a process that dies leaves whole steps,
and the next goes on. A row is only ever moved while it is queued.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from wafast.database.queries import load
from wafast.devices.backoff import LONGEST_SECONDS
from wafast.distribution.decisions import with_score
from wafast.distribution.lines import Standing, is_away, why_none
from wafast.distribution.lost import why_over
from wafast.distribution.spread import Code, Decision, Line, Person, counted, shared, spread
from wafast.events import bus
from wafast.outbox import lanes, sources, told
from wafast.outbox.cancel import cancel
from wafast.outbox.device_gone import give_back
from wafast.outbox.lanes import Lane

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Mapping, Sequence

    import asyncpg

q = load(__file__)

#: Rows of one transaction: some 50 ms.
STEP = 1_000
#: A device that has been online for so long was not cut off with others that are still away: the last of those is back
#: this much sooner.
STANDING_SECONDS = 2 * LONGEST_SECONDS
#: Where a row stands among those that wait: when it is due, and its id.
Due = tuple[datetime, int]
FIRST: Due = (datetime.min.replace(tzinfo=UTC), 0)


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
        chosen = self._chosen(device_ids)
        return [Line(line.no, self._left[line.no], line.weight) for line in chosen if self._left[line.no] > 0]

    def able(self, device_ids: Sequence[UUID] | None) -> list[Standing]:
        """Those that can send today, with room or without, among `device_ids` when given."""
        return [line for line in self._chosen(device_ids) if line.hour > 0]

    def foretell(
        self, known: Mapping[int, int], strangers: int, device_ids: Sequence[UUID] | None
    ) -> tuple[Counter[int], int]:
        """How many people each device will get, and how many none: those it has room for, first whom it knows (`known`,
        by its number), and of the rest, as room comes, its part by what it sends in a day."""
        kept, others, rest = shared(known, strangers, self.of(device_ids))
        ready = [line for line in self._chosen(device_ids) if line.is_ready]
        later, left = counted(rest, [Line(line.no, rest, line.cap * line.share) for line in ready])
        return kept + others + later, left

    def take(self, decisions: Iterable[Decision]) -> None:
        """These have got somebody."""
        for decision in decisions:
            self._left[decision.device_no] -= 1

    def why_none(self, device_ids: Sequence[UUID] | None) -> str:
        """Why there is no room, for people."""
        return why_none(self._chosen(device_ids), device_ids is not None)

    def _chosen(self, device_ids: Sequence[UUID] | None) -> list[Standing]:
        return [line for line in self.lines.values() if device_ids is None or line.device_id in device_ids]


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


async def give(connection: asyncpg.Connection, pool: Pool, rooms: Rooms, after: Due, step: int = STEP) -> Due | None:
    """Give the next rows of a pool to devices, and say why the rest is left.

    Args:
        connection: outside a transaction.
        pool: with rows that are due.
        rooms: of its tenant's devices.
        after: the row behind which to go on: rows that have gone lie in the index until it is vacuumed.
        step: rows at most.

    Returns:
        Where to go on when there may be more to give at once; None when there is not.
    """
    lines = rooms.of(pool.device_ids) or await _turns(connection, pool, rooms)
    if not lines:
        await connection.execute(q.say_left, pool.lane_ids, rooms.why_none(pool.device_ids))
        return None
    async with connection.transaction():
        # Whoever pauses the source waits, or has done it.
        if (await sources.hold(connection, [pool.source_id])).get(pool.source_id) != "running":
            return None
        there = {row["no"] for row in await connection.fetch(q.hold_lines, [line.no for line in lines])}
        lines = [line for line in lines if line.no in there]
        rows = await connection.fetch(q.next_rows, pool.tenant_id, pool.lane_ids, step, *after)
        by_score = sorted(rows, key=lambda row: -1 if row["score"] is None else row["score"], reverse=True)
        people = [Person(row["id"], _known(row)) for row in by_score]
        decisions, left = spread(people, lines, seed=rows[0]["id"] if rows else 0)
        await _apply(connection, pool, rows, decisions, rooms.lines)
        await connection.execute(q.say_left, pool.lane_ids, rooms.why_none(pool.device_ids) if left else None)
    rooms.take(decisions)
    if left:  # of what room there was; it may still have a turn
        return after if decisions else None
    return (rows[-1]["not_before"], rows[-1]["id"]) if len(rows) == step else None


async def drop_next(connection: asyncpg.Connection, pool: Pool, after: Due, why: str) -> Due | None:
    """Cancels the next row of a pool, which can't be given to anybody by a fault; gives where to go on, None when there
    is none. Arguments as of `give`."""
    async with connection.transaction():
        await sources.hold(connection, [pool.source_id])
        rows = await connection.fetch(q.next_rows, pool.tenant_id, pool.lane_ids, 1, *after)
        ids = [row["id"] for row in rows]
        await told.tell(connection, await cancel(connection, "refused", f"it fits no device: {why}", rows=ids))
    return (rows[0]["not_before"], rows[0]["id"]) if rows else None


async def _turns(connection: asyncpg.Connection, pool: Pool, rooms: Rooms) -> list[Line]:
    """Devices that have no room as others fill them, and send this source's rows in turn with theirs: each takes its
    part of an hour, so that a large campaign holds up no small one."""
    able = {line.no: line for line in rooms.able(pool.device_ids)}
    if not able:
        return []
    found = await connection.fetch(q.turns, pool.source_id, list(able))
    lines = [(able[row["no"]], row["others"], row["waiting"]) for row in found]
    return [
        Line(line.no, room, line.weight)
        for line, others, waiting in lines
        if (room := math.ceil(line.hour / (others + 1)) - waiting) > 0
    ]


class StuckLane(msgspec.Struct, frozen=True):
    """Rows that wait at a device that can't send.

    Args:
        id: of the lane.
        source_id: whose rows.
        reason: why the device can't send, for people.
        takes_all: all its rows may move; else those that came from the pool, and those of people who are not, or no
            longer, the device's own.
    """

    id: int
    source_id: int
    reason: str
    takes_all: bool


async def stuck_lanes(connection: asyncpg.Connection, device_nos: Sequence[int] | None) -> list[StuckLane]:
    """Lanes whose rows may go to other devices, at these devices or at all.

    Of a device that WhatsApp holds back for more than a minute, or that is away by itself: lanes whose source lets its
    rows move.
    Of one that is over (logged out, banned, replaced, outdated) also lanes with rows of people whom nobody gave to it.
    """
    rows = await connection.fetch(q.stuck_lanes, device_nos, STANDING_SECONDS)
    stuck = [row for row in rows if row["is_over"] or row["paused_until"] is not None or _is_away(row)]
    return [StuckLane(row["id"], row["source_id"], _why_back(row), row["takes_all"]) for row in stuck]


async def take_back(connection: asyncpg.Connection, lane: StuckLane) -> bool:
    """Take the next unsent rows of a lane back to the pool; gives whether there may be more."""
    async with connection.transaction():
        await sources.hold(connection, [lane.source_id])
        rows = await connection.fetch(q.rows_to_take_back, lane.id, lane.takes_all, STEP)
        lead_of = {row["id"]: row["lead_id"] for row in rows}
        moved = await give_back(connection, rows)
        noted = [(row, lead_of[row], None, "returned", lane.reason) for row in moved]
        if noted:
            await connection.execute(q.note_decisions, rows[0]["tenant_id"], *map(list, zip(*noted, strict=True)))
    return len(rows) >= STEP


async def _apply(
    connection: asyncpg.Connection,
    pool: Pool,
    rows: Sequence[asyncpg.Record],
    decisions: Sequence[Decision],
    lines: Mapping[int, Standing],
) -> None:
    if not decisions:
        return
    row_of = {row["id"]: row for row in rows}
    ids = [one.key for one in decisions]
    leads = [row_of[one.key]["lead_id"] for one in decisions]
    devices = [one.device_no for one in decisions]
    wanted = [Lane(pool.tenant_id, pool.source_id, one.device_no, row_of[one.key]["zone"]) for one in decisions]
    await lanes.move(connection, ids, await lanes.ensure(connection, wanted))
    await connection.execute(q.keep_devices, pool.tenant_id, leads, devices)
    await connection.execute(
        q.note_decisions, pool.tenant_id, ids, leads, devices,
        [one.code for one in decisions],
        [with_score(reason_of(one, lines[one.device_no]), row_of[one.key]["score"]) for one in decisions],
    )  # fmt: skip
    await bus.wake_each(connection, "outbox", {(lines[no].network, no) for no in devices})
    await bus.publish(connection, [{"k": "lead", "t": pool.tenant_id, "l": []}])


def _known(row: asyncpg.Record) -> tuple[tuple[int, Code], ...]:
    known: list[tuple[int, Code]] = [(row["own"], "own")] if row["own"] is not None else []
    known += [(no, "chat") for no in row["chats"]]
    if row["wrote"] is not None:
        known.append((row["wrote"], "wrote"))
    return tuple(known)


def _is_away(row: asyncpg.Record) -> bool:
    """By itself: where none has stood meanwhile all are away, and their rows would go into the pool and come back."""
    is_wished = row["desired_state"] != "connected"
    return is_away(row["state"], row["desired_state"], row["failures"]) and (is_wished or row["others_stand"])


def _why_back(row: asyncpg.Record) -> str:
    if row["paused_until"] is not None:
        return f"{row['name']} is held back by WhatsApp: {row['pause_reason']}"
    if _is_away(row):
        return f"{row['name']} is not connected: {row['state_reason'] or row['state']}"
    return why_over(row)
