"""Which routes take an ``Idempotency-Key``: every one that creates or sends."""

from __future__ import annotations

from typing import Any

from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from wafast.api.app import create_app

#: The routes of POST whose repetition does no harm by itself, and what each is.
HARMLESS = {
    "sign_in": "no caller is known yet whose key it could be",
    "change_password": "wants the old password, which holds no more",
    "reset_password": "gives one more new password",
    "connect_device": "sets a state",
    "disconnect_device": "sets a state",
    "logout_device": "sets a state",
    "replace_device": "moves what is there; the second time there is nothing",
    "check_numbers": "asks",
    "read_chat": "sets a state",
    "send_typing": "shows for some seconds",
    "mark_message_played": "sets a state",
    "draft_reply": "asks; a draft is stored nowhere",
    "cancel_outbox": "sets a state",
    "resolve_outbox": "says what became of a send; the second time it is known",
    "pause_campaign": "sets a state",
    "resume_campaign": "sets a state",
    "cancel_campaign": "sets a state",
    "preview_campaign": "asks",
    "render_message": "asks",
    "preview_distribution": "asks",
    "undo_distribution": "gives back what is there; the second time there is nothing",
    "merge_leads": "the second time one of the two is gone",
    "cancel_scoring": "sets a state",
    "look_import": "sets a state",
    "check_import": "sets a state",
    "start_import": "sets a state",
    "cancel_import": "sets a state",
    "cancel_intake": "sets a state",
}


def _posts() -> dict[str, HTTPRouteHandler]:
    routes = [route for route in create_app().routes if isinstance(route, HTTPRoute)]
    handlers = [handler for route in routes for handler in route.route_handlers if "POST" in handler.http_methods]
    return {str(handler.operation_id): handler for handler in handlers}


def _takes_a_key(handler: Any) -> bool:
    return "idempotency_key" in handler.parsed_fn_signature.parameters


def test_every_route_that_creates_or_sends_takes_a_key() -> None:
    assert {name for name, handler in _posts().items() if not _takes_a_key(handler)} == set(HARMLESS)


def test_a_key_that_is_taken_is_kept() -> None:
    """By the gate, or, where a file is sent, by the handler: the gate holds no file in memory."""
    files = {"upload_media", "import_leads", "import_suppressions"}
    kept = {name for name, handler in _posts().items() if handler.opt.get("idempotent")}
    assert kept | files == {name for name, handler in _posts().items() if _takes_a_key(handler)}
