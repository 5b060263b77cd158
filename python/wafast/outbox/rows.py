"""Outbox rows as the API sees them: put in, look at, cancel, try again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from wafast import phones
from wafast._core import message_key
from wafast.database.queries import load
from wafast.events import bus
from wafast.outbox import lanes
from wafast.outbox.cancel import cancel as cancel_rows
from wafast.outbox.lanes import Lane
from wafast.outbox.told import tell

q = load(__file__)

#: What becomes a message of its own …
MessageKind = Literal["text", "image", "video", "audio", "voice", "document"]
#: … and everything that leaves: the last three change a message that is there.
Kind = Literal["text", "image", "video", "audio", "voice", "document", "reaction", "edit", "delete"]
Priority = Literal["reply", "paced"]
#: What kind of reason a row failed or was cancelled for.
Cause = Literal[
    "not_on_whatsapp", "refused", "reach_out", "banned", "media_gone", "render", "lead_gone", "opted_out", "replied",
    "by_person", "parent_gone", "device_gone", "not_taken", "not_arrived", "number_changed", "same_person",
    "merged",
]  # fmt: skip


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row as stored, with its device's public id and the chat it belongs to, once there is one. A source's row has no
    device while it is in the pool, or when its device is gone."""

    id: int
    tenant_id: int
    device_no: int | None
    device_id: UUID | None
    source_id: int | None
    enrolment_id: int | None
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


class Send(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be put into the queue.

    Args:
        target: WhatsApp's id of the message a reaction, edit or deletion is about.
    """

    device_id: UUID
    to_jid: str
    kind: Kind
    body: str
    media_sha256: bytes | None = None
    file_name: str | None = None
    quoted: str | None = None
    target: str | None = None
    forwarded: bool = False
    priority: Priority = "reply"
    not_before: datetime | None = None
    expires_at: datetime | None = None


class NotPaired(Exception):
    """The device was never paired, so nothing can leave from it."""

    def __init__(self, device_id: UUID, name: str) -> None:
        super().__init__(f"{name} was never linked to a phone, so nothing can leave from it")
        self.device_id = device_id


class UnknownMedia(Exception):
    """The file is not one that was uploaded to this tenant."""


class UnknownQuoted(Exception):
    """The chat has no message, or no more, of the id that is to be answered."""


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


async def enqueue(pool: asyncpg.Pool, tenant_id: int, send: Send, *, created_by: str) -> OutboxRow | None:
    """Put one send into the queue; None when the tenant has no such device. Raises NotPaired, UnknownMedia,
    UnknownQuoted."""
    rows = await enqueue_all(pool, tenant_id, [send], created_by=created_by)
    return None if rows is None else rows[0]


async def enqueue_all(
    pool: asyncpg.Pool, tenant_id: int, sends: Sequence[Send], *, created_by: str
) -> list[OutboxRow] | None:
    """Put all of these into the queue or none; None when the tenant lacks one of the devices. Raises NotPaired,
    UnknownMedia, UnknownQuoted."""
    async with pool.acquire() as connection, connection.transaction():
        devices = {}
        for device_id in sorted({send.device_id for send in sends}):
            device = await connection.fetchrow(q.device_for_send, tenant_id, device_id)
            if device is None:
                return None
            if device["jid"] is None:
                raise NotPaired(device_id, device["name"])
            devices[device_id] = device
        rows = [await _put(connection, tenant_id, devices[send.device_id], send, created_by) for send in sends]
        await bus.wake_each(connection, "outbox", [(one["network"], one["no"]) for one in devices.values()])
        await bus.publish(
            connection, [{"k": "outbox", "t": tenant_id, "d": row.device_no, "o": [row.id]} for row in rows]
        )
    return rows


async def _put(
    connection: bus.Executor, tenant_id: int, device: asyncpg.Record, send: Send, created_by: str
) -> OutboxRow:
    await hold_file(connection, tenant_id, send.media_sha256)
    if send.quoted is not None:
        place = device["no"], send.to_jid, send.quoted, message_key(0, send.quoted)
        if not await connection.fetchval(q.has_message, *place):
            raise UnknownQuoted
    lane_id = None
    if send.priority == "paced":
        number, home = phones.of_jid(send.to_jid), device["time_zone"]
        zone = home if number is None else phones.zone_of(number, home)
        [lane_id] = await lanes.ensure(connection, [Lane(tenant_id, None, device["no"], zone)])
    outbox_id = await connection.fetchval(
        q.enqueue, tenant_id, device["no"], send.to_jid, send.kind, send.body, send.media_sha256, send.file_name,
        send.quoted, send.target, send.forwarded, send.priority, send.not_before, send.expires_at, created_by, lane_id,
    )  # fmt: skip
    return _row(await connection.fetchrow(q.get_outbox, tenant_id, outbox_id, None))


async def get(
    pool: asyncpg.Pool, tenant_id: int, outbox_id: int, device_ids: Collection[UUID] | None = None
) -> OutboxRow | None:
    """One row of the tenant; with `device_ids` only theirs, or one of a lead that is theirs or nobody's."""
    row = await pool.fetchrow(q.get_outbox, tenant_id, outbox_id, None if device_ids is None else list(device_ids))
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


async def open_rows_of_chat(
    pool: asyncpg.Pool, chat_id: int, *, limit: int = 50, before: int | None = None
) -> list[OutboxRow]:
    """What of a chat has not left, or failed, expired, or nobody knows: newest first, with ids below `before`."""
    return [_row(row) for row in await pool.fetch(q.open_outbox_of_chat, chat_id, limit, before)]


async def cancel(pool: asyncpg.Pool, tenant_id: int, outbox_id: int) -> OutboxRow | None:
    """Cancel a row that still waits, or take one off that is over without having arrived and is no source's. One that
    is just being sent is cancelled if it turns out not to have left; any other stays as it is. None when there is no
    such row."""
    if await get(pool, tenant_id, outbox_id) is not None:
        cancelled = await cancel_rows(pool, "by_person", "a person cancelled it", rows=[outbox_id])
        await tell(pool, cancelled or await pool.fetch(q.take_off, tenant_id, outbox_id))
    return await get(pool, tenant_id, outbox_id)
