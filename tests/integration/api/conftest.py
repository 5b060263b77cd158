"""One API process for all tests of this folder; every test has workspaces of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.database import Database
from tests.integration.api.world import Tenant, World, running


@pytest.fixture(scope="session")
def world(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The running API."""
    data_dir: Path = tmp_path_factory.mktemp("api")
    with running(database.create(), data_dir) as world:
        yield world


@pytest.fixture
def tenant(world: World) -> Tenant:
    """A workspace of the test's own."""
    return world.tenant()


@pytest.fixture
def stranger(world: World) -> Tenant:
    """Another workspace."""
    return world.tenant()
