"""A workspace that writes to people, and short words for what its tests do."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from wafast.accounts import tenants
from wafast.campaigns import planner, rows
from wafast.campaigns.rows import CampaignRow, Plan, Schedule
from wafast.database.pool import set_codecs
from wafast.devices import rows as devices
from wafast.devices.lease import Leases
from wafast.devices.rows import DeviceRow
from wafast.outbox import claim as claims
from wafast.outbox.claim import Claim
from wafast.outbox.sources import Message, Pace

AT_ONCE = Pace(0.0, 0.0)


class Office:
    """One test's workspace."""

    def __init__(self, uri: str, pool: asyncpg.Pool, tenant_id: int) -> None:
        self.uri, self.pool, self.tenant_id = uri, pool, tenant_id
        self.worker: UUID | None = None
        self.devices: list[DeviceRow] = []

    @classmethod
    async def make(cls, uri: str, pool: asyncpg.Pool) -> Office:
        """With nobody to write to yet."""
        return cls(uri, pool, await tenants.create_tenant(pool, "Office", "loopback"))

    async def device(self) -> DeviceRow:
        """A line that is online, without pace of its own, held by the test's worker."""
        device = await devices.create_device(self.pool, self.tenant_id, "Shop", "loopback")
        await self.pool.execute(
            "UPDATE devices SET jid = $2, state = 'online', desired_state = 'connected', store = 'x.db',"
            " paired_at = now(), min_seconds = 0, max_seconds = 0, per_hour = 1000000, per_day = 1000000,"
            " ramp = false WHERE no = $1",
            device.no, f"6010{device.no}@s.whatsapp.net",
        )  # fmt: skip
        leases = Leases(self.pool, self.worker or uuid4(), "loopback")
        await leases.beat()
        await leases.acquire()
        self.worker = leases.worker_id
        self.devices.append(device)
        return device

    async def leads(self, count: int, device: DeviceRow | None = None, *, first: int = 1, tag: str = "all") -> None:
        """People with numbers of their own, whom a device owns or nobody."""
        await self.pool.execute(
            "INSERT INTO leads (tenant_id, phone, name, tags, device_no, zone)"
            " SELECT $1, '+60120' || lpad(n::text, 7, '0'), 'Lead ' || n, ARRAY[$4], $5, 'Asia/Kuala_Lumpur'"
            " FROM generate_series($2::int4, $3::int4) n",
            self.tenant_id, first, first + count - 1, tag, None if device is None else device.no,
        )  # fmt: skip

    async def campaign(self, schedule: Schedule | None = None, **more: Any) -> CampaignRow:
        """A draft to everybody."""
        wanted: dict[str, Any] = {
            "name": "Raya",
            "audience": {},
            "message": Message("text", "Hi {name}"),
            "pace": AT_ONCE,
        } | more
        return await rows.create(self.pool, self.tenant_id, "user:1", Plan(**wanted), schedule)

    async def started(self, **more: Any) -> CampaignRow:
        """A campaign that runs, planned as the planner does it."""
        made = await self.campaign(**more)
        await rows.start(self.pool, self.tenant_id, made.id)
        await self.plan(made)
        return await self.shown(made)

    async def plan(self, campaign: CampaignRow) -> int | None:
        """One plan, on a connection of its own."""
        connection = await asyncpg.connect(self.uri)
        try:
            await set_codecs(connection)
            return await planner.plan(connection, self.tenant_id, campaign.id)
        finally:
            await connection.close()

    async def shown(self, campaign: CampaignRow) -> CampaignRow:
        """The campaign as it is now."""
        found = await rows.get(self.pool, self.tenant_id, campaign.id)
        assert found is not None
        return found

    async def claim(self) -> list[Claim]:
        """What a worker would send next: at most one row a device."""
        assert self.worker is not None
        return await claims.claim(self.pool, self.worker, [], [device.no for device in self.devices])

    async def end(
        self, claim: Claim, state: str = "sent", cause: str | None = None, at: datetime | None = None
    ) -> None:
        """What became of a send."""
        await self.pool.execute(
            "UPDATE outbox SET state = $2, cause = $3, message_id = $1::text, sent_at = coalesce($4, now())"
            " WHERE id = $1::int8",
            claim.id, state, cause, at,
        )  # fmt: skip

    async def count(self, campaign: CampaignRow, where: str = "true") -> int:
        """Rows of a campaign in the outbox."""
        query = f"SELECT count(*) FROM outbox WHERE source_id = $1 AND {where}"
        found: int = await self.pool.fetchval(query, campaign.source_id)
        return found


def buckets(row: CampaignRow) -> dict[str, int]:
    """How many of a campaign's rows are in each bucket; empty ones left out."""
    names = (
        "waiting",
        "sent",
        "delivered",
        "read",
        "replied",
        "failed",
        "unknown",
        "expired",
        "opted_out",
        "cancelled",
    )
    return {name: getattr(row, name) for name in names if getattr(row, name)}
