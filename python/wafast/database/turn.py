"""One runner of each kind of job, whatever number of processes there are: who holds the kind's advisory lock works, the
others wait for its place. The lock goes with the connection, so a runner that dies is replaced at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wafast import logs
from wafast.database.away import DATABASE_AWAY
from wafast.database.pool import connect
from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import asyncpg

q = load(__file__)
log = logs.get("database.turn")

#: The locks of all kinds, a number of its own for each; others are in inbox/media_quota.sql and accounts/tenants.sql.
SEARCH = 7205759407
CHAT_ORDER = 7205759408
ANSWERS = 7205759409
CAMPAIGNS = 7205759410
SEQUENCES = 7205759411
DISTRIBUTION = 7205759412
IMPORTS = 7205759413
COUNTS = 7205759414


async def keep_at(uri: str, name: str, lock: int, work: Callable[[asyncpg.Connection], Awaitable[None]]) -> None:
    """Runs `work` while this process has the turn, again after whatever ends it, until cancelled.

    Args:
        uri: where PostgreSQL is; it takes one connection.
        name: of the job, in the log and in pg_stat_activity.
        lock: one of those above.
        work: gets the connection that holds the lock, for itself; it ends by raising when that is cut.
    """
    pause = 0.1
    while True:
        try:
            connection = await connect(uri, name)
            try:
                await connection.execute(q.take_turn, lock)
                pause = 0.1
                await work(connection)
            finally:
                connection.terminate()
        except Exception as error:
            is_away = isinstance(error, DATABASE_AWAY)
            log.warning("a job rests", job=name, error=str(error), retry_seconds=pause, exc_info=not is_away)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)
