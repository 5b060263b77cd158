"""The audit log: who did what to what."""

from __future__ import annotations

from typing import Any

import asyncpg

from wafast.database.queries import load

q = load(__file__)


async def record(
    connection: asyncpg.Pool | asyncpg.Connection,
    tenant_id: int,
    actor: str,
    action: str,
    subject: str,
    **detail: Any,
) -> None:
    """Write one line: `record(pool, 1, "user:7", "device.create", "device:0b9f…", name="Sales")`. No secrets."""
    await connection.execute(q.record_audit, tenant_id, actor, action, subject, detail)
