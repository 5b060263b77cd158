from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.database import Database
from tests.integration.outbox.floor import Floor
from wafast.database.pool import open_pool


@pytest_asyncio.fixture
async def floor(database: Database) -> AsyncIterator[Floor]:
    pool = await open_pool(database.uri, size=4, name="test")
    yield await Floor.make(pool)
    await pool.close()


@pytest_asyncio.fixture
async def database_uri(floor: Floor, database: Database) -> str:
    """The address of the floor's database, for connections of the test's own."""
    return database.uri
