"""Whoever is on the way in a sequence follows what was edited in it, a portion at a time behind the request.

An edit holds back what must not leave as it was, and notes the sequence, in one transaction; who follows is moved
together with the note of how far that is. A portion done twice does nothing, so that a cut at any instant skips nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.database.queries import load
from wafast.outbox import sources, told
from wafast.outbox.cancel import cancel
from wafast.sequences import enrolments
from wafast.sequences.rows import SOURCE_STATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from wafast.database.aside import Aside
    from wafast.sequences.rows import Connection

q = load(__file__)

#: Enrolments of one transaction. As many go on in one of the walk, so that its queue does not grow by those who follow.
STEP = 500


async def follow(connection: asyncpg.Connection | Connection, aside: Aside) -> tuple[int, int] | None:
    """The next STEP of the sequence whose turn it is; gives its tenant and id, None when everybody follows.

    Only one process may do this at a time.

    Args:
        aside: sequences that can't be followed by a fault, so that the others are.
    """
    return await aside.do_first(
        lambda those: connection.fetchval(q.next_edited, those), lambda one: _follow(connection, one)
    )


async def _follow(connection: asyncpg.Connection | Connection, sequence_id: int) -> tuple[int, int] | None:
    async with connection.transaction():
        edited = await connection.fetchrow(q.hold_edited, sequence_id)
        if edited is None:
            return None
        steps = await connection.fetch(q.followed_sources, sequence_id)
        await sources.hold(connection, alone=[step["source_id"] for step in steps])
        people = [row["id"] for row in await connection.fetch(q.who_follows, sequence_id, edited["after_id"], STEP)]
        if edited["is_deleted"]:
            await enrolments.stop(connection, people, "sequence_deleted")
        else:
            # the walk reads the cause, and goes on
            await _cancel(connection, await connection.fetch(q.wait_for_deleted, people), "the step was deleted")
            await connection.execute(q.move_due, people)
            await connection.execute(q.queue_unbegun, people)
        # who ended between the look and the lock is missing: a portion of any size, or none, need not be the last
        last = people[-1] if people else edited["after_id"]
        if await connection.fetchval(q.is_anybody_behind, sequence_id, last):
            await connection.execute(q.note_followed, sequence_id, last, len(people))
        elif left := await connection.fetch(q.left_at_deleted, sequence_id, STEP):
            await _cancel(connection, left, "what it comes from was deleted")
        elif not await connection.fetchval(q.move_left, sequence_id, STEP):
            await _end(connection, edited)
    return edited["tenant_id"], sequence_id


async def _cancel(connection: asyncpg.Connection | Connection, rows: Sequence[asyncpg.Record], reason: str) -> None:
    cancelled = await cancel(connection, "parent_gone", reason, rows=[row["id"] for row in rows])
    await told.tell(connection, cancelled)


async def _end(connection: asyncpg.Connection | Connection, edited: asyncpg.Record) -> None:
    for source_id in await connection.fetchval(q.end_edit, edited["sequence_id"]):
        await sources.set_state(connection, edited["tenant_id"], source_id, SOURCE_STATE[edited["state"]])
