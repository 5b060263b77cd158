"""Files of new messages, fetched before anybody looks at them (`WAFAST_MEDIA=eager`).

What is wanted is a row: the core writes it in the transaction that stores the message, and tells the worker. So a file
that did not come before a restart comes after it, and nothing is asked while there is nothing to do.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import asyncpg

from wafast import logs
from wafast.database.away import DATABASE_AWAY
from wafast.devices.backoff import COOLDOWN_SECONDS, retry_seconds
from wafast.devices.media_fetcher import MediaFetcher
from wafast.devices.session import Expired, Offline, Session, SessionError
from wafast.inbox import media_fetches
from wafast.inbox.media_fetches import Wanted
from wafast.inbox.media_store import NotStored

log = logs.get("devices.eager_media")

#: The core's code of an event that says that there are new files (`_core.Ingest.control`).
NEW_FILES = -2
#: Of a worker: sends and views have 253 of the 256 threads for calls to themselves.
AT_ONCE = 3
#: Failures until a file waits for somebody to look at it; with the pauses between them about a quarter of an hour.
MOST_ATTEMPTS = 10
#: Bytes. neonize holds a file several times over in memory; larger ones are fetched when somebody looks at them.
LARGEST = 64 << 20
AWAY_SECONDS = 2.0


class EagerMedia:
    """Fetches files for the devices that are online at this worker, those of the newest messages first."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        fetcher: MediaFetcher,
        online: Callable[[], Sequence[int]],
        session_of: Callable[[int], Session | None],
    ) -> None:
        """`session_of` gives the session of a device that is online."""
        self._pool, self._fetcher = pool, fetcher
        self._online, self._session_of = online, session_of
        self._running: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There are new files, or a device came online."""
        self._woken.set()

    async def run(self) -> None:
        """Fetch until cancelled."""
        try:
            while True:
                self._woken.clear()
                try:
                    wait = await self._begin()
                except DATABASE_AWAY:
                    wait = AWAY_SECONDS
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), wait)
        finally:
            for task in list(self._running.values()):
                task.cancel()

    async def _begin(self) -> float | None:
        """Begin what there is room for; gives the seconds until a file may be tried again, if one waits for that."""
        online = list(self._online())
        room = AT_ONCE - len(self._running)
        if not online or room == 0:
            return None  # a device that comes online, and a file that ends, wake
        files = await media_fetches.next_wanted(self._pool, online, list(self._running), room)
        for file in files:
            self._running[file.chat_id, file.key] = asyncio.create_task(self._carry_out(file))
        return None if len(files) == room else await media_fetches.seconds_until_wanted(self._pool, online)

    async def _carry_out(self, file: Wanted) -> None:
        try:
            await self._fetch(file)
        except DATABASE_AWAY as error:
            log.warning("a file is not fetched while the database is away", error=str(error))
            await asyncio.sleep(AWAY_SECONDS)
        except Exception as error:
            log.exception("a file was not fetched", device=file.device_no)
            with contextlib.suppress(*DATABASE_AWAY):
                await self._failed(file, f"it went wrong: {error}")
        finally:
            del self._running[file.chat_id, file.key]
            self.wake()

    async def _fetch(self, file: Wanted) -> None:
        if file.size > LARGEST:
            await media_fetches.give_up(self._pool, file, "it is large: it is fetched when somebody looks at it")
            return
        session = self._session_of(file.device_no)
        try:
            if session is None:
                raise Offline("the device is not connected")
            await self._fetcher.fetch(file.device_no, session, file.chat_id, file.key)
        except Offline as error:
            await media_fetches.try_later(self._pool, file, COOLDOWN_SECONDS, reason=str(error), counts=False)
        except Expired:
            log.info("a file has expired before it was fetched", device=file.device_no)
        except (SessionError, NotStored) as error:
            await self._failed(file, str(error))

    async def _failed(self, file: Wanted, reason: str) -> None:
        if file.attempts + 1 < MOST_ATTEMPTS:
            await media_fetches.try_later(self._pool, file, retry_seconds(file.attempts), reason=reason, counts=True)
        else:
            log.warning("a file is given up until somebody looks at it", device=file.device_no, reason=reason)
            await media_fetches.give_up(self._pool, file, reason)
