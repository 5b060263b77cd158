from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.database import Database, pool_of
from tests.integration.sequences.people import People


@pytest_asyncio.fixture
async def people(database: Database) -> AsyncIterator[People]:
    uri = database.uri
    async with pool_of(uri) as pool:
        yield await People.make(uri, pool)
