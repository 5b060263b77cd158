"""The one way rows that have not left are cancelled, whoever wants nothing of them any more.

It holds for a row that is just being sent as well: where that turns out not to have left, it is cancelled instead of
being tried again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from wafast.events.bus import Executor
    from wafast.outbox.rows import Cause

q = load(__file__)


async def cancel(
    connection: Executor,
    cause: Cause,
    reason: str,
    *,
    rows: Sequence[int] = (),
    leads: Sequence[int] = (),
    enrolments: Sequence[int] = (),
) -> list[asyncpg.Record]:
    """Cancel these rows, and what waits for these leads and of these enrolments. The caller has seen that they are of
    his tenant. Gives id, tenant_id and device_no of each."""
    chosen = (list(rows), list(leads), list(enrolments))
    return await connection.fetch(q.cancel_rows, *chosen, cause, reason)
