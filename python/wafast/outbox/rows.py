"""Outbox rows as the API sees them: put in, look at, cancel, try again."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from wafast import phones
from wafast.database.queries import load
from wafast.events import bus

q = load(__file__)

#: What becomes a message of its own …
MessageKind = Literal["text", "image", "video", "audio", "voice", "document"]
#: … and everything that leaves: the last three change a message that is there.
Kind = Literal["text", "image", "video", "audio", "voice", "document", "reaction", "edit", "delete"]
Priority = Literal["reply", "paced"]
#: What kind of reason a row failed or was cancelled for.
Cause = Literal[
    "not_on_whatsapp", "refused", "reach_out", "banned", "media_gone", "render", "lead_gone", "opted_out", "replied",
    "by_person", "parent_gone", "device_gone",
]  # fmt: skip


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row as stored, with its device's public id and the chat it belongs to, once there is one. A source's row has no
    device while it is in the pool, or when its device is gone."""

    id: int
    tenant_id: int
    device_no: int | None
    device_id: UUID | None
    source_id: int | None
    lead_id: int | None
    chat_id: int | None
    to_jid: str
    kind: Kind
    body: str
    media_sha256: bytes | None
    media_mime: str | None
    file_name: str | None
    quoted: str | None
    target: str | None
    forwarded: bool
    priority: Priority
    state: str
    reason: str | None
    cause: Cause | None
    message_id: str | None
    attempts: int
    not_before: datetime
    expires_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    created_at: datetime
    created_by: str


class NotPaired(Exception):
    """The device was never paired, so nothing can leave from it."""


class UnknownMedia(Exception):
    """The file is not one that was uploaded to this tenant."""


def _row(record: asyncpg.Record | None) -> OutboxRow:
    assert record is not None, "a statement that always gives its row gave none"
    return msgspec.convert(dict(record), OutboxRow)


async def hold_file(connection: bus.Executor, tenant_id: int, sha256: bytes | None) -> None:
    """Keeps an uploaded file from being thrown away until the end of the transaction; without one there is nothing to
    keep. Raises UnknownMedia."""
    if sha256 is None:
        return
    await connection.execute(q.hold_file, sha256)
    if not await connection.fetchval(q.has_media, tenant_id, sha256):
        raise UnknownMedia


async def enqueue(
    pool: asyncpg.Pool,
    tenant_id: int,
    device_id: UUID,
    to_jid: str,
    kind: Kind,
    body: str,
    *,
    created_by: str,
    media_sha256: bytes | None = None,
    file_name: str | None = None,
    quoted: str | None = None,
    target: str | None = None,
    forwarded: bool = False,
    priority: Priority = "reply",
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
) -> OutboxRow | None:
    """Put one send into the queue; None when the tenant has no such device. `target` is WhatsApp's id of the message a
    reaction, edit or deletion is about. Raises NotPaired, UnknownMedia."""
    async with pool.acquire() as connection, connection.transaction():
        device = await connection.fetchrow(q.device_for_send, tenant_id, device_id)
        if device is None:
            return None
        if device["jid"] is None:
            raise NotPaired
        await hold_file(connection, tenant_id, media_sha256)
        lane_id = None
        if priority == "paced":
            number, home = phones.of_jid(to_jid), device["time_zone"]
            zone = home if number is None else phones.zone_of(number, home)
            await connection.execute(q.ensure_lane, tenant_id, device["no"], zone)
            lane_id = await connection.fetchval(q.lane_without_source, device["no"], zone)
        outbox_id = await connection.fetchval(
            q.enqueue, tenant_id, device["no"], to_jid, kind, body, media_sha256, file_name, quoted,
            target, forwarded, priority, not_before, expires_at, created_by, lane_id,
        )  # fmt: skip
        row = _row(await connection.fetchrow(q.get_outbox, tenant_id, outbox_id))
        await bus.wake(connection, "outbox", device["network"], device["no"])
        await bus.publish(connection, [{"k": "outbox", "t": tenant_id, "d": device["no"], "o": [outbox_id]}])
    return row


async def get(pool: asyncpg.Pool, tenant_id: int, outbox_id: int) -> OutboxRow | None:
    """One row of the tenant."""
    row = await pool.fetchrow(q.get_outbox, tenant_id, outbox_id)
    return None if row is None else _row(row)


async def get_many(pool: asyncpg.Pool, outbox_ids: list[int]) -> list[OutboxRow]:
    """Rows of any tenant, for the live frames."""
    return [_row(row) for row in await pool.fetch(q.get_outbox_many, outbox_ids)]


async def list_rows(
    pool: asyncpg.Pool,
    tenant_id: int,
    device_id: UUID,
    *,
    states: list[str] | None = None,
    limit: int = 50,
    before: int | None = None,
) -> list[OutboxRow]:
    """A device's rows, newest first, with ids below `before`, in one of `states` when given."""
    rows = await pool.fetch(q.list_outbox, tenant_id, device_id, states, limit, before)
    return [_row(row) for row in rows]


async def cancel(pool: asyncpg.Pool, tenant_id: int, outbox_id: int) -> OutboxRow | None:
    """Cancel a row that still waits; any other stays as it is. None when there is no such row."""
    return await _change(pool, q.cancel_outbox, tenant_id, outbox_id)


async def retry(pool: asyncpg.Pool, tenant_id: int, outbox_id: int) -> OutboxRow | None:
    """Queue a failed, expired or cancelled row again, as a person asked. `unknown` may have been sent: a person who
    retries it accepts that. Any other row stays as it is. None when there is no such row."""
    return await _change(pool, q.retry_outbox, tenant_id, outbox_id)


async def _change(pool: asyncpg.Pool, query: str, tenant_id: int, outbox_id: int) -> OutboxRow | None:
    changed = await pool.fetchrow(query, tenant_id, outbox_id)
    if changed is not None and changed["network"] is not None:
        await bus.wake(pool, "outbox", changed["network"], changed["device_no"])
        await bus.publish(pool, [{"k": "outbox", "t": tenant_id, "d": changed["device_no"], "o": [outbox_id]}])
    return await get(pool, tenant_id, outbox_id)
