"""Campaigns on the database alone: people to write to, devices that are held, and claims as a worker makes them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.database import Database, pool_of
from tests.integration.campaigns.office import Office


@pytest_asyncio.fixture
async def office(database: Database) -> AsyncIterator[Office]:
    """A workspace of the test's own."""
    uri = database.uri
    async with pool_of(uri) as pool:
        yield await Office.make(uri, pool)
