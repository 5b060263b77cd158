"""Leads out of a device's chats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast import phones
from wafast.accounts import audit
from wafast.database.queries import load
from wafast.leads.rows import region, tell

if TYPE_CHECKING:
    import asyncpg

    from wafast.accounts.principal import Principal

q = load(__file__)

AT_ONCE = 5_000


async def take(pool: asyncpg.Pool, principal: Principal, device_no: int) -> tuple[int, int]:
    """Makes leads of the persons a device has chats with, owned by it: how many are new, and how many were leads
    already. These stay as they are."""
    tenant_id, behind = principal.tenant_id, 0
    new = known = 0
    async with pool.acquire() as connection, connection.transaction():
        _, time_zone = await region(connection, tenant_id)
        while rows := await connection.fetch(q.chats_for_leads, tenant_id, device_no, behind, AT_ONCE):
            behind = rows[-1]["id"]
            numbers = [row["phone"] for row in rows]
            # a chat that has no name is called by its number
            names = [row["name"] if row["name"].lstrip("+") != row["phone"][1:] else "" for row in rows]
            zones = [phones.zone_of(number, time_zone) for number in numbers]
            added = await connection.fetch(q.add_from_chats, tenant_id, device_no, numbers, names, zones)
            new += len(added)
            known += len(rows) - len(added)
            await tell(connection, tenant_id, [row["id"] for row in added])
        told = {"device_no": device_no, "new": new}
        await audit.record(connection, tenant_id, principal.actor, "lead.import_chats", "leads", **told)
    return new, known
