"""The numbers that Rust writes and SQL reads are one list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.core.conftest import World
from wafast import _core
from wafast.outbox.own_messages import KINDS

RECORD = Path(__file__).parents[3] / "rust/core/src/record.rs"


@pytest.mark.parametrize(("constant", "function"), [("KINDS", "message_kind"), ("STATUSES", "message_status")])
def test_names_are_the_same_on_both_sides(world: World, constant: str, function: str) -> None:
    found = re.search(rf"pub const {constant}: \[&str; \d+\] =\s*\[(.*?)\];", RECORD.read_text("utf-8"), re.DOTALL)
    assert found is not None
    names = re.findall(r'"(\w+)"', found[1])
    numbers = ", ".join(f"({number})" for number in range(len(names) + 1))
    rows = world.rows(f"SELECT {function}(n::int2) AS name FROM (VALUES {numbers}) v (n)")
    assert [row["name"] for row in rows] == [*names, None]


def test_the_page_has_words_for_everything_that_happens_to_a_group() -> None:
    listed = re.search(r"pub enum Did \{(.*?)\}", (RECORD.parent / "notice.rs").read_text("utf-8"), re.DOTALL)
    assert listed is not None
    told = {re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() for name in re.findall(r"\w+", listed[1])}
    words = (RECORD.parents[3] / "web/src/i18n/en_notices.ts").read_text("utf-8")
    assert told == set(re.findall(r"^  (\w+):", words, re.MULTILINE)) - {"whoever", "whom_nobody_says"}


def test_a_send_is_stored_with_the_same_numbers(world: World) -> None:
    names = ", ".join(f"('{name}', {number})" for name, number in KINDS.items())
    assert world.rows(f"SELECT name FROM (VALUES {names}) v (name, n) WHERE message_kind(n::int2) <> name") == []


def test_keys_order_by_time_and_are_the_same_everywhere(world: World) -> None:
    assert _core.message_key(1_790_000_000, "3EB0") >> 32 == 1_790_000_000
    assert _core.message_key(2, "A") > _core.message_key(1, "Z")
