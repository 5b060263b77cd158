"""Whatever comes becomes one row, or a change, or what makes no row; and a row holds what came."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message as Protobuf
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, MessageAssociation

from tests.database import Database
from tests.integration.core import events
from tests.integration.core.conftest import World
from tests.integration.core.events import MESSAGE, NOW, raw, varint
from wafast.visible import is_visible

DEPTH = 6
"""How deep the messages made here are nested; the depth of sixteen has shapes of its own."""
ACCOMPANYING = {"senderKeyDistributionMessage", "fastRatchetKeySenderKeyDistributionMessage", "messageContextInfo"}
WITHOUT_ROW = {
    # changes to the message they name
    "protocolMessage", "reactionMessage", "pollUpdateMessage", "pinInChatMessage",
    # sealed changes and announcements
    "keepInChatMessage", "encReactionMessage", "encEventResponseMessage", "secretEncryptedMessage", "albumMessage",
}  # fmt: skip
TWINS = {2, 4, 6, 8}
DUAL_UPLOADS = {5, 10, 12, 19}

ids = (f"P{number}" for number in itertools.count())
properties = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def world(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One device for all examples."""
    world = World(database.create(), tmp_path_factory.mktemp("properties"))
    world.start(messages_per_chat=0)
    yield world
    world.close()


def feed(world: World, messages: list[bytes]) -> None:
    """All of it is understood."""
    world.feed(*((MESSAGE, message) for message in messages))
    assert world.ingest is not None
    stats = world.ingest.stats()
    assert (stats["poisoned"], stats["damaged"]) == (0, 0)


def rows_of(world: World, names: list[str]) -> dict[str, dict[str, Any]]:
    """Their rows by id."""
    listed = ", ".join(f"'{name}'" for name in names)
    query = "SELECT v.*, m.media, m.poll FROM whatsapp_messages v JOIN messages m USING (chat_id, key)"
    query += f" WHERE v.message_id IN ({listed})"
    return {row["message_id"]: row for row in world.rows(query)}


# any message


RANGES = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
}
SCALARS: dict[int, some.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: some.text(max_size=12),
    FieldDescriptor.TYPE_BYTES: some.binary(max_size=12),
    FieldDescriptor.TYPE_BOOL: some.booleans(),
    FieldDescriptor.TYPE_FLOAT: some.floats(width=32),
    FieldDescriptor.TYPE_DOUBLE: some.floats(),
    **{kind: some.integers(*bounds) for kind, bounds in RANGES.items()},
}


def scalars(field: FieldDescriptor) -> some.SearchStrategy[Any]:
    """What a field that is no message may hold."""
    if field.enum_type is not None:
        return some.sampled_from([value.number for value in field.enum_type.values])
    return SCALARS[field.type]


@some.composite
def protobufs(draw: some.DrawFn, kind: Descriptor, depth: int = DEPTH) -> Protobuf:
    """A message with some of the fields its descriptor has, and theirs."""
    message: Protobuf = GetMessageClass(kind)()
    fields = [field for field in kind.fields if depth > 0 or field.message_type is None]
    if not fields:
        return message
    for field in draw(some.lists(some.sampled_from(fields), max_size=3, unique_by=lambda field: field.number)):
        count = draw(some.integers(1, 2)) if field.is_repeated else 1
        for _ in range(count):
            if field.message_type is not None:
                value = draw(protobufs(field.message_type, depth - 1))
            else:
                value = draw(scalars(field))
            if field.is_repeated and field.message_type is not None:
                getattr(message, field.name).add().CopyFrom(value)
            elif field.is_repeated:
                getattr(message, field.name).append(value)
            elif field.message_type is not None:
                getattr(message, field.name).CopyFrom(value)
            else:
                setattr(message, field.name, value)
    return message


def has_row(message: Any, association: MessageAssociation) -> bool:
    """Whether this message is promised a row; `association` is what the wrappers around it say."""
    if message.messageContextInfo.HasField("messageAssociation"):
        association = message.messageContextInfo.messageAssociation
    contents = [field for field, _ in message.ListFields() if field.name not in ACCOMPANYING]
    if not contents:
        return False
    first = min(contents, key=lambda field: field.number)
    if first.name in WITHOUT_ROW:
        return False
    value = getattr(message, first.name)
    if first.message_type is not None and first.message_type.name in ("DeviceSentMessage", "FutureProofMessage"):
        return has_row(value.message, association)
    context = getattr(value, "contextInfo", None)
    is_paired = context is not None and context.pairedMediaType in TWINS
    return not is_paired and association.associationType not in DUAL_UPLOADS


@given(messages=some.lists(protobufs(Message.DESCRIPTOR), min_size=1, max_size=25))
@properties
def test_any_message_has_its_row_or_is_one_of_those_without(world: World, messages: list[Message]) -> None:
    named = {next(ids): message for message in messages}
    feed(world, [events.message(id, message) for id, message in named.items()])
    rows = rows_of(world, list(named))
    wanted = {id for id, message in named.items() if has_row(message, MessageAssociation())}
    assert rows.keys() == wanted, {id: str(named[id]) for id in rows.keys() ^ wanted}
    assert all(row["message_text"] for row in rows.values() if row["message_type"] in ("text", "unsupported"))


# any bytes

# What Python knows no kind of may be a mark in Rust's newer tables, and then can't be seen.
characters = some.characters(exclude_categories=("Cs", "Cn"))
texts = some.one_of(some.text(characters, max_size=60).map(str.encode), some.binary(max_size=40))


def clean(value: bytes) -> str:
    """What the tables hold of a string."""
    return value.decode(errors="replace").replace("\0", "")


def shown(value: bytes) -> str:
    """What the tables hold of a string that somebody has to see."""
    text = clean(value)
    return text if is_visible(text) else ""


@given(files=some.lists(some.tuples(texts, texts, texts, texts, some.integers(0, 2**63 - 1)), min_size=1, max_size=25))
@properties
def test_any_strings_and_numbers_of_a_file_are_in_its_row(
    world: World, files: list[tuple[bytes, bytes, bytes, bytes, int]]
) -> None:
    named = {next(ids): file for file in files}
    contents = {
        id: raw(7, raw(2, mime) + raw(8, name) + raw(20, caption) + b"\x28" + varint(size) + raw(17, raw(1, quoted)))
        for id, (mime, name, caption, quoted, size) in named.items()
    }
    feed(world, [events.message_of(id, content) for id, content in contents.items()])
    rows = rows_of(world, list(named))
    for id, (mime, name, caption, quoted, size) in named.items():
        row, media = rows[id], json.loads(rows[id]["media"])
        assert row["message_type"] == "document"
        assert row["message_text"] == (shown(caption) or shown(name))
        assert row["quoted_message_id"] == (clean(quoted) or None)
        assert (media["mime"], media.get("name", ""), media["size"]) == (clean(mime), shown(name), size)


@given(polls=some.lists(some.tuples(texts, some.lists(texts, max_size=5)), min_size=1, max_size=25))
@properties
def test_any_options_of_a_poll_are_in_its_row(world: World, polls: list[tuple[bytes, list[bytes]]]) -> None:
    named = {next(ids): poll for poll in polls}
    contents = {
        id: raw(64, raw(2, question) + b"".join(raw(3, raw(1, option)) for option in options))
        for id, (question, options) in named.items()
    }
    feed(world, [events.message_of(id, content) for id, content in contents.items()])
    rows = rows_of(world, list(named))
    for id, (question, options) in named.items():
        found = json.loads(rows[id]["poll"])["options"]
        assert rows[id]["message_text"] == shown(question)
        assert [option["name"] for option in found] == [clean(option) for option in options]
        hashes = [base64.b64encode(hashlib.sha256(option).digest()).decode() for option in options]
        assert [option["hash"] for option in found] == hashes


# 77 is our own LID, whose number is known.
people = some.integers(1, 2**60 - 1).filter(lambda user: user != 77)
times = some.integers(1_230_768_000, NOW)


@given(
    heads=some.lists(
        some.tuples(people, times, some.text(characters, max_size=30), some.booleans()), min_size=1, max_size=25
    )
)
@properties
def test_any_sender_time_and_name_are_in_its_row(world: World, heads: list[tuple[int, int, str, bool]]) -> None:
    named = {next(ids): head for head in heads}
    feed(
        world,
        [
            events.message(
                id, "x", chat=events.GROUP, sender=f"{user}@{'lid' if is_lid else 's.whatsapp.net'}", at=at, name=name
            )
            for id, (user, at, name, is_lid) in named.items()
        ],
    )
    rows = rows_of(world, list(named))
    for id, (user, at, name, is_lid) in named.items():
        row = rows[id]
        assert row["sender_jid"] == f"{user}@{'lid' if is_lid else 's.whatsapp.net'}"
        assert (row["timestamp"], row["sender_name"] or "") == (at, shown(name.encode()))
