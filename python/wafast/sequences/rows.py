"""Sequences and their steps: made, changed while they run, deleted. Each step is a source of the outbox."""

from __future__ import annotations

import contextlib
from datetime import datetime, time
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from wafast.database.queries import load
from wafast.outbox import sources
from wafast.outbox.sources import Message, Pace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    from wafast.events.bus import Executor

    Connection = PoolConnectionProxy[asyncpg.Record]

q = load(__file__)

State = Literal["active", "paused"]
#: What the sources of its steps are then.
SOURCE_STATE: dict[State, Literal["running", "paused"]] = {"active": "running", "paused": "paused"}
#: A step a day for more than half a year.
MOST_STEPS = 200


class SequenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row as stored, with the number of its steps. While people follow an edit: how many do, and of how many; None
    before they are counted."""

    id: int
    name: str
    trigger: str | None
    next_sequence_id: int | None
    next_name: str | None
    state: State
    stop_on_reply: bool
    created_by: str
    created_at: datetime
    steps: int
    followed: int | None
    people: int | None


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """A step with its message and pace; `position` counts from 1."""

    id: int
    sequence_id: int
    source_id: int
    position: int
    delay_seconds: int
    expires_seconds: int | None
    kind: Literal["text", "image", "video", "document"]
    template: str
    media_sha256: bytes | None
    media_mime: str | None
    file_name: str | None
    min_seconds: float
    max_seconds: float
    opens: time | None
    closes: time | None
    days: int

    @property
    def step(self) -> Step:
        """What it says, how fast and when."""
        message = Message(self.kind, self.template, self.media_sha256, self.file_name)
        pace = Pace(self.min_seconds, self.max_seconds, self.opens, self.closes, self.days)
        return Step(message, pace, self.delay_seconds, self.expires_seconds)


class Step(msgspec.Struct, frozen=True):
    """A step to make. `delay_seconds` counts from the send before, or from the entry; `expires_seconds` after that it
    leaves no more, None: never."""

    message: Message
    pace: Pace
    delay_seconds: int
    expires_seconds: int | None = None

    @property
    def time(self) -> tuple[int, int | None]:
        """When it leaves."""
        return self.delay_seconds, self.expires_seconds


class NoSequence(Exception):
    """The tenant has no such sequence."""


class NoStep(Exception):
    """The sequence has no such step."""


class TooManySteps(Exception):
    """A sequence has at most MOST_STEPS."""


async def list_rows(pool: asyncpg.Pool, tenant_id: int, limit: int, before: int | None) -> list[SequenceRow]:
    """Newest first, with ids below `before`."""
    rows = await pool.fetch(q.list_sequences, tenant_id, before, limit)
    return [msgspec.convert(dict(row), SequenceRow) for row in rows]


async def get(pool: asyncpg.Pool, tenant_id: int, sequence_id: int) -> SequenceRow | None:
    """One of the tenant."""
    row = await pool.fetchrow(q.get_sequence, tenant_id, sequence_id)
    return None if row is None else msgspec.convert(dict(row), SequenceRow)


async def list_steps(pool: Executor, tenant_id: int, sequence_id: int) -> list[StepRow]:
    """In order."""
    rows = await pool.fetch(q.list_steps, tenant_id, sequence_id)
    return [msgspec.convert(dict(row), StepRow) for row in rows]


async def triggers(pool: asyncpg.Pool, tenant_id: int) -> set[str]:
    """Tags that let leads enter a sequence."""
    return {row["trigger"] for row in await pool.fetch(q.triggers, tenant_id)}


async def enrolment_counts(pool: asyncpg.Pool, tenant_id: int, ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """By sequence and state of its enrolments; a state nobody is in is left out."""
    counts: dict[int, dict[str, int]] = {sequence_id: {} for sequence_id in ids}
    for row in await pool.fetch(q.enrolment_counts, tenant_id, list(ids)):
        counts[row["sequence_id"]][row["state"]] = row["n"]
    return counts


async def create(
    pool: asyncpg.Pool,
    tenant_id: int,
    name: str,
    *,
    trigger: str | None,
    next_sequence_id: int | None,
    stop_on_reply: bool,
    steps: Sequence[Step],
    created_by: str,
) -> int:
    """A new one's id; it is paused. Raises NoSequence about the next one, TooManySteps."""
    async with pool.acquire() as connection, connection.transaction():
        await _expect(connection, tenant_id, next_sequence_id)
        sequence_id: int = await connection.fetchval(
            q.add_sequence, tenant_id, name, trigger, next_sequence_id, stop_on_reply, created_by
        )
        if len(steps) > MOST_STEPS:
            raise TooManySteps
        for step in steps:
            await _add(connection, tenant_id, sequence_id, step, "paused")
    return sequence_id


async def change(pool: asyncpg.Pool, tenant_id: int, sequence_id: int, changes: Mapping[str, Any]) -> None:
    """What it is called and does; a pause holds from the next claim on. Of two at the same instant the second changes
    what the first has left.

    Args:
        changes: name, trigger, next_sequence_id, stop_on_reply, state; those that are not named stay as they are.

    Raises:
        NoSequence.
    """
    async with held(pool, tenant_id, sequence_id) as (connection, was):
        await _expect(connection, tenant_id, changes.get("next_sequence_id"))
        await connection.execute(q.change_sequence, tenant_id, sequence_id, dict(changes))
        state: State = changes.get("state", was)
        if state != was:
            steps = await connection.fetch(q.steps_of, tenant_id, sequence_id)
            await sources.hold(connection, alone=[step["source_id"] for step in steps])
            turned = {
                row["source_id"]
                for row in await connection.fetch(q.turn_ends, tenant_id, sequence_id, state == "active")
            }
            for step in steps:
                if step["source_id"] in turned:
                    await sources.set_state(connection, tenant_id, step["source_id"], "waiting")
                elif not step["is_deleted"] and step["is_followed"]:
                    await sources.set_state(connection, tenant_id, step["source_id"], SOURCE_STATE[state])
            if turned:
                await let_follow(connection, tenant_id, sequence_id)


async def add_step(pool: asyncpg.Pool, tenant_id: int, sequence_id: int, step: Step, position: int | None) -> int:
    """A new step's id. Who has come further than its `position` (from 1; None: the last) does not get it.

    Raises NoSequence, TooManySteps.
    """
    async with held(pool, tenant_id, sequence_id) as (connection, state):
        known = await connection.fetch(q.steps_of, tenant_id, sequence_id)
        if sum(not one["is_deleted"] for one in known) >= MOST_STEPS:
            raise TooManySteps
        step_id = await _add(connection, tenant_id, sequence_id, step, state)
        if position is not None:
            await _move(connection, tenant_id, sequence_id, step_id, position)
        if all(one["is_deleted"] for one in known):
            await let_follow(connection, tenant_id, sequence_id)
    return step_id


async def change_step(
    pool: asyncpg.Pool,
    tenant_id: int,
    sequence_id: int,
    step_id: int,
    changes: Mapping[str, Any],
    position: int | None = None,
) -> None:
    """What has not left is sent so: message and pace when it is due, and the new delay and end count from where the old
    ones did; until everybody who waits for it follows, nothing of it leaves. Of two at the same instant the second
    changes what the first has left.

    Args:
        changes: fields of `Step`; those that are not named stay as they are.
        position: where it is to stand; None: where it does.

    Raises:
        NoSequence, NoStep.
    """
    async with held(pool, tenant_id, sequence_id) as (connection, _):
        was = await _step(connection, tenant_id, sequence_id, step_id)
        step = msgspec.structs.replace(was.step, **changes)
        if step != was.step:
            await sources.change(connection, tenant_id, was.source_id, step.message, step.pace, may_move=False)
        if step.time != was.step.time:
            await connection.execute(q.set_time, tenant_id, step_id, *step.time)
            await sources.set_state(connection, tenant_id, was.source_id, "waiting")
            await let_follow(connection, tenant_id, sequence_id)
        if position is not None:
            await _move(connection, tenant_id, sequence_id, step_id, position)


async def delete_step(pool: asyncpg.Pool, tenant_id: int, sequence_id: int, step_id: int) -> None:
    """Who waits for it goes on to the next one. Raises NoSequence, NoStep."""
    async with held(pool, tenant_id, sequence_id) as (connection, _):
        was = await _step(connection, tenant_id, sequence_id, step_id)
        await connection.execute(q.delete_step, tenant_id, step_id)
        await sources.set_state(connection, tenant_id, was.source_id, "ended")
        await let_follow(connection, tenant_id, sequence_id)


async def let_follow(connection: Connection, tenant_id: int, sequence_id: int) -> None:
    """The walk moves everybody on the way in a sequence that is `held` as its steps say now (edits.py)."""
    await connection.execute(q.note_edit, tenant_id, sequence_id)
    await connection.execute(q.wake_walk)


@contextlib.asynccontextmanager
async def held(pool: asyncpg.Pool, tenant_id: int, sequence_id: int) -> AsyncIterator[tuple[Connection, State]]:
    """A transaction in which nobody else changes the sequence and nobody goes on in it, and its state.

    Raises NoSequence.
    """
    async with pool.acquire() as connection, connection.transaction():
        state: State | None = await connection.fetchval(q.hold_sequence, tenant_id, sequence_id)
        if state is None:
            raise NoSequence(sequence_id)
        yield connection, state


async def _expect(connection: Connection, tenant_id: int, next_sequence_id: int | None) -> None:
    if next_sequence_id is not None and not await connection.fetchval(q.has_sequence, tenant_id, next_sequence_id):
        raise NoSequence(next_sequence_id)


async def _add(connection: Connection, tenant_id: int, sequence_id: int, step: Step, state: State) -> int:
    source_id = await sources.create(connection, tenant_id, step.message, step.pace)
    await sources.set_state(connection, tenant_id, source_id, SOURCE_STATE[state])
    step_id: int = await connection.fetchval(q.add_step, tenant_id, sequence_id, source_id, *step.time)
    return step_id


async def _step(connection: Connection, tenant_id: int, sequence_id: int, step_id: int) -> StepRow:
    for step in await list_steps(connection, tenant_id, sequence_id):
        if step.id == step_id:
            return step
    raise NoStep(step_id)


async def _move(connection: Connection, tenant_id: int, sequence_id: int, step_id: int, position: int) -> None:
    known = await connection.fetch(q.steps_of, tenant_id, sequence_id)
    order = moved([(step["id"], step["is_deleted"]) for step in known], step_id, position)
    await connection.execute(q.unnumber_steps, tenant_id, sequence_id)
    await connection.execute(q.number_steps, tenant_id, sequence_id, order)


def moved(steps: Sequence[tuple[int, bool]], step_id: int, position: int) -> list[int]:
    """The order of all steps when one of them stands at a position.

    Args:
        steps: id and whether it is deleted, in order.
        step_id: the one to move.
        position: from 1, among those that are not deleted; beyond the last one it is the last.
    """
    others = [(one, is_deleted) for one, is_deleted in steps if one != step_id]
    shown = [index for index, (_, is_deleted) in enumerate(others) if not is_deleted]
    at = shown[position - 1] if position <= len(shown) else len(others)
    order = [one for one, _ in others]
    return [*order[:at], step_id, *order[at:]]
