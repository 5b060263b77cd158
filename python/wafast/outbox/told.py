"""Tells browsers of rows that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.events import bus

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from wafast.events.bus import Executor

#: Rows of one event: more do not fit a notification.
AT_ONCE = 300


async def tell(connection: Executor, rows: Iterable[asyncpg.Record]) -> None:
    """Publishes rows (tenant_id, device_no, id) by their device; what has none is in no chat."""
    by_device: dict[tuple[int, int], list[int]] = {}
    for row in rows:
        if row["device_no"] is not None:
            by_device.setdefault((row["tenant_id"], row["device_no"]), []).append(row["id"])
    await bus.publish(
        connection,
        [
            {"k": "outbox", "t": tenant_id, "d": device_no, "o": ids[first : first + AT_ONCE]}
            for (tenant_id, device_no), ids in by_device.items()
            for first in range(0, len(ids), AT_ONCE)
        ],
    )
