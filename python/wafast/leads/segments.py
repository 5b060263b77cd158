"""Segments: filters of leads with a name, shared by the workspace."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import asyncpg
import msgspec
from msgspec import Meta

from wafast.accounts import audit
from wafast.database.queries import load
from wafast.leads.filters import LeadFilter, shown

if TYPE_CHECKING:
    from wafast.accounts.principal import Principal

q = load(__file__)


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A filter with a name; who is in it is looked up each time."""

    id: Annotated[str, Meta(examples=["3"])]
    name: Annotated[str, Meta(examples=["Quiet customers in KL"])]
    filter: Annotated[LeadFilter, Meta(examples=[{"tags": ["kl"], "target_status": "customer", "quiet_days": 60}])]
    created_by: Annotated[str, Meta(examples=["user:7"])]
    created_at: datetime


class NameTaken(Exception):
    """Another segment has this name, whatever its case."""


def segment_of(row: asyncpg.Record) -> Segment:
    """A Segment of a row."""
    return Segment(
        id=str(row["id"]),
        name=row["name"],
        filter=shown(row["filter"]),
        created_by=row["created_by"],
        created_at=row["created_at"],
    )


async def list_segments(pool: asyncpg.Pool, tenant_id: int, *, before: int, limit: int) -> list[asyncpg.Record]:
    """Rows of segments with ids below `before`, newest first."""
    return await pool.fetch(q.list_segments, tenant_id, before, limit)


async def create(pool: asyncpg.Pool, principal: Principal, name: str, wanted: dict[str, Any]) -> Segment:
    """A new segment of a stored filter. Raises NameTaken."""
    row = await pool.fetchrow(q.create_segment, principal.tenant_id, name, wanted, principal.actor)
    if row is None:
        raise NameTaken
    await audit.record(pool, principal.tenant_id, principal.actor, "segment.create", f"segment:{row['id']}", name=name)
    return segment_of(row)


async def change(
    pool: asyncpg.Pool, principal: Principal, segment_id: int, name: str | None, wanted: dict[str, Any] | None
) -> Segment | None:
    """Another name or filter, None each for the one it has; None when there is no such segment. Raises NameTaken."""
    try:
        row = await pool.fetchrow(q.change_segment, principal.tenant_id, segment_id, name, wanted)
    except asyncpg.UniqueViolationError:
        raise NameTaken from None
    if row is None:
        return None
    subject, name = f"segment:{segment_id}", row["name"]
    await audit.record(pool, principal.tenant_id, principal.actor, "segment.change", subject, name=name)
    return segment_of(row)


async def delete(pool: asyncpg.Pool, principal: Principal, segment_id: int) -> bool:
    """False when there is no such segment."""
    name = await pool.fetchval(q.delete_segment, principal.tenant_id, segment_id)
    if name is not None:
        subject = f"segment:{segment_id}"
        await audit.record(pool, principal.tenant_id, principal.actor, "segment.delete", subject, name=name)
    return name is not None
