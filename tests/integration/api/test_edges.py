"""No number and no date is too much for any route: what can't be is refused, and named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest

from tests.integration.api.world import Tenant
from wafast.api.app import create_app
from wafast.api.instants import TIME_OF_DAY

#: By format or pattern, else by type, what is at the edge of what JSON, Python or PostgreSQL can say.
EDGES: dict[str, list[Any]] = {
    "date": ["0001-01-01", "9999-12-31", "1969-12-31"],
    TIME_OF_DAY: ["00:00", "00:00:00", "23:59:59.999999", "12:00:00+14:00"],
    "date-time": ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2027-01-01T00:00:00"],
    "integer": [-(2**63), -1, 0, 2**31, 2**53, 2**63 - 1, 2**63],
    "number": [-1e308, -1, 0, 5e-324, 1e308],
}
#: East and west of where the calendar ends.
ZONES = ("Asia/Kuala_Lumpur", "America/New_York")


@cache
def _document() -> dict[str, Any]:
    """Drawn by who asks for it: every process of a run of tests imports this file, and it is a second's work."""
    return create_app().openapi_schema.to_schema()


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references, and of several the first that is not null."""
    while True:
        if "$ref" in schema:
            schema = _document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif "oneOf" in schema or "anyOf" in schema:
            several = schema.get("oneOf") or schema["anyOf"]
            schema = next((one for one in several if one.get("type") != "null"), {})
        else:
            return schema


def _type(schema: dict[str, Any]) -> str:
    found = schema.get("type", "")
    return next((one for one in found if one != "null"), "") if isinstance(found, list) else str(found)


def _sample(schema: dict[str, Any]) -> Any:
    """Something that fits a schema."""
    schema = _plain(schema)
    for known in ("examples", "enum"):
        if schema.get(known):
            return schema[known][0]
    match _type(schema):
        case "object":
            return {name: _sample(part) for name, part in schema.get("properties", {}).items()
                    if name in schema.get("required", [])}  # fmt: skip
        case "array":
            return [_sample(schema.get("items", {}))]
        case "integer" | "number":
            return 1
        case "boolean":
            return True
    return "x"


def _edged(schema: dict[str, Any], depth: int = 0) -> Iterator[tuple[str, Any, Any]]:
    """Each place in a body where an edge can stand: its name, the edge, and the value with it."""
    schema = _plain(schema)
    for edge in EDGES.get(schema.get("format") or schema.get("pattern", ""), EDGES.get(_type(schema), [])):
        yield "", edge, edge
    if _type(schema) != "object" or depth > 3:
        return
    for name, part in schema.get("properties", {}).items():
        for place, edge, value in _edged(part, depth + 1):
            yield f"{name}.{place}".rstrip("."), edge, _sample(schema) | {name: value}


def _bodies() -> Iterator[tuple[str, str, str, Any]]:
    for path, operations in _document()["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" not in content:
                continue
            for place, edge, body in _edged(content["application/json"]["schema"]):
                yield method, path, f"{place} {edge}", body


def _queries() -> Iterator[tuple[str, str, str, Any]]:
    for path, operations in _document()["paths"].items():
        for one in operations.get("get", {}).get("parameters", []):
            if one["in"] != "query":
                continue
            schema = _plain(one["schema"])
            for edge in EDGES.get(schema.get("format") or schema.get("pattern", ""), EDGES.get(_type(schema), [])):
                others = {
                    other["name"]: str(_sample(other["schema"]))
                    for other in operations["get"]["parameters"] if other["in"] == "query" and other.get("required")
                }  # fmt: skip
                yield "get", path, f"{one['name']} {edge}", others | {one["name"]: str(edge)}


def _ids(tenant: Tenant) -> dict[str, str]:
    device = tenant.device()
    chat = tenant.chat(device)
    return {
        "device_id": str(device.id), "chat_id": str(chat.id), "campaign_id": str(tenant.campaign()),
        "message_id": f"{chat.id}-{tenant.message(chat)}", "outbox_id": str(tenant.outbox(device)),
        "lead_id": str(tenant.lead(device)), "segment_id": str(tenant.segment()),
    }  # fmt: skip


def _put(value: Any, ids: dict[str, str]) -> Any:
    """A body with the workspace's own ids."""
    if isinstance(value, dict):
        return {name: ids.get(name, _put(part, ids)) for name, part in value.items()}
    return value


def _at(zone: str, part: dict[str, Any]) -> dict[str, Any]:
    """With every schedule on the clock of a zone."""
    written = msgspec.json.encode(part).replace(b'"Asia/Kuala_Lumpur"', f'"{zone}"'.encode())
    found: dict[str, Any] = msgspec.json.decode(written)
    return found


@pytest.mark.parametrize("what", ["bodies", "queries"])
def test_no_edge_is_too_much(tenant: Tenant, what: str) -> None:
    ids, client, fallen, asked = _ids(tenant), tenant.client(), [], 0
    for method, path, told, given in _bodies() if what == "bodies" else _queries():
        address = re.sub(r"{(\w+)(:\w+)?}", lambda found: ids.get(found[1], "1"), path)
        part = {"json": _put(given, ids)} if what == "bodies" else {"params": given}
        for zone in ZONES:
            answer = client.request(method, address, **_at(zone, part))
            asked += 1
            if answer.status_code >= 500:
                fallen.append((method, path, told, answer.status_code))
            if "schedule" not in told:
                break
    assert not fallen
    assert asked > 50
