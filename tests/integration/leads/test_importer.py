"""Which import is done when, and what becomes of one whose process falls over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from tests.database import Database, pool_of
from wafast.leads import importer
from wafast.leads.import_process import AWAY, FULL


class Desk:
    """Imports that are begun and ended as a test says, instead of by processes."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.begun: asyncio.Queue[int] = asyncio.Queue()
        self._codes: dict[int, asyncio.Future[int]] = {}

    async def workspace(self) -> int:
        """A new tenant's number."""
        found: int = await self._pool.fetchval(
            "INSERT INTO tenants (name) VALUES (gen_random_uuid()::text) RETURNING id"
        )
        return found

    async def put(self, tenant_id: int, state: str = "running") -> int:
        """An import with work to do."""
        found: int = await self._pool.fetchval(
            "INSERT INTO imports (tenant_id, kind, file_name, size, state, options, created_by)"
            " VALUES ($1, 'leads', 'a.csv', 1, $2, '{}', 'user:1') RETURNING id",
            tenant_id, state,
        )  # fmt: skip
        await self._pool.execute("SELECT pg_notify('wafast_import', '')")
        return found

    async def once(self, uri: str, import_id: int) -> int:
        """In the place of a process."""
        self._codes[import_id] = asyncio.get_running_loop().create_future()
        self.begun.put_nowait(import_id)
        return await self._codes[import_id]

    async def next(self) -> int:
        """Which is begun next."""
        async with asyncio.timeout(60):
            return await self.begun.get()

    async def end(self, import_id: int, code: int = 0) -> None:
        """Its process ends so."""
        if code == 0:
            await self._pool.execute("UPDATE imports SET state = 'done' WHERE id = $1", import_id)
        self._codes[import_id].set_result(code)

    async def shown(self, import_id: int) -> asyncpg.Record:
        """Its row."""
        row = await self._pool.fetchrow("SELECT * FROM imports WHERE id = $1", import_id)
        assert row is not None
        return row


@pytest_asyncio.fixture
async def desk(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    async with pool_of(database.uri) as pool:
        made = Desk(pool)
        monkeypatch.setattr(importer, "_once", made.once)
        task = asyncio.create_task(importer.keep_importing(database.uri))
        yield made
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_long_import_holds_up_neither_other_workspaces_nor_a_look_at_the_next_file(desk: Desk) -> None:
    first, second, third = [await desk.workspace() for _ in range(3)]
    long = await desk.put(first)
    assert await desk.next() == long
    waits = await desk.put(first)
    short = await desk.put(second)
    assert await desk.next() == short, "a workspace has one of its own at a time"
    late = await desk.put(third)
    look = await desk.put(first, "reading")
    assert await desk.next() == look
    await desk.end(look)
    await desk.end(short)
    assert await desk.next() == late
    await desk.end(long)
    assert await desk.next() == waits


async def test_a_process_that_falls_over_lets_others_go_first_and_is_given_up_at_last(desk: Desk) -> None:
    workspace = await desk.workspace()
    poison = await desk.put(workspace)
    assert await desk.next() == poison
    other = await desk.put(workspace)
    await desk.end(poison, FULL)
    assert await desk.next() == other
    await desk.end(other)
    for _ in range(importer.MOST_ATTEMPTS - 1):
        assert await desk.next() == poison
        await desk.end(poison, FULL)
    last = await desk.put(workspace)
    assert await desk.next() == last
    row = await desk.shown(poison)
    assert row["state"] == "failed"
    assert "disk" in row["reason"]


async def test_a_database_that_is_away_is_no_fault_of_the_file(desk: Desk) -> None:
    found = await desk.put(await desk.workspace())
    for _ in range(importer.MOST_ATTEMPTS + 1):
        assert await desk.next() == found
        await desk.end(found, AWAY)
    assert await desk.next() == found
    row = await desk.shown(found)
    assert (row["state"], row["attempts"]) == ("running", 0)
