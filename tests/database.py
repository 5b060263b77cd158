"""An embedded PostgreSQL for tests, and databases in it that nobody else uses."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from threading import Thread
from typing import Any

import asyncpg

from wafast.database import migrations
from wafast.database.pool import open_pool

TEMPLATE = "wafast_template"
#: All that makes a database what it is, without the rows of its tables. Statistics count: plans depend on them.
SHAPE = """
SELECT md5(string_agg(part, ';' ORDER BY part COLLATE "C")) FROM (
    SELECT concat('class', oid, relname, relkind, relpersistence, relhastriggers, reltablespace, reloptions::text,
            CASE relkind WHEN 'r' THEN concat(relpages, ' ', reltuples) END)
        FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT concat('column', attrelid, attnum, attname, atttypid, attnotnull, atthasdef, attoptions::text)
        FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT concat('default', oid, adbin::text) FROM pg_attrdef
    UNION ALL SELECT concat('trigger', oid, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat('constraint', oid, convalidated) FROM pg_constraint
    UNION ALL SELECT concat('function', oid, proname, prosrc) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT concat('schema', oid, nspname) FROM pg_namespace WHERE nspname !~ '^pg_'
    UNION ALL SELECT concat('statistics', starelid, staattnum) FROM pg_statistic WHERE starelid >= 16384
    UNION ALL SELECT concat('setting', setrole, setconfig::text) FROM pg_db_role_setting s
        JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database()
) whole (part)
"""
#: Tables that have or had rows. To look into all there are would open each of their indexes, which is most of the work.
USED = """
SELECT oid::regclass::text AS name FROM pg_class WHERE oid >= 16384 AND relkind = 'r' AND pg_relation_size(oid) > 0
    ORDER BY 1
"""
#: A table of up to so many bytes is one of few rows: to the planner one that was never looked at has ten pages anyway.
FEW = 10 * 8192
COUNTED = "SELECT format('%I.%I', schemaname, sequencename) AS name, last_value FROM pg_sequences ORDER BY 1"
#: Sequences that migrations took no number of begin anew. To ALTER one would give it a new file.
RECOUNT = """
SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false) FROM pg_sequences
    WHERE last_value IS NOT NULL AND NOT format('%I.%I', schemaname, sequencename) = ANY ($1)
"""


class Database:
    """`uri` is a freshly migrated database, another one for each test; `create()` makes more."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._uri: str | None = None
        self._spare: str | None = None
        self._template: _Template | None = None

    def configure(self, *settings: str) -> None:
        """Settings of the server, as in its file."""
        for setting in settings:
            _wait(self._run(f"ALTER SYSTEM SET {setting}"))
        _wait(self._run("SELECT pg_reload_conf()"))

    @property
    def uri(self) -> str:
        """The running test's database."""
        if self._uri is None:
            self._uri, self._spare = self._spare or self.create(), None
        return self._uri

    def forget(self) -> None:
        """The next `uri` is another database: this one emptied, under a name nobody knows, as that takes a tenth of
        what a new one does. Where a test changed more than rows it goes: hundreds of them are gigabytes that the server
        would have to write before it can stop."""
        if self._uri is not None:
            _wait(self._forget(self._uri.partition("?")[0].rpartition("/")[2]))
        self._uri = None

    async def _forget(self, name: str) -> None:
        server, fresh = await asyncpg.connect(self._server), _name()
        try:
            await server.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
            await server.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = $1", name
            )
            await server.execute(f"ALTER DATABASE {name} RENAME TO {fresh}")
            await server.execute(f"ALTER DATABASE {fresh} WITH ALLOW_CONNECTIONS true")
            assert self._template is not None
            if await self._template.restore(self._address(fresh)):
                self._spare = self._address(fresh)
            else:
                await server.execute(f"DROP DATABASE {fresh} WITH (FORCE)")
        finally:
            await server.close()

    def create(self, *, migrated: bool = True, locale: str | None = None) -> str:
        """The address of a new database. One with a locale is not migrated."""
        if locale is not None:
            name = _name()
            _wait(self._run(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE '{locale}'"))
            return self._address(name)
        if migrated and self._template is None:
            _wait(self._run(f"CREATE DATABASE {TEMPLATE}"))
            _wait(migrations.migrate(self._address(TEMPLATE)))
            self._template = _Template()
            _wait(self._template.learn(self._address(TEMPLATE)))
        name = _name()
        _wait(self._run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE if migrated else 'template1'}"))
        return self._address(name)

    def _address(self, name: str) -> str:
        return self._server.replace("/postgres?", f"/{name}?")

    async def _run(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


class _Template:
    """What a database is like before a test."""

    async def learn(self, uri: str) -> None:
        """From one that is freshly migrated."""
        connection = await asyncpg.connect(uri)
        try:
            self._shape = await connection.fetchval(SHAPE)
            self._filled = await self._with_rows(connection)
            self._counted = [row["name"] for row in await connection.fetch(COUNTED) if row["last_value"] is not None]
            self._rows = await self._read(connection)
        finally:
            await connection.close()

    async def restore(self, uri: str) -> bool:
        """Make one so again; False where that is more than to take rows away."""
        connection = await asyncpg.connect(uri)
        try:
            if await connection.fetchval(SHAPE) != self._shape:
                return False
            filled = [name for name in await self._with_rows(connection) if name not in self._filled]
            await self._empty(connection, filled)
            await connection.execute(RECOUNT, self._counted)
            return await self._read(connection) == self._rows
        finally:
            await connection.close()

    async def _empty(self, connection: asyncpg.Connection, filled: list[str]) -> None:
        """Row by row where there are few: TRUNCATE gives each table that refers to one of these new files, and each of
        their indexes, which is a tenth of a second of work."""
        sizes = ", ".join(f"pg_relation_size('{name}')" for name in filled)
        if filled and await connection.fetchval(f"SELECT greatest({sizes})") > FEW:
            await connection.execute(f"TRUNCATE {', '.join(filled)} CASCADE")
        else:
            deletes = "; ".join(f"DELETE FROM {name}" for name in filled)
            await connection.execute(f"SET session_replication_role = replica; {deletes}")

    async def _with_rows(self, connection: asyncpg.Connection) -> list[str]:
        """The tables that are not empty."""
        used = [row["name"] for row in await connection.fetch(USED)]
        each = ", ".join(f"CASE WHEN EXISTS (SELECT FROM {name}) THEN '{name}' END" for name in used)
        found: list[str] = await connection.fetchval(f"SELECT array_remove(ARRAY[{each}], NULL)")
        return found

    async def _read(self, connection: asyncpg.Connection) -> list[list[str]]:
        """The rows that migrations have made, the names of tables that have some, and how far numbers have come."""
        rows = [[str(row) for row in await connection.fetch(f"TABLE {name}")] for name in self._filled]
        counted = [str(row) for row in await connection.fetch(COUNTED)]
        return [await self._with_rows(connection), counted, *rows]


def value_of(uri: str, query: str, *arguments: object) -> Any:
    """One value of a statement in a database, over a connection of its own."""

    async def ask() -> Any:
        connection = await asyncpg.connect(uri)
        try:
            return await connection.fetchval(query, *arguments)
        finally:
            await connection.close()

    return asyncio.run(ask())


def _name() -> str:
    return f"test_{secrets.token_hex(6)}"


@asynccontextmanager
async def pool_of(uri: str, *, size: int = 4) -> AsyncIterator[asyncpg.Pool]:
    """A pool as long as the block lasts. What a test that was cut off still holds is cut too, and not waited for."""
    pool = await open_pool(uri, size=size, name="test")
    try:
        yield pool
    finally:
        pool.terminate()


async def blocked(pool: asyncpg.Pool, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """It has begun, and waits for what somebody else holds."""
    task = asyncio.create_task(work)
    waits = (
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
    )
    for _ in range(3000):
        if task.done() or await pool.fetchval(waits):
            return task
        await asyncio.sleep(0.02)
    raise AssertionError("it waits for nobody")


def _wait(work: Coroutine[Any, Any, Any]) -> None:
    """Runs it in a thread with a loop of its own, so that tests with a loop and tests without may both ask."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:
            failure.append(error)

    thread = Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
