"""Who takes several rows takes them in one order, so that nobody waits in a circle."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import asyncpg
import pytest

from tests.database import blocked
from tests.integration.sequences.people import People, step
from wafast.accounts.principal import Principal
from wafast.database.aside import Aside
from wafast.database.pool import connect
from wafast.devices import bulk
from wafast.distribution import choices
from wafast.leads import bulk as leads_bulk
from wafast.leads import rows as leads
from wafast.leads.merging import merge
from wafast.outbox import lanes, sources
from wafast.outbox.lanes import Lane
from wafast.outbox.sources import Message, Pace
from wafast.sequences import edits, enrolments, of_leads, rows
from wafast.sequences.walk import Walker

HOLD = "SELECT FROM sources WHERE id = $1 FOR NO KEY UPDATE"


async def _failed(people: People) -> asyncpg.Record:
    """The row of somebody's one step, which failed."""
    sequence = await people.sequence(step("one"))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    await people.send("failed", "refused")
    await people.walk()
    [row] = await people.pool.fetch(
        "SELECT o.id, o.source_id, o.enrolment_id, e.sequence_id FROM outbox o"
        " JOIN enrolments e ON e.id = o.enrolment_id"
    )
    return row


async def _merged_while_both_enter(people: People, sequence: int, kept: int, gone: int) -> bool:
    """Whether two become one while somebody lets both enter a sequence."""
    principal = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    async with people.pool.acquire() as entering, entering.transaction():
        await entering.execute("SELECT FROM leads WHERE id = ANY ($1) ORDER BY id FOR KEY SHARE", [kept, gone])
        merging = await blocked(people.pool, merge(people.pool, principal, kept, gone, of_leads))
        entered = "INSERT INTO enrolments (tenant_id, sequence_id, lead_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
        await entering.execute(entered, people.tenant_id, sequence, kept)
    return bool(await merging)


async def test_a_lead_is_deleted_while_the_walk_lets_it_enter_the_next_sequence(people: People) -> None:
    second = await people.sequence(step("two"))
    first = await people.sequence(step("one"), next_sequence_id=second)
    lead = await people.lead()
    await people.enrol(first, lead)
    principal = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    async with people.pool.acquire() as walk, walk.transaction():
        await walk.execute("UPDATE enrolments SET state = 'completed', ended_at = now() WHERE lead_id = $1", lead)
        deleting = await blocked(people.pool, leads.delete(people.pool, principal, lead, of_leads))
        entered = "INSERT INTO enrolments (tenant_id, sequence_id, lead_id) VALUES ($1, $2, $3)"
        await walk.execute(entered, people.tenant_id, second, lead)
    assert await deleting
    assert await people.value("SELECT count(*) FROM enrolments") == 0


async def test_people_follow_an_edit_while_a_row_of_theirs_goes_back_to_the_pool(people: People) -> None:
    sequence = await people.sequence(step("one", 60))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    [row] = await people.pool.fetch("SELECT id, source_id FROM outbox")
    [one] = await people.pool.fetch("SELECT id FROM sequence_steps")
    await rows.change_step(people.pool, people.tenant_id, sequence, one["id"], {"delay_seconds": 120})
    connection: asyncpg.Connection = await connect(people.uri, "follow")
    async with people.pool.acquire() as taking, taking.transaction():
        await taking.fetchval("SELECT state FROM sources WHERE id = $1 FOR SHARE", row["source_id"])
        following = await blocked(people.pool, edits.follow(connection, Aside("edits")))
        await taking.execute("UPDATE outbox SET reason = 'x' WHERE id = $1", row["id"])
    assert await following is not None
    await connection.close()


async def test_a_row_is_tried_again_while_people_follow_an_edit(people: People) -> None:
    row = await _failed(people)
    async with people.pool.acquire() as following, following.transaction():
        await following.execute("SELECT FROM sources WHERE id = $1 FOR NO KEY UPDATE", row["source_id"])
        retrying = await blocked(people.pool, enrolments.retry_row(people.pool, people.tenant_id, row["id"]))
        await following.execute("SELECT FROM enrolments WHERE id = $1 FOR NO KEY UPDATE", row["enrolment_id"])
    await retrying
    assert await people.value("SELECT state FROM outbox") == "queued"


async def test_a_row_is_tried_again_while_the_walk_puts_the_same_step_of_others(people: People) -> None:
    row = await _failed(people)
    async with people.pool.acquire() as walk, walk.transaction():
        await walk.execute("SELECT FROM sequences WHERE id = $1 FOR SHARE", row["sequence_id"])
        await walk.execute("SELECT FROM enrolments WHERE id = $1 FOR NO KEY UPDATE", row["enrolment_id"])
        retrying = await blocked(people.pool, enrolments.retry_row(people.pool, people.tenant_id, row["id"]))
        await lanes.ensure(walk, [Lane(people.tenant_id, row["source_id"], None, "Asia/Kuala_Lumpur")])
    await retrying
    assert await people.value("SELECT state FROM outbox") == "queued"


async def test_of_two_edits_at_once_both_hold(people: People) -> None:
    following = await people.sequence(step("after"))
    sequence = await people.sequence(step("one", 60), next_sequence_id=following)
    place = people.pool, people.tenant_id, sequence
    [one] = await rows.list_steps(*place)
    async with people.pool.acquire() as other, other.transaction():
        await other.execute("UPDATE sequences SET name = 'Renamed', stop_on_reply = false WHERE id = $1", sequence)
        changing = await blocked(people.pool, rows.change(*place, {"state": "paused"}))
    await changing
    async with people.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM sequences WHERE id = $1 FOR NO KEY UPDATE", sequence)
        await other.execute("UPDATE sources SET template = 'other words' WHERE id = $1", one.source_id)
        changing = await blocked(people.pool, rows.change_step(*place, one.id, {"delay_seconds": 120}))
    await changing
    now = await rows.get(*place)
    assert now is not None
    assert (now.name, now.stop_on_reply, now.state, now.next_sequence_id) == ("Renamed", False, "paused", following)
    assert [(one.template, one.delay_seconds) for one in await rows.list_steps(*place)] == [("other words", 120)]


async def test_a_sequence_whose_next_one_is_gone_can_be_renamed(people: People) -> None:
    following = await people.sequence(step("after"))
    sequence = await people.sequence(step("one"), next_sequence_id=following)
    await enrolments.delete(people.pool, people.tenant_id, following)
    await rows.change(people.pool, people.tenant_id, sequence, {"name": "Renamed"})
    now = await rows.get(people.pool, people.tenant_id, sequence)
    assert now is not None
    assert (now.name, now.next_name) == ("Renamed", None)


async def test_a_number_of_another_country_comes_while_the_walk_is_at_its_lead(people: People) -> None:
    sequence = await people.sequence(step("one"))
    lead = await people.lead()
    await people.enrol(sequence, lead)
    principal = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    lane = (
        "INSERT INTO lanes (tenant_id, source_id, device_no, zone, is_live)"
        " SELECT $1, source_id, $2, 'Asia/Kuala_Lumpur', true FROM sequence_steps"
    )
    async with people.pool.acquire() as other, other.transaction():
        await other.execute(lane, people.tenant_id, people.device_no)
        walking = await blocked(people.pool, people.walk())
        await leads.change(people.pool, principal, lead, {"phone": "+919812345678"}, of_leads)
    await walking
    found = await people.pool.fetch(
        "SELECT o.to_jid, n.zone = l.zone AS is_there FROM enrolments e JOIN outbox o ON o.id = e.outbox_id"
        " JOIN lanes n ON n.id = o.lane_id JOIN leads l ON l.id = o.lead_id"
    )
    assert [tuple(row) for row in found] == [("919812345678@s.whatsapp.net", True)]


async def test_the_walk_passes_who_is_being_changed_and_comes_back(people: People) -> None:
    sequence = await people.sequence(step("one"))
    changed, other = await people.lead(), await people.lead()
    await people.enrol(sequence, changed, other)
    connection: asyncpg.Connection = await connect(people.uri, "walk")
    async with people.pool.acquire() as changing, changing.transaction():
        await changing.execute("UPDATE leads SET phone = '+60199999999' WHERE id = $1", changed)
        walking = await blocked(people.pool, Walker(connection).tick())
        assert walking.done()
        assert await people.value("SELECT array_agg(lead_id) FROM outbox") == [other]
    await connection.close()
    await people.walk()
    assert await people.value("SELECT to_jid FROM outbox WHERE lead_id = $1", changed) == "60199999999@s.whatsapp.net"


async def test_a_device_is_deleted_while_the_walk_puts_the_step_of_a_single_person_there(people: People) -> None:
    sequence = await people.sequence(step("one"))
    await people.enrol(sequence, await people.lead())
    async with people.pool.acquire() as deleting, deleting.transaction():
        await deleting.execute("DELETE FROM devices WHERE no = $1", people.device_no)
        walking = await blocked(people.pool, people.walk())
    await walking
    assert await people.states(sequence) == [("active", None)]
    assert await people.value("SELECT count(*) FROM outbox WHERE device_no IS NULL AND state = 'queued'") == 1


async def test_all_of_a_portion_are_deleted_while_they_are_to_follow_an_edit(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edits, "STEP", 2)
    sequence = await people.sequence(step("one", 60))
    ids = [await people.lead() for _ in range(4)]
    await people.enrol(sequence, *ids)
    await people.walk()
    step_id = await people.value("SELECT id FROM sequence_steps")
    await rows.change_step(people.pool, people.tenant_id, sequence, step_id, {"delay_seconds": 7200})
    async with people.pool.acquire() as deleting, deleting.transaction():
        await deleting.execute("DELETE FROM leads WHERE id = ANY ($1)", ids[:2])
        walking = await blocked(people.pool, people.walk())
    await walking
    moved = "SELECT count(*) FROM outbox WHERE state = 'queued' AND not_before > now() + interval '1 hour'"
    assert await people.value(moved) == 2


async def _campaign(people: People, *sends: tuple[int, str, str | None]) -> int:
    """A campaign whose rows are of these leads, in this state for this reason; gives its source."""
    campaign = await sources.create(people.pool, people.tenant_id, Message("text", "sale"), Pace(0, 0))
    [lane] = await lanes.ensure(people.pool, [Lane(people.tenant_id, campaign, people.device_no, "Asia/Kuala_Lumpur")])
    for lead, state, cause in sends:
        await people.pool.execute(
            "INSERT INTO outbox (tenant_id, device_no, source_id, lane_id, lead_id, to_jid, kind, priority, state,"
            " reason, cause, created_by)"
            " SELECT tenant_id, $2, $3, $4, id, substr(phone, 2) || '@s.whatsapp.net', 'text',"
            " 'paced', $5, $6, $6, 'test' FROM leads WHERE id = $1",
            lead, people.device_no, campaign, lane, state, cause,
        )  # fmt: skip
    return campaign


async def test_merges_of_people_of_the_same_campaigns_take_these_in_one_order(people: People) -> None:
    dialled, named = "+5511912345678", "+551112345678"
    gone, kept, other = await people.lead(phone=dialled), await people.lead(), await people.lead(phone=named)
    await people.name(dialled, named)
    first = await _campaign(people, (gone, "queued", None), (other, "cancelled", "same_person"))
    second = await _campaign(people, (gone, "queued", None), (kept, "cancelled", "same_person"))
    principal = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    async with people.pool.acquire() as merging, merging.transaction():
        await merging.execute(HOLD, first)
        blocked_merge = await blocked(people.pool, merge(people.pool, principal, kept, gone, of_leads))
        await merging.execute(HOLD, second)
    assert await blocked_merge


async def _at_two_sources(people: People) -> tuple[int, int, int]:
    """Somebody of no device for whom a step waits at the one there is, and a campaign's message; gives the lead and the
    two sources, in their order."""
    lead = await people.lead()
    sequence = await people.sequence(step("one", 60))
    await people.enrol(sequence, lead)
    await people.walk()
    campaign = await _campaign(people, (lead, "queued", None))
    await people.pool.execute("UPDATE leads SET device_no = NULL")
    return lead, await people.value("SELECT source_id FROM sequence_steps"), campaign


@pytest.mark.parametrize("what", ["merge", "delete"])
async def test_whoever_moves_rows_takes_steps_and_campaigns_in_one_order(people: People, what: str) -> None:
    gone, first, second = await _at_two_sources(people)
    principal = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    device = await people.value("SELECT id FROM devices")
    moving: Coroutine[Any, Any, object]
    if what == "merge":
        moving = merge(people.pool, principal, await people.lead(), gone, of_leads)
    else:
        moving = bulk.delete(people.pool, people.tenant_id, [device], choices)
    async with people.pool.acquire() as other, other.transaction():
        await other.execute(HOLD, first)
        waiting = await blocked(people.pool, moving)
        await other.execute(HOLD, second)
    assert await waiting


@pytest.mark.parametrize("many", [False, True])
async def test_a_device_is_deleted_while_people_are_given_to_it(people: People, many: bool) -> None:
    lead = await people.lead()
    campaign = await _campaign(people, (lead, "queued", None))
    other_device = await people.value(
        "INSERT INTO devices (tenant_id, name, network) VALUES ($1, 'Other', 'loopback') RETURNING no", people.tenant_id
    )
    principal = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    giving: Coroutine[Any, Any, object]
    if many:
        giving = leads_bulk.act(people.pool, principal, "set_device", [lead], other_device, of_leads)
    else:
        giving = leads.change(people.pool, principal, lead, {"device_id": other_device}, of_leads)
    async with people.pool.acquire() as deleting, deleting.transaction():
        await deleting.execute(HOLD, campaign)
        waiting = await blocked(people.pool, giving)
        await deleting.execute("SELECT FROM devices WHERE no = $1 FOR UPDATE", other_device)
    await waiting
    assert await people.value("SELECT device_no FROM outbox") == other_device


async def test_a_lead_for_whom_another_got_nothing_is_deleted_while_its_device_is(people: People) -> None:
    dialled, named = "+5511912345678", "+551112345678"
    gone, kept = await people.lead(phone=dialled, has_device=False), await people.lead(phone=named)
    await people.name(dialled, named)
    first = await _campaign(people, (gone, "queued", None))
    second = await _campaign(people, (gone, "queued", None), (kept, "cancelled", "same_person"))
    await people.pool.execute("UPDATE lanes SET device_no = NULL WHERE source_id = $1", second)
    await people.pool.execute("UPDATE outbox SET device_no = NULL WHERE source_id = $1 AND lead_id = $2", second, gone)
    principal = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    async with people.pool.acquire() as other, other.transaction():
        await other.execute(HOLD, first)
        await other.execute("SELECT FROM devices FOR UPDATE")
        deleting = await blocked(people.pool, leads.delete(people.pool, principal, gone, of_leads))
        await other.execute("SELECT FROM outbox WHERE source_id = $1 FOR UPDATE", first)
    assert await deleting
    assert await people.value("SELECT state FROM outbox WHERE lead_id = $1", kept) == "queued"


async def test_the_walk_holds_what_it_puts_somebody_at_before_its_way(people: People) -> None:
    sequence = await people.sequence(step("one"))
    await people.enrol(sequence, await people.lead())
    async with people.pool.acquire() as other, other.transaction():
        await other.execute(HOLD, await people.value("SELECT source_id FROM sequence_steps"))
        walking = await blocked(people.pool, people.walk())
        await other.execute("SELECT FROM enrolments FOR NO KEY UPDATE")
    await walking
    assert await people.value("SELECT state FROM outbox") == "queued"


async def test_a_device_is_deleted_while_the_walk_puts_a_step_there_and_cancels_another(people: People) -> None:
    over, sequence = await people.sequence(step("one", 60)), await people.sequence(step("two"))
    await people.enrol(over, await people.lead())
    await people.walk()
    [(row, way)] = await people.pool.fetch("SELECT id, enrolment_id FROM outbox")
    await enrolments.delete(people.pool, people.tenant_id, over)
    await people.pool.execute("INSERT INTO walk_queue (is_new, enrolment_id) VALUES (false, $1)", way)
    await people.enrol(sequence, await people.lead())
    async with people.pool.acquire() as deleting, deleting.transaction():
        await deleting.execute("SELECT FROM devices FOR UPDATE")
        walking = await blocked(people.pool, people.walk())
        await deleting.execute("UPDATE outbox SET reason = 'x' WHERE id = $1", row)
    await walking
    states = await people.pool.fetch("SELECT state FROM outbox ORDER BY id")
    assert [one["state"] for one in states] == ["cancelled", "queued"]


async def test_both_enter_a_sequence_while_a_merge_lets_the_one_that_stays_enter_it(people: People) -> None:
    kept, gone = await people.lead(), await people.lead("vip")
    sequence = await people.sequence(step("one"), trigger="vip")
    assert await _merged_while_both_enter(people, sequence, kept, gone)
    assert await people.states(sequence) == [("active", None)]


async def test_both_enter_a_sequence_while_a_merge_gives_a_way_in_it_to_the_one_that_stays(people: People) -> None:
    dialled, named = "+5511912345678", "+551112345678"
    sequence = await people.sequence(step("one", 60))
    gone, kept = await people.lead(phone=dialled), await people.lead(phone=named)
    await people.enrol(sequence, gone)
    await people.walk()
    await people.name(dialled, named)
    await people.enrol(sequence, kept)
    await people.walk()
    assert await _merged_while_both_enter(people, sequence, kept, gone)
    assert await people.value("SELECT count(*) FROM enrolments WHERE ended_at IS NULL") == 1


@pytest.mark.parametrize("what", ["delete", "change"])
async def test_a_lead_is_deleted_or_changed_while_it_is_merged(people: People, what: str) -> None:
    sequence = await people.sequence(step("one", 60))
    kept, gone = await people.lead(), await people.lead()
    await people.enrol(sequence, gone)
    await people.walk()
    campaign = await _campaign(people, (kept, "cancelled", "same_person"))
    principal = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    async with people.pool.acquire() as holding, holding.transaction():
        await holding.execute("SELECT FROM sources WHERE id = $1 FOR NO KEY UPDATE", campaign)
        merging = await blocked(people.pool, merge(people.pool, principal, kept, gone, of_leads))
        if what == "delete":
            second = asyncio.create_task(leads.delete(people.pool, principal, gone, of_leads))
        else:
            changes = {"phone": "+60199999999"}
            second = asyncio.create_task(leads.change(people.pool, principal, gone, changes, of_leads))
        await people.until(
            "SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    assert await merging
    assert not await second


async def test_whose_way_a_merge_gives_to_the_lead_that_stays_goes_on_in_it(people: People) -> None:
    """The walk waits for the merge, and knows the lead of before."""
    dialled, named = "+5511912345678", "+551112345678"
    sequence = await people.sequence(step("one"), step("two"))
    gone, kept = await people.lead(phone=dialled), await people.lead(phone=named)
    await people.enrol(sequence, gone)
    await people.walk()
    await people.name(dialled, named)
    await people.enrol(sequence, kept)
    await people.walk()
    assert await people.states(sequence) == [("active", None), ("stopped", "same_person")]
    assert await people.send() == ["one"]
    note = "INSERT INTO lead_notes (tenant_id, lead_id, created_by, author, body) VALUES ($1, $2, 'test', 'T', 'x')"
    await people.pool.execute(note, people.tenant_id, gone)
    principal = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    async with people.pool.acquire() as writing, writing.transaction():
        await writing.execute("SELECT FROM lead_notes FOR UPDATE")
        merging = await blocked(people.pool, merge(people.pool, principal, kept, gone, of_leads))
        walking = asyncio.create_task(people.walk())
        await people.until(
            "SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    assert await merging
    await walking
    assert await people.until_end() == ["two"]
    assert await people.states(sequence) == [("completed", None), ("stopped", "same_person")]


async def test_an_import_that_lets_somebody_enter_the_next_sequence_holds_up_nobody_else(people: People) -> None:
    second = await people.sequence(step("two"), trigger="vip")
    first = await people.sequence(step("one"), next_sequence_id=second)
    lead, other = await people.lead(), await people.lead()
    await people.enrol(first, lead)
    await people.walk()
    assert await people.send() == ["one"]
    connection: asyncpg.Connection = await connect(people.uri, "walk")
    walker = Walker(connection)
    async with people.pool.acquire() as importing, importing.transaction():
        await importing.execute("UPDATE leads SET tags = '{vip}' WHERE id = $1", lead)
        await people.enrol(first, other)
        async with asyncio.timeout(60):
            while await walker.tick():
                pass
        assert await people.value("SELECT count(*) FROM outbox WHERE lead_id = $1", other) == 1
    await connection.close()
    assert sorted(await people.until_end()) == ["one", "two", "two"]
    assert await people.states(second) == [("completed", None)] * 2


async def test_many_get_a_trigger_tag_in_the_order_in_which_others_let_them_enter(people: People) -> None:
    sequence = await people.sequence(step("one"), trigger="vip")
    leads_of_both = [await people.lead() for _ in range(20)]
    await people.pool.execute("UPDATE leads SET name = 'Later in the table' WHERE id = $1", leads_of_both[0])
    entered = "INSERT INTO enrolments (tenant_id, sequence_id, lead_id) VALUES ($1, $2, $3)"
    whatever_plan = "SET LOCAL enable_sort = off; SET LOCAL enable_indexscan = off; UPDATE leads SET tags = '{vip}'"
    async with people.pool.acquire() as entering, entering.transaction():
        await entering.execute(entered, people.tenant_id, sequence, leads_of_both[0])
        tagging = await blocked(people.pool, people.pool.execute(whatever_plan))
        for lead in leads_of_both[1:]:
            await entering.execute(entered, people.tenant_id, sequence, lead)
    await tagging
    assert await people.states(sequence) == [("active", None)] * 20


async def test_many_leads_are_deleted_in_the_order_in_which_others_hold_them(people: People) -> None:
    first, second = await people.lead(), await people.lead()
    await people.pool.execute("UPDATE leads SET name = 'Later in the table' WHERE id = $1", first)
    async with people.pool.acquire() as editing, editing.transaction():
        await editing.execute("SELECT FROM leads WHERE id = $1 FOR UPDATE", first)
        removing = await blocked(people.pool, _remove(people, [second, first]))
        await editing.execute("SELECT FROM leads WHERE id = $1 FOR UPDATE", second)
    assert sorted(await removing) == [first, second]


async def _remove(people: People, ids: list[int]) -> list[int]:
    async with people.pool.acquire() as connection, connection.transaction():
        return await leads.remove(connection, people.tenant_id, ids, of_leads)
