"""How far a caller sees: one tenant, and all or some of its devices. Every inbox query takes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from uuid import UUID


class Reach(msgspec.Struct, frozen=True):
    """A tenant's rows, narrowed to some devices.

    Args:
        tenant_id: the tenant; rows of any other do not exist for this caller.
        device_ids: the only devices seen, by public id; None for all of the tenant's.
    """

    tenant_id: int
    device_ids: tuple[UUID, ...] | None = None

    def sees(self, device_id: UUID) -> bool:
        """Whether a device of this tenant is within reach."""
        return self.device_ids is None or device_id in self.device_ids
