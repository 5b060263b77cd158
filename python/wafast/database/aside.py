"""Parts of a job that can't be done just now, put aside so that the others are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import asyncpg

from wafast import logs
from wafast.database.away import DATABASE_AWAY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

Done = TypeVar("Done")

log = logs.get("database.aside")

#: What has a fault is looked at again after so long.
AGAIN_SECONDS = 60.0
#: What somebody else holds is after so long.
HELD_SECONDS = 2.0


class Aside:
    """What of one job is put aside.

    Args:
        job: its name in the log.
    """

    def __init__(self, job: str) -> None:
        self._job = job
        #: by id, when it is looked at again, as `time.monotonic` counts
        self._again: dict[int, float] = {}

    def __iter__(self) -> Iterator[int]:
        now = time.monotonic()
        self._again = {part: again for part, again in self._again.items() if again > now}
        return iter(self._again)

    def put(self, part: int) -> None:
        """Somebody else holds it: it is looked at again after HELD_SECONDS."""
        self._again[part] = time.monotonic() + HELD_SECONDS

    @property
    def looks(self) -> Sequence[float]:
        """When something is looked at again, as `time.monotonic` counts."""
        return list(self._again.values())

    async def do_first(
        self, first: Callable[[list[int]], Awaitable[int | None]], work: Callable[[int], Awaitable[Done | None]]
    ) -> Done | None:
        """Does the first part that can be done, and gives what that gives; None when there is none.

        Args:
            first: gives the part whose turn it is, but none of these.
            work: does it, in a transaction of its own; gives None when it is gone meanwhile.

        Raises:
            Exception: the database is away (`database.away`), which is no part's fault.
        """
        while (one := await first(list(self))) is not None:
            try:
                if (done := await work(one)) is not None:
                    return done
            except DATABASE_AWAY:
                raise
            except asyncpg.LockNotAvailableError:
                self.put(one)
            except Exception:
                log.exception("a part of a job can't be done", job=self._job, part=one)
                self._again[one] = time.monotonic() + AGAIN_SECONDS
        return None
