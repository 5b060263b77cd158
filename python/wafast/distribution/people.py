"""People without a device, spread over chosen ones as somebody asked for, and taken back again when he thinks better.

How many each device gets is decided when it is asked for, and shown before; the people follow in steps of `STEP`, which
survive whoever does them. A person keeps the device it was given until somebody changes it, or the device is over
(lost.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from wafast import logs
from wafast.accounts import audit
from wafast.database.away import DATABASE_AWAY
from wafast.database.queries import load
from wafast.distribution.decisions import with_score
from wafast.distribution.lines import Standing, standings, why_none
from wafast.distribution.spread import Code, Decision, Line, Person, shared, spread
from wafast.events import bus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import asyncpg

    from wafast.accounts.principal import Principal
    from wafast.events.bus import Executor

q = load(__file__)
log = logs.get("distribution.people")

#: People of one transaction: some 50 ms.
STEP = 1_000
LAST_ID = 2**63 - 1
#: Between two looks at people whom somebody else holds.
HELD_SECONDS = 1.0


class Share(msgspec.Struct, frozen=True):
    """What one device gets.

    Args:
        line: the device, and how it stands.
        known: people it has a chat with, or wrote to.
        others: people nobody knows.
    """

    line: Standing
    known: int
    others: int

    @property
    def reason(self) -> str:
        """Why so many, for people."""
        return f"{self.line.why}, {self.line.people} people already"


class Plan(msgspec.Struct, frozen=True):
    """What a distribution would do.

    Args:
        people: that fit and have no device.
        shares: of each device that gets somebody.
        left: people for whom there is no room.
        left_reason: why, for people.
    """

    people: int
    shares: list[Share]
    left: int
    left_reason: str | None


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """One that was asked for, as stored."""

    id: int
    filter: dict[str, Any]
    state: str
    people: int
    left_over: int
    left_reason: str | None
    created_by: str
    created_at: datetime
    ended_at: datetime | None
    shares: list[dict[str, Any]]


async def plan(
    connection: Executor,
    tenant_id: int,
    lead_filter: dict[str, Any],
    device_ids: Sequence[UUID] | None,
    most: int | None,
) -> Plan:
    """What a distribution would do now.

    Args:
        connection: to read with.
        tenant_id: whose people.
        lead_filter: of leads_matching(); who has a device already is left out.
        device_ids: the only devices that get somebody; None for all.
        most: people a device gets at most.
    """
    lines = {line.no: line for line in await standings(connection, tenant_id, device_ids)}
    ready = [line for line in lines.values() if line.comes_back]
    rows = await connection.fetch(q.count_known, tenant_id, lead_filter, [line.no for line in ready])
    people = sum(row["n"] for row in rows)
    room = people if most is None else most
    known, others, left = shared(
        {row["device_no"]: row["n"] for row in rows if row["device_no"] is not None},
        sum(row["n"] for row in rows if row["device_no"] is None),
        [Line(line.no, room, line.cap * line.share if line.is_ready else 0.0, line.people) for line in ready],
    )
    shares = [Share(line, known[line.no], others[line.no]) for line in ready]
    why = None if not left else _why_left(lines, device_ids is not None, most)
    return Plan(people, [share for share in shares if share.known + share.others], left, why)


async def begin(
    pool: asyncpg.Pool,
    principal: Principal,
    lead_filter: dict[str, Any],
    device_ids: Sequence[UUID] | None,
    most: int | None,
) -> int:
    """Ask for a distribution; the runner does it. Gives its id. Arguments as of `plan`."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        planned = await plan(connection, principal.tenant_id, lead_filter, device_ids, most)
        found: int = await connection.fetchval(
            q.create_distribution, principal.tenant_id, lead_filter, planned.people, planned.left, planned.left_reason,
            principal.actor,
        )  # fmt: skip
        parts = [(share, True, share.known) for share in planned.shares]
        parts += [(share, False, share.others) for share in planned.shares]
        await connection.execute(
            q.create_shares, principal.tenant_id, found,
            [share.line.no for share, _, _ in parts], [is_known for _, is_known, _ in parts],
            [count for _, _, count in parts], [share.reason for share, _, _ in parts],
        )  # fmt: skip
        await audit.record(
            connection, principal.tenant_id, principal.actor, "leads.distribute", f"distribution:{found}",
            people=planned.people - planned.left,
        )  # fmt: skip
    return found


async def get(pool: asyncpg.Pool, tenant_id: int, distribution_id: int) -> Distribution | None:
    """One distribution of the tenant."""
    rows = await list_distributions(pool, tenant_id, limit=1, before=distribution_id + 1)
    return next((row for row in rows if row.id == distribution_id), None)


async def list_distributions(pool: asyncpg.Pool, tenant_id: int, *, limit: int, before: int) -> list[Distribution]:
    """Newest first, with ids below `before`."""
    rows = await pool.fetch(q.list_distributions, tenant_id, limit, before)
    return [msgspec.convert(dict(row), Distribution) for row in rows]


async def undo(pool: asyncpg.Pool, principal: Principal, distribution_id: int) -> bool:
    """Ask to take people back: those whom their device has not written to since, and whom nobody gave to another.

    False when it is undone, or being undone, already.
    """
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchval(q.undo_distribution, principal.tenant_id, distribution_id) is None:
            return False
        subject = f"distribution:{distribution_id}"
        await audit.record(connection, principal.tenant_id, principal.actor, "leads.undo_distribution", subject)
    return True


async def step(connection: asyncpg.Connection) -> float | None:
    """Do the next step of each distribution that is under way; gives in how many seconds to come again, None when there
    was none. People whom somebody else holds just now, an import say, are not waited for."""
    rows = await connection.fetch(q.open_distributions)
    has_moved = False
    for row in rows:
        try:
            has_moved |= await _step(connection, row["id"])
        except DATABASE_AWAY:
            raise
        except Exception as error:
            log.exception("a distribution ends by a fault", distribution=row["id"])
            await connection.execute(q.give_up_distribution, row["id"], f"It could not go on: {error}")
    return None if not rows else 0.0 if has_moved else HELD_SECONDS


async def _step(connection: asyncpg.Connection, distribution_id: int) -> bool:
    """Whether it came further."""
    async with connection.transaction():
        state = await connection.fetchrow(q.hold_distribution, distribution_id)
        if state is None:
            return False
        if state["state"] == "running":
            has_moved = await _give(connection, state)
        else:
            has_moved = await connection.fetchval(q.take_people_back, state["id"], state["last_id"], STEP)
        await bus.publish(connection, [{"k": "lead", "t": state["tenant_id"], "l": []}])
    return has_moved


async def _give(connection: asyncpg.Connection, distribution: asyncpg.Record) -> bool:
    """Whether it came further."""
    shares = await connection.fetch(q.shares_left, distribution["id"])
    devices = list({row["device_no"] for row in shares})
    passed = await _next_scored(connection, distribution, devices)
    rows = [row for row in passed if row["fits"]] if passed else await _next(connection, distribution, devices)
    known = [Person(row["id"], ((row["known"], row["code"]),)) for row in rows if row["known"] is not None]
    decisions, over = spread(known, [_line(row) for row in shares if row["is_known"]], seed=distribution["id"])
    strangers = {row["id"] for row in rows if row["known"] is None}.union(over)
    others = [Person(row["id"]) for row in rows if row["id"] in strangers]
    more, _ = spread(others, [_line(row) for row in shares if not row["is_known"]], seed=distribution["id"])
    why = {row["device_no"]: (row["name"], row["reason"]) for row in shares}
    score = {row["id"]: row["score"] for row in rows}
    both = [(one, True) for one in decisions] + [(one, False) for one in more]
    given = await connection.fetchrow(
        q.give_people, distribution["tenant_id"], distribution["id"],
        [one.key for one, _ in both], [one.device_no for one, _ in both], [one.code for one, _ in both],
        [with_score(_reason(one, why), score[one.key]) for one, _ in both], [is_known for _, is_known in both],
    )  # fmt: skip
    assert given is not None, "an aggregate gives a row"
    if passed:  # who was held comes again with the others
        await connection.execute(q.move_on_scored, distribution["id"], passed[-1]["score"], passed[-1]["id"])
        return True
    last = rows[-1]["id"] if len(rows) == STEP else None
    await connection.execute(q.move_on, distribution["id"], last if given["held"] is None else given["held"] + 1)
    return given["held"] is None or given["moved"] > 0


async def _next_scored(
    connection: asyncpg.Connection, distribution: asyncpg.Record, devices: Sequence[int]
) -> list[asyncpg.Record]:
    """The next people by their score, those among them who don't fit too; none when the others have their turn."""
    if distribution["last_score"] is None:
        return []
    return await connection.fetch(
        q.next_scored, distribution["tenant_id"], distribution["filter"], distribution["last_id"], STEP, devices,
        distribution["last_score"],
    )  # fmt: skip


async def _next(
    connection: asyncpg.Connection, distribution: asyncpg.Record, devices: Sequence[int]
) -> list[asyncpg.Record]:
    """The next people, the newest first."""
    last_id = distribution["last_id"] if distribution["last_score"] is None else LAST_ID
    return await connection.fetch(
        q.next_people, distribution["tenant_id"], distribution["filter"], last_id, STEP, devices
    )


def _line(share: asyncpg.Record) -> Line:
    return Line(share["device_no"], share["remains"], 0.0 if share["is_known"] else float(share["remains"]))


def _reason(decision: Decision, why: Mapping[int, tuple[str, str]]) -> str:
    name, standing = why[decision.device_no]
    told: dict[Code, str] = {
        "own": f"{name} writes to this person already",
        "chat": f"{name} has a chat with this person",
        "wrote": f"{name} wrote to this person before",
        "room": f"{name} got its share: {standing}",
    }
    return told[decision.code]


def _why_left(lines: Mapping[int, Standing], chosen: bool, most: int | None) -> str:
    if most is not None and any(line.is_ready for line in lines.values()):
        return f"Each device gets {most} at most"
    return why_none(lines.values(), chosen)
