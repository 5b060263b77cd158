"""Imports that a person has just started."""

from __future__ import annotations

from tests.integration.sequences.people import People


async def started(people: People, text: str, *, known: str = "update", state: str = "running") -> int:
    """The id of an import of a CSV file, whose columns are named as what they are."""
    mapping = text.partition("\n")[0].split(",")
    columns: list[dict[str, object]] = [{"name": name, "examples": []} for name in mapping]
    shape = {"format": "csv", "encoding": "utf-8", "delimiter": ",", "header": True, "columns": columns}
    found: int = await people.value(
        "INSERT INTO imports (tenant_id, kind, file_name, size, state, options, shape, mapping, created_by)"
        " VALUES ($1, 'leads', 'a.csv', 1, $2, $3, $4, $5, 'user:1') RETURNING id",
        people.tenant_id, state, {"known": known}, shape, mapping,
    )  # fmt: skip
    await people.pool.execute(
        "INSERT INTO import_pieces (import_id, tenant_id, place, bytes) VALUES ($1, $2, 0, $3)",
        found, people.tenant_id, text.encode(),
    )  # fmt: skip
    return found
