"""Every shape of content becomes the row that users are promised; `shapes` is the table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.database import Database
from tests.integration.core import events, shapes
from tests.integration.core.conftest import World
from tests.integration.core.events import MESSAGE, NOW
from tests.integration.core.shapes import SHAPES, Shape


def event(number: int, shape: Shape) -> bytes:
    """The shape as a message; the mark in it becomes bytes that are no UTF-8."""
    encoded = events.message(f"S{number}", shape.content, at=NOW - 1000 + number)
    return encoded.replace(shapes.BAD.encode(), b"a\xff\xfeb\0")


@pytest.fixture(scope="module")
def stored(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """The rows of all shapes by their message ids."""
    world = World(database.create(), tmp_path_factory.mktemp("shapes"))
    world.start(messages_per_chat=0)
    world.feed(*((MESSAGE, event(number, shape)) for number, shape in enumerate(SHAPES)))
    assert world.ingest is not None
    stats = world.ingest.stats()
    assert (stats["poisoned"], stats["damaged"]) == (0, 0)
    yield {row["message_id"]: row for row in world.messages()}
    world.close()


@pytest.mark.parametrize(("number", "shape"), [pytest.param(n, shape, id=shape.name) for n, shape in enumerate(SHAPES)])
def test_shape(stored: dict[str, dict[str, Any]], number: int, shape: Shape) -> None:
    row = stored.get(f"S{number}")
    if shape.kind is None:
        assert row is None
        return
    assert row is not None
    assert {name: row[name] for name in shape.expected} == shape.expected


def test_no_shape_is_there_twice() -> None:
    assert len({shape.name for shape in SHAPES}) == len(SHAPES)
