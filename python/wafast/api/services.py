"""What handlers work with: one object, made when the API process starts and closed when it ends."""

from __future__ import annotations

import asyncio
import copy
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import asyncpg

    from wafast.ai_client import Endpoint
    from wafast.api.fetches import Fetches
    from wafast.api.idempotency import IdempotencyKeys
    from wafast.api.metrics import Metrics
    from wafast.events.calls import Caller
    from wafast.events.hub import Hub
    from wafast.inbox.media_store import MediaStore
    from wafast.settings import Settings

log = logging.getLogger("wafast.api")


class Services:
    """The process' settings, connections and stores.

    Args:
        settings: of this start.
        pool: connections to PostgreSQL.
        caller: asks the worker that holds a device.
        hub: live frames for the sockets of this process.
        media: files on disk.
        fetches: files on their way.
        idempotency: keys of creates and sends.
        metrics: what this process counts.
        ai: drafts replies; None where no endpoint is set.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        pool: asyncpg.Pool,
        caller: Caller,
        hub: Hub,
        media: MediaStore,
        fetches: Fetches,
        idempotency: IdempotencyKeys,
        metrics: Metrics,
        ai: Endpoint | None,
    ) -> None:
        self.settings = settings
        self.pool = pool
        self.caller = caller
        self.hub = hub
        self.media = media
        self.fetches = fetches
        self.idempotency = idempotency
        self.metrics = metrics
        self.ai = ai
        self._tasks: set[asyncio.Task[Any]] = set()

    def on(self, pool: asyncpg.Pool) -> Services:
        """The same on another pool, for one request."""
        other = copy.copy(self)
        other.pool = pool
        return other

    def in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Runs work that the answer does not wait for; a failure is logged, ``settle`` waits for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def hurry(self) -> None:
        """The process is to end, and waits for its requests: those that wait for the AI endpoint are told now."""
        if self.ai is not None:
            self.in_background(self.ai.close())

    async def settle(self, seconds: float) -> None:
        """Waits for background work, and cancels what is not done in time."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=seconds)
        for task in late:
            task.cancel()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("background work failed", exc_info=task.exception())
