"""One simulator for all tests here, and lines of their own for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.integration.loopback.line import Line
from tests.simulator import Simulator

NUMBERS = count(60_120_000_000)


@pytest.fixture
def number() -> Callable[[], str]:
    """Phone numbers nobody else has."""
    return lambda: str(next(NUMBERS))


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator that no test restarts or takes down."""
    simulator = Simulator.start(tmp_path_factory.mktemp("simulator"))
    yield simulator
    simulator.stop()


@pytest.fixture
def own_simulator(tmp_path: Path) -> Iterator[Simulator]:
    """A simulator for one test alone."""
    simulator = Simulator.start(tmp_path / "simulator")
    yield simulator
    simulator.stop()


@pytest.fixture
def open_line(tmp_path: Path) -> Iterator[Callable[[Simulator, str], Line]]:
    """Opens clients by name and closes them after the test."""
    lines: list[Line] = []

    def open_one(simulator: Simulator, name: str = "line") -> Line:
        line = Line(simulator, tmp_path, name)
        lines.append(line)
        return line

    yield open_one
    for line in lines:
        line.close()


@pytest.fixture
def phone(number: Callable[[], str]) -> str:
    """The number of the test's line."""
    return number()


@pytest.fixture
def contact(number: Callable[[], str]) -> str:
    """The number of somebody else."""
    return number()


@pytest.fixture
def line(simulator: Simulator, open_line: Callable[[Simulator, str], Line], phone: str) -> Line:
    """A client that is paired and connected."""
    return open_line(simulator, "line").pair(phone, name="Kedai Ujian")
