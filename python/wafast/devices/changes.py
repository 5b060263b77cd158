"""What states a device was in, when and why. The rows are written by the database with every change."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from wafast.database.queries import load
from wafast.devices.state import State

if TYPE_CHECKING:
    import asyncpg

q = load(__file__)

KEPT_DAYS = 30


class Change(msgspec.Struct, frozen=True):
    """A device went into a state at an instant, for a reason people can read."""

    id: int
    at: datetime
    state: State
    reason: str | None


async def list_changes(
    pool: asyncpg.Pool, tenant_id: int, device_no: int, *, limit: int, before: int | None = None
) -> list[Change]:
    """Newest first; `before` is the id the list goes on below."""
    rows = await pool.fetch(q.list_changes, tenant_id, device_no, limit, before)
    return [msgspec.convert(dict(row), Change) for row in rows]


async def forget_old(pool: asyncpg.Pool) -> None:
    """Delete what is older than KEPT_DAYS."""
    await pool.execute(q.forget_changes, KEPT_DAYS)
