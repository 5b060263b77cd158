"""What people are called who write, read and react in chats of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

q = load(__file__)


async def names_of(pool: asyncpg.Pool, people: Iterable[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """Names of people, each a chat and a JID in it, by these; of whom nothing is known there is none. One query.

    Args:
        people: in chats that the caller may see.
    """
    asked = list(people)
    if not asked:
        return {}
    rows = await pool.fetch(q.names_of, [chat_id for chat_id, _ in asked], [jid for _, jid in asked])
    return {(row["chat_id"], row["jid"]): row["name"] for row in rows if row["name"]}
