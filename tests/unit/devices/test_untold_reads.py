"""What is read while somebody looks for what was read."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import asyncpg

from wafast.devices.session import Session
from wafast.devices.untold_reads import UntoldReads, q


async def test_what_is_read_while_the_rows_are_looked_for_is_told_too() -> None:
    looked = asyncio.Event()

    class Pool:
        """A chat is read after the first look has begun."""

        is_read = False

        async def fetch(self, query: str, *_: object) -> list[dict[str, Any]]:
            if query != q.devices_to_tell:
                looked.set()
                return []
            found, self.is_read = [{"device_no": 7}] if self.is_read else [], True
            reads.wake([7])
            return found

    reads = UntoldReads(cast(asyncpg.Pool, Pool()), lambda _: None)
    running = asyncio.create_task(reads.run())
    try:
        reads.wake([7])
        await asyncio.wait_for(looked.wait(), 60)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_what_went_over_to_another_chat_while_it_was_told_is_told_there() -> None:
    looks = asyncio.Queue[int]()

    class Pool:
        """The chat becomes part of another before its row is put away."""

        rows = iter([[{"chat_id": 1, "device_no": 7, "jid": "9@lid", "from_key": 0, "unread": 1}], []])

        async def fetch(self, query: str, *_: object) -> list[dict[str, Any]]:
            if query == q.read_messages:
                return []
            if query == q.devices_to_tell:
                return [{"device_no": 7}]
            looks.put_nowait(1)
            return next(self.rows, [])

        async def execute(self, _query: str, *_: object) -> str:
            return "DELETE 0"

    reads = UntoldReads(cast(asyncpg.Pool, Pool()), lambda _: cast(Session, object()))
    running = asyncio.create_task(reads.run())
    try:
        reads.wake([7])
        for _ in range(2):
            await asyncio.wait_for(looks.get(), 60)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
