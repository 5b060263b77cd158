"""The audit log: who did what to what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wafast.database.queries import load

if TYPE_CHECKING:
    from wafast.events.bus import Executor

q = load(__file__)


async def record(
    connection: Executor,
    tenant_id: int,
    actor: str,
    action: str,
    subject: str,
    **detail: Any,
) -> None:
    """Write one line: `record(pool, 1, "user:7", "device.create", "device:0b9f…", name="Sales")`. No secrets."""
    await connection.execute(q.record_audit, tenant_id, actor, action, subject, detail)


async def record_each(
    connection: Executor,
    tenant_id: int,
    actor: str,
    action: str,
    details: Mapping[str, Mapping[str, Any]],
) -> None:
    """`record` for each subject of `details`, in one statement."""
    await connection.execute(
        q.record_audit_of_each, tenant_id, actor, action, list(details), [dict(one) for one in details.values()]
    )
