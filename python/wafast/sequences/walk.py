"""The walk: when an enrolment begins, the row of its first step is put into the outbox, and when a step has left, the
row of the next. One process does it, the others wait for its place.

It knows nothing but the database. What moves an enrolment puts it into a queue in its own transaction; the walk takes
it out in the transaction that puts the next row in. A cut at any instant leaves both or neither, and a row twice is
impossible (outbox_once_a_step).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from wafast import clock, logs
from wafast.database import batches
from wafast.database.aside import Aside
from wafast.database.queries import load
from wafast.database.turn import SEQUENCES, keep_at
from wafast.events import bus
from wafast.outbox import lanes, sources
from wafast.outbox.lanes import Lane
from wafast.sequences import edits, enrolments, going_over, intakes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from wafast.sequences.enrolments import Reason

q = load(__file__)
log = logs.get("sequences.walk")

#: Channel that says something waits in the queue.
WAKE = "wafast_walk"
#: Enrolments of one transaction, some 50 ms of the database.
STEP = 500
#: Changes of how many are in a sequence that are summed up in one statement.
FOLD = 20_000
#: At most so often the pages of a sequence are told.
TELL_SECONDS = 0.5
#: Ends of a step that end the enrolment too. After any other, one that failed as well, the next step follows.
STOPS: dict[str, Reason] = {
    "opted_out": "opted_out",
    "not_on_whatsapp": "not_on_whatsapp",
    "same_person": "same_person",
}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where an enrolment stands: the row of its open step, or of the last that was another lead's, None before the
    first, and the step that would come next."""

    id: int
    tenant_id: int
    sequence_id: int
    lead_id: int
    since: datetime
    is_deleted: bool
    row_state: str | None
    cause: str | None
    sent_at: datetime | None
    phone: str
    zone: str
    device_no: int | None
    is_suppressed: bool
    is_elsewhere: bool
    next_step_id: int | None
    source_id: int | None
    delay_seconds: int | None
    next_sequence_id: int | None


Move = Literal["wait", "step", "complete"]


def decide(at: Standing) -> Move | Reason:
    """What becomes of an enrolment now: it waits, gets its next step, is completed, or is stopped for a reason."""
    if at.is_deleted:
        return "sequence_deleted"
    if at.row_state in ("queued", "sending"):
        return "wait"
    if at.cause is not None and at.cause in STOPS and at.row_state in ("failed", "cancelled"):
        return STOPS[at.cause]
    if at.is_suppressed:
        return "opted_out"
    if at.is_elsewhere:
        return "same_person"
    if at.next_step_id is not None:
        return "step"
    # one that nobody has written steps for yet is not at its end
    return "wait" if at.row_state is None else "complete"


def delay_begins(at: Standing, now: datetime) -> datetime:
    """From when the next step's delay counts: the send before, or what ended that step instead; a deleted step never
    was."""
    if at.row_state is None or at.cause == "parent_gone":
        return at.since
    return at.sent_at or now


async def keep_walking(uri: str) -> None:
    """Walks until cancelled. Any number of processes may do this.

    Args:
        uri: where PostgreSQL is; it takes one connection.
    """
    await keep_at(uri, "sequences", SEQUENCES, lambda connection: Walker(connection).run())


class Walker:
    """Takes what waits in the queue on one connection.

    Args:
        connection: for this alone.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._heard = asyncio.Event()
        #: sequences whose pages are not told yet
        self._untold: set[tuple[int, int]] = set()
        self._told_at = 0.0
        #: edited sequences that nobody can follow
        self._edits = Aside("sequences.edits")
        #: of filters whose leads can't enter
        self._intakes = Aside("sequences.intakes")
        #: workspaces with people whom somebody else holds, for whom something is to go over
        self._over = Aside("sequences.going_over")
        #: enrolments of leads that somebody else holds
        self._held = Aside("sequences.entries")

    async def run(self) -> None:
        """Until the connection is cut, which raises."""
        self._connection.add_termination_listener(lambda _: self._heard.set())
        await self._connection.add_listener(WAKE, lambda *_: self._heard.set())
        while True:
            self._heard.clear()
            is_more = await self.tick()
            if self._untold and time.monotonic() >= self._told_at + TELL_SECONDS:
                await self._tell()
            if not is_more:
                looks = [*self._edits.looks, *self._intakes.looks, *self._over.looks, *self._held.looks]
                if self._untold:
                    looks.append(self._told_at + TELL_SECONDS)
                wait = min(looks) - time.monotonic() if looks else None
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._heard.wait(), wait)

    async def tick(self) -> bool:
        """Takes the next STEP of the queue, the next who follow an edit, the next who enter by a filter, and the next
        for whom something goes over to another device; sums up how many are where.

        Gives whether there may be more."""
        is_more = await self._take()
        followed = await edits.follow(self._connection, self._edits)
        entered = await intakes.go_on(self._connection, self._intakes)
        self._untold.update(one for one in (followed, entered) if one is not None)
        gone_over = await going_over.go_on(self._connection, self._over)
        folded = await self._connection.fetchval(q.fold_enrolment_counts, FOLD)
        return is_more or any(done is not None for done in (followed, entered, gone_over)) or folded == FOLD

    async def _take(self) -> bool:
        queued = await self._connection.fetch(q.next_in_queue, STEP, list(self._held))
        if queued:
            await batches.do(queued, self._go_on, self._give_up)
        return len(queued) == STEP

    async def _go_on(self, queued: Sequence[asyncpg.Record]) -> None:
        those = sorted({row["enrolment_id"] for row in queued})
        async with self._connection.transaction():
            await self._take_out(queued)
            await self._connection.execute(q.hold_sequences, those)
            steps = await self._connection.fetch(q.sources_of_steps, those)
            await sources.hold(self._connection, [step["source_id"] for step in steps])
            await self._connection.execute(q.hold_ways, those)
            found = await self._connection.fetch(q.standing, those)
            await self._move([msgspec.convert(dict(row), Standing) for row in found])

    async def _take_out(self, queued: Sequence[asyncpg.Record]) -> None:
        await self._connection.execute(q.take_queue, [row["is_new"] for row in queued], [row["id"] for row in queued])

    async def _give_up(self, queued: asyncpg.Record, error: Exception) -> None:
        log.error("a lead can't go on in a sequence", enrolment=queued["enrolment_id"], exc_info=error)
        async with self._connection.transaction():
            await self._take_out([queued])
            await enrolments.stop(self._connection, [queued["enrolment_id"]], "failed")

    async def _move(self, standing: Sequence[Standing]) -> None:
        moves: dict[Move | Reason, list[Standing]] = {}
        for at in standing:
            moves.setdefault(decide(at), []).append(at)
        moves.pop("wait", None)
        self._untold.update((at.tenant_id, at.sequence_id) for those in moves.values() for at in those)
        steps, completed = moves.get("step", []), moves.get("complete", [])
        # before rows (outbox/sources.py)
        await lanes.ensure(self._connection, [Lane(at.tenant_id, at.source_id, at.device_no, at.zone) for at in steps])
        for reason in enrolments.CAUSES:
            if those := moves.get(reason):
                await enrolments.stop(self._connection, [at.id for at in those], reason)
        # an import holds for minutes a lead that enters another sequence
        entering = [at for at in completed if at.next_sequence_id is not None]
        at_their_end = [at for at in completed if at.next_sequence_id is None]
        entering = await self._free(q.hold_entering, entering)
        if completed := entering + await self._free(q.hold_numbers, at_their_end):
            await self._complete(completed)
        if steps := await self._free(q.hold_numbers, steps):
            await self._step(steps)

    async def _free(self, hold: str, those: Sequence[Standing]) -> list[Standing]:
        """Those whose leads can be held by a statement now. Who holds one of the others may want its way next, which is
        held here: nobody is waited for, and they stay in the queue, for later."""
        if not those:
            return []
        free = {row["id"] for row in await self._connection.fetch(hold, [at.lead_id for at in those])}
        if held := [at.id for at in those if at.lead_id not in free]:
            for enrolment_id in held:
                self._held.put(enrolment_id)
            await self._connection.execute(q.queue_enrolments, held)
        return [at for at in those if at.lead_id in free]

    async def _step(self, those: Sequence[Standing]) -> None:
        now = clock.now()
        put = await self._connection.fetch(
            q.put_steps,
            [at.id for at in those],
            [at.next_step_id for at in those],
            [at.device_no for at in those],
            [delay_begins(at, now) for at in those],
            [at.zone for at in those],
        )
        due = {(row["network"], row["no"]) for row in put if row["no"] is not None}
        await bus.wake_each(self._connection, "outbox", due)
        left_out = {at.id for at in those} - {row["enrolment_id"] for row in put}
        if left_out:
            await self._connection.execute(q.queue_enrolments, sorted(left_out))
            self._heard.set()

    async def _complete(self, those: Sequence[Standing]) -> None:
        await self._connection.execute(q.complete, [at.id for at in those])
        going_on = [at for at in those if at.next_sequence_id is not None]
        await self._connection.execute(
            q.enter_next,
            [at.tenant_id for at in going_on],
            [at.next_sequence_id for at in going_on],
            [at.lead_id for at in going_on],
        )

    async def _tell(self) -> None:
        told, self._untold = self._untold, set()
        self._told_at = time.monotonic()
        await bus.publish(self._connection, [enrolments.changed(*one) for one in sorted(told)])
