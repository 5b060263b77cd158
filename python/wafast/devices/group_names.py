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
#: Between two questions of a device to WhatsApp.
ASK_SECONDS = 0.2
AWAY_SECONDS = 2.0

Group = tuple[int, str]


class GroupNames:
    """Asks WhatsApp for subjects, each once, through the device that met the group; each device on its own, as WhatsApp
    may leave one without an answer for more than a minute."""

    def __init__(self, pool: asyncpg.Pool, session_of: Callable[[int], Session | None]) -> None:
        """`session_of` gives the session of a device that is online."""
        self._pool, self._session_of = pool, session_of
        self._wanted: set[Group] = set()
        self._asking: dict[int, asyncio.Task[None]] = {}
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
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                await asyncio.sleep(GATHER_SECONDS)
                try:
                    await self._begin()
                except DATABASE_AWAY:
                    await asyncio.sleep(AWAY_SECONDS)
                    self.wake()
        finally:
            for task in list(self._asking.values()):
                task.cancel()

    async def _begin(self) -> None:
        free = {group for group in self._wanted if group[0] not in self._asking}  # the others look again when they end
        ready = {group for group in free if self._session_of(group[0]) is not None}
        if not ready:
            return
        devices, jids = [device_no for device_no, _ in ready], [jid for _, jid in ready]
        nameless: dict[int, list[str]] = {}
        for row in await self._pool.fetch(q.nameless, devices, jids):
            nameless.setdefault(row["device_no"], []).append(row["jid"])
        self._wanted -= {group for group in ready if group[1] not in nameless.get(group[0], ())}
        for device_no, asked in nameless.items():
            self._asking[device_no] = asyncio.create_task(self._ask_all(device_no, asked))

    async def _ask_all(self, device_no: int, jids: list[str]) -> None:
        try:
            for jid in jids:
                session = self._session_of(device_no)
                if session is None:
                    return  # asked when it is back
                await self._ask(session, device_no, jid)
                self._wanted.discard((device_no, jid))
                await asyncio.sleep(ASK_SECONDS)
        except Offline:
            return
        except Exception:
            log.exception("groups have no name yet", device=device_no)
        finally:
            del self._asking[device_no]
            if any(wanted not in jids for no, wanted in self._wanted if no == device_no):
                self.wake()  # it has met more meanwhile

    async def _ask(self, session: Session, device_no: int, jid: str) -> None:
        try:
            await session.name_group(jid)
        except Offline:
            raise
        except SessionError as error:
            log.info("a group's subject is not told", device=device_no, group=jid, error=str(error))
