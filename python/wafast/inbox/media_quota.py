"""Room on disk for media: what was not viewed for the longest goes first, and comes back when it is viewed again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wafast import logs
from wafast.database.away import DATABASE_AWAY
from wafast.database.queries import load
from wafast.inbox import media_fetches

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    from wafast.inbox.media_store import MediaStore

q = load(__file__)
log = logs.get("inbox.media_quota")

#: Between two looks. So long may files that come take more room than they should.
LOOK_SECONDS = 60.0
#: Files that are chosen in one query.
STEP = 100


async def keep_within(pool: asyncpg.Pool, store: MediaStore, quota: int) -> None:
    """Looks after the disk, and what is remembered of files, until cancelled. Any number of processes may do this.

    Args:
        pool: connections to PostgreSQL.
        store: the files.
        quota: bytes of all files together; 0 for no limit.
    """
    looked_at = media_fetches.BEFORE_ALL
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            looked_at = await media_fetches.forget_gone(pool, looked_at)
            freed = await sweep(pool, store, quota)
        except DATABASE_AWAY as error:
            log.warning("media are not swept", error=str(error))
        else:
            if freed:
                log.info("media that were not viewed for long are thrown away", bytes=freed, quota=quota)


async def sweep(pool: asyncpg.Pool, store: MediaStore, quota: int) -> int:
    """Throws files away until all together fit the quota.

    Nothing happens while another process sweeps. Each file is a transaction of its own, so that a crash at any instant
    leaves nothing undone but the rest.

    Args:
        pool: connections to PostgreSQL.
        store: the files.
        quota: bytes of all files together; 0 for no limit.

    Returns:
        The bytes that were freed.
    """
    async with pool.acquire() as connection:
        if not await connection.fetchval(q.try_to_sweep):
            return 0
        try:
            over = int(await connection.fetchval(q.bytes_on_disk)) - quota if quota else 0
            freed = 0
            while freed < over:
                stepped = await _step(connection, store, over - freed)
                if stepped == 0:
                    break  # all that is left is still needed
                freed += stepped
            return freed
        finally:
            await connection.execute(q.end_sweep)


async def _step(connection: PoolConnectionProxy[asyncpg.Record], store: MediaStore, over: int) -> int:
    freed = 0
    for row in await connection.fetch(q.least_recently_viewed, STEP):
        freed += await store.evict(connection, row["sha256"])
        if freed >= over:
            break
    return freed
