"""What the API's description says of texts is what is taken and answered: formats, patterns and examples agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
import pytest

from wafast.api.openapi import document

#: What texts of each format are read as; a file is no text.
FORMATS: dict[str, Any] = {"date-time": datetime, "date": date, "uuid": UUID, "binary": bytes}


def _parts(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        yield path, part
        for name, inner in part.items():
            yield from _parts(inner, f"{path}/{name}")
    elif isinstance(part, list):
        for place, inner in enumerate(part):
            yield from _parts(inner, f"{path}/{place}")


@cache
def _schemas() -> dict[str, dict[str, Any]]:
    """By where they are. Drawn by who asks for them: every process of a run of tests imports this file, and it is a
    second's work."""
    return dict(_parts(document()))


def _examples(path: str, schema: dict[str, Any]) -> list[Any]:
    """Its own, and those of what it is an alternative of."""
    around = _schemas().get(path.rpartition("/oneOf/")[0], {})
    return [one for one in [*schema.get("examples", []), *around.get("examples", [])] if one is not None]


def test_every_format_is_one_that_is_read_so_and_its_examples_are_of_it() -> None:
    told = [(path, schema) for path, schema in _schemas().items() if isinstance(schema.get("format"), str)]

    assert {schema["format"] for _, schema in told} == set(FORMATS)
    for path, schema in told:
        for example in _examples(path, schema):
            assert msgspec.to_builtins(msgspec.convert(example, FORMATS[schema["format"]])), (path, example)


def test_every_example_has_the_pattern_of_its_member() -> None:
    told = [(path, schema) for path, schema in _schemas().items() if isinstance(schema.get("pattern"), str)]

    assert told
    for path, schema in told:
        for example in _examples(path, schema):
            assert re.search(schema["pattern"], example), (path, example)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("09:00", True), ("09:00:00", True), ("23:59:59.999999", True), ("24:00", False), ("9:00", False),
     ("09:00:60", False), ("09:00+08:00", False), ("09:00\n", False)],
)  # fmt: skip
def test_a_time_of_day_has_two_digits_each_and_no_zone(text: str, is_one: bool) -> None:
    schedule = _schemas()["/components/schemas/CampaignSchedule/properties/time"]

    assert (re.search(schedule["pattern"], text) is not None) == is_one
