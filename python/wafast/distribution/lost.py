"""People whom distribution gave to a device that is over (logged out, banned, replaced, outdated): they are nobody's
again, so that who writes to them next is decided anew. Whom a person gave to it stays until he gives it to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.database.queries import load
from wafast.events import bus

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

q = load(__file__)

#: People of one transaction: some 50 ms.
STEP = 1_000


async def lost_devices(connection: asyncpg.Connection, device_nos: Sequence[int] | None) -> list[asyncpg.Record]:
    """Those among these devices, or of all, that are over and have people from distribution."""
    return await connection.fetch(q.lost_devices, device_nos)


async def leave(connection: asyncpg.Connection, device: asyncpg.Record) -> bool:
    """The next people of a device (as of `lost_devices`) are nobody's again; gives whether there may be more."""
    async with connection.transaction():
        left: int = await connection.fetchval(q.leave_device, device["no"], STEP, why_over(device))
        await bus.publish(connection, [{"k": "lead", "t": device["tenant_id"], "l": []}])
    return left == STEP


def why_over(device: asyncpg.Record) -> str:
    """Why a device that is over sends nothing more, for people."""
    return f"{device['name']} can't send any more: {device['state_reason'] or device['state']}"
