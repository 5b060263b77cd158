"""Where a request came from, also behind a reverse proxy on this machine."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from litestar import Request


def address_of(request: Request[Any, Any, Any]) -> str:
    """The caller's network address. A proxy is believed only when it is on this machine."""
    peer = request.client.host if request.client is not None else ""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    if forwarded and _is_local(peer):
        return forwarded[:100]
    return peer or "unknown"


def is_secure(request: Request[Any, Any, Any]) -> bool:
    """Whether the browser came by HTTPS, to us or to the proxy in front of us."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto", "").lower() == "https"


def _is_local(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
