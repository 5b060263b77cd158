"""One action on many devices: a query a step, however many there are. Each device is changed, was so already, or is
skipped with a reason; none holds up the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec

from wafast.accounts import audit
from wafast.database.queries import load
from wafast.devices.lease import CRASHES
from wafast.devices.sends import Sends
from wafast.events import bus

q = load(__file__)

Desired = Literal["connected", "disconnected", "logged_out"]
Action = Literal["connect", "disconnect", "logout", "delete", "add_tags", "remove_tags", "set_pacing"]
Reason = Literal["not_found", "never_paired", "logged_out", "too_many_tags"]

#: A device can have this many.
MOST_TAGS = 100
#: Devices that `delete` is best given at once: with a thousand chats of twenty messages each it holds their locks for
#: half a second.
DELETE_AT_ONCE = 25


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each device that was named; every id is in one of the three."""

    #: with its name
    changed: dict[UUID, str]
    unchanged: list[UUID]
    skipped: dict[UUID, Reason]


#: What a device should be after an action that says so.
DESIRED: dict[str, Desired] = {"connect": "connected", "disconnect": "disconnected", "logout": "logged_out"}


async def act(
    pool: asyncpg.Pool,
    tenant_id: int,
    actor: str,
    action: Action,
    device_ids: Sequence[UUID],
    *,
    sends: Sends,
    tags: Sequence[str] = (),
    pacing: dict[str, Any] | None = None,
) -> Outcome:
    """Do it, and note in the audit log who did it to each that it changed. `delete` is best given `DELETE_AT_ONCE`, and
    `sends` is as there; `pacing` holds the columns that `set_pacing` changes."""
    detail: dict[str, Any] = {}
    match action:
        case "delete":
            outcome = await delete(pool, tenant_id, device_ids, sends)
        case "add_tags":
            outcome, detail = await add_tags(pool, tenant_id, device_ids, tags), {"tags": list(tags)}
        case "remove_tags":
            outcome, detail = await remove_tags(pool, tenant_id, device_ids, tags), {"tags": list(tags)}
        case "set_pacing":
            outcome, detail = await set_pacing(pool, tenant_id, device_ids, pacing or {}), {"pacing": pacing}
        case _:
            outcome = await steer(pool, tenant_id, device_ids, DESIRED[action])
    noted = {f"device:{device_id}": {"name": name, **detail} for device_id, name in outcome.changed.items()}
    await audit.record_each(pool, tenant_id, actor, f"device.{DESIRED.get(action, action)}", noted)
    return outcome


async def steer(pool: asyncpg.Pool, tenant_id: int, device_ids: Sequence[UUID], desired: Desired) -> Outcome:
    """Say what devices should be; their workers do it. A person's `connected` also ends the wait of a backoff."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(q.steer_devices, tenant_id, device_ids, desired, CRASHES - 1)
        steered = [row for row in rows if row["skipped"] is None]
        await bus.wake_each(connection, "device", [(row["network"], row["no"]) for row in steered])
        await _tell(connection, tenant_id, steered)
    return _outcome(device_ids, rows)


async def add_tags(pool: asyncpg.Pool, tenant_id: int, device_ids: Sequence[UUID], tags: Sequence[str]) -> Outcome:
    """Give devices tags besides those they have."""
    rows = await pool.fetch(q.add_tags, tenant_id, device_ids, tags, MOST_TAGS)
    await _tell(pool, tenant_id, [row for row in rows if row["is_changed"] and row["skipped"] is None])
    return _outcome(device_ids, rows)


async def remove_tags(pool: asyncpg.Pool, tenant_id: int, device_ids: Sequence[UUID], tags: Sequence[str]) -> Outcome:
    """Take tags away; a device without them stays as it is."""
    rows = await pool.fetch(q.remove_tags, tenant_id, device_ids, tags)
    await _tell(pool, tenant_id, [row for row in rows if row["is_changed"]])
    return _outcome(device_ids, rows)


async def set_pacing(
    pool: asyncpg.Pool, tenant_id: int, device_ids: Sequence[UUID], changes: dict[str, Any]
) -> Outcome:
    """Change columns of the pace of devices, to values that make sense by themselves; counts from the next send."""
    rows = await pool.fetch(q.set_pacing, tenant_id, device_ids, changes)
    changed = [row for row in rows if row["is_changed"]]
    await _tell(pool, tenant_id, changed)
    # what a cap or the hours held may leave now
    await bus.wake_each(pool, "outbox", [(row["network"], row["no"]) for row in changed])
    return _outcome(device_ids, rows)


async def delete(pool: asyncpg.Pool, tenant_id: int, device_ids: Sequence[UUID], sends: Sends) -> Outcome:
    """Delete devices with their chats, messages and media references, in one transaction: give it few
    (`DELETE_AT_ONCE`), as whoever stores their messages waits meanwhile. `sends` is distribution/choices.py."""
    async with pool.acquire() as connection, connection.transaction():
        await sends.hold(connection, tenant_id, device_ids)
        rows = await connection.fetch(q.lock_devices, tenant_id, device_ids)
        numbers = [row["no"] for row in rows]
        for step in (q.lock_chats, q.delete_thumbnails, q.delete_messages):
            await connection.execute(step, numbers)
        await sends.leave(connection, numbers)
        await connection.execute(q.see_no_more, numbers)
        await connection.execute(q.delete_devices, numbers)
        gone = [{"k": "deleted", "t": tenant_id, "d": row["no"], "id": str(row["id"])} for row in rows]
        await bus.publish(connection, gone)
        await bus.wake_each(connection, "device", [(row["network"], row["no"]) for row in rows])
    return _outcome(device_ids, rows)


async def _tell(connection: bus.Executor, tenant_id: int, rows: Sequence[asyncpg.Record]) -> None:
    await bus.publish(connection, [{"k": "device", "t": tenant_id, "d": row["no"]} for row in rows])


def _outcome(device_ids: Sequence[UUID], rows: Sequence[asyncpg.Record]) -> Outcome:
    skipped: dict[UUID, Reason] = dict.fromkeys(device_ids, "not_found")
    for row in rows:
        if row["skipped"] is None:
            del skipped[row["id"]]
        else:
            skipped[row["id"]] = row["skipped"]
    done = [row for row in rows if row["skipped"] is None]
    return Outcome(
        changed={row["id"]: row["name"] for row in done if row["is_changed"]},
        unchanged=[row["id"] for row in done if not row["is_changed"]],
        skipped=skipped,
    )
