"""What every request passes before its handler: sign-in, policy, same origin, content type, Idempotency-Key."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from litestar.datastructures import Headers

from wafast.api.authentication import (
    SAFE_METHODS,
    authenticate,
    key_of,
    require_same_origin,
    require_scope,
    unauthenticated,
)
from wafast.api.idempotency import AT_END, IN_ONE, Answer, digest
from wafast.api.policy import SCOPE_OF, Policy
from wafast.api.problems import Problem
from wafast.database.together import together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg
    from litestar.types import ASGIApp, Message, Receive, Scope, Send

    from wafast.accounts.principal import Principal
    from wafast.api.services import Services

MAX_JSON_BODY = 1 << 20  # bytes
MAX_KEY_LENGTH = 200
JSON = "application/json"
MULTIPART = "multipart/form-data"


class Gate:
    """Middleware around every route handler. A handler without a policy is refused.

    Args:
        app: the handler.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or raises the Problem that says why not."""
        asked: dict[str, Any] = scope  # type: ignore[assignment]
        method = asked.get("method", "GET")
        if method == "OPTIONS":
            await self._app(scope, receive, send)
            return
        headers = Headers.from_scope(scope)
        services: Services = asked["litestar_app"].state.services
        opt = asked["route_handler"].opt
        try:
            principal = await admit(opt, method, asked["type"], headers, services)
        except Problem as problem:
            asked["state"]["refusal"] = problem  # a WebSocket has no other way to be told
            raise
        asked["user"] = principal
        key = headers.get("idempotency-key")
        if key is not None and principal is not None and opt.get("idempotent"):
            await _once(self._app, scope, receive, send, services, principal, key)
        else:
            await self._app(scope, receive, send)


async def admit(opt: dict[str, Any], method: str, kind: str, headers: Headers, services: Services) -> Principal | None:
    """Checks a request against its handler's policy.

    Args:
        opt: the handler's options; ``policy`` is one of Policy.
        method: HTTP method.
        kind: ``http`` or ``websocket``.
        headers: of the request.
        services: of the process.

    Returns:
        The caller; None on public routes.

    Raises:
        Problem: 401, 403 or 415.
    """
    policy = opt.get("policy")
    if not isinstance(policy, Policy):
        raise Problem(500, "no-policy", "This route has no policy, so nobody may use it.")
    changes = method not in SAFE_METHODS
    if changes:
        _require_content_type(headers)
    with_cookie = key_of(headers) is None
    if with_cookie and (changes or kind == "websocket"):
        require_same_origin(headers)
    if policy is Policy.PUBLIC:
        return None
    principal = await authenticate(services.pool, headers)
    if policy is Policy.USER:
        if principal.user_id is None:
            raise unauthenticated("This route is for a signed-in person; an API key has no session.")
        return principal
    require_scope(principal, SCOPE_OF[policy])
    return principal


def _require_content_type(headers: Headers) -> None:
    """A page of another site can send a form or plain text unasked, but not JSON. Multipart has its origin checked."""
    length, sent = headers.get("content-length"), headers.get("content-type")
    if sent is None and (length is None or length == "0") and "transfer-encoding" not in headers:
        return
    kind = (sent or "").partition(";")[0].strip().lower()
    if kind not in (JSON, MULTIPART):
        raise Problem(
            415,
            "unsupported-media-type",
            f"Content-Type {sent!r} is not taken here: send JSON as '{JSON}', files as '{MULTIPART}'.",
        )


async def _once(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, services: Services, principal: Principal, key: str
) -> None:
    """Runs the handler for the first request with this key, and repeats its answer for the others. Nobody hears of work
    that is not kept."""
    if not 0 < len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        raise Problem(400, "invalid-request", f"Idempotency-Key must have 1 to {MAX_KEY_LENGTH} printable characters.")
    asked: dict[str, Any] = scope  # type: ignore[assignment]
    body = await _whole_body(receive)
    route = f"{asked['method']} {asked['path']}"
    keys, tenant_id, opt = services.idempotency, principal.tenant_id, asked["route_handler"].opt
    in_one, secret = opt["idempotent"] == IN_ONE, bool(opt.get("secret"))
    first = await keys.claim(tenant_id, key, route, digest(principal.actor, body), in_one=in_one)
    if first is not None:
        await _answer(send, first)
        return
    kept = _Kept()
    try:
        if in_one:
            async with _undone_when_refused(services.pool, kept) as pool:
                asked["state"]["services"] = services.on(pool)
                await app(scope, _replay(body, receive), kept.hear)
                if kept.is_good:
                    await keys.keep(pool, tenant_id, key, kept.answer, secret=secret)
        else:
            await app(scope, _replay(body, receive), kept.hear)
            if kept.is_good:
                await keys.finish(tenant_id, key, kept.answer)
    finally:
        if kept.is_good:
            keys.leave(tenant_id, key)
        else:
            await keys.fail(tenant_id, key, kept.status, at_end=opt["idempotent"] == AT_END)
    await kept.pass_on(send)


@contextlib.asynccontextmanager
async def _undone_when_refused(pool: asyncpg.Pool, kept: _Kept) -> AsyncIterator[asyncpg.Pool]:
    """One transaction, whose work is undone when the answer is a refusal."""
    with contextlib.suppress(_Refused):
        async with together(pool) as one:
            yield one
            if not kept.is_good:
                raise _Refused


class _Refused(Exception):
    """The answer is a refusal."""


async def _whole_body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "invalid-request", "The connection ended before the whole body had come.")
        body += message.get("body", b"")
        if len(body) > MAX_JSON_BODY:
            raise Problem(413, "too-large", f"The body is larger than {MAX_JSON_BODY} bytes.")
        if not message.get("more_body"):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _answer(send: Send, answer: Answer) -> None:
    headers = [(b"content-type", JSON.encode()), (b"idempotency-replayed", b"true")]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


class _Kept:
    """An answer that is passed on once it is kept."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self.status = 0
        self._body = bytearray()

    @property
    def is_good(self) -> bool:
        """Whether the work was done."""
        return 200 <= self.status < 300

    @property
    def answer(self) -> Answer:
        """As it is repeated."""
        return Answer(self.status, bytes(self._body))

    async def hear(self, message: Message) -> None:
        """Takes a part of the answer."""
        part: Any = message
        if part["type"] == "http.response.start":
            self.status = part["status"]
        elif part["type"] == "http.response.body":
            self._body += part.get("body", b"")
        self._messages.append(message)

    async def pass_on(self, send: Send) -> None:
        """Gives it to who asked."""
        for message in self._messages:
            await send(message)
