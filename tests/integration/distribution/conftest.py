"""A workspace with devices, people and running sources, and short words for what tests do with them."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest_asyncio

from tests.database import Database, pool_of
from wafast.database.pool import connect
from wafast.distribution.runner import Runner, keep_distributing

_numbers = itertools.count(1)


class Shop:
    """The workspace."""

    def __init__(self, uri: str, pool: asyncpg.Pool, tenant_id: int, connection: asyncpg.Connection) -> None:
        self.uri, self.pool, self.tenant_id = uri, pool, tenant_id
        self.connection, self.runner = connection, Runner(connection)

    async def device(self, name: str = "Shop", **columns: Any) -> int:
        """A device that is online and grown, unless told otherwise; its number."""
        columns = {
            "state": "online", "online_at": await self.pool.fetchval("SELECT now() - interval '1 hour'"),
            "network": "loopback", "jid": f"6012{next(_numbers):07}@s.whatsapp.net",
            "paired_at": await self.pool.fetchval("SELECT now() - interval '60 days'"), "ramp": False,
            "desired_state": "connected", **columns,
        }  # fmt: skip
        names = ", ".join(columns)
        values = ", ".join(f"${number}" for number in range(3, len(columns) + 3))
        found: int = await self.pool.fetchval(
            f"INSERT INTO devices (tenant_id, name, {names}) VALUES ($1, $2, {values}) RETURNING no",
            self.tenant_id, name, *columns.values(),
        )  # fmt: skip
        return found

    async def set(self, device_no: int, **columns: Any) -> None:
        """Change a device's row."""
        for name, value in columns.items():
            await self.pool.execute(f"UPDATE devices SET {name} = $2 WHERE no = $1", device_no, value)

    async def leads(self, count: int, device_no: int | None = None) -> list[int]:
        """People; their ids."""
        rows = await self.pool.fetch(
            "INSERT INTO leads (tenant_id, phone, zone, device_no)"
            " SELECT $1, '+6019' || lpad(($3 + i)::text, 7, '0'), 'Asia/Kuala_Lumpur', $4"
            " FROM generate_series(1, $2) i RETURNING id",
            self.tenant_id, count, next(_numbers) * 10_000, device_no,
        )  # fmt: skip
        return [row["id"] for row in rows]

    async def score(self, lead_id: int, score: int) -> None:
        """What the AI endpoint said of somebody."""
        await self.pool.execute(
            "INSERT INTO lead_scores (lead_id, tenant_id, score, reason, model, facts_hash, scored_at)"
            " VALUES ($1, $2, $3, 'Asked for a price.', 'qwen3', 0, now())",
            lead_id, self.tenant_id, score,
        )  # fmt: skip

    async def source(self, *, may_move: bool = False, device_ids: list[Any] | None = None) -> int:
        """A running source."""
        found: int = await self.pool.fetchval(
            "INSERT INTO sources (tenant_id, state, kind, template, may_move, device_ids)"
            " VALUES ($1, 'running', 'text', 'Hi', $2, $3) RETURNING id",
            self.tenant_id, may_move, device_ids,
        )  # fmt: skip
        return found

    async def plan(self, source_id: int, leads: list[int], device_no: int | None = None) -> None:
        """Rows for these people, in the pool or at a device."""
        async with self.pool.acquire() as connection, connection.transaction():
            lane = await connection.fetchval(
                "INSERT INTO lanes (tenant_id, source_id, device_no, zone, is_live)"
                " VALUES ($1, $2, $3, 'Asia/Kuala_Lumpur', true) RETURNING id",
                self.tenant_id, source_id, device_no,
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO outbox (tenant_id, device_no, source_id, lane_id, lead_id, to_jid, kind, priority,"
                " created_by) SELECT $1, $2, $3, $4, l.id, substr(l.phone, 2) || '@s.whatsapp.net', 'text', 'paced',"
                " 'test' FROM leads l WHERE l.id = ANY ($5::int8[]) ORDER BY l.id",
                self.tenant_id, device_no, source_id, lane, leads,
            )  # fmt: skip

    async def by_device(self, source_id: int) -> Counter[int | None]:
        """How many rows of a source each device has; None is the pool."""
        rows = await self.pool.fetch("SELECT device_no FROM outbox WHERE source_id = $1", source_id)
        return Counter(row["device_no"] for row in rows)

    async def until(self, query: str, *arguments: object) -> None:
        """Wait until a statement gives true."""
        for _ in range(1500):
            if await self.pool.fetchval(query, *arguments):
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"never came: {query}")


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    async with pool_of(database.uri, size=5) as pool:
        tenant_id = await pool.fetchval("INSERT INTO tenants (name) VALUES ('Shop') RETURNING id")
        connection = await connect(database.uri, "test runner")
        yield Shop(database.uri, pool, tenant_id, connection)
        await connection.close()


@pytest_asyncio.fixture
async def distributing(shop: Shop) -> AsyncIterator[Shop]:
    """The workspace while distribution runs."""
    task = asyncio.create_task(keep_distributing(shop.uri))
    await shop.until(
        "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted)"
    )
    yield shop
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
