"""A device's own proxy: which addresses are taken, and how one is shown."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from wafast.api.problems import refused_field

#: What the connect gate can go through (`devices.tunnel`).
SCHEMES = ("http", "socks5")


def checked(address: str) -> str:
    """A proxy address that can be used.

    Raises:
        Problem: 400 when it is none.
    """
    parts = urlsplit(address.strip())
    try:
        usable = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port is not None
    except ValueError:
        usable = False
    if not usable or not address.isprintable():
        raise refused_field("proxy", masked(address), "an address like socks5://user:password@host:1080 is wanted")
    return address.strip()


def masked(address: str) -> str:
    """The address without its password."""
    parts = urlsplit(address)
    credentials, at, host = parts.netloc.rpartition("@")
    user, colon, _ = credentials.partition(":")
    if not at or not colon:
        return address
    return urlunsplit((parts.scheme, f"{user}:***@{host}", parts.path, parts.query, parts.fragment))
