"""How fast devices write: the columns a device has of it, and a tenant for its new devices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec

from wafast.database.queries import load

if TYPE_CHECKING:
    from uuid import UUID

    from wafast.events.bus import Executor

q = load(__file__)


class PacingRow(msgspec.Struct, frozen=True, kw_only=True):
    """The pace as stored; gaps in seconds."""

    min_seconds: float
    max_seconds: float
    per_hour: int
    per_day: int
    typing: bool
    ramp: bool
    quiet_from: time | None
    quiet_until: time | None


#: Raises when a change makes no sense of this pace, which nobody else changes meanwhile.
Check = Callable[[PacingRow], None]


async def default_pacing(pool: asyncpg.Pool, tenant_id: int) -> PacingRow:
    """What a new device of the tenant begins with."""
    return _pacing(await pool.fetchrow(q.default_pacing, tenant_id))


async def change_default_pacing(pool: asyncpg.Pool, tenant_id: int, changes: dict[str, Any], check: Check) -> PacingRow:
    """Change it; columns that are not in `changes` stay, and so does every device there is."""
    async with pool.acquire() as connection, connection.transaction():
        check(_pacing(await connection.fetchrow(q.hold_default_pacing, tenant_id)))
        return _pacing(await connection.fetchrow(q.change_default_pacing, tenant_id, changes))


async def hold(connection: Executor, tenant_id: int, device_id: UUID) -> PacingRow | None:
    """The pace of a device, which nobody else changes until the end of the transaction; None: there is no such one."""
    row = await connection.fetchrow(q.hold_pacing, tenant_id, device_id)
    return None if row is None else _pacing(row)


def _pacing(row: asyncpg.Record | None) -> PacingRow:
    assert row is not None, "a principal's tenant is there"
    return msgspec.convert(dict(row), PacingRow)
