"""A chat as the inbox shows it, and what people do to chats: list, search, read."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from wafast import clock, phones
from wafast.database.queries import load
from wafast.events import bus
from wafast.events.viewing import Viewer
from wafast.inbox.kinds import MessageType
from wafast.inbox.mentions import Mention
from wafast.inbox.messages import FROM_ME, MessageStatus
from wafast.inbox.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import asyncpg

    from wafast.events.bus import Executor
    from wafast.inbox.reach import Reach

q = load(__file__)

NEWEST = 2**63 - 1  # after every key


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation of one device."""

    id: Annotated[str, Meta(description="Opaque id of the chat.", examples=["4711"])]
    device_id: Annotated[str, Meta(examples=["0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"])]
    chat_jid: Annotated[
        str,
        Meta(
            description="The phone-number JID when known, else the LID, or a group's JID.",
            examples=["60123456789@s.whatsapp.net"],
        ),
    ]
    chat_name: Annotated[
        str | None,
        Meta(
            description="As the phone's address book has it, else as the number's lead is called (of this device or "
            "of none), else as the person calls themselves; of a group its subject.",
            examples=["Aisyah"],
        ),
    ]
    phone: Annotated[
        str | None, Meta(description="E.164; null for groups and unknown numbers.", examples=["+60123456789"])
    ]
    is_group: bool
    last_message_text: Annotated[
        str | None, Meta(description="Preview, at most 200 characters.", examples=["Is it still available?"])
    ]
    last_message_mentions: Annotated[list[Mention], Meta(description="Who is named in it, in groups.")]
    last_message_notice: Annotated[Notice | None, Meta(description="Of a `system` message.")]
    last_message_type: Annotated[MessageType | None, Meta(examples=["text"])]
    last_message_time: datetime | None
    last_message_from_me: bool
    last_message_status: Annotated[
        MessageStatus | None, Meta(description="received, or how far ours got.", examples=["received"])
    ]
    last_message_sender: Annotated[str | None, Meta(description="Who wrote it, in groups.", examples=["Farid"])]
    unread_count: Annotated[int, Meta(ge=0, examples=[2])]
    typing: Annotated[str | None, Meta(description="JID of who is writing right now; null: nobody.")]
    typing_name: Annotated[
        str | None, Meta(description="What they are called, in groups; null: not known.", examples=["Farid"])
    ]
    typing_state: Annotated[str | None, Meta(description="composing or recording while somebody is at it.")]
    pinned: bool
    muted: bool
    archived: bool
    assignee_id: Annotated[str | None, Meta(description="Who answers it; null: nobody in particular.", examples=["7"])]
    assignee_name: Annotated[str | None, Meta(examples=["Aina"])]
    is_open: Annotated[bool, Meta(description="False from when it was closed until the other side writes again.")]
    label_ids: Annotated[list[str], Meta(examples=[["3"]])]
    viewers: Annotated[list[Viewer], Meta(description="People who have it open right now.")]
    is_opted_out: Annotated[bool, Meta(description="The person wants nothing more of campaigns and sequences.")]


class ChatPage(msgspec.Struct, frozen=True):
    """Chats of one page, and the place of its last one in the list's order, or None when no more follow."""

    chats: list[Chat]
    last: tuple[int, ...] | None


def oldest_listed(days: int) -> int:
    """The first key that lists show when they leave out chats without a message in so many days."""
    return int(time.time() - days * 86_400) << 32


async def device_no(pool: asyncpg.Pool, reach: Reach, device_id: UUID) -> int | None:
    """The inner number of a device within reach, or None."""
    found: int | None = await pool.fetchval(q.device_in_reach, reach.tenant_id, reach.device_ids, device_id)
    return found


async def list_chats(
    pool: asyncpg.Pool,
    reach: Reach,
    device: int,
    *,
    days: int,
    only: Sequence[int] | None = None,
    after: tuple[int, int] | None = None,
    limit: int = 50,
) -> ChatPage:
    """Chats of a device that have messages, newest first.

    Args:
        device: the device's inner number.
        days: chats without a message for longer are left out.
        only: no others than these; None for all.
        after: ``last`` of the page before.
        limit: how many at most.
    """
    key, chat_id = after or (NEWEST, NEWEST)
    place = (reach.tenant_id, reach.device_ids, device, oldest_listed(days), key, chat_id)
    if only is None:
        rows = await pool.fetch(q.list_chats, *place, limit + 1)
    else:
        rows = await pool.fetch(q.list_these_chats, *place, only, limit + 1)
    page = rows[:limit]
    last = (page[-1]["last_key"], page[-1]["id"]) if len(rows) > limit else None
    return ChatPage([chat_of(row) for row in page], last)


async def get_chats(pool: asyncpg.Pool, tenant_ids: Sequence[int], ids: Sequence[int]) -> list[asyncpg.Record]:
    """Rows of those chats, in no order, for the live frames of several tenants; ``chat_of`` makes a Chat of one."""
    return await pool.fetch(q.get_chats, tenant_ids, None, ids)


async def get_chat(pool: asyncpg.Pool, reach: Reach, chat_id: int) -> Chat | None:
    """One chat within reach, or None."""
    row = await pool.fetchrow(q.get_chats, [reach.tenant_id], reach.device_ids, [chat_id])
    return chat_of(row) if row is not None else None


async def successor(pool: asyncpg.Pool, reach: Reach, chat_id: int) -> Chat | None:
    """The chat within reach that one became part of, when it was of the same person; or None."""
    became = await pool.fetchval(q.successor, reach.tenant_id, chat_id)
    return None if became is None else await get_chat(pool, reach, became)


async def begin_chat(connection: Executor, tenant_id: int, device: int, jid: str) -> int:
    """The id of a device's chat with somebody, made when there is none. One without a message is in no list."""
    found: int = await connection.fetchval(q.begin_chat, tenant_id, device, jid)
    return found


async def viewed_chat(pool: asyncpg.Pool, reach: Reach, chat_id: int, user_id: int) -> tuple[int, str] | None:
    """The device's inner number and the user's name, when the chat is within reach."""
    row = await pool.fetchrow(q.viewed_chat, reach.tenant_id, reach.device_ids, chat_id, user_id)
    return None if row is None else (row["device_no"], row["name"])


async def read_chat(pool: asyncpg.Pool, reach: Reach, chat_id: int) -> bool:
    """Marks everything in a chat read, here; the worker that holds its device tells the phone and the senders
    (devices/untold_reads.py).

    Returns:
        False when there is no such chat within reach.
    """
    async with pool.acquire() as connection, connection.transaction():
        chat = await connection.fetchrow(q.lock_chat, reach.tenant_id, reach.device_ids, chat_id)
        if chat is None:
            return False
        if chat["last_key"] is None or (chat["unread"] == 0 and chat["read_key"] >= chat["last_key"]):
            return True
        await connection.execute(q.mark_chat_read, reach.tenant_id, chat_id)
        if chat["unread"]:
            await connection.execute(
                q.note_untold, reach.tenant_id, chat_id, chat["device_no"], chat["read_key"], chat["unread"]
            )
            await bus.wake(connection, "read", chat["network"], chat["device_no"])
        event = {"k": "chat", "t": reach.tenant_id, "d": chat["device_no"], "c": [chat_id]}
        await bus.publish(connection, [event])
    return True


def chat_of(row: asyncpg.Record) -> Chat:
    """A Chat of a row of the view ``chats_shown``; nobody types, looks at it or is named until the API says so."""
    key = row["last_key"]
    muted_until = row["muted_until"]
    return Chat(
        id=str(row["id"]),
        device_id=str(row["device_id"]),
        chat_jid=row["jid"],
        chat_name=row["name"],
        phone=phones.of_jid(row["jid"]),
        is_group=row["is_group"],
        last_message_text=row["last_text"],
        last_message_mentions=[],
        last_message_notice=None,
        last_message_type=row["last_kind"],
        last_message_time=None if key is None else datetime.fromtimestamp(key >> 32, UTC),
        last_message_from_me=bool((row["last_flags"] or 0) & FROM_ME),
        last_message_status=row["last_status"],
        last_message_sender=row["last_sender"],
        unread_count=row["unread"],
        typing=None,
        typing_name=None,
        typing_state=None,
        pinned=row["pinned_at"] is not None,
        muted=muted_until is not None and muted_until > clock.now(),
        archived=row["archived"],
        assignee_id=None if row["assignee_id"] is None else str(row["assignee_id"]),
        assignee_name=row["assignee_name"],
        is_open=row["is_open"],
        label_ids=[str(label) for label in row["label_ids"]],
        viewers=[],
        is_opted_out=row["is_opted_out"],
    )
