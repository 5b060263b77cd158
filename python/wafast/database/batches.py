"""A batch of many tenants' work in which one part has a fault: the others are done, and only that one is given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from wafast.database.away import DATABASE_AWAY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

Part = TypeVar("Part")


async def do(
    batch: Sequence[Part],
    work: Callable[[Sequence[Part]], Awaitable[object]],
    give_up: Callable[[Part, Exception], Awaitable[object]],
) -> None:
    """Does a batch at once; where that fails, each half of it, so that one fault in 500 costs 19 tries and not 500.
    What fails alone is tried once more: its fault may have been what somebody else was just deleting.

    Args:
        batch: what is to be done.
        work: does some of it: all or nothing, or so that doing it again does no harm.
        give_up: gets what fails alone twice, and why. That the database is away is nobody's fault, and is raised.
    """
    try:
        await work(batch)
    except DATABASE_AWAY:
        raise
    except Exception:
        if len(batch) == 1:
            await _do_alone(batch, work, give_up)
            return
        middle = len(batch) // 2
        await do(batch[:middle], work, give_up)
        await do(batch[middle:], work, give_up)


async def _do_alone(
    lone: Sequence[Part],
    work: Callable[[Sequence[Part]], Awaitable[object]],
    give_up: Callable[[Part, Exception], Awaitable[object]],
) -> None:
    try:
        await work(lone)
    except DATABASE_AWAY:
        raise
    except Exception as error:
        await give_up(lone[0], error)
