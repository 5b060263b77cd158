"""The OpenAPI document. ``python -m wafast.api.openapi [FILE]`` writes it and needs no database.

Litestar derives schemas and operations from the handlers; ``complete`` adds what it cannot know: which policy a route
has, the one error format, the multipart form, byte ranges, the WebSocket.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, License, SecurityScheme, Tag

from wafast.api.policy import Policy
from wafast.api.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from litestar import Litestar, Router
    from litestar.openapi.plugins import OpenAPIRenderPlugin

DESCRIPTION = """WhatsApp lines, their inboxes, and one queue for everything that leaves.

Ids are opaque strings. Lists are newest first and paged by `limit` and `after`; the answer is `{items, next}`.
What a list in a request names twice, an id, a tag or a number, counts once.
Errors are problem details (RFC 9457). Times are RFC 3339 in UTC. Creating and sending take an `Idempotency-Key`.
Objects of another workspace, or of devices the caller may not see, answer 404; a missing scope answers 403.
"""

LIVE = """A WebSocket. Frames are JSON: `{id, code, message, result}`.

| code | result |
|---|---|
| `NEW_MESSAGE` | Message |
| `MESSAGE_STATUS` | Message (status, edit, reaction, deletion), or Outbox while it has no message yet |
| `CHAT_UPDATE` | Chat (unread, name, typing, who answers and who looks at it) |
| `CHAT_GONE` | `{id, became, device_id}`: all of the chat `id` is in the chat `became` now, of the same person |
| `MESSAGE_GONE` | `{id, chat_id, device_id}`: a message waited for that turned out to be none |
| `NOTE_UPDATE` | Note, or `{id, chat_id, deleted: true}` |
| `LABELS_UPDATE` | `{items}`: every label of the workspace |
| `SEQUENCE_UPDATE` | `{id}`: a sequence, its steps or its enrolments changed |
| `DEVICE_STATUS`, `DEVICE_PAIRED`, `DEVICE_CONNECTED`, `DEVICE_LOGGED_OUT` | Device, or `{id, deleted: true}` |
| `QR_UPDATE` | Pairing |
| `RESYNC` | `{reason}`: fetch again what is shown, frames may be missing |
| `PONG` | null, when the other end said `ping`: the connection lives |

`id` grows. Come back with `/ws?after=ID` to get what was missed; an id too old, or none, gets `RESYNC` first.
A person's page may say which chat it shows: `{"chat_id": "4711", "is_typing": false}`, null for none; others see it as
`viewers` of the chat, for 45 seconds if it is not said again. What is not understood closes with code 4400.
A reader that falls behind is closed with code 4008 and comes back with `after`; code 4401 says that the login ended."""

BINARY = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}


def document_config(router: Router, plugins: list[OpenAPIRenderPlugin]) -> OpenAPIConfig:
    """What Litestar needs to build the document.

    Args:
        router: where the document and its page are served.
        plugins: the page and the JSON file.
    """
    return OpenAPIConfig(
        title="wafast",
        version="1",
        description=DESCRIPTION,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        openapi_router=router,
        render_plugins=plugins,
        use_handler_docstrings=True,
        tags=[
            Tag("Session", "The browser's own login."),
            Tag("People", "Who comes in, and what for."),
            Tag("Keys", "API keys of the workspace."),
            Tag("Devices", "WhatsApp lines."),
            Tag("Pairings", "Linking a device to a phone."),
            Tag("Chats", "Conversations, of one device or of all."),
            Tag("Shared work", "Assigning, closing and labelling chats; private notes."),
            Tag("Messages", "Sending, and the outbox."),
            Tag("Media", "Files."),
            Tag("Sequences", "Messages one after another to each lead."),
            Tag("Live", "Events as they happen."),
            Tag("Health", "Liveness and readiness."),
        ],
        security=[{"bearer": []}, {"api_key": []}, {"cookie": []}],
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer", description="An API key."),
                "api_key": SecurityScheme(
                    type="apiKey", name="X-API-Key", security_scheme_in="header", description="An API key."
                ),
                "cookie": SecurityScheme(
                    type="apiKey", name="wafast", security_scheme_in="cookie", description="A signed-in browser."
                ),
            }
        ),
    )


def complete(app: Litestar) -> dict[str, Any]:
    """The whole OpenAPI 3.1 document of an application, in a stable order."""
    drawn = msgspec.to_builtins(app.openapi_schema.to_schema())
    policies = policies_by_operation(app)
    for path in drawn["paths"].values():
        for operation in path.values():
            _complete_operation(operation, policies[operation["operationId"]])
    _describe_files(drawn["paths"])
    drawn["paths"]["/ws"] = {"get": _live_operation()}
    drawn["paths"] = dict(sorted(drawn["paths"].items()))
    named: dict[str, Any] = msgspec.json.decode(_short_page_names(msgspec.json.encode(drawn)))
    return named


def policies_by_operation(app: Litestar) -> dict[str, Policy]:
    """Policy of every documented operation, by its operation id."""
    return {
        str(handler.operation_id): handler.opt["policy"]
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        if getattr(handler, "operation_id", None)
    }


def _complete_operation(operation: dict[str, Any], policy: Policy) -> None:
    operation["x-policy"] = str(policy)
    if policy is Policy.PUBLIC:
        operation["security"] = []
    elif policy is Policy.USER:
        operation["security"] = [{"cookie": []}]
    if "requestBody" in operation:
        operation["responses"].setdefault("413", {"description": "The body is larger than may be."})
    for status, response in operation["responses"].items():
        if status.startswith(("4", "5")):
            response["content"] = PROBLEM
    for parameter in operation.get("parameters", []):
        for unsaid in ("deprecated", "allowEmptyValue", "allowReserved"):
            parameter.pop(unsaid, None)
    operation.pop("deprecated", None)


def _describe_files(paths: dict[str, Any]) -> None:
    form = {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "type": {"type": "string", "enum": ["image", "video", "audio", "voice", "document"]},
        },
    }
    paths["/api/v1/media"]["post"]["requestBody"] = {
        "required": True,
        "content": {"multipart/form-data": {"schema": form}},
    }
    show = paths["/media/{filename}"]["get"]
    show["parameters"].append(
        {"name": "Range", "in": "header", "required": False, "schema": {"type": "string"}, "example": "bytes=0-65535"}
    )
    show["responses"]["200"] = {"description": "The whole file.", "content": BINARY}
    show["responses"]["206"] = {"description": "The range asked for.", "content": BINARY}
    show["responses"]["304"] = {"description": "The ETag given still holds."}


def _live_operation() -> dict[str, Any]:
    return {
        "tags": ["Live"],
        "summary": "Live events",
        "description": LIVE,
        "operationId": "live",
        "x-policy": str(Policy.READ),
        "parameters": [
            {"name": "after", "in": "query", "required": False, "schema": {"type": "string"}, "example": "18f3a2c4:93"}
        ],
        "responses": {
            "101": {"description": "The WebSocket is open."},
            "401": {"description": "Not signed in.", "content": PROBLEM},
            "403": {"description": "The page that asks is not ours.", "content": PROBLEM},
        },
    }


def _short_page_names(encoded: bytes) -> bytes:
    return re.sub(rb"Page_[a-z._]+\.([A-Za-z]+)_", rb"\1Page", encoded)


def document() -> dict[str, Any]:
    """The document of this version's application."""
    from wafast.api.app import create_app

    return complete(create_app())


def export(path: Path | None) -> None:
    """Writes the document to a file, or to standard output."""
    text = msgspec.json.format(msgspec.json.encode(document())) + b"\n"
    if path is None:
        sys.stdout.buffer.write(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)


if __name__ == "__main__":
    export(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
