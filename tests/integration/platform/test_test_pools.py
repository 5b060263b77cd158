"""What a test leaves behind does not keep the next one from running."""

from __future__ import annotations

import asyncio

from tests.database import Database, pool_of


async def test_a_connection_that_a_test_still_holds_is_cut_at_its_end(database: Database) -> None:
    async with asyncio.timeout(60), pool_of(database.uri) as pool:
        await pool.acquire()
    assert pool.get_size() == 0
