"""What others do to leads while a file of them comes in; and a number whose lead becomes part of another meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from tests.database import Database, blocked, pool_of
from tests.integration.leads.started import started
from tests.integration.sequences.people import People, step
from wafast.accounts.principal import Principal
from wafast.database.pool import connect
from wafast.database.together import together
from wafast.leads import chats, import_process, rows
from wafast.leads.merging import merge
from wafast.sequences import going_over, of_leads
from wafast.sequences.walk import Walker

KEPT, GONE, OTHER = "+60123456781", "+60123456782", "+60123456783"


@pytest_asyncio.fixture
async def people(database: Database) -> AsyncIterator[People]:
    async with pool_of(database.uri) as pool:
        yield await People.make(database.uri, pool)


@pytest.fixture
def principal(people: People) -> Principal:
    return Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)


async def _leads(people: People) -> list[tuple[str, str]]:
    return [tuple(row) for row in await people.pool.fetch("SELECT phone, name FROM leads ORDER BY phone")]


@pytest.mark.parametrize(
    ("known", "name", "counts"),
    [
        ("update", "Siti", {"new": 1, "changed": 1, "unchanged": 0}),
        ("leave", "", {"new": 1, "changed": 0, "unchanged": 1}),
    ],
)
async def test_an_import_has_it(
    people: People, principal: Principal, tmp_path: Path, known: str, name: str, counts: dict[str, int]
) -> None:
    kept, gone = await people.lead(phone=KEPT, name=""), await people.lead(phone=GONE, name="")
    found = await started(people, f"phone,name\n{GONE},Siti\n{OTHER},Farid\n", known=known)
    async with together(people.pool) as pool:
        assert await merge(pool, principal, kept, gone, of_leads)
        importing = await blocked(people.pool, import_process.work(people.uri, found, tmp_path))
    await importing
    assert await _leads(people) == [(KEPT, name), (OTHER, "Farid")]
    assert (await people.value("SELECT counts FROM imports")).items() >= counts.items()


async def test_an_import_has_it_beside_the_one_it_became_part_of(
    people: People, principal: Principal, tmp_path: Path
) -> None:
    kept, gone = await people.lead(phone=KEPT, name="Siti"), await people.lead(phone=GONE, name="")
    found = await started(people, f"phone,name\n{KEPT},Siti\n{GONE},Aishah\n{OTHER},Farid\n")
    async with together(people.pool) as pool:
        assert await merge(pool, principal, kept, gone, of_leads)
        importing = await blocked(people.pool, import_process.work(people.uri, found, tmp_path))
    await importing
    assert await _leads(people) == [(KEPT, "Siti"), (OTHER, "Farid")]
    counts = await people.value("SELECT counts FROM imports")
    assert counts == {"new": 1, "changed": 0, "unchanged": 1, "doubles": 1, "errors": 0, "joined": 0, "crowded": 0}
    assert await people.value("SELECT reason FROM import_problems") == "the same person as in row 2"


async def test_two_that_become_part_of_one_meanwhile_are_one(
    people: People, principal: Principal, tmp_path: Path
) -> None:
    kept, gone, other = [await people.lead(phone=phone, name="") for phone in (KEPT, GONE, OTHER)]
    found = await started(people, f"phone,name\n{GONE},Aishah\n{OTHER},Farid\n+60123456784,Siti\n")
    async with together(people.pool) as pool:
        assert await merge(pool, principal, kept, gone, of_leads)
        assert await merge(pool, principal, kept, other, of_leads)
        importing = await blocked(people.pool, import_process.work(people.uri, found, tmp_path))
    await importing
    assert await _leads(people) == [(KEPT, "Aishah"), ("+60123456784", "Siti")]
    counts = await people.value("SELECT counts FROM imports")
    assert counts == {"new": 1, "changed": 1, "unchanged": 0, "doubles": 1, "errors": 0, "joined": 1, "crowded": 0}


@pytest.mark.parametrize(("known", "name", "changed"), [("update", "Siti", 1), ("leave", "", 0)])
async def test_a_lead_that_somebody_makes_meanwhile_is_known(
    people: People, principal: Principal, tmp_path: Path, known: str, name: str, changed: int
) -> None:
    found = await started(people, f"phone,name\n{KEPT},Siti\n{OTHER},Farid\n", known=known)
    async with together(people.pool) as pool:
        await rows.create(pool, principal, rows.Draft(phone=KEPT))
        importing = await blocked(people.pool, import_process.work(people.uri, found, tmp_path))
    await importing
    assert await _leads(people) == [(KEPT, name), (OTHER, "Farid")]
    counts = await people.value("SELECT counts FROM imports")
    assert (counts["new"], counts["changed"], counts["unchanged"]) == (1, changed, 1 - changed)


async def test_chats_have_it(people: People, principal: Principal) -> None:
    kept, gone = await people.lead(phone=KEPT), await people.lead(phone=GONE)
    for phone in (GONE, OTHER):
        chat, key = await people.write("Hi", phone)
        await people.pool.execute("UPDATE chats SET last_key = $2 WHERE id = $1", chat, key)
    async with together(people.pool) as pool:
        assert await merge(pool, principal, kept, gone, of_leads)
        taking = await blocked(people.pool, chats.take(people.pool, principal, people.device_no))
    assert await taking == (1, 1)
    assert [phone for phone, _ in await _leads(people)] == [KEPT, OTHER]


async def test_an_import_holds_leads_in_the_order_in_which_others_hold_many(people: People, tmp_path: Path) -> None:
    first, second = await people.lead(phone=KEPT, name=""), await people.lead(phone=GONE, name="")
    found = await started(people, f"phone,name\n{GONE},Siti\n{KEPT},Farid\n")
    async with people.pool.acquire() as editing, editing.transaction():
        await editing.execute("SELECT FROM leads WHERE id = $1 FOR UPDATE", first)
        importing = await blocked(people.pool, import_process.work(people.uri, found, tmp_path))
        await editing.execute("SELECT FROM leads WHERE id = $1 FOR UPDATE", second)
    await importing
    assert await _leads(people) == [(KEPT, "Farid"), (GONE, "Siti")]


async def _waiting_at(people: People) -> set[tuple[str, int]]:
    """Which numbers wait where."""
    rows = await people.pool.fetch("SELECT o.to_jid, n.device_no FROM outbox o JOIN lanes n ON n.id = o.lane_id")
    return {("+" + row["to_jid"].partition("@")[0], row["device_no"]) for row in rows}


async def test_what_waits_for_people_whom_a_file_gives_to_another_device_leaves_from_there(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(going_over, "STEP", 1)
    sequence = await people.sequence(step("one", 60))
    behind = "+60123456784"
    await people.enrol(sequence, *[await people.lead(phone=phone) for phone in (KEPT, GONE, OTHER, behind)])
    await people.walk()
    other = await people.value(
        "INSERT INTO devices (tenant_id, name, network) VALUES ($1, 'Other', 'loopback') RETURNING no", people.tenant_id
    )
    found = await started(people, f"phone,device\n{KEPT},Other\n{GONE},Other\n{OTHER},Shop\n{behind},Other\n")
    await import_process.work(people.uri, found, tmp_path)
    assert await people.value("SELECT count(*) FROM given_leads") == 3
    connection: asyncpg.Connection = await connect(people.uri, "walk")
    walker = Walker(connection)
    async with people.pool.acquire() as holding, holding.transaction():
        await holding.execute("SELECT FROM leads WHERE phone = $1 FOR NO KEY UPDATE", GONE)
        for _ in range(3):
            await walker.tick()
        gone_over = {(KEPT, other), (behind, other)}
        assert await _waiting_at(people) == gone_over | {(GONE, people.device_no), (OTHER, people.device_no)}
    await connection.close()
    await people.walk()
    assert await _waiting_at(people) == gone_over | {(GONE, other), (OTHER, people.device_no)}
    assert await people.value("SELECT count(*) FROM given_leads") == 0
