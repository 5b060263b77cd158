"""What the team writes about a lead."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import asyncpg
import msgspec
from msgspec import Meta

from wafast.database.queries import load
from wafast.leads.rows import tell

if TYPE_CHECKING:
    from wafast.accounts.principal import Principal
    from wafast.events import bus

q = load(__file__)


class LeadNote(msgspec.Struct, frozen=True, kw_only=True):
    """A note about a lead; nothing of it is ever sent."""

    id: Annotated[str, Meta(examples=["12"])]
    created_by: Annotated[str, Meta(examples=["user:7"])]
    author: Annotated[str, Meta(description="His name then.", examples=["Aina"])]
    text: Annotated[str, Meta(examples=["Wants the blue one; call back on Friday."])]
    created_at: datetime


def note_of(row: asyncpg.Record) -> LeadNote:
    """A LeadNote of a row."""
    return LeadNote(
        id=str(row["id"]),
        created_by=row["created_by"],
        author=row["author"],
        text=row["body"],
        created_at=row["created_at"],
    )


async def list_notes(
    pool: asyncpg.Pool, tenant_id: int, lead_id: int, *, before: int, limit: int
) -> list[asyncpg.Record]:
    """Rows of a lead's notes with ids below `before`, newest first."""
    return await pool.fetch(q.list_lead_notes, tenant_id, lead_id, before, limit)


async def write(connection: bus.Executor, principal: Principal, lead_id: int, text: str) -> LeadNote:
    """A new note of a lead of the tenant."""
    row = await connection.fetchrow(
        q.create_lead_note, principal.tenant_id, lead_id, principal.actor, principal.user_id, principal.key_id, text
    )
    assert row is not None, "an insert that always gives its row gave none"
    await tell(connection, principal.tenant_id, [lead_id])
    return note_of(row)


async def delete(pool: asyncpg.Pool, tenant_id: int, lead_id: int, note_id: int) -> bool:
    """False when the lead has no such note."""
    found = await pool.fetchval(q.delete_lead_note, tenant_id, lead_id, note_id)
    if found is not None:
        await tell(pool, tenant_id, [lead_id])
    return found is not None
