"""Weeks in seconds: a loop whose time passes only when nobody waits for the database, and a database with its clock."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from wafast.database.pool import set_codecs

#: Statements name it without its schema, so one that is looked into first has the say. Functions that are bound to the
#: machine's clock get the instant from whoever calls them.
CLOCK = """
CREATE SCHEMA clock;
CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE AS
$$ SELECT current_setting('clock.at')::timestamptz $$
"""

#: Seconds that a step of the loop takes at least: a timer may want less than a float can add.
STEP = 1e-6


class Loop(asyncio.SelectorEventLoop):
    """Its time begins at 0, and jumps to whatever is due next while no connection of `pool` is in use; without a pool
    it stands still."""

    def __init__(self) -> None:
        super().__init__(_Selector(self))
        self.at = 0.0
        self.pool: asyncpg.Pool | None = None
        #: connections that are just being given out: the pool does not count them
        self.given = 0

    def time(self) -> float:
        """Seconds that have passed here."""
        return self.at

    @property
    def is_idle(self) -> bool:
        """Whether nothing but time can bring anything."""
        return self.pool is not None and not self.given and self.pool.get_size() == self.pool.get_idle_size()


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What has come; when nothing can, time has passed instead."""
        if timeout is not None and self._loop.is_idle:
            self._loop.at += max(timeout, STEP)
            timeout = 0
        return super().select(timeout)


class World:
    """Where a coroutine lives through other times.

    Args:
        uri: of the database.
        start: what time it is at the beginning.
    """

    def __init__(self, uri: str, start: datetime) -> None:
        self.uri, self.start, self.loop = uri, start, Loop()

    def now(self) -> datetime:
        """What time it is here."""
        return self.start + timedelta(seconds=self.loop.time())

    def run(self, life: Coroutine[Any, Any, None]) -> None:
        """All of it."""
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(life)
            if self.loop.pool is not None:
                self.loop.pool.terminate()

    async def open_pool(self, size: int) -> asyncpg.Pool:
        """Connections whose now() is the world's. From here on time passes."""
        connection = await asyncpg.connect(self.uri)
        await connection.execute(CLOCK)
        await connection.close()
        self.loop.pool = await asyncpg.create_pool(
            self.uri, min_size=size, max_size=size, init=set_codecs, setup=self._set,
            max_inactive_connection_lifetime=0, server_settings={"search_path": "clock, pg_catalog, public"},
        )  # fmt: skip
        return self.loop.pool

    async def _set(self, connection: Any) -> None:
        self.loop.given += 1
        try:
            await connection.execute("SELECT set_config('clock.at', $1, false)", self.now().isoformat())
        finally:
            self.loop.given -= 1
