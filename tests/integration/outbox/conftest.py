from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.database import Database, pool_of
from tests.integration.outbox.floor import Floor


@pytest_asyncio.fixture
async def floor(database: Database) -> AsyncIterator[Floor]:
    async with pool_of(database.uri) as pool:
        yield await Floor.make(pool)


@pytest_asyncio.fixture
async def database_uri(floor: Floor, database: Database) -> str:
    """The address of the floor's database, for connections of the test's own."""
    return database.uri
