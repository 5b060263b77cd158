"""Who may use a route. Every route names a policy; one without is refused, and a test lists them all."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wafast.accounts.principal import Scope


class Policy(StrEnum):
    """What a caller needs. ``send`` includes ``read``, ``admin`` includes both; every policy but the first two
    sees only the caller's tenant and the caller's devices.

    One thing within reach is a matter of ``send``: a lead is changed, merged or deleted, a message tried again or
    cancelled. What goes to many, or takes many away for good, is one of ``admin``: campaigns, sequences, imports, bulk
    deletes."""

    PUBLIC = "public"  # anyone: health, the document, sign in, the web app
    USER = "user"  # a person with a browser session: the session's own routes
    READ = "read"
    SEND = "send"
    ADMIN = "admin"


SCOPE_OF: dict[Policy, Scope] = {Policy.READ: "read", Policy.SEND: "send", Policy.ADMIN: "admin"}
