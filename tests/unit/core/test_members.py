"""Rust's table of decoding has every member of WhatsApp's message, as neonize's own descriptor lists them."""

from __future__ import annotations

import re
from pathlib import Path

from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message

TABLE = Path(__file__).parents[3] / "rust/core/src/members.rs"
ROW = re.compile(r'member\(\s*(\d+),\s*"(\w+)",\s*(\w+)')


def test_every_member_is_in_the_table_and_no_other() -> None:
    rows = {int(number): name for number, name, _ in ROW.findall(TABLE.read_text("utf-8"))}
    assert rows == {field.number: field.name for field in Message.DESCRIPTOR.fields}


def test_every_wrapper_is_opened() -> None:
    rules = {int(number): rule for number, _, rule in ROW.findall(TABLE.read_text("utf-8"))}
    wrappers = {
        field.number
        for field in Message.DESCRIPTOR.fields
        if field.message_type is not None and field.message_type.name == "FutureProofMessage"
    }
    assert {number for number, rule in rules.items() if rule == "Wrapper"} == wrappers
