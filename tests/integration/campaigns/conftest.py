"""Campaigns on the database alone: people to write to, devices that are held, and claims as a worker makes them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.database import Database
from tests.integration.campaigns.office import Office
from wafast.database.pool import open_pool


@pytest_asyncio.fixture
async def office(database: Database) -> AsyncIterator[Office]:
    """A workspace of the test's own."""
    uri = database.uri
    pool = await open_pool(uri, size=4, name="test")
    yield await Office.make(uri, pool)
    await pool.close()
