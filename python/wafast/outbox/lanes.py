"""Lanes: where rows wait. Each holds those of one source at one device, or in the pool, for people of one time zone.
A row waits at the device of its lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wafast.events.bus import Executor

q = load(__file__)


class Lane(NamedTuple):
    """Which one is meant: of paced sends of the API when `source_id` is None, of the pool when `device_no` is.
    `zone` is an IANA name."""

    tenant_id: int
    source_id: int | None
    device_no: int | None
    zone: str


async def ensure(connection: Executor, lanes: Sequence[Lane]) -> list[int]:
    """Makes those that are missing; gives the id of each, in the order given."""
    if not lanes:
        return []
    tenants, sources, devices, zones = map(list, zip(*lanes, strict=True))
    await connection.execute(q.ensure_lanes, tenants, sources, devices, zones)
    return [row["id"] for row in await connection.fetch(q.lanes_for, sources, devices, zones)]


async def move(connection: Executor, rows: Sequence[int], lanes: Sequence[int]) -> list[int]:
    """Each of these rows goes to its lane, whose device it gets; gives those that did. Of a row that is just being sent
    that counts once it turns out not to have left."""
    return [row["id"] for row in await connection.fetch(q.move_rows, list(rows), list(lanes))]
