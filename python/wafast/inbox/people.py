"""What people are called who write, read and react in chats of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from wafast import phones
from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

q = load(__file__)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in a chat; what they did there is told beside it."""

    jid: Annotated[str, Meta(examples=["60198765432@s.whatsapp.net"])]
    phone: Annotated[
        str | None, Meta(description="E.164; null while only the LID is known.", examples=["+60198765432"])
    ]
    name: Annotated[str | None, Meta(description="Best known name.", examples=["Aisyah"])]


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


async def people_of(pool: asyncpg.Pool, chat_id: int, jids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The fields of a Person for each JID in a chat that the caller may see."""
    asked = list(jids)
    names = await names_of(pool, [(chat_id, jid) for jid in asked])
    return {jid: {"jid": jid, "phone": phones.of_jid(jid), "name": names.get((chat_id, jid))} for jid in asked}
