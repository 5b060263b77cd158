"""How WhatsApp names whom a message is about to leave for, where that is otherwise than people dial it. A source's
message does not leave when that is somebody who wants no more of them, or has this one at another number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

from wafast.database.queries import load
from wafast.devices import number_checks

if TYPE_CHECKING:
    from uuid import UUID

    from wafast.outbox.claim import Claim
    from wafast.outbox.rows import Cause

q = load(__file__)


async def note(pool: asyncpg.Pool, worker_id: UUID, claim: Claim, named: str) -> Cause | None:
    """Keep the name of a claim's person. Gives why the claim must not leave; None where it may. Raises
    asyncpg.LockNotAvailableError where others hold what it needs."""
    async with pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute(q.wait_shortly)
            await number_checks.note_name(connection, claim.device_no, claim.to_jid, named)
        if claim.source_id is None:
            return None
        cause: Cause | None = await connection.fetchval(q.why_not, claim.id, named)
        if cause is None:
            try:
                async with connection.transaction():
                    await connection.execute(q.wait_shortly)
                    which = worker_id, claim.claim_epoch, claim.attempts, claim.device_no
                    await connection.execute(q.name_row, claim.id, named, *which)
            except asyncpg.UniqueViolationError:  # another line is sending it to this person just now
                cause = "same_person"
    return cause
