"""What is remembered of files that are wanted, and of files that could not be had. One that was fetched has no row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from wafast.database.queries import load
from wafast.events import bus

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

q = load(__file__)

#: So long WhatsApp isn't asked again for a file it did not have, unless a person wants to try. A phone that uploads it
#: anew, because somebody there forwards it, makes another message.
EXPIRED_SECONDS = 24 * 3600.0
#: A place (chat, key) before all.
BEFORE_ALL = (0, 0)


class Wanted(msgspec.Struct, frozen=True):
    """A file that is to come by itself.

    Args:
        chat_id: of its message.
        key: of its message.
        device_no: the device that can fetch it.
        attempts: how often that has failed.
        size: bytes, as the message says.
    """

    chat_id: int
    key: int
    device_no: int
    attempts: int
    size: int


async def next_wanted(
    pool: asyncpg.Pool, device_nos: Sequence[int], running: Sequence[tuple[int, int]], limit: int
) -> list[Wanted]:
    """Files to fetch now, those of the newest messages first.

    Args:
        pool: connections to PostgreSQL.
        device_nos: devices that could.
        running: (chat, key) of what is being fetched.
        limit: how many at most.
    """
    chats, keys = [chat for chat, _ in running], [key for _, key in running]
    rows = await pool.fetch(q.next_wanted, device_nos, chats, keys, limit)
    return [Wanted(**row) for row in rows]


async def seconds_until_wanted(pool: asyncpg.Pool, device_nos: Sequence[int]) -> float | None:
    """When a file of these devices may be tried again, from now; None when none waits for its time."""
    seconds: float | None = await pool.fetchval(q.seconds_until_wanted, device_nos)
    return seconds


async def forget_gone(pool: asyncpg.Pool, after: tuple[int, int]) -> tuple[int, int]:
    """Forget those whose message is gone, of the next thousand after a place (chat, key); gives where to go on."""
    last = await pool.fetchrow(q.forget_gone, *after)
    return BEFORE_ALL if last is None else (last["chat_id"], last["key"])


async def try_later(pool: asyncpg.Pool, file: Wanted, seconds: float, *, reason: str, counts: bool) -> None:
    """A wanted file did not come; `counts` says that this was an attempt."""
    await pool.execute(q.try_fetch_later, file.chat_id, file.key, seconds, reason, counts)


async def give_up(pool: asyncpg.Pool, file: Wanted, reason: str) -> None:
    """A wanted file does not come by itself any more; a view tries again."""
    await pool.execute(q.give_up_fetch, file.chat_id, file.key, reason)


async def expire(pool: asyncpg.Pool, chat_id: int, key: int, reason: str) -> None:
    """WhatsApp does not have a message's file any more: browsers are told, and it isn't asked for a day."""
    await _tell(pool, await pool.fetchrow(q.expire_fetch, chat_id, key, reason, EXPIRED_SECONDS))


async def forget(pool: asyncpg.Pool, chat_id: int, key: int) -> None:
    """The file is here, or its message is gone. Browsers are told where they show that it has expired."""
    row = await pool.fetchrow(q.forget_fetch, chat_id, key)
    if row is not None and row["state"] == "expired":
        await _tell(pool, row)


async def _tell(pool: asyncpg.Pool, row: asyncpg.Record | None) -> None:
    if row is not None:
        event = {"k": "status", "t": row["tenant_id"], "d": row["device_no"], "c": row["chat_id"], "m": [row["key"]]}
        await bus.publish(pool, [event])
