"""Rows that have ended are tried again because a person wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.database.queries import load
from wafast.devices import number_checks
from wafast.events import bus
from wafast.outbox import lanes, sources
from wafast.outbox.device_gone import wake_pool
from wafast.outbox.lanes import Lane
from wafast.outbox.told import tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from wafast.events.bus import Executor

q = load(__file__)

#: What keeps a row from being tried again (ended_rows), in words.
KEPT_BY = {
    "over": "The time it was to leave in is over: write anew.",
    "lead_gone": "This person is not among the leads any more: write to the number anew.",
    "opted_out": "This person wants no more of these messages: take the number off the list of those who want none.",
    "same_person": "This person has this one already, or waits for it, maybe at another number: write anew if it must.",
}


class NotRetryable(Exception):
    """A row can't be tried again; the text says why, and what can be done."""


async def queue_again(connection: Executor, tenant_id: int, rows: Sequence[int]) -> list[asyncpg.Record]:
    """Queue rows that failed, expired, were cancelled or are unknown as if they were new, at their device, or when that
    is gone at the one their lead has now, or in the pool; gives those it did so with. Not those that something keeps
    (KEPT_BY).

    Run it in a transaction that holds what stands behind their source, and has seen that they may leave.
    """
    ended = await _hold_ended(connection, tenant_id, rows)
    return await _queue(connection, tenant_id, [row for row in ended if row["kept_by"] is None])


async def queue_one_again(connection: Executor, tenant_id: int, row: int) -> None:
    """`queue_again` of one row, which is told. Raises NotRetryable."""
    ended = await _hold_ended(connection, tenant_id, [row])
    if not ended:
        raise NotRetryable("It waits again, or was deleted.")
    if (kept_by := ended[0]["kept_by"]) is not None:
        raise NotRetryable(KEPT_BY[kept_by])
    await tell(connection, await _queue(connection, tenant_id, ended))


async def _hold_ended(connection: Executor, tenant_id: int, rows: Sequence[int]) -> list[asyncpg.Record]:
    found = await connection.fetch(q.sources_of_rows, tenant_id, list(rows))
    # alone: a source that has ended may run again
    await sources.hold(connection, alone=[row["source_id"] for row in found])
    await connection.execute(q.hold_ended_rows, tenant_id, list(rows))
    return await connection.fetch(q.ended_rows, tenant_id, list(rows))


async def _queue(connection: Executor, tenant_id: int, found: list[asyncpg.Record]) -> list[asyncpg.Record]:
    ids = [row["id"] for row in found]
    of_sources = [row for row in found if row["source_id"] is not None]
    wanted = [Lane(tenant_id, row["source_id"], row["device_no"], row["zone"]) for row in of_sources]
    made = await lanes.ensure(connection, wanted)
    lane_of = {row["id"]: row["lane_id"] for row in found}
    lane_of |= {row["id"]: lane for row, lane in zip(of_sources, made, strict=True)}
    jids, device_nos = [row["to_jid"] for row in found], [row["device_no"] for row in found]
    await connection.execute(q.queue_again, ids, [lane_of[one] for one in ids], jids, device_nos)
    absent = [row["to_jid"] for row in found if row["cause"] == "not_on_whatsapp"]
    await number_checks.forget_absent(connection, tenant_id, absent)
    devices = {(row["network"], row["device_no"]) for row in found if row["device_no"] is not None}
    await bus.wake_each(connection, "outbox", devices)
    if any(row["device_no"] is None for row in found):
        await wake_pool(connection)
    return found


async def retry(pool: asyncpg.Pool, tenant_id: int, outbox_id: int) -> None:
    """Try a row again that is no source's. `unknown` may have been sent: a person who retries it accepts that. Raises
    NotRetryable."""
    async with pool.acquire() as connection, connection.transaction():
        await queue_one_again(connection, tenant_id, outbox_id)
