"""What every test may stand on: a database of its own, and no way to the real WhatsApp."""

from __future__ import annotations

import gc
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings

from tests import no_neonize
from tests.database import Database
from tests.system import System, demo_system
from wafast.accounts import passwords
from wafast.database.embedded import Embedded

no_neonize.install()
# A hash as users get it is 0.2 s of work for both cores, and hundreds of tests make a person in this process.
passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
# A shell's background job ignores Ctrl-C, and so would every program that is started here.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples each time, however long one takes: chance must not decide whose change is the one that fails.
settings.register_profile(
    "steady", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")

#: What takes longest, in this order: processes that share the files end together when these come first.
LONGEST = (
    "tests/faults/test_workers.py",
    "tests/integration/bench/",
    "tests/faults/",
    "tests/browser/",
    "tests/integration/outbox/test_week.py",
    "tests/integration/devices/",
    "tests/integration/loopback/",
    "tests/integration/platform/",
    "tests/integration/",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Modules and tests stay until the end: to look among them for what does not is a third of collecting them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first."""

    def place(item: pytest.Item) -> int:
        return next((place for place, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def data_dirs() -> Iterator[list[Path]]:
    """Folders that vanish after the last test.

    Not pytest's own: when a second run starts, pytest closes their parent to others, and a server that runs as another
    user loses its data.
    """
    folders: list[Path] = []
    yield folders
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def database(data_dirs: list[Path]) -> Iterator[Database]:
    """An embedded PostgreSQL; its `uri` is a freshly migrated database for each test."""
    data_dir = Path(tempfile.mkdtemp(prefix="wafast-database-"))
    data_dirs.append(data_dir)
    server = Embedded(data_dir)
    database = Database(server.uri)
    # nobody cuts a test's power, and what PostgreSQL tidies up by itself makes other plans in one run of ten
    database.configure("fsync = off", "autovacuum = off")
    yield database
    server.stop()


@pytest.fixture(autouse=True)
def _fresh_database(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "database" in request.fixturenames:
        request.getfixturevalue("database").forget()


@pytest.fixture(scope="module")
def system(data_dirs: list[Path]) -> Iterator[System]:
    """A running `wafast up --demo`, its lines online. Tests share it: each makes devices and contacts of its own.

    Not for the whole session: its people write all the time, and what that takes in five minutes is a start.
    """
    with demo_system(data_dirs) as running:
        yield running
