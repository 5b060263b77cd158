"""A file is read, copied and taken in by parts; what comes of it is the same as if it were one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tests.database import Database, pool_of
from tests.integration.leads.started import started
from tests.integration.sequences.people import People
from wafast.database.pool import connect
from wafast.leads import files, import_process

NUMBERS = [f"+6012345678{n}" for n in range(8)]
KNOWN, NAMED, FORMER, *_ = NUMBERS


@pytest_asyncio.fixture
async def people(database: Database) -> AsyncIterator[People]:
    """Two leads, one of whom has had another number; WhatsApp names two numbers of nobody the same."""
    async with pool_of(database.uri) as pool:
        people = await People.make(database.uri, pool)
        await people.lead(phone=KNOWN, name="")
        lead_id = await people.lead(phone=NAMED, name="Old")
        await pool.execute(
            "INSERT INTO former_leads (tenant_id, phone, lead_id) VALUES ($1, $2, $3)",
            people.tenant_id, FORMER, lead_id,
        )  # fmt: skip
        await people.name(NUMBERS[5], NUMBERS[6])
        yield people


async def _told(people: People, found: int) -> dict[str, Any]:
    """What an import says of itself, and what is there behind it."""
    row = await people.pool.fetchrow("SELECT state, counts, rows, reason FROM imports WHERE id = $1", found)
    problems = await people.pool.fetch(
        "SELECT line, is_double, reason FROM import_problems WHERE import_id = $1 ORDER BY line", found
    )
    leads = await people.pool.fetch("SELECT phone, name FROM leads ORDER BY phone")
    assert row is not None
    return {**row, "problems": [tuple(one) for one in problems], "leads": {one["phone"]: one["name"] for one in leads}}


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
async def test_of_rows_of_one_lead_the_first_counts_in_whatever_batch_they_are(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(import_process, "BATCH", batch)
    monkeypatch.setattr(import_process, "STEP", batch)
    new, other = NUMBERS[3], NUMBERS[4]
    lines = ["phone,name", f"{new},First", f"{KNOWN},Siti", f"{FORMER},Aishah", "nobody,Wrong", f"{new},Second"]
    lines += [f"{KNOWN},Nobody", f"{NAMED},Old too", f"{other},Farid", f"{new},Third"]
    found = await started(people, "\n".join(lines) + "\n")
    await import_process.work(people.uri, found, tmp_path)
    told = await _told(people, found)
    assert told["leads"] == {new: "First", KNOWN: "Siti", NAMED: "Aishah", other: "Farid"}
    counts = {"new": 2, "changed": 2, "unchanged": 0, "doubles": 4, "errors": 1, "joined": 1, "crowded": 0}
    assert (told["state"], told["counts"], told["rows"]) == ("done", counts, 9)
    assert [(line, reason) for line, is_double, reason in told["problems"] if is_double] == [
        (4, f"another number of the lead {NAMED}: it counts as that one"),
        (6, "the same number as in row 2"),
        (7, "the same number as in row 3"),
        (8, "the same person as in row 4"),
        (10, "the same number as in row 2"),
    ]


@pytest.mark.parametrize("known", ["update", "leave"])
@pytest.mark.parametrize("seed", range(6))
async def test_a_file_does_what_was_counted_before(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, known: str
) -> None:
    draw = random.Random(seed)
    for size in ("BATCH", "STEP"):
        monkeypatch.setattr(import_process, size, draw.randint(1, 7))
    rows = [f"{draw.choice([*NUMBERS, 'nobody'])},{draw.choice(['Siti', 'Farid', ''])}" for _ in range(30)]
    found = await started(people, "\n".join(["phone,name", *rows]) + "\n", known=known, state="checking")
    await import_process.work(people.uri, found, tmp_path)
    counted = await _told(people, found)
    await people.pool.execute("UPDATE imports SET state = 'running' WHERE id = $1", found)
    await import_process.work(people.uri, found, tmp_path)
    done = await _told(people, found)
    assert done["state"] == "done"
    assert (done["counts"], done["problems"]) == (counted["counts"], counted["problems"])
    taken = done["counts"]
    assert sum(taken[kind] for kind in ("new", "changed", "unchanged", "doubles", "errors")) == done["rows"] == 30
    assert len(done["leads"]) == 2 + taken["new"]


async def test_a_file_that_can_not_be_read_to_its_end_leaves_nothing(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_process, "BATCH", 1)
    whole = files.rows

    def cut(*arguments: Any) -> Any:
        for place, row in enumerate(whole(*arguments)):
            if place == 2:
                raise files.NotReadable("row_unreadable", "the file ends in the middle of a row")
            yield row

    monkeypatch.setattr(files, "rows", cut)
    before = await people.pool.fetch("SELECT phone, name FROM leads ORDER BY phone")
    found = await started(people, f"phone,name\n{NUMBERS[3]},Ali\n{KNOWN},Siti\n{NUMBERS[4]},Abu\n")
    await import_process.work(people.uri, found, tmp_path)
    told = await _told(people, found)
    assert (told["state"], told["reason"]) == ("failed", "the file ends in the middle of a row")
    assert told["leads"] == {row["phone"]: row["name"] for row in before}


async def test_what_waits_for_a_connection_that_is_gone_ends(people: People) -> None:
    """As a copy does whose socket was full when it was cut off: asyncpg waits for it to take more."""
    connection: asyncpg.Connection = await connect(people.uri, "import")
    doing = asyncio.create_task(import_process._while_connected(connection, asyncio.sleep(3600)))
    assert await people.value("SELECT pg_terminate_backend($1)", connection.get_server_pid())
    async with asyncio.timeout(60):
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await doing
