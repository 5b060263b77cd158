"""Messages that were announced and wait to be looked at, for jobs that follow what is stored."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING

import msgspec

from wafast.events.bus import EVENTS, Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

MessageKey = tuple[int, int]  # chat and key

#: Messages that may wait, some 20 to 30 MB; of more a job looks later what came.
MOST_WAITING = 200_000


class Announced:
    """What one connection heard of, each once. A job that crashes loses it: `has_missed` is true at the start.

    Args:
        only_messages: whether `heard` tells of messages alone, or of whatever happens.
    """

    def __init__(self, *, only_messages: bool = False) -> None:
        self._places: dict[MessageKey, float] = {}  # and when each was first heard of, in this order
        self._only_messages = only_messages
        #: something came, or the connection is cut: then the next statement raises
        self.heard = asyncio.Event()
        #: more came than may wait, or nobody listened
        self.has_missed = True

    def __len__(self) -> int:
        return len(self._places)

    async def listen(self, connection: asyncpg.Connection) -> None:
        """Hear from now on."""
        connection.add_termination_listener(lambda _: self.heard.set())
        await connection.add_listener(EVENTS, lambda _c, _p, _n, payload: self._hear(str(payload)))

    def add(self, places: Iterable[MessageKey]) -> None:
        """Let more wait."""
        now = time.monotonic()
        for place in places:
            self._places.setdefault(place, now)

    def oldest_seconds(self) -> float:
        """How long the one has waited that waits longest; 0 when none does."""
        return next((time.monotonic() - heard for heard in self._places.values()), 0.0)

    def take_first(self, count: int) -> list[MessageKey]:
        """What has waited longest, `count` at most."""
        taken = list(itertools.islice(self._places, count))
        for place in taken:
            del self._places[place]
        return taken

    def take_last(self, count: int) -> list[MessageKey]:
        """What came last, `count` at most."""
        return [self._places.popitem()[0] for _ in range(min(count, len(self._places)))]

    def _hear(self, payload: str) -> None:
        # most of what passes here is about ticks and chats, and need not be read
        is_of_messages = '"message"' in payload
        for event in msgspec.json.decode(payload, type=list[Event]) if is_of_messages else ():
            if event.get("k") == "message" and len(self._places) >= MOST_WAITING:
                self.has_missed = True
            elif event.get("k") == "message":
                self.add((event["c"], key) for key in event["m"])
        if is_of_messages or not self._only_messages:
            self.heard.set()
