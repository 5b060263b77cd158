"""Messages of a device or of one chat as CSV or as JSON lines, a piece at a time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from wafast.csv_rows import guarded, pieces
from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

q = load(__file__)

#: Those of the view `whatsapp_messages`.
COLUMNS = (
    "device_id", "chat_jid", "message_id", "sender_jid", "sender_name", "from_me", "message_type", "message_text",
    "media_url", "quoted_message_id", "status", "is_ephemeral", "is_view_once", "is_forwarded", "is_pinned",
    "reactions", "poll_votes", "timestamp", "edited_at", "deleted_at", "created_at",
)  # fmt: skip
#: Chats whose messages are walked together, and messages of a piece: about 2 MB. Each is a query of its own: a slow
#: reader holds no connection.
CHATS, PIECE = 500, 5_000


async def as_csv(pool: asyncpg.Pool, tenant_id: int, device_no: int, chat: str | None = None) -> AsyncIterator[bytes]:
    """A row a message, chat by chat and oldest first; within a second `created_at` says what came first.

    Args:
        chat: only the chat with this JID or id.
    """
    pages = _pages(pool, tenant_id, device_no, chat)
    async for piece in pieces(
        COLUMNS, ([[_cell(row[name]) for name in COLUMNS] for row in page] async for page in pages)
    ):
        yield piece


async def as_json(pool: asyncpg.Pool, tenant_id: int, device_no: int, chat: str | None = None) -> AsyncIterator[bytes]:
    """As `as_csv`, but an object a line."""
    async for page in _pages(pool, tenant_id, device_no, chat):
        yield b"".join(msgspec.json.encode({name: row[name] for name in COLUMNS}) + b"\n" for row in page)


async def has_chat(pool: asyncpg.Pool, tenant_id: int, device_no: int, chat: str) -> bool:
    """Whether the device has a chat with this JID or id."""
    return bool(await pool.fetch(q.chats_of_device, tenant_id, device_no, chat, "", 1))


async def _pages(
    pool: asyncpg.Pool, tenant_id: int, device_no: int, chat: str | None
) -> AsyncIterator[list[asyncpg.Record]]:
    jid = ""
    while chats := await pool.fetch(q.chats_of_device, tenant_id, device_no, chat, jid, CHATS):
        ids, place = [row["id"] for row in chats], (0, 0)
        while page := await pool.fetch(q.messages_of_chats, tenant_id, ids, *place, PIECE):
            yield page
            place = page[-1]["chat_id"], page[-1]["key"]
        jid = chats[-1]["jid"]


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat()
        case list():
            return msgspec.json.encode(value).decode()
        case _:
            return guarded(str(value))
