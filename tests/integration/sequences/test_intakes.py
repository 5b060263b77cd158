"""All leads that fit a filter enter a sequence, a portion at a time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.database import blocked
from tests.integration.sequences.people import People, step
from wafast.accounts.principal import Principal
from wafast.database.aside import Aside
from wafast.database.pool import connect
from wafast.leads import rows as leads
from wafast.sequences import enrolments, intakes, of_leads
from wafast.sequences.intakes import Intake


@pytest.fixture(autouse=True)
def _small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intakes, "PORTION", 4)


async def _begin(people: People, sequence: int, wanted: dict[str, Any], *, again: bool = False) -> Intake:
    return await intakes.begin(people.pool, people.tenant_id, sequence, wanted, again=again, created_by="test")


async def _now(people: People, intake: Intake) -> Intake:
    found = await intakes.get(people.pool, people.tenant_id, int(intake.sequence_id), int(intake.id))
    assert found is not None
    return found


async def test_who_fits_enters_but_who_wants_nothing_more_or_is_in_it(people: People) -> None:
    sequence = await people.sequence(step("one"))
    ids = [await people.lead("vip" if n % 2 else "new", phone=f"+60149{n:06}") for n in range(20)]
    await people.pool.execute(
        "INSERT INTO suppressions (tenant_id, phone, reason, created_by) VALUES ($1, '+60149000001', 'x', 'test')",
        people.tenant_id,
    )
    await people.enrol(sequence, ids[3])
    begun = await _begin(people, sequence, {"tags": ["vip"]})
    assert (begun.state, begun.leads, begun.looked, begun.entered) == ("running", 10, 4, 4)
    await people.walk()
    ended = await _now(people, begun)
    assert (ended.state, ended.leads, ended.looked, ended.entered) == ("done", 10, 10, 8)
    assert await people.states(sequence) == [("active", None)] * 9
    assert await people.value("SELECT count(*) FROM outbox") == 9


async def test_few_enter_at_once(people: People) -> None:
    sequence = await people.sequence(step("one"))
    for _ in range(3):
        await people.lead()
    begun = await _begin(people, sequence, {})
    assert (begun.state, begun.leads, begun.looked, begun.entered) == ("done", 3, 3, 3)


async def test_who_was_in_it_before_enters_once_more_when_asked(people: People) -> None:
    sequence = await people.sequence(step("one"))
    for _ in range(6):
        await people.lead()
    await _begin(people, sequence, {})
    assert await people.until_end() == ["one"] * 6
    assert (await _begin(people, sequence, {})).entered == 0
    await people.walk()
    await _begin(people, sequence, {}, again=True)
    assert await people.until_end() == ["one"] * 6


async def test_a_cut_in_a_portion_leaves_nobody_out_and_nobody_enters_twice(people: People) -> None:
    sequence = await people.sequence(step("one"))
    for _ in range(10):
        await people.lead()
    begun = await _begin(people, sequence, {}, again=True)
    await people.pool.execute(
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;"
        " CREATE TRIGGER cut AFTER UPDATE OF looked ON intakes EXECUTE FUNCTION cut()"
    )
    connection = await connect(people.uri, "walk")
    with pytest.raises(Exception, match=r"terminat|closed"):
        await intakes.go_on(connection, Aside("intakes"))
    connection.terminate()
    await people.pool.execute("DROP TRIGGER cut ON intakes")
    assert (await _now(people, begun)).looked == 4
    await people.walk()
    assert await people.value("SELECT count(*) || ' of ' || count(DISTINCT lead_id) FROM enrolments") == "10 of 10"


async def test_nobody_more_enters_once_it_is_cancelled(people: People) -> None:
    sequence = await people.sequence(step("one"))
    for _ in range(10):
        await people.lead()
    begun = await _begin(people, sequence, {})
    assert await intakes.cancel(people.pool, people.tenant_id, begun)
    assert not await intakes.cancel(people.pool, people.tenant_id, begun)
    await people.walk()
    assert (await _now(people, begun)).state == "cancelled"
    assert await people.states(sequence) == [("active", None)] * 4


async def test_nobody_more_enters_a_sequence_that_is_deleted(people: People) -> None:
    sequence = await people.sequence(step("one"))
    for _ in range(10):
        await people.lead()
    begun = await _begin(people, sequence, {})
    await enrolments.delete(people.pool, people.tenant_id, sequence)
    await people.walk()
    assert (await _now(people, begun)).state == "cancelled"
    assert await people.states(sequence) == [("stopped", "sequence_deleted")] * 4


async def test_who_comes_while_others_enter_does_not(people: People) -> None:
    sequence = await people.sequence(step("one"))
    for _ in range(6):
        await people.lead()
    await _begin(people, sequence, {})
    await people.lead()
    await people.walk()
    assert len(await people.states(sequence)) == 6


async def test_intakes_take_turns(people: People) -> None:
    first, second = await people.sequence(step("one")), await people.sequence(step("two"))
    for _ in range(12):
        await people.lead()
    await _begin(people, first, {})
    await _begin(people, second, {})
    connection = await connect(people.uri, "walk")
    places = [await intakes.go_on(connection, Aside("intakes")) for _ in range(6)]
    await connection.close()
    assert [place and place[1] for place in places] == [first, second] * 3


async def test_what_an_import_holds_holds_up_neither_the_walk_nor_other_intakes(people: People) -> None:
    held, free = await people.sequence(step("held")), await people.sequence(step("free"))
    ids = [await people.lead() for _ in range(8)]
    begun, other = await _begin(people, held, {}), await _begin(people, free, {})
    entered = "INSERT INTO enrolments (tenant_id, sequence_id, lead_id) VALUES ($1, $2, $3)"
    connection, aside = await connect(people.uri, "walk"), Aside("intakes")
    async with people.pool.acquire() as importing, importing.transaction():
        await importing.execute(entered, people.tenant_id, held, ids[0])
        while await intakes.go_on(connection, aside) is not None:
            pass
        assert (list(aside), (await _now(people, other)).state) == ([int(begun.id)], "done")
    await connection.close()
    await people.walk()
    assert (await _now(people, begun)).state == "done"
    assert await people.value("SELECT count(DISTINCT lead_id) FROM enrolments WHERE sequence_id = $1", held) == 8


async def test_a_lead_that_is_just_being_deleted_does_not_enter(people: People) -> None:
    sequence = await people.sequence(step("one"))
    ids = [await people.lead() for _ in range(2)]
    principal = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    async with people.pool.acquire() as deleting, deleting.transaction():
        await deleting.execute("DELETE FROM leads WHERE id = $1", ids[0])
        entering = await blocked(people.pool, _begin(people, sequence, {}))
    assert (await entering).entered == 1
    async with people.pool.acquire() as deleting, deleting.transaction():
        await deleting.execute("DELETE FROM leads WHERE id = $1", ids[1])
        entering = await blocked(people.pool, people.enrol(sequence, ids[1], again=True))
    assert await entering == 0
    assert not await leads.delete(people.pool, principal, ids[1], of_leads)
