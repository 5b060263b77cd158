"""Devices that campaigns give people without one to: one that is replaced or deleted is chosen no more. And what
becomes of those whom a person gave to a device that is deleted.

`hold` and `leave` are devices/sends.py: what happens here happens before and with what becomes of the device's rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.database.queries import load
from wafast.events import bus
from wafast.outbox import device_gone, sources
from wafast.outbox.told import tell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from wafast.outbox.device_gone import Connection

q = load(__file__)

#: Why somebody's row of a campaign that moves nobody has failed.
STAYED = (
    "the device of this person was deleted, and this campaign moves nobody to another by itself: tried again, it "
    "leaves from the device this person has by then, or else from any"
)
NONE_LEFT = "its chosen devices were deleted; once it goes on, people without a device get any of yours"


async def hold(connection: Connection, tenant_id: int, device_ids: Sequence[UUID]) -> None:
    """Holds the leads of these devices and whatever chose them, or has rows there: before the devices
    (outbox/sources.py)."""
    of_these = tenant_id, list(device_ids)
    await connection.execute(q.lock_leads, *of_these)
    await connection.execute(q.lock_campaigns, *of_these)
    found = await connection.fetch(q.sources_of_devices, *of_these)
    await sources.hold(connection, alone=[row["id"] for row in found])


async def leave(connection: Connection, device_nos: Sequence[int]) -> None:
    """Devices, held, are about to be deleted. Of a campaign that moves nobody the rows of people whom a person gave to
    them fail; all others go to the pool. A campaign that is left with none stops where it is, and says why."""
    await device_gone.stop(connection, device_nos)
    cursor = await connection.cursor(q.staying_at, list(device_nos))
    while staying := await cursor.fetch(device_gone.STEP):
        await tell(connection, await connection.fetch(q.fail_stayed, [row["id"] for row in staying], STAYED))
    await device_gone.leave(connection, device_nos)
    for device_no in device_nos:
        for row in await connection.fetch(q.choose_no_more, device_no, NONE_LEFT):
            if row["runs"]:
                await sources.set_state(connection, row["tenant_id"], row["source_id"], "paused")
            await bus.publish(connection, [{"k": "campaign", "t": row["tenant_id"], "id": row["id"]}])


async def instead(connection: Connection, tenant_id: int, old_id: UUID, new_id: UUID) -> None:
    """Where one device was chosen, the other is."""
    await connection.execute(q.choose_instead, tenant_id, old_id, new_id)
