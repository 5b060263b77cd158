"""Private notes in a chat's timeline: for the team, never sent."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from wafast.accounts import audit
from wafast.database.queries import load
from wafast.events import bus

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from wafast.accounts.principal import Principal

q = load(__file__)


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody of the team wrote beside a conversation."""

    id: Annotated[str, Meta(examples=["12"])]
    chat_id: Annotated[str, Meta(examples=["4711"])]
    created_by: Annotated[
        str,
        Meta(description="`user:` or `key:` with the id of who wrote it; only he can change it.", examples=["user:7"]),
    ]
    author: Annotated[str, Meta(description="His name then.", examples=["Aina"])]
    text: Annotated[str, Meta(examples=["Wants the blue one; call back on Friday."])]
    created_at: datetime
    edited_at: datetime | None


class NotAuthor(Exception):
    """Somebody else wrote it; `author` says who, as `created_by` does."""

    def __init__(self, author: str) -> None:
        super().__init__(f"it was written by {author}")
        self.author = author


async def list_notes(
    pool: asyncpg.Pool, tenant_id: int, chat_id: int, *, before: int, limit: int
) -> list[asyncpg.Record]:
    """Rows of a chat's notes with ids below `before`, newest first; ``note_of`` makes a Note of one."""
    return await pool.fetch(q.list_notes, tenant_id, chat_id, before, limit)


async def get_notes(pool: asyncpg.Pool, tenant_ids: Sequence[int], ids: Sequence[int]) -> list[asyncpg.Record]:
    """Rows of those notes with their `device_id`, in no order, for the live frames of several tenants."""
    return await pool.fetch(q.get_notes, tenant_ids, ids)


async def create_note(pool: asyncpg.Pool, principal: Principal, device_no: int, chat_id: int, text: str) -> Note:
    """Writes a note into a chat the caller sees, and tells everybody else who sees it."""
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            q.create_note, principal.tenant_id, chat_id, principal.actor, principal.user_id, principal.key_id, text
        )
        assert row is not None
        await _tell(connection, principal, "note.create", device_no, chat_id, row["id"])
    return note_of(row)


async def edit_note(
    pool: asyncpg.Pool, principal: Principal, device_no: int, chat_id: int, note_id: int, text: str
) -> Note | None:
    """Changes the caller's own note; None when there is none of this id in the chat. Raises NotAuthor."""
    async with pool.acquire() as connection, connection.transaction():
        if not await _is_own(connection, principal, chat_id, note_id):
            return None
        row = await connection.fetchrow(q.edit_note, principal.tenant_id, chat_id, note_id, text)
        await _tell(connection, principal, "note.edit", device_no, chat_id, note_id)
    return None if row is None else note_of(row)


async def delete_note(pool: asyncpg.Pool, principal: Principal, device_no: int, chat_id: int, note_id: int) -> bool:
    """Deletes the caller's own note; False when there is none of this id in the chat. Raises NotAuthor."""
    async with pool.acquire() as connection, connection.transaction():
        if not await _is_own(connection, principal, chat_id, note_id):
            return False
        await connection.execute(q.delete_note, principal.tenant_id, chat_id, note_id)
        await _tell(connection, principal, "note.delete", device_no, chat_id, note_id)
    return True


def note_of(row: asyncpg.Record) -> Note:
    """A Note of a row."""
    return Note(
        id=str(row["id"]),
        chat_id=str(row["chat_id"]),
        created_by=row["created_by"],
        author=row["author"],
        text=row["body"],
        created_at=row["created_at"],
        edited_at=row["edited_at"],
    )


async def _is_own(connection: bus.Executor, principal: Principal, chat_id: int, note_id: int) -> bool:
    author = await connection.fetchval(q.note_author, principal.tenant_id, chat_id, note_id)
    if author is not None and author != principal.actor:
        raise NotAuthor(author)
    return author is not None


async def _tell(
    connection: bus.Executor, principal: Principal, action: str, device_no: int, chat_id: int, note_id: int
) -> None:
    await audit.record(connection, principal.tenant_id, principal.actor, action, f"note:{note_id}", chat_id=chat_id)
    event = {"k": "note", "t": principal.tenant_id, "d": device_no, "c": chat_id, "n": note_id}
    await bus.publish(connection, [event])
