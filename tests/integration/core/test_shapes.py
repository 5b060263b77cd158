"""Every shape of content becomes the row that users are promised; `shapes` is the table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from neonize.proto import Neonize_pb2 as pb
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import Conversation, HistorySync, HistorySyncMsg
from neonize.proto.waWeb.WAWebProtobufsWeb_pb2 import WebMessageInfo

from tests.database import Database
from tests.integration.core import events, shapes
from tests.integration.core.conftest import World
from tests.integration.core.events import HISTORY_SYNC, MESSAGE, NOW
from tests.integration.core.shapes import SHAPES, Shape


def spoilt(encoded: bytes) -> bytes:
    """The mark in it becomes bytes that are no UTF-8."""
    return encoded.replace(shapes.BAD.encode(), b"a\xff\xfeb\0")


def event(number: int, shape: Shape) -> bytes:
    """The shape as a message."""
    return spoilt(events.message(f"S{number}", shape.content, at=NOW - 1000 + number))


@pytest.fixture(scope="module")
def world(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One device for all."""
    world = World(database.create(), tmp_path_factory.mktemp("shapes"))
    world.start(messages_per_chat=0)
    yield world
    world.close()


def feed(world: World, *told: tuple[int, bytes]) -> dict[str, dict[str, Any]]:
    """All of it is understood; gives the rows by their message ids."""
    world.feed(*told)
    assert world.ingest is not None
    stats = world.ingest.stats()
    assert (stats["poisoned"], stats["damaged"]) == (0, 0)
    return {row["message_id"]: row for row in world.messages()}


@pytest.fixture(scope="module")
def stored(world: World) -> dict[str, dict[str, Any]]:
    """The rows of all shapes."""
    return feed(world, *((MESSAGE, event(number, shape)) for number, shape in enumerate(SHAPES)))


@pytest.mark.parametrize(("number", "shape"), [pytest.param(n, shape, id=shape.name) for n, shape in enumerate(SHAPES)])
def test_shape(stored: dict[str, dict[str, Any]], number: int, shape: Shape) -> None:
    row = stored.get(f"S{number}")
    if shape.kind is None:
        assert row is None
        return
    assert row is not None
    assert {name: row[name] for name in shape.expected} == shape.expected


def test_in_a_history_every_shape_is_the_same(world: World) -> None:
    chat = "60111111111@s.whatsapp.net"
    keys = [MessageKey(remoteJID=chat, ID=f"H{number}") for number in range(len(SHAPES))]
    past = [
        HistorySyncMsg(message=WebMessageInfo(key=key, message=shape.content, messageTimestamp=NOW - 1000 + number))
        for number, (key, shape) in enumerate(zip(keys, SHAPES, strict=True))
    ]
    sync = HistorySync(syncType=HistorySync.RECENT, conversations=[Conversation(ID=chat, messages=past)])
    rows = feed(world, (HISTORY_SYNC, spoilt(bytes(pb.HistorySync(Data=sync).SerializePartialToString()))))
    for number, shape in enumerate(SHAPES):
        row = rows.get(f"H{number}")
        found = row and {name: row[name] for name in shape.expected}
        assert found == (None if shape.kind is None else shape.expected), shape.name


def test_wrappers_that_were_opened_before_count(world: World) -> None:
    once = {"IsViewOnce": True, "IsViewOnceV2": True, "IsViewOnceV2Extension": True}
    told = {}
    for name, flags in (("timed", {"IsEphemeral": True}), ("file", {"IsDocumentWithCaption": True}), ("once", once)):
        for kind, depth in (("text", 15), ("unsupported", 16)):
            id = f"{kind}, {name}"
            told[id] = events.message(id, shapes.nested(depth, shapes.HI), flags=flags)
    rows = feed(world, *((MESSAGE, event) for event in told.values()))
    assert {id: rows[id]["message_type"] for id in told} == {id: id.partition(",")[0] for id in told}


def test_no_shape_is_there_twice() -> None:
    assert len({shape.name for shape in SHAPES}) == len(SHAPES)
