"""Enrolments: leads put into a sequence, and what a person does with one of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from wafast.database.queries import load
from wafast.events import bus
from wafast.outbox import sources, told
from wafast.outbox.again import NotRetryable, queue_one_again
from wafast.outbox.cancel import cancel
from wafast.outbox.rows import Cause
from wafast.sequences import rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import asyncpg

    from wafast.events.bus import Executor

q = load(__file__)

State = Literal["active", "paused", "completed", "stopped"]
#: Why one was stopped.
Reason = Literal[
    "by_person", "replied", "opted_out", "not_on_whatsapp", "same_person", "sequence_deleted", "merged", "failed"
]  # fmt: skip
#: The same, of the row that was open.
CAUSES: dict[Reason, Cause] = {
    "by_person": "by_person",
    "replied": "replied",
    "opted_out": "opted_out",
    "not_on_whatsapp": "not_on_whatsapp",
    "same_person": "same_person",
    "sequence_deleted": "parent_gone",
    "merged": "merged",
    "failed": "parent_gone",
}
IN_WORDS: dict[Reason, str] = {
    "by_person": "a person stopped it",
    "replied": "the lead has written",
    "opted_out": "the lead wants nothing more",
    "not_on_whatsapp": "the number is not on WhatsApp",
    "same_person": "this person gets it at another of their numbers",
    "sequence_deleted": "the sequence was deleted",
    "merged": "the lead became one with another",
    "failed": "its next step could not be put in; the log says why",
}

#: Why a lead does not enter: it is not there, wants no messages, is in the sequence, or was in it before.
KeptOut = Literal["not_found", "opted_out", "in_it", "was_in_it"]


class EnrolmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row as stored, with its lead and the step it stands at: `position` counts from 1, None before the first."""

    id: int
    sequence_id: int
    lead_id: int
    lead_name: str
    phone: str
    state: State
    reason: Reason | None
    started_at: datetime
    ended_at: datetime | None
    step_id: int | None
    position: int | None
    due_at: datetime | None
    outbox_id: int | None
    outbox_state: str | None


class HasEnded(Exception):
    """The enrolment is completed or stopped."""


class NotBegun(Exception):
    """The enrolment has no step yet: the walk is about to put in its first, or the sequence has none."""


async def enrol(
    pool: asyncpg.Pool, tenant_id: int, sequence_id: int, leads: Sequence[int], *, again: bool
) -> dict[int, KeptOut | None]:
    """These leads enter; gives why each did not, None where it did. Who wants no messages does not enter, nor who is in
    it; who was in it before only with `again`. Raises rows.NoSequence."""
    async with pool.acquire() as connection, connection.transaction():
        # not held: whoever changes or deletes it waits for nobody, and the walk sees to who came too late
        if not await connection.fetchval(q.has_sequence, tenant_id, sequence_id):
            raise rows.NoSequence(sequence_id)
        found = await connection.fetch(q.enrol_ids, tenant_id, sequence_id, list(leads), again)
        await tell(connection, tenant_id, sequence_id)
    there: dict[int, KeptOut | None] = {row["id"]: row["kept_out"] for row in found}
    return {lead: there.get(lead, "not_found") for lead in leads}


async def list_rows(
    pool: asyncpg.Pool,
    tenant_id: int,
    sequence_id: int,
    *,
    state: State | None,
    search: str | None,
    device_ids: Sequence[UUID] | None,
    limit: int,
    before: int | None,
) -> list[EnrolmentRow]:
    """The last first, with ids below `before`; of leads of these devices or of none."""
    found = await pool.fetch(q.list_enrolments, tenant_id, sequence_id, state, search, device_ids, before, limit)
    return [msgspec.convert(dict(row), EnrolmentRow) for row in found]


async def get(pool: Executor, tenant_id: int, sequence_id: int, enrolment_id: int) -> EnrolmentRow | None:
    """One of the sequence."""
    row = await pool.fetchrow(q.get_enrolment, tenant_id, sequence_id, enrolment_id)
    return None if row is None else msgspec.convert(dict(row), EnrolmentRow)


async def set_state(
    pool: asyncpg.Pool,
    tenant_id: int,
    sequence_id: int,
    enrolment_id: int,
    state: Literal["active", "paused", "stopped"],
) -> EnrolmentRow | None:
    """Pause, resume or stop it; None when there is no such one. The delay goes on while it is paused.

    Raises HasEnded.
    """
    async with pool.acquire() as connection, connection.transaction():
        held = await connection.fetchrow(q.hold_enrolment, tenant_id, sequence_id, enrolment_id)
        if held is None:
            return None
        if held["state"] in ("completed", "stopped"):
            raise HasEnded(enrolment_id)
        if state == "stopped":
            await stop(connection, [enrolment_id], "by_person")
        elif state != held["state"]:
            await connection.execute(
                q.pause_enrolment if state == "paused" else q.resume_enrolment, tenant_id, enrolment_id
            )
            await _go_on(connection, tenant_id, sequence_id, enrolment_id, held["outbox_id"])
        return await get(connection, tenant_id, sequence_id, enrolment_id)


async def skip(pool: asyncpg.Pool, tenant_id: int, sequence_id: int, enrolment_id: int) -> EnrolmentRow | None:
    """Go on to the next step after its delay from now, without the one that is open; None when there is no such
    enrolment. Raises HasEnded, NotBegun."""
    async with pool.acquire() as connection, connection.transaction():
        held = await connection.fetchrow(q.hold_enrolment, tenant_id, sequence_id, enrolment_id)
        if held is None:
            return None
        if held["state"] in ("completed", "stopped"):
            raise HasEnded(enrolment_id)
        if held["outbox_id"] is None:
            raise NotBegun(enrolment_id)
        await cancel(connection, "by_person", "a person skipped this step", rows=[held["outbox_id"]])
        await _go_on(connection, tenant_id, sequence_id, enrolment_id, held["outbox_id"])
        return await get(connection, tenant_id, sequence_id, enrolment_id)


async def retry_row(pool: asyncpg.Pool, tenant_id: int, outbox_id: int) -> None:
    """Queues a row of a step once more, as a person asked. Raises NotRetryable."""
    async with pool.acquire() as connection, connection.transaction():
        behind = await connection.fetchrow(q.hold_row_of_step, tenant_id, outbox_id)
        if behind is None or behind["is_deleted"]:
            raise NotRetryable("The step it comes from, or this person, was deleted: write to this person anew.")
        if behind["state"] in ("paused", "stopped"):
            way_out = "resume it first" if behind["state"] == "paused" else "let the person enter again"
            raise NotRetryable(f"This person's way through {behind['name']} is {behind['state']}: {way_out}.")
        if await connection.fetchval(q.is_at_another_step, tenant_id, outbox_id):
            raise NotRetryable(
                f"This person's way through {behind['name']} has gone on to another step, and only one can be open: "
                "write to this person anew."
            )
        await queue_one_again(connection, tenant_id, outbox_id)


async def stop(connection: Executor, ids: Sequence[int], reason: Reason) -> None:
    """Stops enrolments of any tenant in the caller's transaction, and what of them has not left."""
    stopped = await connection.fetch(q.stop_enrolments, list(ids), reason)
    numbers = [row["id"] for row in stopped]
    cancelled = await cancel(connection, CAUSES[reason], IN_WORDS[reason], enrolments=numbers)
    sequences = {(row["tenant_id"], row["sequence_id"]) for row in stopped}
    await bus.publish(connection, [changed(*one) for one in sequences])
    await told.tell(connection, cancelled)


async def delete(pool: asyncpg.Pool, tenant_id: int, sequence_id: int) -> None:
    """The sequence is gone at once, and nothing of it is claimed any more; the walk stops its enrolments.

    Raises rows.NoSequence.
    """
    async with rows.held(pool, tenant_id, sequence_id) as (connection, _):
        steps = await connection.fetch(q.steps_of, tenant_id, sequence_id)
        await sources.hold(connection, alone=[step["source_id"] for step in steps])
        for step in steps:
            await sources.set_state(connection, tenant_id, step["source_id"], "ended")
        await connection.execute(q.delete_sequence, tenant_id, sequence_id)
        await rows.let_follow(connection, tenant_id, sequence_id)
        await tell(connection, tenant_id, sequence_id)


def changed(tenant_id: int, sequence_id: int) -> bus.Event:
    """The event that a sequence or its enrolments changed."""
    return {"k": "sequence", "t": tenant_id, "id": sequence_id}


async def tell(connection: Executor, tenant_id: int, sequence_id: int) -> None:
    """Whoever looks at the sequence fetches it again."""
    await bus.publish(connection, [changed(tenant_id, sequence_id)])


async def _go_on(
    connection: Executor, tenant_id: int, sequence_id: int, enrolment_id: int, outbox_id: int | None
) -> None:
    """The walk and the worker look at it again."""
    await connection.execute(q.queue_enrolment, enrolment_id)
    await connection.execute(q.wake_walk)
    for device in await connection.fetch(q.device_of_row, tenant_id, outbox_id):
        await bus.wake(connection, "outbox", device["network"], device["no"])
    await tell(connection, tenant_id, sequence_id)
