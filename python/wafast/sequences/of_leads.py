"""What is on its way to leads that are deleted, get another number, or become one: enrolments, and rows of the outbox
of whatever sends. In the caller's transaction (leads/sends.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.database.queries import load
from wafast.events import bus
from wafast.outbox import lanes, sources
from wafast.outbox.again import queue_again
from wafast.outbox.cancel import cancel as cancel_rows
from wafast.outbox.lanes import Lane
from wafast.sequences import enrolments

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from wafast.events.bus import Executor

q = load(__file__)


async def readdress(connection: Executor, tenant_id: int, lead_id: int, phone: str, zone: str) -> None:
    """What waits for a lead goes to the number it gets, at the hours of that place, and nothing more to the one it had,
    which is remembered."""
    await _move_to(connection, tenant_id, lead_id, phone, zone)
    await connection.execute(q.keep_number, tenant_id, lead_id, phone)
    left = [row["id"] for row in await connection.fetch(q.at_old_number, tenant_id, lead_id, phone)]
    await cancel_rows(connection, "number_changed", "The lead has another number now.", rows=left)


async def go_over(connection: Executor, tenant_id: int, lead_ids: Sequence[int]) -> None:
    """What waits for leads at other devices leaves from the ones they have now."""
    moved = await _move(connection, q.at_other_devices, tenant_id, list(lead_ids))
    devices = await connection.fetch(q.networks_of, list({row["device_no"] for row in moved}))
    await bus.wake_each(connection, "outbox", [(device["network"], device["no"]) for device in devices])


async def _move_to(connection: Executor, tenant_id: int, lead_id: int, phone: str, zone: str) -> None:
    await _move(connection, q.in_other_zones, tenant_id, [lead_id], zone)
    await connection.execute(q.readdress, tenant_id, lead_id, phone)


async def _move(
    connection: Executor, those: str, tenant_id: int, lead_ids: list[int], *to: str
) -> list[asyncpg.Record]:
    """What a query finds for leads goes to the lane that it names; gives what did."""
    found = await connection.fetch(those, tenant_id, lead_ids, *to)
    held = await sources.hold(connection, [row["source_id"] for row in found])
    # seen anew: where a device was deleted until then, its rows are in the pool
    found = await connection.fetch(those, tenant_id, lead_ids, *to) if held else []
    elsewhere = [row for row in found if row["source_id"] in held]
    wanted = [Lane(tenant_id, row["source_id"], row["device_no"], row["zone"]) for row in elsewhere]
    await lanes.move(connection, [row["id"] for row in elsewhere], await lanes.ensure(connection, wanted))
    return elsewhere


async def hold(connection: Executor, tenant_id: int, lead_ids: Sequence[int]) -> None:
    """The walk holds an enrolment first and then wants its lead: who takes both takes them in its order. Sources come
    before, those of what is left to these leads among them (`cancel`)."""
    left_to = await connection.fetch(q.left_to_those, tenant_id, list(lead_ids))
    await hold_sources(connection, tenant_id, lead_ids, [row["source_id"] for row in left_to])
    await connection.execute(q.hold_enrolments, tenant_id, list(lead_ids))


async def hold_sources(
    connection: Executor, tenant_id: int, lead_ids: Sequence[int], alone: Sequence[int] = ()
) -> None:
    """Those of all that waits for leads; `alone` as `sources.hold` has it."""
    waiting = await connection.fetch(q.sources_waiting, tenant_id, list(lead_ids))
    await sources.hold(connection, [row["source_id"] for row in waiting], alone=alone)


async def cancel(connection: Executor, tenant_id: int, lead_ids: Sequence[int]) -> None:
    """Who is gone is written to no more; who did not get something because it was the same person gets it."""
    await cancel_rows(connection, "lead_gone", "The lead was deleted.", leads=lead_ids)
    left_to = await connection.fetch(q.left_to_those, tenant_id, list(lead_ids))
    await queue_again(connection, tenant_id, [row["id"] for row in left_to])


async def become_one(connection: Executor, tenant_id: int, kept: int, gone: int) -> None:
    """What waited for the one that goes is cancelled, and `kept` has been where it was, and had what it had. What
    `kept` did not get because the other was to get it, it gets."""
    # Enrolments before rows: else a walk puts in another step beside those that are cancelled.
    both = [kept, gone]
    campaigns = await connection.fetch(q.campaigns_of_both, tenant_id, both)
    await hold_sources(connection, tenant_id, both, [row["source_id"] for row in campaigns])
    await connection.execute(q.hold_enrolments, tenant_id, both)
    await connection.execute(q.hold_sends, tenant_id, both)
    await connection.execute(q.hold_gone, tenant_id, gone)
    changed = await _join_ways(connection, tenant_id, kept, gone)
    # who is one person now is not written to twice, nor left without what one of the two was getting
    had = await connection.fetch(q.had_by_other, tenant_id, kept, gone)
    left_to_other = await connection.fetch(q.left_to_other, tenant_id, kept, gone)
    by_the_other = [row["source_id"] for row in (*had, *left_to_other)]
    theirs = await connection.fetch(q.for_one_only, tenant_id, kept, gone, by_the_other)
    changed += await connection.fetch(q.end_enrolments, tenant_id, gone)
    for row in changed:
        await enrolments.tell(connection, tenant_id, row["sequence_id"])
    passed = await connection.fetch(q.stand_at, tenant_id, kept, gone)
    await connection.execute(q.move_enrolments, tenant_id, kept, gone)
    # of a step the walk would stop the way for it
    said = "The lead it became one with has had it."
    await cancel_rows(connection, "same_person", said, rows=[row["id"] for row in had if row["enrolment_id"] is None])
    await cancel_rows(connection, "merged", said, rows=[row["id"] for row in had if row["enrolment_id"] is not None])
    said = "The lead became one with another."
    left = [row["id"] for row in theirs] + [row["stood_at"] for row in passed]
    await cancel_rows(connection, "merged", said, rows=left)
    await connection.execute(q.link_numbers, tenant_id, kept, gone)
    await connection.execute(q.move_sends, tenant_id, kept, gone)
    [place] = await connection.fetch(q.place_of, tenant_id, kept)
    await _move_to(connection, tenant_id, kept, place["phone"], place["zone"])
    await queue_again(connection, tenant_id, [row["id"] for row in left_to_other])


async def _join_ways(connection: Executor, tenant_id: int, kept: int, gone: int) -> list[asyncpg.Record]:
    """What `gone` has had of sequences `kept` has had. Gives the sequences in which `kept` goes the way of `gone`."""
    taken = await connection.fetch(q.take_ways, tenant_id, kept, gone)
    lent = await connection.fetch(q.lend_rows, tenant_id, kept, gone)
    await connection.execute(q.join_ways, tenant_id, kept, gone)
    await connection.execute(q.take_lent, [row["id"] for row in lent], [row["enrolment_id"] for row in lent])
    return taken
