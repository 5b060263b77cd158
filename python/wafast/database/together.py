"""Several pieces of work, each of which would take a connection of the pool for itself, in one transaction."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg
    from asyncpg.pool import PoolConnectionProxy


@contextlib.asynccontextmanager
async def together(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Pool]:
    """What is done one after the other with the pool this gives is committed together, or not at all. A transaction
    that somebody opens in it is a part that can fail alone."""
    async with pool.acquire() as connection, connection.transaction():
        yield cast("asyncpg.Pool", _One(connection))


class _One:
    """A pool of one connection, as far as anybody uses one."""

    def __init__(self, connection: PoolConnectionProxy[asyncpg.Record]) -> None:
        self._connection = connection
        self.execute = connection.execute
        self.fetch = connection.fetch
        self.fetchrow = connection.fetchrow
        self.fetchval = connection.fetchval

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        """The one connection."""
        yield self._connection
