"""The pool: rows of sources that have no device, until they are given to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wafast.database.queries import load

if TYPE_CHECKING:
    from wafast.events.bus import Executor

q = load(__file__)


async def give_back(connection: Executor, device_nos: Sequence[int], *, only_movable: bool = True) -> int:
    """What waits at these devices for a source goes back to the pool; gives how many rows that were. `only_movable`:
    only rows of sources that say so (`may_move`). Run it in a transaction."""
    await connection.execute(q.ensure_pool_lanes, list(device_nos), only_movable)
    return len(await connection.fetch(q.give_back, list(device_nos), only_movable))


async def leave_devices(connection: Executor, device_nos: Sequence[int]) -> None:
    """These devices are about to be deleted: what waits there for a source goes to the pool, what is just being sent is
    unknown, and what no source has sent is deleted. Run it in the transaction that deletes them."""
    # first: a send that fails now would be queued again behind what is given back
    await connection.execute(q.lose_sends, list(device_nos))
    await give_back(connection, device_nos, only_movable=False)
    await connection.execute(q.delete_sends, list(device_nos))
