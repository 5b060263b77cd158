"""Sums up what statements have added to source_counts, so that reading a source's buckets stays cheap.

Rows go and their sum grows in one statement: whoever reads sees either, and both say the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.database.queries import load

if TYPE_CHECKING:
    from wafast.events.bus import Executor

q = load(__file__)

#: Rows of one statement, some 100 ms of the database.
STEP = 20_000


async def fold(connection: Executor) -> set[int]:
    """Sum up what was added since; gives the sources whose rows have moved. One process at a time does it."""
    moved: set[int] = set()
    while True:
        row = await connection.fetchrow(q.fold_counts, STEP)
        assert row is not None, "a sum has a row"
        moved.update(row["sources"])
        if row["gone"] < STEP:
            return moved
