"""What was sent in a chat or on a device: pictures, videos, documents and links, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from wafast.database.queries import load
from wafast.inbox.messages import Message, get_messages, messages_of

if TYPE_CHECKING:
    import asyncpg

    from wafast.inbox.reach import Reach

q = load(__file__)

GalleryKind = Literal["image", "video", "document", "link"]

#: Codes of message_kind; links are found in the words of any message.
CODES: dict[GalleryKind, tuple[int, ...]] = {"image": (1,), "video": (2,), "document": (5,), "link": ()}
#: Rows of a chat looked at for one page: in a chat that keeps everything, pictures may be far between.
ROWS_OF_ONE_CHAT = 5000
ROWS_A_CHAT = 200


class GalleryPage(msgspec.Struct, frozen=True):
    """Messages, newest first, and the place (key, chat) the next page starts after; None at the end."""

    items: list[Message]
    last: tuple[int, int] | None


async def gallery(
    pool: asyncpg.Pool,
    reach: Reach,
    kind: GalleryKind,
    *,
    device: int | None = None,
    chat: int | None = None,
    after: tuple[int, int],
    limit: int,
) -> GalleryPage:
    """A page of a chat's gallery, or of a device's.

    It may have fewer items than the limit, even none, and still be followed by another one: the rows looked at are
    bounded, and what is wanted may be rare among them.

    Args:
        device: the device's inner number; within the caller's reach.
        chat: only this chat.
        after: the place before, (key, chat).
        limit: how many at most.
    """
    rows = await pool.fetch(
        q.gallery,
        reach.tenant_id,
        reach.device_ids,
        device,
        chat,
        CODES[kind],
        kind == "link",
        *after,
        ROWS_A_CHAT if chat is None else ROWS_OF_ONE_CHAT,
        limit + 1,
    )
    places = [(row["key"], row["chat_id"]) for row in rows if row["key"] is not None]
    found = await get_messages(pool, [reach.tenant_id], [(chat_id, key) for key, chat_id in places[:limit]])
    found.sort(key=lambda row: (row["key"], row["chat_id"]), reverse=True)
    items = await messages_of(pool, found)
    if len(places) > limit:
        return GalleryPage(items, places[limit - 1])
    bound = rows[0]["bound"] if rows else None
    return GalleryPage(items, None if bound is None else (bound, 0))
