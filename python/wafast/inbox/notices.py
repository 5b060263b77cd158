"""What became of a group, as the core tells of it (rust/core/src/notice.rs); pages word it in their own language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

q = load(__file__)


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a group."""

    did: Annotated[str, Meta(description="What: `added`, `left`, `renamed` and so on.", examples=["added"])]
    people: Annotated[
        list[str], Meta(description="JIDs of whom it happened to.", examples=[["60123456789@s.whatsapp.net"]])
    ]
    words: Annotated[str | None, Meta(description="The new name or description.", examples=["Keluarga"])]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a `system` message says in English, for other languages."""

    who: Annotated[
        str | None,
        Meta(description="JID of who did it, where no name came with it.", examples=["60123456789@s.whatsapp.net"]),
    ]
    happened: list[Happened]


def notice_of(media: dict[str, Any] | None) -> Notice | None:
    """The notice in a row's ``media``; None where that is something else, or older than notices are."""
    if media is None or media.get("type") != "notice":
        return None
    happened = [
        Happened(did=one["did"], people=one.get("people", []), words=one.get("words")) for one in media["happened"]
    ]
    return Notice(who=media.get("who"), happened=happened)


async def last_notices(pool: asyncpg.Pool, chats: Sequence[int]) -> dict[int, Notice | None]:
    """What the newest messages of these chats say, which are `system` messages. No query for none."""
    rows = await pool.fetch(q.last_notices, chats) if chats else []
    return {row["chat_id"]: notice_of(row["media"]) for row in rows}
