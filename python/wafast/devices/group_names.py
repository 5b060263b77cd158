"""The subjects of groups that nothing has named: neither the history, nor WhatsApp when the device joined."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg

from wafast import logs
from wafast.database.away import DATABASE_AWAY
from wafast.database.queries import load
from wafast.devices.session import Offline, Session, SessionError

q = load(__file__)
log = logs.get("devices.group_names")

#: The core's code of an event that names chats without a name, a JID a line (`_core.Ingest.control`).
NAMELESS_CHATS = -1
#: Groups met together are looked up together; by then most have been named.
GATHER_SECONDS = 0.5
#: Between two questions to WhatsApp.
ASK_SECONDS = 0.2
AWAY_SECONDS = 2.0

Group = tuple[int, str]


class GroupNames:
    """Asks WhatsApp for subjects, each once, through the device that met the group."""

    def __init__(self, pool: asyncpg.Pool, session_of: Callable[[int], Session | None]) -> None:
        """`session_of` gives the session of a device that is online."""
        self._pool, self._session_of = pool, session_of
        self._wanted: set[Group] = set()
        self._woken = asyncio.Event()

    def want(self, device_no: int, jids: list[str]) -> None:
        """A device has met chats without a name; only groups matter here."""
        self._wanted.update((device_no, jid) for jid in jids if jid.endswith("@g.us"))
        self.wake()

    def wake(self) -> None:
        """A device came online, or a group is wanted."""
        if self._wanted:
            self._woken.set()

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            await asyncio.sleep(GATHER_SECONDS)
            try:
                await self._ask_all()
            except DATABASE_AWAY:
                await asyncio.sleep(AWAY_SECONDS)
                self.wake()

    async def _ask_all(self) -> None:
        ready = {group for group in self._wanted if self._session_of(group[0]) is not None}
        if not ready:
            return
        devices, jids = [device_no for device_no, _ in ready], [jid for _, jid in ready]
        nameless = {(row["device_no"], row["jid"]) for row in await self._pool.fetch(q.nameless, devices, jids)}
        self._wanted -= ready - nameless
        for device_no, jid in nameless:
            await self._ask(device_no, jid)

    async def _ask(self, device_no: int, jid: str) -> None:
        session = self._session_of(device_no)
        if session is None:
            return  # asked when it is back
        try:
            await session.name_group(jid)
        except Offline:
            return
        except SessionError as error:
            log.info("a group's subject is not told", device=device_no, group=jid, error=str(error))
        self._wanted.discard((device_no, jid))
        await asyncio.sleep(ASK_SECONDS)
