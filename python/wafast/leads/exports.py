"""Leads as CSV, a piece at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import TYPE_CHECKING, Any

import asyncpg

from wafast.csv_rows import guarded, pieces
from wafast.database.queries import load
from wafast.leads.filters import within
from wafast.leads.rows import matching

if TYPE_CHECKING:
    from wafast.inbox.reach import Reach

q = load(__file__)

COLUMNS = ("name", "phone", "niche", "target_status", "trigger")
#: Rows of a piece. Each is a query of its own: a slow reader holds no connection.
PIECE = 5_000


async def leads(
    pool: asyncpg.Pool, reach: Reach, wanted: dict[str, Any], triggers: Collection[str], *, with_fields: bool
) -> AsyncIterator[bytes]:
    """The leads that fit, newest first: COLUMNS, and the fields of their own when asked for.

    Args:
        wanted: a stored filter.
        triggers: tags that stand under `trigger`; the others under `niche`.
    """
    names = [row["term"] for row in await pool.fetch(q.field_names, reach.tenant_id)] if with_fields else []
    pages = _pages(pool, reach, wanted)
    cells = ([_cells(row, triggers, names) for row in page] async for page in pages)
    async for piece in pieces([*COLUMNS, *map(guarded, names)], cells):
        yield piece


async def _pages(pool: asyncpg.Pool, reach: Reach, wanted: dict[str, Any]) -> AsyncIterator[list[asyncpg.Record]]:
    before = 2**63 - 1
    while True:
        async with matching(pool) as connection:
            rows = await connection.fetch(q.export_leads, reach.tenant_id, within(wanted, reach), before, PIECE)
        if rows:
            yield rows
        if len(rows) < PIECE:
            return
        before = rows[-1]["id"]


def _cells(row: asyncpg.Record, triggers: Collection[str], names: list[str]) -> list[str]:
    niche = ",".join(tag for tag in row["tags"] if tag not in triggers)
    trigger = ",".join(tag for tag in row["tags"] if tag in triggers)
    own = [guarded(row["fields"].get(name, "")) for name in names]
    return [guarded(row["name"]), row["phone"], guarded(niche), row["target_status"], guarded(trigger), *own]
