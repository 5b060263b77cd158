"""Which import is done when, and what becomes of one whose process falls over."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from tests.database import Database, pool_of
from wafast.leads import importer
from wafast.leads.import_process import AWAY, FULL
from wafast.leads.importer import NOT_BEGUN, TOO_LONG


class Desk:
    """Imports that are begun and ended as a test says, instead of by processes."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.begun: asyncio.Queue[int] = asyncio.Queue()
        self.stopped: list[int] = []
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
        try:
            return await self._codes[import_id]
        except asyncio.CancelledError:
            self.stopped.append(import_id)
            raise

    async def next(self) -> int:
        """Which is begun next."""
        async with asyncio.timeout(60):
            return await self.begun.get()

    async def end(self, import_id: int, code: int = 0) -> None:
        """Its process ends so."""
        if code == 0:
            await self._pool.execute("UPDATE imports SET state = 'done' WHERE id = $1", import_id)
        self._codes[import_id].set_result(code)

    async def change(self, import_id: int, query: str) -> None:
        """A person wants something else of it."""
        await self._pool.execute(query, import_id)
        await self._pool.execute("SELECT pg_notify('wafast_import', '')")

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


@pytest.mark.parametrize(("code", "why"), [(FULL, "disk"), (NOT_BEGUN, "could not start")], ids=["full", "not begun"])
async def test_a_process_that_falls_over_lets_others_go_first_and_is_given_up_at_last(
    desk: Desk, code: int, why: str
) -> None:
    workspace = await desk.workspace()
    poison = await desk.put(workspace)
    assert await desk.next() == poison
    other = await desk.put(workspace)
    await desk.end(poison, code)
    assert await desk.next() == other
    await desk.end(other)
    for _ in range(importer.MOST_ATTEMPTS - 1):
        assert await desk.next() == poison
        await desk.end(poison, code)
    last = await desk.put(workspace)
    assert await desk.next() == last
    row = await desk.shown(poison)
    assert row["state"] == "failed"
    assert why in row["reason"]


async def test_a_cancelled_import_is_stopped_where_it_is_and_the_next_one_begins(desk: Desk) -> None:
    workspace = await desk.workspace()
    endless, following = await desk.put(workspace), await desk.put(workspace)
    assert await desk.next() == endless
    await desk.change(endless, "UPDATE imports SET state = 'cancelled' WHERE id = $1")
    assert await desk.next() == following
    await desk.change(following, "DELETE FROM imports WHERE id = $1")
    last = await desk.put(workspace)
    assert await desk.next() == last
    assert desk.stopped == [endless, following]


async def test_what_takes_too_long_once_is_given_up(desk: Desk) -> None:
    workspace = await desk.workspace()
    endless, following = await desk.put(workspace), await desk.put(workspace)
    assert await desk.next() == endless
    await desk.end(endless, TOO_LONG)
    assert await desk.next() == following
    row = await desk.shown(endless)
    assert row["state"] == "failed"
    assert "more than 1 hour" in row["reason"]


async def test_a_process_that_can_not_begin_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "gone"))
    assert await importer._once("postgresql://", 1) == NOT_BEGUN
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no folder"))
    assert await importer._once("postgresql://", 1) == NOT_BEGUN


@pytest.mark.parametrize("ends", ["by itself", "by a person"])
async def test_a_process_that_does_not_end_is_killed_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    program, begun = tmp_path / "endless", tmp_path / "begun"
    # its arguments are -m, the module, the import and the folder
    program.write_text(
        f'#!/bin/sh\necho file > "$4/file"\necho $$ > {begun}.new\nmv {begun}.new {begun}\nexec sleep 600'
    )
    program.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(program))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(importer, "MOST_SECONDS", 3.0 if ends == "by itself" else 600.0)
    task = asyncio.create_task(importer._once("postgresql://", 1))
    if ends == "by itself":
        assert await task == TOO_LONG
    else:
        await asyncio.to_thread(_until_there, begun)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
    assert await asyncio.to_thread(_left_of, tmp_path, begun) == []


def _until_there(file: Path) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _left_of(folder: Path, begun: Path) -> list[object]:
    """The process, unless it was killed before it began, and its files."""
    left: list[object] = list(folder.glob("wafast-import-*"))
    if begun.exists():
        try:
            os.kill(int(begun.read_text()), 0)
        except ProcessLookupError:
            return left
        left.append(begun.read_text())
    return left


async def test_a_database_that_is_away_is_no_fault_of_the_file(desk: Desk) -> None:
    found = await desk.put(await desk.workspace())
    for _ in range(importer.MOST_ATTEMPTS + 1):
        assert await desk.next() == found
        await desk.end(found, AWAY)
    assert await desk.next() == found
    row = await desk.shown(found)
    assert (row["state"], row["attempts"]) == ("running", 0)
