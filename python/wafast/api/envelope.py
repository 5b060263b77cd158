"""Around everything, also around what no route answers: request ids, security headers, counts, refused sockets."""

from __future__ import annotations

import logging
import secrets
import time
from typing import TYPE_CHECKING, Any

from wafast.api.problems import MEDIA_TYPE, Problem

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

    from wafast.api.metrics import Metrics

log = logging.getLogger("wafast.api")

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)


class Envelope:
    """The outermost ASGI application.

    Args:
        app: the Litestar application.
        metrics: where requests are counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request or socket."""
        asked: dict[str, Any] = scope  # type: ignore[assignment]
        if asked["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        asked["state"] = {"request_id": secrets.token_hex(8)}
        if asked["type"] == "websocket":
            asked["state"]["hand_over"] = send
            await self._app(scope, receive, _refusing_send(asked, send))
        else:
            await self._request(asked, scope, receive, send)

    async def _request(self, asked: dict[str, Any], scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 500
        method = asked["method"]
        if method == "HEAD":
            asked["method"] = "GET"  # handlers know GET only; the body stays here
        request_id = asked["state"]["request_id"].encode()

        async def send_with_headers(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name.lower() for name, _ in message.get("headers", ())}
                added = [pair for pair in HEADERS if pair[0] not in given]
                message = {**message, "headers": [*message.get("headers", ()), *added, (b"x-request-id", request_id)]}
            elif method == "HEAD" and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started
            template = asked.get("path_template", "")
            self._metrics.request(method, template, status, seconds)
            log.debug("%s %s %s in %.1f ms", method, asked["path"], status, seconds * 1000)


def _refusing_send(asked: dict[str, Any], send: Send) -> Send:
    """A socket refused before it was accepted gets the problem as an HTTP answer, where the server can do that."""
    accepted = False

    async def tell(message: Any) -> None:
        nonlocal accepted
        accepted = accepted or message["type"] == "websocket.accept"
        refusal = asked["state"].get("refusal")
        untold = message["type"] == "websocket.close" and not accepted and isinstance(refusal, Problem)
        if not untold or "websocket.http.response" not in asked.get("extensions", {}):
            await send(message)
        else:
            answer: Any = send
            headers = [(b"content-type", MEDIA_TYPE.encode())]
            headers += [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
            body = refusal.body(asked["state"]["request_id"])
            await answer({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
            await answer({"type": "websocket.http.response.body", "body": body})

    return tell
