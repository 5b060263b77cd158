from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.database import Database
from tests.integration.sequences.people import People
from wafast.database.pool import open_pool


@pytest_asyncio.fixture
async def people(database: Database) -> AsyncIterator[People]:
    uri = database.uri
    pool = await open_pool(uri, size=4, name="test")
    yield await People.make(uri, pool)
    await pool.close()
