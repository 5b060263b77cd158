"""One API process for all tests of this folder; every test has workspaces of its own."""

from __future__ import annotations

import multiprocessing
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.database import Database
from tests.integration.api.world import Background, Tenant, World
from wafast import settings
from wafast.api import serve


def _serve(data_dir: str, port: int, uri: str) -> None:
    flags = {"data_dir": data_dir, "port": str(port), "log": "warning"}
    serve.run(settings.load(flags, {}, Path(data_dir) / "no.env"), uri)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def world(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The running API."""
    port = free_port()
    data_dir = tmp_path_factory.mktemp("api")
    uri = database.create()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(str(data_dir), port, uri))
    process.start()
    url = f"http://127.0.0.1:{port}"
    background = Background()
    try:
        _wait_for(url, process)
        yield World(url, uri, data_dir / "media", background)
    finally:
        process.terminate()
        process.join(15)
        assert process.exitcode == 0, f"the API process ended with {process.exitcode}"
        background.stop()


def _wait_for(url: str, process: multiprocessing.process.BaseProcess) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.is_alive(), "the API process ended at its start"
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the API process is not ready after 30 seconds")


@pytest.fixture
def tenant(world: World) -> Tenant:
    """A workspace of the test's own."""
    return world.tenant()


@pytest.fixture
def stranger(world: World) -> Tenant:
    """Another workspace."""
    return world.tenant()
