"""Shapes of content that come over the wire, through a real client, become the rows that the bytes alone become."""

from __future__ import annotations

import asyncio
from typing import Any

from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import FutureProofMessage, Message

from tests.integration.core import events, shapes
from tests.integration.core.shapes import SHAPES, Shape
from tests.integration.devices.stack import Stack

PER_CHAT = 15
"""A chat keeps 20."""


def encoded(shape: Shape) -> bytes:
    """The content; the mark in it becomes bytes that are no UTF-8."""
    return bytes(shape.content.SerializePartialToString()).replace(shapes.BAD.encode(), b"a\xff\xfeb\0")


async def test_what_comes_over_the_wire_is_what_the_bytes_say(stack: Stack, phone: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)

    def send() -> list[str]:
        contacts = [f"6019{phone[-5:]}{number:03}" for number in range(len(SHAPES) // PER_CHAT + 1)]
        for number, shape in enumerate(SHAPES):
            stack.simulator.raw(phone, contacts[number // PER_CHAT], encoded(shape), id=f"3EB0{number:04}")
        return [stack.simulator.text(phone, contact, "that was all")[0] for contact in contacts]

    last = await asyncio.to_thread(send)
    query = "SELECT * FROM whatsapp_messages WHERE device_id = $1"

    async def stored() -> dict[str, dict[str, Any]] | None:
        rows = {row["message_id"]: dict(row) for row in await stack.pool.fetch(query, device.id)}
        return rows if rows.keys() >= set(last) else None

    rows = await stack.until(stored, "all messages")
    wrong = {}
    for number, shape in enumerate(SHAPES):
        row = rows.get(f"3EB0{number:04}")
        found = row and {name: row[name] for name in shape.expected}
        if found and shape.name == "editedMessage":
            found["edited_at"] = None  # whatsmeow says of it that it is an edit, which its bytes don't
        if found != (None if shape.kind is None else shape.expected):
            wrong[shape.name] = found
    assert wrong == {}


async def test_changes_come_over_the_wire(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    other = f"{contact}1"

    def send() -> str:
        write = stack.simulator
        group = write.group(phone, "Keluarga", [contact, other]).partition("@")[0]
        for id in ("A1", "A2", "A3"):
            write.raw(phone, contact, Message(conversation="asal").SerializeToString(), id=id, group=group)

        def change(by: str, content: Message, edit: str | None = None) -> None:
            write.raw(phone, by, content.SerializeToString(), group=group, edit=edit)

        change(contact, Message(editedMessage=FutureProofMessage(message=events.edit("A1", "baru"))), "1")
        change(other, events.edit("A1", "palsu"), "1")
        change(other, events.reaction("A1", "👍"))
        change(other, events.revoke("A2"))
        change(other, events.revoke("A3"), "8")
        write.raw(phone, contact, Message(conversation="kami").SerializeToString(), id="O1", own=True)
        write.raw(phone, contact, events.edit("O1", "kita").SerializeToString(), own=True, edit="1")
        # In a chat of two "8" makes nobody an admin.
        write.raw(phone, contact, events.revoke("O1").SerializeToString(), edit="8")
        return write.text(phone, contact, "that was all")[0]

    last = await asyncio.to_thread(send)
    query = "SELECT * FROM whatsapp_messages WHERE device_id = $1"

    async def stored() -> dict[str, dict[str, Any]] | None:
        rows = {row["message_id"]: dict(row) for row in await stack.pool.fetch(query, device.id)}
        return rows if last in rows else None

    rows = await stack.until(stored, "all messages")
    told = {id: row for id, row in rows.items() if row["message_type"] != "system"}
    assert {id: (row["message_type"], row["message_text"], row["from_me"]) for id, row in told.items()} == {
        "A1": ("text", "baru", False),
        "A2": ("text", "asal", False),
        "A3": ("deleted", "", False),
        "O1": ("text", "kita", True),
        last: ("text", "that was all", False),
    }
    [reaction] = rows["A1"]["reactions"]
    assert (reaction["emoji"], reaction["sender_jid"]) == ("👍", f"{other}@s.whatsapp.net")
    assert rows["A1"]["sender_jid"] == f"{contact}@s.whatsapp.net" and rows["A1"]["edited_at"] is not None
    assert rows["O1"]["sender_jid"] == f"{phone}@s.whatsapp.net" and rows["O1"]["status"] == "sent"
