"""Who is in a group, kept as WhatsApp says: 500 members do not fit the answer to a call.

It is asked when somebody wants to know, and when members read what we wrote: it is read once each of them has read it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

import asyncpg
import msgspec

from wafast import logs
from wafast.database.queries import load
from wafast.devices.session import Offline, Session, SessionError
from wafast.events import bus
from wafast.inbox.members import OLD_SECONDS

q = load(__file__)
log = logs.get("devices.group_members")

#: The core's code of an event that names groups in which something of ours was read, a chat's id a line
#: (`_core.Ingest.control`).
GROUPS_READ = -3
#: Between two questions of a device to WhatsApp.
ASK_SECONDS = 1.0


async def read(pool: asyncpg.Pool, device_no: int, session: Session, chat_id: int) -> None:
    """Ask for the members of a device's group, keep them, and mark what all of them have read. Raises SessionError."""
    group = await pool.fetchrow(q.group_of_chat, device_no, chat_id)
    if group is None:
        return
    members = msgspec.to_builtins(await session.members(group["jid"]))
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(q.lock_chat, chat_id)
        await connection.execute(q.keep_members, device_no, chat_id, group["asked_at"], members)
        read = await connection.fetch(q.mark_read_by_all, chat_id)
        if read:
            where = {"t": read[0]["tenant_id"], "d": device_no}
            rows = [row["outbox_id"] for row in read if row["outbox_id"] is not None]
            events: list[bus.Event] = [
                {"k": "status", **where, "c": chat_id, "m": [row["key"] for row in read]},
                {"k": "chat", **where, "c": [chat_id]},
            ]
            await bus.publish(connection, events + ([{"k": "outbox", **where, "o": rows}] if rows else []))


class GroupMembers:
    """Asks for the members of groups that read what we write, each at most every quarter of an hour; each device on its
    own, as WhatsApp may leave one without an answer for more than a minute."""

    def __init__(self, pool: asyncpg.Pool, session_of: Callable[[int], Session | None]) -> None:
        """`session_of` gives the session of a device that is online."""
        self._pool, self._session_of = pool, session_of
        self._heard = asyncio.Queue[int]()
        self._wanted: dict[int, set[int]] = {}
        self._asked: dict[int, float] = {}
        self._asking: dict[int, asyncio.Task[None]] = {}

    def heard(self, device_no: int, chat_ids: Collection[int]) -> None:
        """Something was read in these groups."""
        now = time.monotonic()
        due = {chat_id for chat_id in chat_ids if now - self._asked.get(chat_id, -OLD_SECONDS) >= OLD_SECONDS}
        if due:
            self._asked |= dict.fromkeys(due, now)
            self._wanted.setdefault(device_no, set()).update(due)
            self._heard.put_nowait(device_no)

    async def run(self) -> None:
        """Ask until cancelled."""
        try:
            while True:
                device_no = await self._heard.get()
                if device_no not in self._asking:
                    self._asking[device_no] = asyncio.create_task(self._ask_all(device_no))
        finally:
            for task in list(self._asking.values()):
                task.cancel()

    async def _ask_all(self, device_no: int) -> None:
        now = time.monotonic()
        self._asked = {chat_id: at for chat_id, at in self._asked.items() if now - at < OLD_SECONDS}
        try:
            while wanted := self._wanted.pop(device_no, None):
                for row in await self._pool.fetch(q.unknown_members, device_no, list(wanted), OLD_SECONDS):
                    session = self._session_of(device_no)
                    if session is None:
                        return
                    await self._ask(device_no, session, row["id"])
                    await asyncio.sleep(ASK_SECONDS)
        except Offline:
            return
        except Exception:
            log.exception("members of groups are not known", device=device_no)
        finally:
            del self._asking[device_no]

    async def _ask(self, device_no: int, session: Session, chat_id: int) -> None:
        try:
            await read(self._pool, device_no, session, chat_id)
        except Offline:
            raise
        except SessionError as error:
            log.info("a group's members are not told", device=device_no, chat=chat_id, error=str(error))
