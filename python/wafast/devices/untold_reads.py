"""After a chat was read here, its phone and its senders are told: blue ticks there, no badge on the phone.

What is to be told is a row, written when the chat is read. So it leaves at once where the device is online, and else
when it is back, whatever was restarted meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from itertools import groupby

import asyncpg

from wafast import logs
from wafast.database.away import DATABASE_AWAY
from wafast.database.queries import load
from wafast.devices.session import Session, SessionError

q = load(__file__)
log = logs.get("devices.untold_reads")

#: Messages of one chat that are named; older ones are read there with the newest.
MOST_NAMED = 500
#: Reads that come together are looked for together.
GATHER_SECONDS = 0.01
AWAY_SECONDS = 2.0


class UntoldReads:
    """Tells what was read to the phones of this worker, each phone on its own."""

    def __init__(self, pool: asyncpg.Pool, session_of: Callable[[int], Session | None]) -> None:
        """`session_of` gives the session of a device that is online."""
        self._pool, self._session_of = pool, session_of
        self._due: set[int] = set()
        self._telling: dict[int, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()

    def wake(self, device_nos: Iterable[int]) -> None:
        """Chats of these devices were read, or they came online."""
        self._due.update(device_nos)
        self._woken.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        try:
            while True:
                await self._woken.wait()
                await asyncio.sleep(GATHER_SECONDS)
                self._woken.clear()
                try:
                    await self._begin()
                except DATABASE_AWAY:
                    await asyncio.sleep(AWAY_SECONDS)
                    self._woken.set()
        finally:
            for task in list(self._telling.values()):
                task.cancel()

    async def _begin(self) -> None:
        due = self._due - self._telling.keys()  # the others are looked at again when they are done
        self._due -= due
        try:
            rows = await self._pool.fetch(q.devices_to_tell, list(due))
        except DATABASE_AWAY:
            self._due |= due
            raise
        for row in rows:
            self._telling[row["device_no"]] = asyncio.create_task(self._carry_out(row["device_no"]))

    async def _carry_out(self, device_no: int) -> None:
        try:
            await self._tell_all(device_no)
        except DATABASE_AWAY:
            await asyncio.sleep(AWAY_SECONDS)
            self._due.add(device_no)
        except Exception:
            log.exception("a phone was not told what was read", device=device_no)
        finally:
            del self._telling[device_no]
            if device_no in self._due:
                self._woken.set()

    async def _tell_all(self, device_no: int) -> None:
        for row in await self._pool.fetch(q.untold_reads, device_no):
            session = self._session_of(device_no)
            if session is None:
                return  # told when it is back
            try:
                await self._tell(session, row)
            except SessionError as error:
                log.info("a phone was not told that a chat was read", device=device_no, reason=str(error))

    async def _tell(self, session: Session, row: asyncpg.Record) -> None:
        messages = await self._pool.fetch(
            q.read_messages, row["chat_id"], row["from_key"], min(row["unread"], MOST_NAMED)
        )
        named = sorted((message["sender_jid"] or row["jid"], message["message_id"]) for message in messages)
        for sender, of_sender in groupby(named, key=lambda one: one[0]):
            await session.mark_read(row["jid"], sender, [message_id for _, message_id in of_sender])
        if await self._pool.execute(q.forget_told, row["chat_id"], row["unread"]) == "DELETE 0":
            # more was read meanwhile, or the chat became part of another, whose row it is then
            self._due.add(row["device_no"])
