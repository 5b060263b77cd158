"""What devices ask of whoever sends from them, without knowing who that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]


class Sends(Protocol):
    """What is on its way from devices. Each is called in the transaction that deletes them."""

    async def hold(self, connection: Connection, tenant_id: int, device_ids: Sequence[UUID]) -> None:
        """Devices are about to be deleted, and nobody holds them yet: what stands behind their sends comes first."""

    async def leave(self, connection: Connection, device_nos: Sequence[int]) -> None:
        """Devices are held, and about to be deleted: what waits there goes elsewhere, or away."""
