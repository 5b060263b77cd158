"""The audit log is read by the index of what is asked, however long it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.database import Database, pool_of
from wafast.accounts.audit import q

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("place", "value", "index"),
    [
        (3, "user:999", "audit_log_by_actor"),
        (4, "key", "audit_log_by_action"),
        (4, "key.create", "audit_log_by_action"),
        (5, "lead:77", "audit_log_by_subject"),
        (7, LONG_AGO + timedelta(hours=1), "audit_log_by_time"),
    ],
)
async def test_what_is_rare_is_found_by_its_index(database: Database, place: int, value: object, index: str) -> None:
    async with pool_of(database.uri) as pool, pool.acquire() as connection, connection.transaction():
        tenant = await connection.fetchval("INSERT INTO tenants (name) VALUES ('Shop') RETURNING id")
        await connection.execute(
            "INSERT INTO audit_log (tenant_id, at, actor, action, subject)"
            " SELECT $1, $2::timestamptz + i * interval '1 minute', 'user:1', 'device.connect', 'device:' || i"
            " FROM generate_series(1, 20000) i", tenant, LONG_AGO,
        )  # fmt: skip
        await connection.execute("ANALYZE audit_log")
        await connection.execute(q.plan_by_filters)
        arguments: list[object] = [tenant, 2**62, 50, None, None, None, None, None]
        arguments[place] = value
        plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {q.list_audit}", *arguments)
        assert f'"{index}"' in str(plan).replace("'", '"')
