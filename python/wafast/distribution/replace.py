"""One device takes another's place: its number is banned or lost, and its people and chats go on from a new one.

Leads go over, and what campaigns and sequences have waiting. Chats with persons go over with their history; where both
devices have a chat with somebody the two become one. Messages of the old line carry `OTHER_LINE`: they can be read,
quoted and forwarded, but WhatsApp knows nothing of them on the new line, so nothing is done to them there. Groups stay:
the new number is not in them. Sends a person queued on the old line stay as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import msgspec

from wafast.accounts import audit
from wafast.database.queries import load
from wafast.devices.state import TERMINAL
from wafast.distribution import choices
from wafast.events import bus
from wafast.outbox import lanes
from wafast.outbox.device_gone import waiting_at
from wafast.outbox.lanes import Lane

if TYPE_CHECKING:
    from wafast.accounts.principal import Principal

q = load(__file__)

#: The core may lock the same chats in the order of its batch; whoever PostgreSQL picks begins again.
TRIES = 5


class Replaced(msgspec.Struct, frozen=True):
    """How much went over.

    Args:
        chats: with persons, those that became one with another among them.
        leads: people whose device it is now.
        sends: rows of campaigns and sequences that wait there now.
    """

    chats: int
    leads: int
    sends: int


class NotReplaceable(Exception):
    """It can't be done; `code` names why, the text says it with the way out."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


async def replace(pool: asyncpg.Pool, principal: Principal, old_id: UUID, new_id: UUID) -> Replaced | None:
    """Let device `new_id` take the place of `old_id`, in one transaction.

    None when the tenant has not both of them. A device with 3,000 chats of 20 messages takes some seconds, in which
    nothing leaves from either. Raises NotReplaceable.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            async with pool.acquire() as connection, connection.transaction():
                return await _replace(connection, principal, old_id, new_id)
        except asyncpg.DeadlockDetectedError:
            if not tries_left:
                raise
    raise AssertionError("unreachable")


async def _replace(
    connection: asyncpg.pool.PoolConnectionProxy[asyncpg.Record], principal: Principal, old_id: UUID, new_id: UUID
) -> Replaced | None:
    await choices.hold(connection, principal.tenant_id, [old_id])
    rows = await connection.fetch(q.lock_pair, principal.tenant_id, [old_id, new_id])
    found = {row["id"]: row for row in rows}
    old, new = found.get(old_id), found.get(new_id)
    if old is None or new is None:
        return None
    _check(old, new)
    own = [jid for row in (old, new) for jid in (row["jid"], row["lid"]) if jid is not None]
    await connection.execute(q.copy_lids, old["no"], new["no"])
    chats = await connection.fetch(q.chats_to_move, old["no"], new["no"], own)
    await connection.execute(q.lock_chats_to_move, [one for row in chats for one in (row["id"], row["twin"]) if one])
    ids = [row["id"] for row in chats]
    await connection.execute(q.move_messages, ids, new["no"])
    await connection.execute(
        q.merge_twins, [row["id"] for row in chats if row["twin"]], [row["twin"] for row in chats if row["twin"]]
    )
    alone = [row for row in chats if not row["twin"]]
    await connection.execute(q.move_chats, [row["id"] for row in alone], [row["person"] for row in alone], new["no"])
    jids, persons = [row["jid"] for row in chats], [row["person"] for row in chats]
    await connection.execute(q.queue_known_lids, jids, persons, new["no"])
    await connection.execute(q.queue_for_search, [row["twin"] or row["id"] for row in chats])
    leads = await connection.fetchval(
        q.move_leads, principal.tenant_id, old["no"], new["no"], f"{new['name']} took the place of {old['name']}"
    )
    sends = 0
    async for waiting in waiting_at(connection, [old["no"]]):
        wanted = [Lane(row["tenant_id"], row["source_id"], new["no"], row["zone"]) for row in waiting]
        there = await lanes.ensure(connection, wanted)
        sends += len(await lanes.move(connection, [row["id"] for row in waiting], there))
    await choices.instead(connection, principal.tenant_id, old_id, new_id)
    detail = {"by": str(new_id), "chats": len(chats), "leads": leads, "sends": sends}
    await audit.record(connection, principal.tenant_id, principal.actor, "device.replace", f"device:{old_id}", **detail)
    devices = [{"k": "device", "t": principal.tenant_id, "d": row["no"]} for row in (old, new)]
    shown = [{"k": "gone", "t": principal.tenant_id}, {"k": "lead", "t": principal.tenant_id, "l": []}]
    await bus.publish(connection, [*devices, *shown])
    await bus.wake(connection, "outbox", new["network"], new["no"])
    return Replaced(len(chats), leads, sends)


def _check(old: asyncpg.Record, new: asyncpg.Record) -> None:
    if old["id"] == new["id"]:
        raise NotReplaceable("same-device", f"{old['name']} can't take its own place; choose another device.")
    if new["jid"] is None:
        raise NotReplaceable("never-paired", f"{new['name']} was never linked to a phone: pair it first.")
    if new["state"] in TERMINAL:
        raise NotReplaceable("not-usable", f"{new['name']} is {new['state']} itself; choose a device that can send.")
    if old["network"] != new["network"]:
        raise NotReplaceable(
            "other-network", f"{old['name']} is on network {old['network']}, {new['name']} on {new['network']}."
        )
    if old["state"] in ("online", "connecting", "pairing"):
        raise NotReplaceable(
            "still-in-use",
            f"{old['name']} is {old['state']}: disconnect it first, else its chats go on arriving there.",
        )
