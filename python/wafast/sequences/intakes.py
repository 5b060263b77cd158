"""Intakes: all leads that fit a filter enter a sequence, a portion at a time behind the request.

A portion enters in the transaction that notes how far the intake is: a cut at any instant leaves nobody out, and lets
nobody enter twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from wafast.database.queries import load
from wafast.leads.rows import matching, plan_by_filter
from wafast.sequences import rows
from wafast.sequences.enrolments import tell

if TYPE_CHECKING:
    import asyncpg

    from wafast.database.aside import Aside
    from wafast.events.bus import Executor

q = load(__file__)

#: Leads of one transaction, some 50 ms of the database: the walk does it between two steps of its own.
PORTION = 2_000


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """Leads that enter a sequence by a filter."""

    id: Annotated[str, Meta(examples=["3"])]
    sequence_id: Annotated[str, Meta(examples=["7"])]
    state: Annotated[Literal["running", "done", "cancelled"], Meta(examples=["running"])]
    leads: Annotated[int, Meta(description="That fitted when it was asked for.", examples=[250_000])]
    looked: Annotated[int, Meta(description="Were looked at so far, the newest first.", examples=[48_000])]
    entered: Annotated[
        int, Meta(description="Who wants no messages or is in it already is not among them.", examples=[47_120])
    ]
    created_by: Annotated[str, Meta(examples=["user:7"])]
    created_at: datetime
    ended_at: datetime | None


async def begin(
    pool: asyncpg.Pool, tenant_id: int, sequence_id: int, wanted: dict[str, Any], *, again: bool, created_by: str
) -> Intake:
    """Leads that fit enter: those of the first portion at once, the walk lets the others in. Who wants no messages does
    not enter, nor who is in it; who was in it before only with `again`. Raises rows.NoSequence.

    Args:
        wanted: a filter as `filters.stored` gives it.
    """
    async with matching(pool) as connection:
        intake_id = await connection.fetchval(q.create_intake, tenant_id, sequence_id, wanted, again, created_by)
        if intake_id is None:
            raise rows.NoSequence(sequence_id)
        await _take(connection, intake_id)
        await connection.execute(q.count_intake, intake_id, tenant_id, wanted)
        made = await get(connection, tenant_id, sequence_id, intake_id)
        assert made is not None, "it was made in this transaction"
        await connection.execute(q.wake_walk)
        await tell(connection, tenant_id, sequence_id)
    return made


async def go_on(connection: asyncpg.Connection, aside: Aside) -> tuple[int, int] | None:
    """The next portion of the intake whose turn it is enters; gives its tenant and sequence, None when none is open.

    Only one process may do this at a time.

    Args:
        aside: intakes that can't go on, or one of whose leads somebody else holds, so that the others do.
    """

    async def portion(intake_id: int) -> tuple[int, int] | None:
        async with connection.transaction():
            await plan_by_filter(connection)
            await connection.execute(q.wait_for_portion)
            return await _take(connection, intake_id)

    return await aside.do_first(lambda those: connection.fetchval(q.next_intake, those), portion)


async def _take(connection: Executor, intake_id: int) -> tuple[int, int] | None:
    intake = await connection.fetchrow(q.hold_intake, intake_id)
    if intake is None:
        return None  # somebody has cancelled it
    place = intake["tenant_id"], intake["sequence_id"]
    if intake["is_deleted"]:
        await connection.execute(q.cancel_intake, intake_id)
        return place
    wanted = intake["filter"], intake["again"], intake["last_id"]
    taken = await connection.fetchrow(q.take_in, *place, *wanted, PORTION)
    assert taken is not None, "a select without a table gives a row"
    is_last = taken["looked"] < PORTION
    await connection.execute(q.note_taken, intake_id, taken["looked"], taken["entered"], taken["last_id"], is_last)
    return place


async def cancel(pool: asyncpg.Pool, tenant_id: int, intake: Intake) -> bool:
    """Nobody more enters by one of the tenant's; who has entered stays. False when it has ended."""
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchval(q.cancel_intake, int(intake.id)) is None:
            return False
        await tell(connection, tenant_id, int(intake.sequence_id))
    return True


async def get(pool: Executor, tenant_id: int, sequence_id: int, intake_id: int) -> Intake | None:
    """One of the sequence."""
    found = await pool.fetchrow(q.get_intake, tenant_id, sequence_id, intake_id)
    return None if found is None else intake_of(found)


async def list_rows(
    pool: asyncpg.Pool, tenant_id: int, sequence_id: int, *, before: int, limit: int
) -> list[asyncpg.Record]:
    """Rows with ids below `before`, newest first; ``intake_of`` makes an Intake of one."""
    return await pool.fetch(q.list_intakes, tenant_id, sequence_id, before, limit)


async def list_open(pool: asyncpg.Pool, tenant_id: int, sequence_id: int) -> list[Intake]:
    """Those under way."""
    return [intake_of(row) for row in await pool.fetch(q.open_intakes, tenant_id, sequence_id)]


def intake_of(row: asyncpg.Record) -> Intake:
    """An Intake of a row."""
    fields = {name: row[name] for name in Intake.__struct_fields__}
    return Intake(**fields | {"id": str(row["id"]), "sequence_id": str(row["sequence_id"])})
