"""Who is asking, and what they may do."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

Scope = Literal["read", "send", "admin"]
Role = Literal["admin", "agent", "viewer"]

SCOPES: tuple[Scope, ...] = ("read", "send", "admin")
#: What a role may do, in a key's words.
ROLE_SCOPE: dict[str, Scope] = {"viewer": "read", "agent": "send", "admin": "admin"}


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """A caller: a signed-in person (user_id) or an API key (key_id), always inside one tenant."""

    tenant_id: int
    scope: Scope
    user_id: int | None = None
    key_id: int | None = None
    #: The only devices it reaches; None: every device of the tenant.
    device_ids: frozenset[UUID] | None = None

    @property
    def actor(self) -> str:
        """How the audit log and outbox name it: `user:7` or `key:3`."""
        return f"user:{self.user_id}" if self.user_id is not None else f"key:{self.key_id}"

    def may(self, scope: Scope) -> bool:
        """Whether it may do what `scope` allows: admin includes send, send includes read."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)

    def sees(self, device_id: UUID) -> bool:
        """Whether it reaches this device of its tenant."""
        return self.device_ids is None or device_id in self.device_ids
