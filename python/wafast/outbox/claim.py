"""The one place that claims sends: by the worker that holds the lease, when the device's clock allows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import msgspec

from wafast.database.queries import load
from wafast.events import bus
from wafast.outbox.render import render, seed_of
from wafast.outbox.rows import Cause, Kind, Priority

if TYPE_CHECKING:
    from wafast.events.bus import Executor

q = load(__file__)


#: Rows that are expired at once: more wait for the next look.
EXPIRED_AT_ONCE = 10_000


class Claim(msgspec.Struct, frozen=True):
    """A row in state `sending`, and the lease it was claimed under. `fault`: why it can't leave, and what kind of cause
    that is."""

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
    source_id: int | None = None
    fault: tuple[Cause, str] | None = None


async def claim(
    pool: asyncpg.Pool, worker_id: UUID, replies: Sequence[int], paced: Sequence[int], at: datetime | None = None
) -> list[Claim]:
    """Claim what may leave now: at most one reply from each of the devices `replies`, one paced row from each of
    `paced`. A source's row gets its words, which are in it before anybody sends them. Rows for people who want no more
    of them are cancelled instead, and are not among those given. `at`: the instant that is now, when it is not the
    database's."""
    async with pool.acquire() as connection, connection.transaction():
        records = await connection.fetch(q.claim, worker_id, list(replies), list(paced), at)
        claims = [_claim(record) for record in records if not record["is_unwanted"]]
        worded = [one for one in claims if one.source_id is not None]
        if worded:
            columns = [[one.id for one in worded], [one.claim_epoch for one in worded], [one.body for one in worded]]
            await connection.execute(q.store_words, worker_id, *columns)
        # of a source's rows only their end is told, one by one
        told = [record for record in records if record["is_unwanted"] or record["source_id"] is None]
        await _publish(connection, [(row["tenant_id"], row["device_no"], row["id"]) for row in told])
    return claims


def _claim(record: asyncpg.Record) -> Claim:
    fields = {name: value for name, value in record.items() if name not in FOR_WORDS}
    if record["source_id"] is None:
        return msgspec.convert(fields, Claim)
    lead = {**(record["lead_fields"] or {}), "name": record["lead_name"] or "", "phone": record["lead_phone"] or ""}
    template = record["template"]
    seed = seed_of(template, record["lead_id"] or 0)
    fields["body"] = render(template, lead, seed=seed, local_hour=record["local_hour"])
    if record["lead_id"] is not None and record["lead_phone"] is None:
        fields["fault"] = ("lead_gone", "this person is not among the leads any more")
    elif record["kind"] == "text" and not fields["body"].strip():
        fields["fault"] = ("render", "no words are left once the fields of this person are filled in")
    return msgspec.convert(fields, Claim)


#: What the claim gives only to make words of.
FOR_WORDS = frozenset({"is_unwanted", "template", "lead_id", "lead_name", "lead_phone", "lead_fields", "local_hour"})


async def next_due(
    pool: asyncpg.Pool, replies: Sequence[int], paced: Sequence[int], at: datetime | None = None
) -> dict[int, float]:
    """In how many seconds to look at these devices again; one of which nothing waits is not among them."""
    records = await pool.fetch(q.next_due, list(replies), list(paced), at)
    return {record["no"]: max(0.0, record["seconds"]) for record in records}


async def expire(pool: asyncpg.Pool) -> None:
    """End rows that were not to leave so late, of any device."""
    records = await pool.fetch(q.expire_queued, EXPIRED_AT_ONCE)
    await _publish(pool, [(row["tenant_id"], row["device_no"], row["id"]) for row in records if row["device_no"]])


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
