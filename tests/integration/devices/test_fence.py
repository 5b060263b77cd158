"""A worker whose lease is taken while it waits to write for its device writes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from tests.database import Database
from wafast.accounts import tenants
from wafast.database.pool import open_pool
from wafast.devices import rows, state
from wafast.devices.lease import Leases
from wafast.devices.pairing import Pairing
from wafast.devices.session import Own

PATIENCE = 60.0


class Line:
    """A device whose pairing waits, and the lease it is held under."""

    def __init__(self, pool: asyncpg.Pool, device: rows.DeviceRow, pairing_id: UUID, lease: tuple[UUID, int]) -> None:
        self.pool, self.no, self.lease = pool, device.no, lease
        self.pairing = Pairing(pool, lease, device.no, pairing_id, None, "new.db", None)

    @contextlib.asynccontextmanager
    async def being_taken(self) -> AsyncIterator[None]:
        """Another worker takes the device, and has it at the end of the block."""
        other = Leases(self.pool, uuid4(), "loopback")
        await other.beat()
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT FROM devices WHERE no = $1 FOR NO KEY UPDATE", self.no)
            await connection.execute(
                "UPDATE leases SET worker_id = $2, epoch = epoch + 1 WHERE device_no = $1", self.no, other.worker_id
            )
            yield

    async def until_waits(self) -> None:
        """Until a statement waits for the device."""
        deadline = time.monotonic() + PATIENCE
        while not await self.pool.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            assert time.monotonic() < deadline, "nothing waits"
            await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def line(database: Database) -> AsyncIterator[Line]:
    pool = await open_pool(database.uri, size=4, name="test")
    await tenants.bootstrap(pool, "admin@example.com", "a long password")
    tenant_id = await pool.fetchval("SELECT min(id) FROM tenants")
    device = await rows.create_device(pool, tenant_id, "Shop", "loopback")
    pairing = await rows.create_pairing(pool, tenant_id, device.id, "qr", None)
    assert pairing is not None
    leases = Leases(pool, uuid4(), "loopback")
    await leases.beat()
    [taken] = await leases.acquire()
    lease = leases.worker_id, taken.epoch
    assert await state.move(pool, lease, device.no, "pairing", None)
    yield Line(pool, device, pairing.id, lease)
    await pool.close()


Write = Callable[[Line], Awaitable[object]]
WRITES: dict[str, Write] = {
    "state": lambda line: state.move(line.pool, line.lease, line.no, "new", None),
    "name": lambda line: state.set_push_name(line.pool, line.lease, line.no, "Kedai"),
    "code": lambda line: line.pairing.show(qr="2@code"),
    "end": lambda line: line.pairing.end("failed", "nobody"),
    "success": lambda line: line.pairing.succeed(Own("60123456789@s.whatsapp.net", None, 2, "")),
}


@pytest.mark.parametrize("what", WRITES)
async def test_what_waited_while_the_lease_was_taken_is_not_written(line: Line, what: str) -> None:
    row = "SELECT d::text || p::text FROM devices d JOIN pairings p ON p.device_no = d.no"
    before = await line.pool.fetchval(row)
    async with line.being_taken():
        writing = asyncio.ensure_future(WRITES[what](line))
        await line.until_waits()
    assert not await writing
    assert await line.pool.fetchval(row) == before


async def test_a_success_waits_for_the_device_before_it_touches_its_pairing_as_all_do(line: Line) -> None:
    async with line.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM devices FOR UPDATE")
        writing = asyncio.ensure_future(WRITES["success"](line))
        await line.until_waits()
        await connection.execute("UPDATE pairings SET state = 'failed', reason = 'a newer one', ended_at = now()")
    assert not await writing
