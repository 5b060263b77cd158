"""Who may use a route. Every route names a policy; one without is refused, and so the application does not start."""

from __future__ import annotations

from enum import StrEnum


class Policy(StrEnum):
    """What a caller needs. ``send`` includes ``read``, ``admin`` includes both; every policy but the first two
    sees only the caller's tenant and the caller's devices."""

    PUBLIC = "public"  # anyone: health, the document, sign in, the web app
    USER = "user"  # a person with a browser session: the session's own routes
    READ = "read"
    SEND = "send"
    ADMIN = "admin"
