"""What one test leaves in its database is not there for the next."""

from __future__ import annotations

import asyncpg
import pytest

from tests.database import Database

TENANT = "INSERT INTO tenants (name) VALUES ('Shop') RETURNING id"


async def test_rows_and_numbers_begin_anew_and_whoever_was_connected_is_cut(database: Database) -> None:
    before = database.uri
    left = await asyncpg.connect(before)
    first = await left.fetchval(TENANT)
    database.forget()
    assert left.is_closed() or await _is_cut(left)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(before)
    connection = await asyncpg.connect(database.uri)
    assert await connection.fetchval("SELECT count(*) FROM tenants") == 0
    assert await connection.fetchval(TENANT) == first
    await connection.close()


async def _is_cut(connection: asyncpg.Connection) -> bool:
    try:
        await connection.fetchval("SELECT 1")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return True
    return False


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE tenants ADD COLUMN more int",
        "ALTER TABLE outbox DISABLE TRIGGER ALL",
        "CREATE SCHEMA clock",
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "UPDATE search_progress SET walk_end = 7",
        "DELETE FROM search_progress",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET jit = on', current_database()); END $$",
        "ANALYZE search_progress",
        "VACUUM tenants",
    ],
)
async def test_what_is_more_than_rows_is_not_there_either(database: Database, change: str) -> None:
    described = (
        "SELECT (SELECT count(*) FROM pg_attribute), (SELECT count(*) FROM pg_proc),"
        " (SELECT count(*) FROM pg_namespace), (SELECT count(*) FROM pg_trigger WHERE tgenabled = 'O'),"
        " (SELECT count(*) FROM pg_statistic WHERE starelid >= 16384),"
        " (SELECT sum(reltuples) FROM pg_class WHERE oid >= 16384),"
        " (SELECT array_agg(p) FROM search_progress p)::text, current_setting('jit')"
    )
    # of one that other tests had, emptied, the statistics of indexes are not those of a new one
    connection = await asyncpg.connect(database.uri)
    await connection.execute("CREATE SCHEMA of_others")
    await connection.close()
    database.forget()
    connection = await asyncpg.connect(database.uri)
    before = await connection.fetchrow(described)
    await connection.execute(change)
    await connection.close()
    connection = await asyncpg.connect(database.uri)
    assert await connection.fetchrow(described) != before
    await connection.close()
    database.forget()
    connection = await asyncpg.connect(database.uri)
    assert await connection.fetchrow(described) == before
    await connection.close()
