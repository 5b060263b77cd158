"""Sums up what statements have added to source_counts, so that reading a source's buckets stays cheap.

Rows go and their sum comes in one statement: whoever reads sees either, and both say the same.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wafast.database.queries import load
from wafast.database.turn import COUNTS, keep_at

if TYPE_CHECKING:
    import asyncpg

q = load(__file__)

#: Between two looks: after one that found much, and after one that found little. At 5,000 sends a second a source gains
#: 10,000 rows a second, which take 3 ms to read.
BUSY_SECONDS = 1.0
IDLE_SECONDS = 10.0
#: So many rows more than their sums are worth the work.
WORTH = 100


async def keep_folded(uri: str) -> None:
    """Fold while this process has the turn, until cancelled. `uri`: where PostgreSQL is."""
    await keep_at(uri, "counts", COUNTS, _fold_forever)


async def _fold_forever(connection: asyncpg.Connection) -> None:
    while True:
        gone = await fold(connection)
        await asyncio.sleep(BUSY_SECONDS if gone else IDLE_SECONDS)


async def fold(connection: asyncpg.Connection, worth: int = WORTH) -> int:
    """Sum up the sources that have `worth` rows more than twice their sums; gives how many rows went."""
    gone: int = await connection.fetchval(q.fold_counts, worth)
    return gone
