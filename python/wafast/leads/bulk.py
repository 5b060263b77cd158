"""One change of many leads, and what takes it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import asyncpg
import msgspec

from wafast.accounts import audit
from wafast.database.queries import load
from wafast.leads.filters import within
from wafast.leads.rows import MOST_TAGS, hold, learn, matching, remove, tell, tell_renamed

if TYPE_CHECKING:
    from wafast.accounts.principal import Principal
    from wafast.events import bus
    from wafast.inbox.reach import Reach
    from wafast.leads.sends import Sends

q = load(__file__)

Action = Literal["add_tags", "remove_tags", "set_status", "set_device", "delete"]
#: Leads a request: a third of a second.
AT_ONCE = 5_000


class Outcome(msgspec.Struct, frozen=True):
    """How many were changed, what takes it back, and who would have had too many tags."""

    changed: int
    undone: list[Undone]
    overfull: list[int]


class Undone(msgspec.Struct, frozen=True):
    """Leads that were so before the change.

    Args:
        lead_ids: which.
        was: the tags that were added or removed, the status, or the device's public id (None: no device) they had.
    """

    lead_ids: list[int]
    was: tuple[str | None, ...]


async def seen(pool: asyncpg.Pool, reach: Reach, ids: Sequence[int]) -> list[int]:
    """Those of these leads that the caller sees, the newest first."""
    async with matching(pool) as connection:
        rows = await connection.fetch(q.ids_seen, reach.tenant_id, within({}, reach), list(ids))
    return [row["id"] for row in rows]


async def fitting(
    pool: asyncpg.Pool, reach: Reach, wanted: dict[str, Any], before: int
) -> tuple[list[int], int | None]:
    """Ids of the next leads that fit, the newest first, and where those behind them go on.

    Args:
        wanted: a stored filter.
        before: only ids below this.
    """
    async with matching(pool) as connection:
        rows = await connection.fetch(q.ids_of_filter, reach.tenant_id, within(wanted, reach), before, AT_ONCE + 1)
    found = [row["id"] for row in rows]
    return found[:AT_ONCE], found[AT_ONCE - 1] if len(found) > AT_ONCE else None


async def act(
    pool: asyncpg.Pool, principal: Principal, action: Action, lead_ids: list[int], value: Any, sends: Sends
) -> Outcome:
    """Changes leads of the tenant in one transaction.

    Args:
        value: tags as they are stored, a status, or a device's number.
    """
    async with pool.acquire() as connection, connection.transaction():
        if action == "delete":
            changed = await remove(connection, principal.tenant_id, lead_ids, sends)
            groups: list[Undone] = []
            overfull: list[int] = []
        else:
            if action == "set_device" and value is not None:
                await hold(connection, principal.tenant_id, lead_ids, sends)
            found = await _change(connection, principal.tenant_id, action, lead_ids, value)
            overfull = [row["id"] for row in found if row["was"] is None]
            rows = [row for row in found if row["was"] is not None]
            changed, groups = [row["id"] for row in rows], _grouped(rows)
            await tell(connection, principal.tenant_id, changed)
            if action == "set_device":
                if value is not None:
                    await sends.go_over(connection, principal.tenant_id, changed)
                await tell_renamed(connection, principal.tenant_id, [row["phone"] for row in rows])
        told = {"leads": len(changed), "value": value}
        if changed:
            await audit.record(connection, principal.tenant_id, principal.actor, f"lead.{action}", "leads", **told)
    return Outcome(len(changed), groups, overfull)


async def _change(
    connection: bus.Executor, tenant_id: int, action: Action, lead_ids: list[int], value: Any
) -> list[asyncpg.Record]:
    match action:
        case "add_tags":
            found = await connection.fetch(q.add_lead_tags, tenant_id, lead_ids, value, MOST_TAGS)
            await learn(connection, tenant_id, value, ())
            return found
        case "remove_tags":
            return await connection.fetch(q.remove_lead_tags, tenant_id, lead_ids, value)
        case "set_status":
            return await connection.fetch(q.set_lead_status, tenant_id, lead_ids, value)
        case _:
            return await connection.fetch(q.set_lead_device, tenant_id, lead_ids, value)


def _grouped(rows: Sequence[asyncpg.Record]) -> list[Undone]:
    groups: dict[tuple[str | None, ...], list[int]] = {}
    for row in rows:
        groups.setdefault(tuple(row["was"]), []).append(row["id"])
    return [Undone(lead_ids, was) for was, lead_ids in groups.items()]
