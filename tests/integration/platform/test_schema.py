"""What holds of every table."""

from __future__ import annotations

import re
from typing import get_args

import asyncpg
import pytest

from tests.database import Database
from wafast.outbox.rows import Cause
from wafast.sequences.enrolments import Reason

TABLES = "FROM pg_class c WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
COLUMNS = (
    "FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid WHERE relkind IN ('r', 'p', 'v') AND attnum > 0 AND NOT"
)
COLUMNS += " attisdropped AND relnamespace = 'public'::regnamespace"

#: Tables of the whole installation: who signs in, which processes run, how far a job is.
OF_NOBODY = {
    "answers_progress", "login_failures", "migrations", "search_progress", "tenants", "users", "workers",
}  # fmt: skip
#: Rows that belong to a row of a tenant's, by whose number they are asked for alone.
OF_A_ROW = {"lid_queue", "search_queue", "source_counts", "source_sums", "walk_queue"}
#: Written by ingest for devices it has looked up, where a foreign key would cost a lookup a row, or rows of a row that
#: has one; and what is written with a word that counts at once, beside whoever is just deleting the device.
UNCHECKED = {"chat_labels", "chat_order", "chat_search", "lead_counts", "lid_queue", "message_search", "messages",
             "opt_out_answers", "source_counts", "source_sums"}  # fmt: skip


async def _first(uri: str, query: str) -> set[str]:
    connection = await asyncpg.connect(uri)
    try:
        return {row[0] for row in await connection.fetch(query)}
    finally:
        await connection.close()


async def test_every_table_is_of_a_tenant(database: Database) -> None:
    """SPEC section 10, invariant 8."""
    without = (
        f"SELECT relname {TABLES} AND NOT EXISTS (SELECT FROM pg_attribute a WHERE attrelid = c.oid AND attnotnull"
    )
    assert await _first(database.uri, f"{without} AND attname = 'tenant_id')") == OF_NOBODY | OF_A_ROW


async def test_a_device_is_a_foreign_key(database: Database) -> None:
    """SPEC section 10, invariant 8."""
    free = f"SELECT relname {COLUMNS} AND relkind <> 'v' AND attname = 'device_no' AND NOT EXISTS (SELECT FROM"
    free += " pg_constraint WHERE conrelid = c.oid AND contype = 'f' AND confrelid = 'devices'::regclass"
    assert await _first(database.uri, f"{free} AND attnum = ANY (conkey))") == UNCHECKED


async def test_every_instant_has_a_zone(database: Database) -> None:
    """SPEC section 10, invariant 5."""
    bare = f"SELECT relname || '.' || attname {COLUMNS} AND atttypid IN ('timestamp'::regtype, 'timetz'::regtype)"
    assert await _first(database.uri, bare) == set()


@pytest.mark.parametrize(("name", "kinds"), [("outbox_cause_check", Cause), ("enrolments_reason_check", Reason)])
async def test_kinds_of_reasons_are_those_the_code_knows(database: Database, name: str, kinds: object) -> None:
    found = await _first(database.uri, f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{name}'")
    assert set(re.findall(r"'(\w+)'", found.pop())) == set(get_args(kinds))
