"""A file of numbers to leave alone counts a portion at a time, whatever becomes of the process that reads it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from tests.database import Database, blocked, pool_of
from wafast.accounts.principal import Principal
from wafast.leads import import_process, imports, suppressions

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
NUMBERS = 12
PORTION = 5


@pytest_asyncio.fixture
async def pool(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncpg.Pool]:
    """A database, and portions of a few lines."""
    monkeypatch.setattr(import_process, "PORTION", PORTION)
    async with pool_of(database.uri) as pool:
        yield pool


@pytest_asyncio.fixture
async def file(database: Database, pool: asyncpg.Pool, tmp_path: Path) -> File:
    """One that came in, to be taken in by itself; its first line is no number."""
    tenant_id = await pool.fetchval("INSERT INTO tenants (name) VALUES (gen_random_uuid()::text) RETURNING id")
    principal = Principal(tenant_id=tenant_id, scope="admin", user_id=1)
    content = b"phone\n" + b"".join(b"+6012345%04d\n" % number for number in range(NUMBERS))

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    options = imports.Options(start=True)
    made = await imports.create(pool, principal, "suppressions", "stop.csv", len(content), pieces(), options)
    return File(pool, database.uri, tmp_path, principal, int(made.id))


class Killed(Exception):
    """The process ends here."""


class File:
    """An import of numbers to leave alone, and the process that reads it."""

    def __init__(self, pool: asyncpg.Pool, uri: str, folder: Path, principal: Principal, import_id: int) -> None:
        self._pool, self._uri, self._folder = pool, uri, folder
        self.principal, self.id = principal, import_id

    async def read(self) -> imports.Import:
        """The process does what is to be done; twice, as it is looked at first."""
        for _ in range(2):
            await import_process.work(self._uri, self.id, self._folder)
        return await self.shown()

    async def shown(self) -> imports.Import:
        """As the API has it."""
        found = await imports.get(self._pool, self.principal.tenant_id, self.id)
        assert found is not None
        return found

    async def listed(self) -> int:
        """How many numbers are on the list."""
        found: int = await self._pool.fetchval(
            "SELECT count(*) FROM suppressions WHERE tenant_id = $1", self.principal.tenant_id
        )
        return found


def _after_the_first_portion(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Awaitable[None]]) -> None:
    announce, told = import_process.Importing._announce, 0

    async def heard(one: import_process.Importing) -> None:
        nonlocal told
        told += 1
        if told == 2:  # the first time it was read
            await happens()
        await announce(one)

    monkeypatch.setattr(import_process.Importing, "_announce", heard)


async def test_a_portion_counts_before_the_next_and_an_import_that_was_killed_goes_on(
    file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed() -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        _after_the_first_portion(patched, killed)
        await file.read()
    begun = await file.shown()
    assert (begun.state, begun.written, await file.listed()) == ("running", PORTION - 1, PORTION - 1)

    done = await file.read()

    assert (done.state, done.written, await file.listed()) == ("done", NUMBERS, NUMBERS)
    assert done.counts == imports.Counts(new=NUMBERS, changed=0, unchanged=0, doubles=0, errors=0)


async def test_a_cancelled_import_says_how_many_numbers_stay_on_the_list(
    file: File, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled() -> None:
        await imports.cancel(pool, file.principal, file.id)

    _after_the_first_portion(monkeypatch, cancelled)

    ended = await file.read()

    assert (ended.state, ended.written, await file.listed()) == ("cancelled", PORTION - 1, PORTION - 1)
    assert ended.counts == imports.Counts(new=PORTION - 1, changed=0, unchanged=0, doubles=0, errors=0)


async def test_what_a_look_through_has_counted_is_not_told_of_an_import_that_was_cancelled(
    file: File, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pool.execute("UPDATE imports SET options = options || '{\"start\": false}' WHERE id = $1", file.id)
    assert (await file.read()).state == "ready"
    await imports.begin(pool, file.principal, file.id, "checking", None, None)
    checked = await file.read()
    assert (checked.state, checked.counts and checked.counts.new, await file.listed()) == ("checked", NUMBERS, 0)

    await imports.begin(pool, file.principal, file.id, "running", None, None)
    ended = await imports.cancel(pool, file.principal, file.id)

    assert ended is not None
    assert (ended.state, ended.written, ended.counts) == ("cancelled", 0, None)


async def test_a_person_of_two_numbers_who_is_put_on_the_list_by_a_person_and_a_file_at_once_is_there_with_both(
    file: File, pool: asyncpg.Pool
) -> None:
    """Each has one number, and would add the other: PostgreSQL lets one of them go on, and that one begins again."""
    tenant_id, both, other = file.principal.tenant_id, ("+60123450000", "+60999999999"), "+60123450003"
    await pool.execute(
        "INSERT INTO number_checks (tenant_id, network, phone, jid, checked_at)"
        " VALUES ($1, 'loopback', $2, substr($3::text, 2) || '@s.whatsapp.net', now())",
        tenant_id, *both,
    )  # fmt: skip
    added = "INSERT INTO suppressions (tenant_id, phone, reason, created_by) VALUES ($1, $2, 'STOP', 'lead')"
    async with pool.acquire() as third, third.transaction():
        await third.execute(added, tenant_id, other)
        importing = await blocked(pool, file.read())
        adding = asyncio.create_task(suppressions.add(pool, file.principal, both[1], "asked on the phone"))
        async with asyncio.timeout(60):
            while True:
                if await pool.fetchval(WAITING) == 2:
                    break
                await asyncio.sleep(0.02)
    ended = await asyncio.gather(importing, adding, return_exceptions=True)
    broken = [one for one in ended if isinstance(one, BaseException)]
    assert [type(one) for one in broken] == [asyncpg.DeadlockDetectedError]

    done = await file.read()

    assert (done.state, await file.listed()) == ("done", NUMBERS + 1)
