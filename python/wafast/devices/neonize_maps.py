"""Who may touch neonize's maps of clients now: they have no lock, and a write beside anything else ends the process.

A client that starts writes until its dial is seen, one that stops writes while it stops. A client that logs in reads at
some instant between its dial and the event that says whose it is, and each call reads as it begins. Reads among
themselves are harmless. So starts go one by one in batches, their dials unanswered meanwhile; then all of the batch log
in together, which takes no longer than one of them; then comes the next batch.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

#: How long a call that has begun may take to look its client up.
SETTLE_SECONDS = 0.002
#: Starts and stops in a row while clients wait to log in.
BATCH = 25


class Maps:
    """The turns of one process."""

    def __init__(self) -> None:
        self._writing = False
        self._writers = 0  # that wait
        self._in_a_row = 0
        self._logging_in = 0
        self._readers = 0  # that wait to log in
        self._last_call = 0.0
        self._waiting: list[asyncio.Future[None]] = []

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """A client starts or stops: no other does, none logs in, and no call begins."""
        self._writers += 1
        try:
            await self._until(self._may_write)
        finally:
            self._writers -= 1
            self._move()  # who gave way to this one, which may have been cancelled
        self._writing = True
        self._in_a_row += 1
        try:
            await asyncio.sleep(max(0.0, self._last_call + SETTLE_SECONDS - time.monotonic()))
            yield
        finally:
            self._writing = False
            self._move()

    @contextlib.asynccontextmanager
    async def logging_in(self) -> AsyncIterator[None]:
        """A client that has dialled logs in: nothing starts or stops."""
        self._readers += 1
        try:
            await self._until(self._may_log_in)
        finally:
            self._readers -= 1
            self._move()
        self._logging_in += 1
        try:
            yield
        finally:
            self._logging_in -= 1
            if not self._logging_in:
                self._in_a_row = 0
            self._move()

    async def calling(self) -> None:
        """A call may begin once this returns."""
        await self._until(lambda: not self._writing)
        self._last_call = time.monotonic()

    def _may_write(self) -> bool:
        return not self._writing and not self._logging_in and (self._in_a_row < BATCH or not self._readers)

    def _may_log_in(self) -> bool:
        return not self._writing and (not self._writers or self._in_a_row >= BATCH or self._logging_in > 0)

    async def _until(self, may: Callable[[], bool]) -> None:
        while not may():
            moved = asyncio.get_running_loop().create_future()
            self._waiting.append(moved)
            await moved

    def _move(self) -> None:
        waiting, self._waiting = self._waiting, []
        for moved in waiting:
            if not moved.done():
                moved.set_result(None)
