"""Who is asking: an API key in ``Authorization: Bearer`` or ``X-API-Key``, or a browser's cookie."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wafast.accounts.keys import authenticate_key
from wafast.accounts.logins import authenticate_cookie
from wafast.accounts.principal import Principal, Scope
from wafast.api.problems import Problem
from wafast.inbox.reach import Reach

if TYPE_CHECKING:
    import asyncpg
    from litestar.datastructures import Headers

COOKIE = "wafast"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def reach_of(principal: Principal) -> Reach:
    """How far the caller sees in the inbox."""
    return Reach(principal.tenant_id, None if principal.device_ids is None else tuple(principal.device_ids))


def key_of(headers: Headers) -> str | None:
    """The API key of a request, or None when it brings none.

    Raises:
        Problem: 401 for an Authorization header that is not ``Bearer KEY``.
    """
    authorization = headers.get("authorization")
    if authorization is not None:
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise unauthenticated("The Authorization header must be 'Bearer KEY'.")
        return key.strip()
    return headers.get("x-api-key")


def token_of(headers: Headers) -> str | None:
    """The token in the browser's cookie, or None."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    return cookies[COOKIE].value if COOKIE in cookies else None


async def authenticate(pool: asyncpg.Pool, headers: Headers) -> Principal:
    """The caller of a request. A key goes before a cookie.

    Raises:
        Problem: 401 when nobody is signed in or the key is not valid.
    """
    key = key_of(headers)
    if key is not None:
        principal = await authenticate_key(pool, key)
        if principal is None:
            raise unauthenticated("This API key is not valid: it is unknown or was revoked.")
        return principal
    token = token_of(headers)
    if token is None:
        raise unauthenticated("Sign in with POST /api/v1/session, or send an API key as 'Authorization: Bearer KEY'.")
    principal = await authenticate_cookie(pool, token)
    if principal is None:
        raise unauthenticated("This session has ended: sign in again.")
    return principal


def require_whole_tenant(principal: Principal) -> None:
    """Refuses a caller who reaches only some devices: what he would do concerns the workspace.

    Raises:
        Problem: 403.
    """
    if principal.device_ids is not None:
        raise Problem(
            403, "limited-to-devices", "This concerns the whole workspace; you reach only some devices of it."
        )


def require_scope(principal: Principal, scope: Scope) -> None:
    """Refuses a caller whose role or key does not include a scope.

    Raises:
        Problem: 403.
    """
    if not principal.may(scope):
        raise Problem(
            403,
            "missing-scope",
            f"This needs scope {scope!r}; {'your role' if principal.user_id else 'this key'} has {principal.scope!r}.",
        )


def unauthenticated(detail: str) -> Problem:
    """401 with the scheme to use."""
    return Problem(401, "not-signed-in", detail, headers={"WWW-Authenticate": 'Bearer realm="wafast"'})


def require_same_origin(headers: Headers) -> None:
    """Refuses a request that another site's page made this browser send.

    Browsers name the page's origin on every request that is not safe and on every WebSocket; programs name none.

    Raises:
        Problem: 403 when the origin is not this server.
    """
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise _foreign(headers.get("origin") or headers["sec-fetch-site"])
    origin = headers.get("origin")
    # a proxy that renames the host says so in a header that no page can send to another site unasked
    hosts = {headers.get(name, "").lower() for name in ("host", "x-forwarded-host")} - {""}
    if origin is not None and urlsplit(origin).netloc.lower() not in hosts:
        raise _foreign(origin)


def _foreign(origin: str) -> Problem:
    return Problem(
        403,
        "foreign-origin",
        f"A page of another site ({origin}) may not do this with your cookie: use an API key from a program.",
    )
