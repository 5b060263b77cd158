"""How a campaign went: its buckets in all, by device, by day and over time, and a row a recipient. All parts that are
counted are of one snapshot, so that they sum."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import asyncpg
import msgspec

from wafast import phones
from wafast.campaigns.rows import CampaignRow, get
from wafast.csv_rows import guarded, pieces
from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from wafast.inbox.reach import Reach

q = load(__file__)

Bucket = Literal[
    "waiting", "sent", "delivered", "read", "replied", "failed", "unknown", "expired", "opted_out", "cancelled"
]
BUCKETS: tuple[Bucket, ...] = (
    "waiting", "sent", "delivered", "read", "replied", "failed", "unknown", "expired", "opted_out", "cancelled",
)  # fmt: skip
#: Recipients fetched at once for a file.
PAGE = 2_000
#: A chart has a point a minute up to this span, an hour up to the next, then a day.
MINUTES, HOURS = timedelta(hours=4), timedelta(days=10)


class DeviceCounts(msgspec.Struct, frozen=True):
    """One device's part; None: rows in the pool, or of a device that was deleted."""

    device_id: UUID | None
    device_name: str | None
    counts: dict[str, int]


class DayCounts(msgspec.Struct, frozen=True):
    """What left on a day, in the bucket it is in now; None: what has not left."""

    date: date | None
    counts: dict[str, int]


class Point(msgspec.Struct, frozen=True):
    """How often each thing happened in one step of time from `at` on."""

    at: datetime
    sent: int
    delivered: int
    read: int
    replied: int


class Report(msgspec.Struct, frozen=True):
    """All of it."""

    campaign: CampaignRow
    causes: dict[str, int]
    devices: list[DeviceCounts]
    days: list[DayCounts]
    step: Literal["minute", "hour", "day"]
    times: list[Point]


class Recipient(msgspec.Struct, frozen=True):
    """One person of a campaign, and what became of the message."""

    id: int
    to_jid: str
    lead_id: int | None
    name: str | None
    device_id: UUID | None
    device_name: str | None
    state: str
    bucket: Bucket
    reason: str | None
    cause: str | None
    body: str
    not_before: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    replied_at: datetime | None


async def report(pool: asyncpg.Pool, tenant_id: int, campaign_id: int, zone: str) -> Report | None:
    """None when the tenant has no such campaign. `zone` decides the days."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        campaign = await get(connection, tenant_id, campaign_id)
        if campaign is None:
            return None
        source_id, is_cancelled = campaign.source_id, campaign.state == "cancelled"
        by_device = await connection.fetch(q.report_devices, tenant_id, source_id, is_cancelled)
        by_day = await connection.fetch(q.report_days, tenant_id, source_id, zone)
        step = _step(by_day)
        times = await connection.fetch(q.report_times, tenant_id, source_id, zone, step)
    causes: dict[str, int] = {}
    for row in by_device:
        if row["bucket"] == "failed":
            causes[row["cause"] or "other"] = causes.get(row["cause"] or "other", 0) + row["n"]
    return Report(campaign, causes, _devices(by_device), _days(by_day, is_cancelled), step, _points(times))


async def recipients(
    pool: asyncpg.Pool,
    reach: Reach,
    source_id: int,
    *,
    after: str = "",
    limit: int,
    bucket: Bucket | None = None,
    device_id: UUID | None = None,
) -> list[Recipient]:
    """By JID, behind `after`; those the caller sees."""
    rows = await pool.fetch(q.recipients, reach.tenant_id, source_id, after, limit, bucket, device_id, reach.device_ids)
    return [msgspec.convert(dict(row), Recipient) for row in rows]


async def csv_lines(pool: asyncpg.Pool, reach: Reach, campaign: CampaignRow) -> AsyncIterator[bytes]:
    """A row a recipient the caller sees, as UTF-8 with a header; a page of the database at a time."""
    header = ("phone", "name", "device", "status", "reason", "sent_at", "delivered_at", "read_at", "replied_at", "text")
    async for piece in pieces(header, _pages(pool, reach, campaign)):
        yield piece


async def _pages(pool: asyncpg.Pool, reach: Reach, campaign: CampaignRow) -> AsyncIterator[list[Sequence[str]]]:
    after, is_cancelled = "", campaign.state == "cancelled"
    while page := await recipients(pool, reach, campaign.source_id, after=after, limit=PAGE):
        yield [_line(one, is_cancelled) for one in page]
        after = page[-1].to_jid


def _line(one: Recipient, is_cancelled: bool) -> Sequence[str]:
    bucket = "cancelled" if is_cancelled and one.bucket == "waiting" else one.bucket
    instants = (one.sent_at, one.delivered_at, one.read_at, one.replied_at)
    return (
        phones.of_jid(one.to_jid) or one.to_jid, guarded(one.name or ""), guarded(one.device_name or ""), bucket,
        guarded(one.reason or ""), *("" if at is None else at.isoformat(timespec="seconds") for at in instants),
        guarded(one.body),
    )  # fmt: skip


def _step(days: Sequence[asyncpg.Record]) -> Literal["minute", "hour", "day"]:
    first = min((row["first"] for row in days if row["first"] is not None), default=None)
    last = max((row["last"] for row in days if row["last"] is not None), default=None)
    length = timedelta() if first is None or last is None else last - first
    return "minute" if length <= MINUTES else "hour" if length <= HOURS else "day"


def _devices(rows: Sequence[asyncpg.Record]) -> list[DeviceCounts]:
    found: dict[tuple[UUID | None, str | None], dict[str, int]] = {}
    for row in rows:
        counts = found.setdefault((row["device_id"], row["device_name"]), {})
        counts[row["bucket"]] = counts.get(row["bucket"], 0) + row["n"]
    parts = [DeviceCounts(device_id, name, counts) for (device_id, name), counts in found.items()]
    return sorted(parts, key=lambda part: (part.device_name is None, part.device_name or "", str(part.device_id)))


def _days(rows: Sequence[asyncpg.Record], is_cancelled: bool) -> list[DayCounts]:
    found: dict[date | None, dict[str, int]] = {}
    for row in rows:
        bucket = "cancelled" if is_cancelled and row["bucket"] == "waiting" else row["bucket"]
        counts = found.setdefault(row["day"], {})
        counts[bucket] = counts.get(bucket, 0) + row["n"]
    return [DayCounts(day, found[day]) for day in sorted(found, key=lambda day: (day is None, day or date.min))]


def _points(rows: Sequence[asyncpg.Record]) -> list[Point]:
    found: dict[datetime, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["at"], {})[row["what"]] = row["n"]
    names = ("sent", "delivered", "read", "replied")
    return [Point(at, *(found[at].get(name, 0) for name in names)) for at in sorted(found)]
