"""Who is found by words of a name, in any script and whatever the database takes for a letter."""

from __future__ import annotations

import pytest

from tests.database import Database, pool_of
from wafast.database import migrations

NAMES = ["Siti Nurhaliza", "张伟", "محمد علي", "முத்து லட்சுமி", "Änne Øster", "²"]


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
async def test_a_name_is_found_in_any_script_and_locale(database: Database, locale: str) -> None:
    uri = database.create(locale=locale)
    await migrations.migrate(uri)
    async with pool_of(uri) as pool:
        tenant = await pool.fetchval("INSERT INTO tenants (name) VALUES ('Shop') RETURNING id")
        await pool.execute(
            "INSERT INTO leads (tenant_id, phone, zone, name)"
            " SELECT $1, '+6012345678' || place, 'UTC', name FROM unnest($2::text[]) WITH ORDINALITY n (name, place)",
            tenant, NAMES,
        )  # fmt: skip

        # both look for functions in PostgreSQL's own schema alone, and the migration does the second
        await pool.execute("ANALYZE leads")
        await pool.execute("REINDEX INDEX leads_by_word")

        async def found(search: str) -> list[str]:
            rows = await pool.fetch("SELECT name FROM leads_matching($1, $2)", tenant, {"search": search})
            return [row["name"] for row in rows]

        assert await found("nur SITI") == ["Siti Nurhaliza"]
        assert await found("张") == ["张伟"]
        assert await found("علي") == ["محمد علي"]
        assert await found("லட்சு") == ["முத்து லட்சுமி"]
        assert await found("øs ÄNNE") == ["Änne Øster"]
        assert [await found(nothing) for nothing in ("²", "½", "①", "!", "🌸", "'")] == [[]] * 6
