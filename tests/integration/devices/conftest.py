from __future__ import annotations

import itertools
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.database import Database, pool_of
from tests.integration.devices.stack import Stack
from tests.simulator import Simulator

_numbers = itertools.count(secrets.randbelow(10_000) * 1000)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    simulator = Simulator.start(tmp_path_factory.mktemp("simulator"), seed=7)
    yield simulator
    simulator.stop()


@pytest.fixture
def phone() -> str:
    """A line nobody has used."""
    return f"6011{next(_numbers):08}"


@pytest.fixture
def contact() -> str:
    """A person nobody has written to."""
    return f"6012{next(_numbers):08}"


@pytest_asyncio.fixture
async def stack(database: Database, tmp_path: Path, simulator: Simulator) -> AsyncIterator[Stack]:
    uri = database.uri
    async with pool_of(uri) as pool:
        stack = await Stack.make(uri, tmp_path, simulator, pool)
        yield stack
        stack.end()
