"""How a campaign went."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream
from msgspec import Meta

from wafast import phones
from wafast.accounts.principal import Principal
from wafast.api.authentication import reach_of
from wafast.api.campaigns import OTHER_DEVICES, Campaign, find_campaign, show_campaign
from wafast.api.exports import download
from wafast.api.ids import number_of, uuid_of
from wafast.api.paging import cursor, place_of
from wafast.api.parameters import After, ForExcel, Limit
from wafast.api.policy import Policy
from wafast.api.problems import not_found
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.campaigns import report, rows
from wafast.campaigns.report import BUCKETS, Bucket
from wafast.outbox.held_by import HeldBy, what_holds


class BucketCount(msgspec.Struct, frozen=True):
    """How many are in a bucket."""

    bucket: Annotated[Bucket, Meta(examples=["delivered"])]
    count: Annotated[int, Meta(ge=0, examples=[3120])]


class CauseCount(msgspec.Struct, frozen=True):
    """How many failed for a kind of reason."""

    cause: Annotated[str, Meta(examples=["not_on_whatsapp"])]
    count: int


class DeviceReport(msgspec.Struct, frozen=True):
    """One device's part; id and name null: what waits in the pool, or was sent from a device that is gone; only the id
    null: all devices that the caller doesn't reach."""

    device_id: str | None
    device_name: str | None
    total: int
    counts: list[BucketCount]


class DayReport(msgspec.Struct, frozen=True):
    """What left on a day, in the bucket it is in now; date null: what has not left."""

    date: date | None
    total: int
    counts: list[BucketCount]


class TimePoint(msgspec.Struct, frozen=True):
    """How often each happened in one step of time from `at` on."""

    at: datetime
    sent: int
    delivered: int
    read: int
    replied: int


class CampaignReport(msgspec.Struct, frozen=True, kw_only=True):
    """All of one instant: the buckets sum to the total, and so do the devices and the days."""

    campaign: Campaign
    total: Annotated[int, Meta(description="Recipients: should send.", examples=[5000])]
    buckets: Annotated[list[BucketCount], Meta(description="Every bucket, also empty ones.")]
    failed: Annotated[list[CauseCount], Meta(description="The failed, by reason.")]
    devices: list[DeviceReport]
    days: list[DayReport]
    step: Literal["minute", "hour", "day"]
    times: list[TimePoint]


class CampaignRecipient(msgspec.Struct, frozen=True, kw_only=True):
    """One person, and what became of the message."""

    id: Annotated[str, Meta(description="Of its outbox row.", examples=["93"])]
    phone: str
    lead_id: str | None
    name: str | None
    device_id: str | None
    device_name: str | None
    bucket: Bucket
    reason: str | None
    cause: str | None
    held_by: Annotated[
        HeldBy | None, Meta(description="Of one that waits: what holds it; null while it is being sent.")
    ]
    text: Annotated[str, Meta(description="The words it got; empty before it is due.")]
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    replied_at: datetime | None


class CampaignReportController(Controller):
    """Everybody of the workspace sees them."""

    path = "/campaigns/{campaign_id:str}"
    tags = ["Campaigns"]

    @get(
        "/report",
        opt={"policy": Policy.READ},
        operation_id="get_campaign_report",
        summary="Report of a campaign",
        responses=problems(401, 404),
    )
    async def show(
        self, campaign_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> CampaignReport:
        """Days are those of the workspace's time zone."""
        number = number_of("campaign", campaign_id)
        zone = await rows.zone_of_tenant(services.pool, principal.tenant_id)
        found = await report.report(services.pool, principal.tenant_id, number, zone)
        if found is None:
            raise not_found("campaign", campaign_id)
        row = found.campaign
        return CampaignReport(
            campaign=await show_campaign(services.pool, row),
            total=row.total,
            buckets=[BucketCount(bucket, getattr(row, bucket)) for bucket in BUCKETS],
            failed=[CauseCount(cause, n) for cause, n in sorted(found.causes.items(), key=lambda pair: -pair[1])],
            devices=_parts(found.devices, principal),
            days=[DayReport(part.date, sum(part.counts.values()), _counts(part.counts)) for part in found.days],
            step=found.step,
            times=[TimePoint(one.at, one.sent, one.delivered, one.read, one.replied) for one in found.times],
        )

    @get(
        "/report.csv",
        opt={"policy": Policy.READ},
        operation_id="get_campaign_report_csv",
        summary="Report of a campaign as a file",
        media_type="text/csv",
        responses=problems(401, 404),
    )
    async def file(
        self,
        campaign_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        excel: ForExcel = False,
    ) -> Stream:
        """A row a recipient, by number; UTF-8. Who reaches only some devices gets those of these, and of none."""
        row = await find_campaign(services.pool, principal, campaign_id)
        lines = report.csv_lines(services.pool, reach_of(principal), row)
        return await download(lines, f"campaign-{row.id}.csv", excel=excel)

    @get(
        "/recipients",
        opt={"policy": Policy.READ},
        operation_id="list_campaign_recipients",
        summary="Recipients of a campaign",
        responses=problems(400, 401, 404),
    )
    async def recipients(
        self,
        campaign_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        bucket: Annotated[
            Bucket | None, QueryParameter(name="bucket", required=False, description="Only those in this bucket.")
        ] = None,
        device: Annotated[
            str | None, QueryParameter(name="device_id", required=False, description="Only those of this device.")
        ] = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Page[CampaignRecipient]:
        """By number. Who reaches only some devices sees those of these, and of none."""
        row = await find_campaign(services.pool, principal, campaign_id)
        place = place_of(after, 1)
        is_cancelled = row.state == "cancelled"
        if is_cancelled and bucket == "waiting":
            return Page([], None)
        found = await report.recipients(
            services.pool,
            reach_of(principal),
            row.source_id,
            after="" if place is None else f"{place[0]}@s.whatsapp.net",
            limit=limit + 1,
            bucket=bucket,
            device_id=None if device is None else uuid_of("device", device),
        )
        page = found[:limit]
        following = cursor(int(page[-1].to_jid.partition("@")[0])) if len(found) > limit else None
        waiting = [one.id for one in page if one.state == "queued" and not is_cancelled]
        hears = services.settings.chat_storage
        held = await what_holds(services.pool, principal.tenant_id, waiting, hears=hears)
        return Page([_shown(one, held.get(one.id), is_cancelled) for one in page], following)


def _parts(found: list[report.DeviceCounts], principal: Principal) -> list[DeviceReport]:
    seen = [part for part in found if part.device_id is None or principal.sees(part.device_id)]
    folded: Counter[str] = Counter()
    for part in found:
        if part not in seen:
            folded.update(part.counts)
    others = [report.DeviceCounts(None, OTHER_DEVICES, folded)] if folded else []
    return [
        DeviceReport(
            None if part.device_id is None else str(part.device_id),
            part.device_name,
            sum(part.counts.values()),
            _counts(part.counts),
        )
        for part in seen + others
    ]


def _counts(counts: dict[str, int]) -> list[BucketCount]:
    return [BucketCount(bucket, counts[bucket]) for bucket in BUCKETS if counts.get(bucket)]


def _shown(one: report.Recipient, held: HeldBy | None, is_cancelled: bool) -> CampaignRecipient:
    return CampaignRecipient(
        id=str(one.id),
        phone=phones.of_jid(one.to_jid) or one.to_jid,
        lead_id=None if one.lead_id is None else str(one.lead_id),
        name=one.name,
        device_id=None if one.device_id is None else str(one.device_id),
        device_name=one.device_name,
        bucket="cancelled" if is_cancelled and one.bucket == "waiting" else one.bucket,
        reason=one.reason,
        cause=one.cause,
        held_by=held,
        text=one.body,
        sent_at=one.sent_at,
        delivered_at=one.delivered_at,
        read_at=one.read_at,
        replied_at=one.replied_at,
    )
