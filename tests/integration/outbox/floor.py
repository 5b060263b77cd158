"""A workspace whose devices are online at one worker, and sources with rows for people of many places. No sends leave:
`claim_at` claims at an instant of the test's choice, and what is claimed counts as sent then."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from wafast.accounts import tenants
from wafast.devices import rows as devices
from wafast.devices.lease import Leases
from wafast.outbox import claim as claims
from wafast.outbox import sources
from wafast.outbox.claim import Claim
from wafast.outbox.sources import Message, Pace

HELLO = Message("text", "Hi {name|there}")
MONDAY = datetime(2026, 3, 23, tzinfo=UTC)
EVER = datetime(2000, 1, 1, tzinfo=UTC)


class Floor:
    """One test's world."""

    def __init__(self, pool: asyncpg.Pool, tenant_id: int) -> None:
        self.pool, self.tenant_id = pool, tenant_id
        self.leases = Leases(pool, uuid4(), "loopback")
        self._numbers = itertools.count(60_120_000_000)

    @classmethod
    async def make(cls, pool: asyncpg.Pool) -> Floor:
        """With a workspace and no devices yet."""
        await tenants.bootstrap(pool, "admin@example.com", "a long password")
        return cls(pool, await pool.fetchval("SELECT min(id) FROM tenants"))

    @property
    def worker(self) -> UUID:
        """Who holds the devices."""
        return self.leases.worker_id

    async def devices(self, count: int, **columns: Any) -> list[int]:
        """Devices that are online, with these columns as they say."""
        columns = {"ramp": False, "typing": False, "paired_at": EVER} | columns
        numbers = []
        for _ in range(count):
            device = await devices.create_device(self.pool, self.tenant_id, "Shop", "loopback")
            numbers.append(device.no)
        sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, 2))
        await self.pool.execute(
            "UPDATE devices SET state = 'online', desired_state = 'connected', store = 'x',"
            f" jid = '6010' || no || '@s.whatsapp.net', {sets} WHERE no = ANY ($1)",
            numbers, *columns.values(),
        )  # fmt: skip
        await self.leases.beat()
        await self.leases.acquire()
        return numbers

    async def source(self, pace: Pace | None = None, message: Message = HELLO, *, may_move: bool = False) -> int:
        """A source that runs."""
        source_id = await sources.create(self.pool, self.tenant_id, message, pace or Pace(), may_move=may_move)
        await sources.set_state(self.pool, self.tenant_id, source_id, "running")
        return source_id

    async def lane(self, source_id: int | None, device_no: int | None, zone: str = "Asia/Kuala_Lumpur") -> int:
        """The lane of a source at a device, made when it is missing."""
        await self.pool.execute(
            "INSERT INTO lanes (tenant_id, source_id, device_no, zone, is_live) VALUES ($1, $2, $3, $4, true)"
            " ON CONFLICT DO NOTHING",
            self.tenant_id, source_id, device_no, zone,
        )  # fmt: skip
        lane_id: int = await self.pool.fetchval(
            "SELECT id FROM lanes WHERE source_id IS NOT DISTINCT FROM $1 AND device_no IS NOT DISTINCT FROM $2"
            " AND zone = $3",
            source_id, device_no, zone,
        )  # fmt: skip
        return lane_id

    async def rows(
        self, source_id: int, device_no: int | None, count: int, zone: str = "Asia/Kuala_Lumpur",
        not_before: datetime = EVER, name: str = "Aisyah",
    ) -> list[int]:  # fmt: skip
        """So many people, each with a row of the source that waits."""
        lane_id = await self.lane(source_id, device_no, zone)
        phones = [f"+{next(self._numbers)}" for _ in range(count)]
        made = await self.pool.fetch(
            "WITH people AS (INSERT INTO leads (tenant_id, phone, name, zone)"
            " SELECT $1, phone, $7, $6 FROM unnest($5::text[]) phone RETURNING id, phone)"
            " INSERT INTO outbox (tenant_id, device_no, source_id, lane_id, lead_id, to_jid, kind, priority,"
            " not_before, created_by)"
            " SELECT $1, $2, $3, $4, id, substr(phone, 2) || '@s.whatsapp.net', 'text', 'paced', $8, 'test'"
            " FROM people RETURNING id",
            self.tenant_id, device_no, source_id, lane_id, phones, zone, name, not_before,
        )  # fmt: skip
        return [row["id"] for row in made]

    async def reply(self, device_no: int, to_jid: str = "60123456789@s.whatsapp.net") -> int:
        """A reply that waits."""
        row: int = await self.pool.fetchval(
            "INSERT INTO outbox (tenant_id, device_no, to_jid, kind, body, created_by)"
            " VALUES ($1, $2, $3, 'text', 'Yes', 'test') RETURNING id",
            self.tenant_id, device_no, to_jid,
        )  # fmt: skip
        return row

    async def file(self, device_no: int, to_jid: str) -> int:
        """A document that waits to be a reply."""
        row = await self.reply(device_no, to_jid)
        await self.pool.execute(
            "INSERT INTO media (tenant_id, sha256, mime, size) VALUES ($1, $2, 'application/pdf', 3)"
            " ON CONFLICT DO NOTHING", self.tenant_id, bytes(32),
        )  # fmt: skip
        named = "UPDATE outbox SET kind = 'document', media_sha256 = $2, file_name = 'a.pdf' WHERE id = $1"
        await self.pool.execute(named, row, bytes(32))
        return row

    async def sends_counted(self, device_no: int) -> int:
        """How many sends a device's clock has in both of its counts."""
        row = await self.pool.fetchrow("SELECT hour_sends, day_sends FROM devices WHERE no = $1", device_no)
        assert row is not None
        assert sum(row["hour_sends"]) == sum(row["day_sends"])
        return sum(row["hour_sends"])

    async def claim_at(self, at: datetime, devices: Sequence[int]) -> list[Claim]:
        """What leaves then."""
        got = await claims.claim(self.pool, self.worker, devices, devices, at)
        await self.pool.execute(
            "UPDATE outbox SET state = 'sent', message_id = 'M' || id, sent_at = claimed_at WHERE id = ANY ($1)",
            [one.id for one in got],
        )
        return got

    async def run(self, start: datetime, end: datetime, devices: Sequence[int]) -> list[tuple[datetime, Claim]]:
        """Everything that leaves from one instant to another, as a worker with nothing else to do would claim it."""
        due = dict.fromkeys(devices, start)
        left: list[tuple[datetime, Claim]] = []
        while due and (at := min(due.values())) < end:
            looked = [no for no, when in due.items() if when <= at]
            left += [(at, one) for one in await self.claim_at(at, looked)]
            waits = await claims.next_due(self.pool, looked, looked, at)
            for no in looked:
                if no in waits:
                    due[no] = at + timedelta(seconds=max(0.05, waits[no]))
                else:
                    del due[no]
        return left

    async def state(self, outbox_id: int) -> tuple[str, str | None]:
        """State and cause of a row."""
        row = await self.pool.fetchrow("SELECT state, cause FROM outbox WHERE id = $1", outbox_id)
        assert row is not None
        return row["state"], row["cause"]
