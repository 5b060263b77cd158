"""Zones are there whatever the machine has, and called as every database knows them."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.database import Database, pool_of
from wafast.database import migrations

LANES = "SELECT zone FROM lanes WHERE source_id = $1 ORDER BY zone"


def test_python_has_the_zones_where_the_machine_has_none() -> None:
    program = "from zoneinfo import ZoneInfo; ZoneInfo('Asia/Kuala_Lumpur'); ZoneInfo('Asia/Calcutta')"
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONTZPATH": ""}, check=True, timeout=120)


async def test_zones_stored_by_a_name_of_old_have_todays_after_the_migration(database: Database) -> None:
    async with pool_of(database.uri) as pool:
        tenant = await pool.fetchval(
            "INSERT INTO tenants (name, time_zone) VALUES ('Shop', 'Asia/Calcutta') RETURNING id"
        )
        await pool.execute(
            "INSERT INTO leads (tenant_id, phone, zone) VALUES ($1, '+919812345678', 'Asia/Calcutta'),"
            " ($1, '+60123456789', 'Asia/Kuala_Lumpur')", tenant,
        )  # fmt: skip
        source = "INSERT INTO sources (tenant_id, kind, template) VALUES ($1, 'text', 'Hi') RETURNING id"
        alone, both = await pool.fetchval(source, tenant), await pool.fetchval(source, tenant)
        await pool.execute(
            "INSERT INTO lanes (tenant_id, source_id, zone, is_live) VALUES ($1, $2, 'Asia/Calcutta', false),"
            " ($1, $3, 'Asia/Calcutta', false), ($1, $3, 'Asia/Kolkata', false)", tenant, alone, both,
        )  # fmt: skip
        [migration] = [one for one in migrations.read() if one.name == "zones_by_their_names"]
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(migration.sql)
        zones = await pool.fetch("SELECT zone FROM leads UNION ALL SELECT time_zone FROM tenants ORDER BY zone")
        assert [row["zone"] for row in zones] == ["Asia/Kolkata", "Asia/Kolkata", "Asia/Kuala_Lumpur"]
        assert [row["zone"] for row in await pool.fetch(LANES, alone)] == ["Asia/Kolkata"]
        assert [row["zone"] for row in await pool.fetch(LANES, both)] == ["Asia/Calcutta", "Asia/Kolkata"]
        enabled = "SELECT bool_and(tgenabled = 'O') FROM pg_trigger WHERE tgrelid = 'leads'::regclass"
        assert await pool.fetchval(enabled), "the triggers are there again"
