"""Where sends that have ended wait to be recorded: those of a worker go together, one transaction after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from wafast import logs
from wafast.database.away import DATABASE_AWAY
from wafast.outbox.transition import End

log = logs.get("outbox.ends")

#: Ends of one transaction: while it is under way, others of the worker's lines are claimed, and end. With 50 a send
#: costs a fifth more CPU, with 500 a tenth less, but 200 lines then wait for each other.
AT_ONCE = 100
#: Waits before an end is tried again, in seconds.
FIRST_RETRY = 0.2
LONGEST_RETRY = 5.0
#: What is over in a moment for one end alone: also that others hold its device or its chat.
PASSING: tuple[type[Exception], ...] = (*DATABASE_AWAY, asyncpg.LockNotAvailableError)


class Group:
    """Ends that go together, by their devices: of each one, so that no device and no chat is written twice."""

    def __init__(self) -> None:
        self.ends: dict[int, End] = {}
        self.written: asyncio.Task[None] | None = None

    def has_room_for(self, end: End) -> bool:
        """Whether an end can go with these."""
        return end.claim.device_no not in self.ends and len(self.ends) < AT_ONCE


class Ends:
    """Records ends. One that comes when it is calm is written at once; those that come while a transaction is under way
    are all in the next. Where something spoils a transaction of several, each of them goes alone, beside the next: of a
    worker's connections two are used at most, so that claims find one free."""

    def __init__(self, write: Callable[[Sequence[End]], Awaitable[object]]) -> None:
        """`write` records ends, of each device at most one, in one transaction."""
        self._write_all = write
        self._coming = Group()
        self._together, self._alone = asyncio.Lock(), asyncio.Lock()

    async def record(self, end: End) -> None:
        """Returns when an end is recorded, however long the database is away: it cannot be found out again. Raises when
        it can't be recorded even alone."""
        try:
            await _patiently(lambda: self._with_others(end), DATABASE_AWAY)
        except Exception:
            await _patiently(lambda: self._by_itself(end), PASSING)

    async def _with_others(self, end: End) -> None:
        if not self._coming.has_room_for(end):
            self._coming = Group()
        group = self._coming
        group.ends[end.claim.device_no] = end
        if group.written is None:
            group.written = asyncio.create_task(self._write_group(group))
        await asyncio.shield(group.written)

    async def _write_group(self, group: Group) -> None:
        async with self._together:
            if self._coming is group:
                self._coming = Group()
            await self._write(list(group.ends.values()))

    async def _by_itself(self, end: End) -> None:
        async with self._alone:
            await self._write([end])

    async def _write(self, ends: Sequence[End]) -> None:
        try:
            await self._write_all(ends)
        except Exception as error:
            log.warning("ends of sends are not written yet", count=len(ends), first=ends[0].claim.id, error=str(error))
            raise


async def _patiently(write: Callable[[], Awaitable[None]], passing: tuple[type[Exception], ...]) -> None:
    """Again and again while it is one of these errors."""
    pause = FIRST_RETRY
    while True:
        try:
            return await write()
        except passing:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_RETRY)
