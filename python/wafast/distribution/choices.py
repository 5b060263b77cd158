"""Devices that campaigns give people without one to: one that is replaced or deleted is chosen no more.

`hold` and `leave` are devices/sends.py: what happens here happens before and with what becomes of the device's rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.database.queries import load
from wafast.events import bus
from wafast.outbox import device_gone, sources

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from wafast.outbox.device_gone import Connection

q = load(__file__)

NONE_LEFT = "its chosen devices were deleted; once it goes on, people without a device get any of yours"


async def hold(connection: Connection, tenant_id: int, device_ids: Sequence[UUID]) -> None:
    """Holds whatever chose these devices, or has rows there: before the devices, as whoever starts or stops it."""
    await connection.execute(q.lock_campaigns, tenant_id, list(device_ids))
    await connection.execute(q.lock_sources, tenant_id, list(device_ids))


async def leave(connection: Connection, device_nos: Sequence[int]) -> None:
    """Devices, held, are about to be deleted. A campaign that is left with none stops where it is, and says why."""
    await device_gone.leave(connection, device_nos)
    for device_no in device_nos:
        for row in await connection.fetch(q.choose_no_more, device_no, NONE_LEFT):
            if row["runs"]:
                await sources.set_state(connection, row["tenant_id"], row["source_id"], "paused")
            await bus.publish(connection, [{"k": "campaign", "t": row["tenant_id"], "id": row["id"]}])


async def instead(connection: Connection, tenant_id: int, old_id: UUID, new_id: UUID) -> None:
    """Where one device was chosen, the other is."""
    await connection.execute(q.choose_instead, tenant_id, old_id, new_id)
