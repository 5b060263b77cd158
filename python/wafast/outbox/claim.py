"""The one place that claims sends: by the worker that holds the lease, when the device's clock allows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import msgspec

from wafast.database.queries import load
from wafast.events import bus
from wafast.outbox.rows import Kind, Priority

if TYPE_CHECKING:
    from wafast.events.bus import Executor

q = load(__file__)


class Claim(msgspec.Struct, frozen=True):
    """A row in state `sending`, and the lease it was claimed under."""

    id: int
    tenant_id: int
    device_no: int
    to_jid: str
    kind: Kind
    body: str
    media_sha256: bytes | None
    file_name: str | None
    quoted: str | None
    target: str | None
    forwarded: bool
    priority: Priority
    attempts: int
    claim_epoch: int
    typing: bool
    media_mime: str | None
    media_seconds: int | None
    media_waveform: bytes | None


async def claim(pool: asyncpg.Pool, worker_id: UUID, replies: Sequence[int], paced: Sequence[int]) -> list[Claim]:
    """Claim what may leave now: at most one reply from each of the devices `replies`, one paced row from each of
    `paced`."""
    async with pool.acquire() as connection, connection.transaction():
        records = await connection.fetch(q.claim, worker_id, list(replies), list(paced))
        claims = [msgspec.convert(dict(record), Claim) for record in records]
        await _publish(connection, [(row.tenant_id, row.device_no, row.id) for row in claims])
    return claims


async def seconds_until_due(pool: asyncpg.Pool, replies: Sequence[int], paced: Sequence[int]) -> float | None:
    """When the next row of these devices may leave; None when none waits."""
    seconds: float | None = await pool.fetchval(q.next_due, list(replies), list(paced))
    return None if seconds is None else max(0.0, seconds)


async def expire(pool: asyncpg.Pool, device_nos: Sequence[int]) -> None:
    """End rows that were not to leave so late."""
    records = await pool.fetch(q.expire_queued, list(device_nos))
    await _publish(pool, [(row["tenant_id"], row["device_no"], row["id"]) for row in records])


async def give_up_lost(pool: asyncpg.Pool, worker_id: UUID, in_flight: Sequence[int]) -> None:
    """Claims that this worker does not know of become `unknown`; `in_flight` are those it is sending."""
    records = await pool.fetch(q.give_up_lost, worker_id, list(in_flight))
    await _publish(pool, [(row["tenant_id"], row["device_no"], row["id"]) for row in records])


async def orphan(pool: asyncpg.Pool, device_nos: Sequence[int]) -> int:
    """What an earlier holder of these devices was just sending becomes `unknown`; it is never sent again by itself."""
    records = await pool.fetch(q.orphan_sends, list(device_nos))
    await _publish(pool, [(row["tenant_id"], row["device_no"], row["id"]) for row in records])
    return len(records)


async def _publish(pool: Executor, rows: Sequence[tuple[int, int, int]]) -> None:
    by_device: dict[tuple[int, int], list[int]] = {}
    for tenant_id, device_no, outbox_id in rows:
        by_device.setdefault((tenant_id, device_no), []).append(outbox_id)
    await bus.publish(
        pool, [{"k": "outbox", "t": tenant, "d": device, "o": ids} for (tenant, device), ids in by_device.items()]
    )
