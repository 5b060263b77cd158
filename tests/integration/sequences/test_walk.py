"""From step to step: what leaves, when, and what never leaves twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import asyncpg
import pytest

from tests.calendar import change_of_clocks
from tests.claimed import CLAIMED
from tests.integration.sequences.people import People, saying, step
from tests.mortal import CUT, mortal
from wafast.database import aside
from wafast.database.aside import Aside
from wafast.database.pool import connect
from wafast.leads import rows as leads
from wafast.outbox import lanes
from wafast.outbox import rows as outbox
from wafast.outbox.held_by import HeldBy, held_by
from wafast.outbox.lanes import Lane
from wafast.sequences import edits, enrolments, of_leads, rows
from wafast.sequences.walk import Walker

DAY = 86_400


async def test_thirty_one_steps_leave_in_order_each_after_its_delay(people: People) -> None:
    steps = [step(f"Day {day}", DAY if day else 60) for day in range(31)]
    sequence = await people.sequence(*steps)
    await people.enrol(sequence, await people.lead())
    said: list[str] = []
    for day in range(31):
        await people.walk()
        assert await people.send() == [], "not before its delay"
        await people.pass_time(DAY if day else 60)
        said += await people.send()
    await people.walk()
    assert said == [f"Day {day}" for day in range(31)]
    assert await people.states(sequence) == [("completed", None)]
    assert await people.value("SELECT count(*) FROM outbox") == 31


async def test_the_delay_counts_from_the_send_before(people: People) -> None:
    sequence = await people.sequence(step("one"), step("two", DAY))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    await people.pass_time(3 * DAY)
    assert await people.send() == ["one"]
    await people.walk()
    waits = await people.value("SELECT o.not_before - e.since FROM outbox o JOIN enrolments e ON e.outbox_id = o.id")
    assert waits.total_seconds() == DAY
    since = "SELECT e.since = o.sent_at FROM enrolments e JOIN outbox o ON o.enrolment_id = e.id WHERE o.state = 'sent'"
    assert await people.value(since)


async def test_a_day_is_86400_seconds_also_when_the_clocks_change(people: People) -> None:
    sequence = await people.sequence(step("one", DAY))
    await people.enrol(sequence, await people.lead(zone="Europe/Berlin"))
    sunday = change_of_clocks()
    await people.pool.execute(f"UPDATE enrolments SET since = '{sunday - timedelta(days=1)} 10:00 Europe/Berlin'")
    await people.walk()
    local = "SELECT not_before AT TIME ZONE 'Europe/Berlin' FROM outbox"
    assert str(await people.value(local)) == f"{sunday} 11:00:00"
    assert await people.value("SELECT zone FROM lanes") == "Europe/Berlin"


async def test_a_row_waits_at_the_leads_device_or_in_the_pool(people: People) -> None:
    sequence = await people.sequence(step("one"))
    await people.enrol(sequence, await people.lead(), await people.lead(has_device=False))
    await people.walk()
    found = await people.pool.fetch(
        "SELECT o.device_no, l.device_no AS of_lane FROM outbox o JOIN lanes l ON l.id = o.lane_id ORDER BY o.id"
    )
    assert [tuple(row) for row in found] == [(people.device_no, people.device_no), (None, None)]


@pytest.mark.parametrize(("state", "waits_there"), [("online", True), ("banned", False)])
async def test_the_next_step_waits_where_the_last_left_unless_that_device_is_over(
    people: People, state: str, waits_there: bool
) -> None:
    sequence = await people.sequence(step("one"), step("two"))
    await people.enrol(sequence, await people.lead(has_device=False))
    await people.walk()
    there = Lane(people.tenant_id, await people.value("SELECT source_id FROM outbox"), people.device_no, "UTC")
    async with people.pool.acquire() as connection:
        rows = [await people.value("SELECT id FROM outbox")]
        assert await lanes.move(connection, rows, await lanes.ensure(connection, [there])) == rows
    assert await people.send() == ["one"]
    await people.pool.execute("UPDATE devices SET state = $1", state)
    await people.walk()
    waits = await people.value("SELECT device_no FROM outbox WHERE state = 'queued'")
    assert waits == (people.device_no if waits_there else None)


@pytest.mark.parametrize("has_tag_first", [True, False])
async def test_who_gets_the_trigger_tag_enters_once(people: People, has_tag_first: bool) -> None:
    sequence = await people.sequence(step("one"), trigger="vip")
    lead = await people.lead("gold", *(["vip"] if has_tag_first else []))
    await people.pool.execute("UPDATE leads SET tags = '{gold,vip}' WHERE id = $1", lead)
    assert await people.until_end() == ["one"]
    await people.pool.execute("UPDATE leads SET tags = '{gold}' WHERE id = $1", lead)
    await people.pool.execute("UPDATE leads SET tags = '{gold,vip}' WHERE id = $1", lead)
    assert await people.until_end() == []
    assert await people.enrol(sequence, lead) == 0
    assert await people.enrol(sequence, lead, again=True) == 1
    assert await people.until_end() == ["one"]
    assert await people.states(sequence) == [("completed", None)] * 2


async def test_tags_are_compared_whole_and_within_the_workspace(people: People) -> None:
    """SPEC section 10, invariant 7."""
    sequence = await people.sequence(step("one"), trigger="vip")
    other = await People.make(people.uri, people.pool)
    await people.lead("vip2", "a vip")
    await other.lead("vip")
    tagged = await people.lead("kl")
    await people.pool.execute("UPDATE leads SET tags = '{kl,vip2,v,a vip}' WHERE id = $1", tagged)
    assert await people.states(sequence) == []


async def test_an_import_by_copy_and_by_insert_select_enrols(people: People) -> None:
    sequence = await people.sequence(step("one"), trigger="vip")
    columns = ["tenant_id", "phone", "tags", "zone"]
    records = [(people.tenant_id, f"+6014{number:07}", ["vip"], "Asia/Kuala_Lumpur") for number in range(300)]
    async with people.pool.acquire() as connection:
        await connection.copy_records_to_table("leads", records=records, columns=columns)
        await connection.execute(
            "INSERT INTO leads (tenant_id, phone, tags, zone)"
            " SELECT $1, '+6015' || lpad(n::text, 7, '0'), '{vip}', 'UTC' FROM generate_series(1, 300) n",
            people.tenant_id,
        )
    await people.walk()
    assert await people.states(sequence) == [("active", None)] * 600
    assert await people.value("SELECT count(DISTINCT lead_id) FROM outbox") == 600


async def test_nobody_is_twice_in_one_sequence_at_a_time(people: People) -> None:
    """SPEC section 10, invariant 1."""
    sequence, lead = await people.sequence(step("one", DAY)), await people.lead()
    assert (await people.enrol(sequence, lead, lead), await people.enrol(sequence, lead, again=True)) == (1, 0)
    with pytest.raises(asyncpg.UniqueViolationError):
        await people.pool.execute(
            "INSERT INTO enrolments (tenant_id, sequence_id, lead_id) VALUES ($1, $2, $3)",
            people.tenant_id, sequence, lead,
        )  # fmt: skip


async def test_a_step_is_one_row_of_a_persons_way(people: People) -> None:
    """SPEC section 10, invariant 1."""
    sequence, lead = await people.sequence(step("one", DAY)), await people.lead()
    await people.enrol(sequence, lead)
    await people.walk()
    again = (
        "INSERT INTO outbox (tenant_id, device_no, source_id, enrolment_id, to_jid, kind, created_by)"
        " SELECT tenant_id, device_no, source_id, enrolment_id, '60999@s.whatsapp.net', kind, created_by FROM outbox"
    )
    with pytest.raises(asyncpg.UniqueViolationError):
        await people.pool.execute(again)
    await people.pool.execute("UPDATE enrolments SET step_id = NULL, outbox_id = NULL")
    await people.pool.execute("INSERT INTO walk_queue (enrolment_id) SELECT id FROM enrolments")
    await people.walk()
    assert await people.value("SELECT count(*) FROM outbox") == 1, "nor does the walk put it in twice"


@pytest.mark.parametrize(("state", "cause"), [("failed", "refused"), ("unknown", None), ("expired", None)])
async def test_after_a_step_that_did_not_arrive_the_next_one_follows(
    people: People, state: str, cause: str | None
) -> None:
    sequence = await people.sequence(step("one"), step("two"))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    await people.send(state, cause)
    assert await people.until_end() == ["two"]
    assert await people.states(sequence) == [("completed", None)]


@pytest.mark.parametrize(
    ("state", "cause", "reason"),
    [("failed", "not_on_whatsapp", "not_on_whatsapp"), ("cancelled", "opted_out", "opted_out")],
)
async def test_who_can_not_be_written_to_is_left_alone(people: People, state: str, cause: str, reason: str) -> None:
    sequence = await people.sequence(step("one"), step("two"))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    await people.send(state, cause)
    assert await people.until_end() == []
    assert await people.states(sequence) == [("stopped", reason)]


async def test_who_opts_out_between_two_steps_gets_no_next_one(people: People) -> None:
    sequence = await people.sequence(step("one"), step("two"))
    await people.enrol(sequence, await people.lead(phone="+60123456789"))
    await people.walk()
    await people.send()
    await people.pool.execute(
        "INSERT INTO suppressions (tenant_id, phone, reason, created_by) VALUES ($1, '+60123456789', 'x', 'test')",
        people.tenant_id,
    )
    assert await people.until_end() == []
    assert await people.states(sequence) == [("stopped", "opted_out")]


async def test_at_the_end_the_next_sequence_begins_and_two_are_no_circle(people: People) -> None:
    second = await people.sequence(step("two"))
    first = await people.sequence(step("one"), next_sequence_id=second)
    await rows.change(people.pool, people.tenant_id, second, {"next_sequence_id": first})
    await people.enrol(first, await people.lead())
    assert await people.until_end() == ["one", "two"]
    assert await people.states(first) == await people.states(second) == [("completed", None)]


async def test_a_paused_sequence_is_held_at_the_next_claim_and_goes_on(people: People) -> None:
    sequence = await people.sequence(step("one"), step("two"), state="paused", trigger="vip")
    await people.lead("vip")
    assert await people.until_end() == []
    assert await people.states(sequence) == [("active", None)]
    await _set(people, sequence, "active")
    await people.walk()
    assert await people.send() == ["one"]
    await people.walk()
    await _set(people, sequence, "paused")
    assert await people.send() == []
    await _set(people, sequence, "active")
    assert await people.until_end() == ["two"]


async def _set(people: People, sequence: int, state: rows.State) -> None:
    await rows.change(people.pool, people.tenant_id, sequence, {"state": state})


async def test_one_enrolment_is_paused_resumed_stopped_and_moved_on(people: People) -> None:
    sequence = await people.sequence(step("one"), step("two"), step("three"))
    leads = [await people.lead() for _ in range(3)]
    await people.enrol(sequence, *leads)
    await people.walk()
    paused, stopped, skips = await _ids(people, sequence)
    place = (people.pool, people.tenant_id, sequence)
    held = await enrolments.set_state(*place, paused, "paused")
    assert held is not None
    assert (held.due_at, held.outbox_id is None) == (None, False)
    row = await outbox.get(people.pool, people.tenant_id, held.outbox_id or 0)
    assert row is not None
    assert await held_by(people.pool, row) == HeldBy("source_not_running", None, "What it belongs to is paused.")
    await enrolments.set_state(*place, stopped, "stopped")
    await enrolments.skip(*place, skips)
    assert await people.send() == []
    await people.walk()
    assert await people.send() == ["two"]
    await enrolments.set_state(*place, paused, "active")
    assert sorted(await people.until_end()) == ["one", "three", "three", "two"]
    assert await people.states(sequence) == [("completed", None), ("stopped", "by_person"), ("completed", None)]
    with pytest.raises(enrolments.HasEnded):
        await enrolments.set_state(*place, stopped, "active")
    counts = "SELECT bucket, sum(n)::int4 AS n FROM source_buckets GROUP BY bucket ORDER BY bucket"
    assert [tuple(row) for row in await people.pool.fetch(counts)] == [("cancelled", 2), ("sent", 5)]


async def _ids(people: People, sequence: int) -> list[int]:
    return [
        row["id"]
        for row in await people.pool.fetch("SELECT id FROM enrolments WHERE sequence_id = $1 ORDER BY id", sequence)
    ]


async def test_one_that_is_paused_while_its_step_is_on_the_wire_goes_on_when_it_is_resumed(people: People) -> None:
    sequence = await people.sequence(step("one"), step("two"))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    [one] = await _ids(people, sequence)
    await people.pool.execute(CLAIMED)
    await enrolments.set_state(people.pool, people.tenant_id, sequence, one, "paused")
    await people.pool.execute("UPDATE outbox SET state = 'sent', message_id = 'M', sent_at = now()")
    await people.walk()
    assert await people.value("SELECT count(*) FROM outbox") == 1
    await enrolments.set_state(people.pool, people.tenant_id, sequence, one, "active")
    assert await people.until_end() == ["two"]


async def test_what_has_not_left_says_the_new_words_after_the_new_delay(people: People) -> None:
    sequence = await people.sequence(step("one"), step("old", 5 * DAY), step("three"))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    await people.send()
    await people.walk()
    [first, second, third] = await rows.list_steps(people.pool, people.tenant_id, sequence)
    place = (people.pool, people.tenant_id, sequence)
    await rows.change_step(*place, second.id, saying("new", DAY))
    await rows.change_step(*place, third.id, saying("last"))
    assert await people.until_end() == []
    await people.pass_time(DAY)
    assert await people.until_end() == ["new", "last"]
    assert first.position == 1


async def test_steps_are_inserted_moved_and_deleted_while_people_are_at_them(people: People) -> None:
    sequence = await people.sequence(step("a"), step("b", DAY), step("c"), step("d"))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    await people.send()
    await people.walk()
    place = (people.pool, people.tenant_id, sequence)
    [a, b, c, d] = [one.id for one in await rows.list_steps(*place)]
    await rows.add_step(*place, step("before"), 2)
    await rows.add_step(*place, step("between"), 4)
    await rows.change_step(*place, d, saying("d"), 5)
    await rows.change_step(*place, a, saying("a"), 6)
    assert [one.template for one in await rows.list_steps(*place)] == ["before", "b", "between", "d", "c", "a"]
    await rows.delete_step(*place, b)
    await rows.change_step(*place, c, saying("c"), 1)
    shown = [(one.position, one.template) for one in await rows.list_steps(*place)]
    assert shown == [(1, "c"), (2, "before"), (3, "between"), (4, "d"), (5, "a")]
    assert await people.until_end() == ["between", "d"], "what stands before it now, and what it had, is not sent"
    assert await people.states(sequence) == [("completed", None)]
    with pytest.raises(rows.NoStep):
        await rows.change_step(*place, b, saying("b"))


async def test_who_waits_for_a_step_that_is_deleted_gets_the_next_as_if_that_had_never_been(people: People) -> None:
    sequence = await people.sequence(step("a", 3 * DAY), step("b", DAY))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    [a, _] = await rows.list_steps(people.pool, people.tenant_id, sequence)
    await people.pass_time(DAY)
    await rows.delete_step(people.pool, people.tenant_id, sequence, a.id)
    assert await people.until_end() == ["b"]


async def test_who_enters_before_there_are_steps_gets_the_first_one(people: People) -> None:
    sequence = await people.sequence()
    await people.enrol(sequence, await people.lead())
    await people.walk()
    assert await people.states(sequence) == [("active", None)]
    with pytest.raises(enrolments.NotBegun):
        await enrolments.skip(people.pool, people.tenant_id, sequence, *await _ids(people, sequence))
    await rows.add_step(people.pool, people.tenant_id, sequence, step("one"), None)
    assert await people.until_end() == ["one"]


async def test_of_a_deleted_sequence_nothing_more_leaves(people: People) -> None:
    """SPEC section 10, invariant 6."""
    sequence = await people.sequence(step("one"), step("two"), trigger="vip")
    await people.enrol(sequence, await people.lead(), await people.lead())
    await people.walk()
    await enrolments.delete(people.pool, people.tenant_id, sequence)
    assert await people.send() == []
    await people.walk()
    assert await people.states(sequence) == [("stopped", "sequence_deleted")] * 2
    assert await people.value("SELECT count(*) FROM outbox WHERE state <> 'cancelled'") == 0
    await people.lead("vip")
    assert len(await people.states(sequence)) == 2


async def test_of_a_lead_that_is_gone_nothing_more_leaves(people: People) -> None:
    sequence, lead = await people.sequence(step("one")), await people.lead()
    await people.enrol(sequence, lead)
    await people.walk()
    await leads.remove(people.pool, people.tenant_id, [lead], of_leads)
    assert await people.until_end() == []
    assert await people.value("SELECT cause FROM outbox") == "lead_gone"


QUEUED = "SELECT count(*) FROM walk_queue"


@pytest.mark.parametrize(
    ("edit", "moved"),
    [
        ("delay", "SELECT count(*) FROM outbox WHERE not_before > now() + interval '36 hours'"),
        ("deletion", QUEUED),
        ("sequence deleted", "SELECT count(*) FROM enrolments WHERE reason = 'sequence_deleted'"),
        ("first step", QUEUED),
        ("pause", "SELECT count(*) FROM outbox WHERE expires_at IS NULL"),
    ],
)
async def test_an_edit_moves_nobody_in_its_request_and_people_follow_in_portions(
    people: People, monkeypatch: pytest.MonkeyPatch, edit: str, moved: str
) -> None:
    monkeypatch.setattr(edits, "STEP", 3)
    sequence = await people.sequence(*([] if edit == "first step" else [step("one", DAY, 3600), step("two")]))
    await people.enrol(sequence, *[await people.lead() for _ in range(10)])
    await people.walk()
    place = (people.pool, people.tenant_id, sequence)
    one = next((row.id for row in await rows.list_steps(*place)), 0)
    if edit == "delay":
        await rows.change_step(*place, one, saying("one", 2 * DAY))
    elif edit == "deletion":
        await rows.delete_step(*place, one)
    elif edit == "sequence deleted":
        await enrolments.delete(*place)
    elif edit == "pause":
        await _set(people, sequence, "paused")
    else:
        await rows.add_step(*place, step("one"), None)
    assert await people.value(moved) == 0
    followed = []
    async with people.pool.acquire() as connection:
        while await edits.follow(connection, Aside("edits")) is not None:
            followed.append(await people.value(moved))
    assert followed == [3, 6, 9, 10]


async def test_a_step_sends_nothing_by_its_old_delay_while_people_follow(people: People) -> None:
    sequence = await people.sequence(step("one", DAY), step("two"))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    place = (people.pool, people.tenant_id, sequence)
    [one, _] = await rows.list_steps(*place)
    await people.pass_time(DAY)
    await rows.change_step(*place, one.id, saying("one", 3 * DAY))
    assert await people.send() == [], "it was due by the old delay"
    await _set(people, sequence, "paused")
    await _set(people, sequence, "active")
    assert await people.send() == [], "nor when the whole goes on meanwhile"
    assert await people.until_end() == []
    await people.pass_time(2 * DAY)
    assert await people.until_end() == ["one", "two"]


async def test_edits_one_after_another_leave_everybody_at_the_last(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edits, "STEP", 3)
    sequence = await people.sequence(step("one", DAY), step("two", 5 * DAY))
    await people.enrol(sequence, *[await people.lead() for _ in range(8)])
    await people.walk()
    place = (people.pool, people.tenant_id, sequence)
    [one, two] = await rows.list_steps(*place)
    async with people.pool.acquire() as connection:
        await rows.change_step(*place, one.id, saying("one", 9 * DAY))
        await edits.follow(connection, Aside("edits"))
        shown = await rows.get(people.pool, people.tenant_id, sequence)
        assert shown is not None
        assert (shown.followed, shown.people) == (3, 8)
        await rows.change_step(*place, one.id, saying("one", 7 * DAY))
        await edits.follow(connection, Aside("edits"))
        await edits.follow(connection, Aside("edits"))
        await rows.delete_step(*place, one.id)
        await rows.change_step(*place, two.id, saying("two", DAY))
    await people.walk()
    assert await people.value("SELECT count(*) FROM sequence_edits") == 0
    assert await people.send() == []
    await people.pass_time(DAY)
    assert await people.until_end() == ["two"] * 8
    assert await people.states(sequence) == [("completed", None)] * 8


async def test_who_is_paused_while_others_follow_gets_the_new_delay_when_resumed(people: People) -> None:
    sequence = await people.sequence(step("one", 3 * DAY))
    await people.enrol(sequence, await people.lead(), await people.lead())
    await people.walk()
    place = (people.pool, people.tenant_id, sequence)
    [one] = await rows.list_steps(*place)
    [paused, _] = await _ids(people, sequence)
    await enrolments.set_state(*place, paused, "paused")
    await rows.change_step(*place, one.id, saying("one", DAY))
    await people.walk()
    await people.pass_time(DAY)
    assert await people.until_end() == ["one"]
    await enrolments.set_state(*place, paused, "active")
    assert await people.until_end() == ["one"]


async def test_how_many_are_in_a_sequence_is_exact_whatever_moved_them(people: People) -> None:
    first, second = [await people.sequence(step("one", DAY), step("two")) for _ in range(2)]
    leads_ = [await people.lead() for _ in range(6)]

    async def expect_exact() -> None:
        told = await rows.enrolment_counts(people.pool, people.tenant_id, [first, second])
        for sequence in (first, second):
            assert told[sequence] == Counter(state for state, _ in await people.states(sequence))

    async def expect_exact_folded_or_not() -> None:
        await expect_exact()
        await people.walk()
        assert await people.value("SELECT count(*) FROM enrolment_counts") == 0
        await expect_exact()

    await people.enrol(first, *leads_)
    await people.enrol(second, *leads_[:2])
    await expect_exact_folded_or_not()
    [paused, stopped, *_] = await _ids(people, first)
    await enrolments.set_state(people.pool, people.tenant_id, first, paused, "paused")
    await enrolments.set_state(people.pool, people.tenant_id, first, stopped, "stopped")
    await expect_exact_folded_or_not()
    await people.pass_time(DAY)
    await people.until_end()
    await expect_exact_folded_or_not()
    await people.pool.execute("DELETE FROM leads WHERE id = ANY ($1)", leads_[1:4])
    await expect_exact_folded_or_not()
    await people.pool.execute("DELETE FROM sequences WHERE id = $1", second)
    await people.walk()
    await expect_exact()
    assert await people.value("SELECT bool_and(sequence_id = $1) FROM enrolment_sums", first)


async def _is_cut_off(people: People, statements: int) -> bool:
    """Whether a look of the walk was, after so many statements."""
    connection = await mortal(people.uri, statements)
    try:
        await Walker(connection).tick()
    except CUT:
        return True
    finally:
        connection.terminate()
    return False


async def test_a_walk_that_is_cut_off_after_any_statement_leaves_nobody_behind(people: People) -> None:
    """SPEC section 10, invariant 3."""
    sequence = await people.sequence(step("one"), step("two"))
    statements, is_cut_off = 0, True
    while is_cut_off:
        await people.enrol(sequence, await people.lead())
        is_cut_off = await _is_cut_off(people, statements)
        assert await people.until_end() == ["one", "two"], f"cut off after {statements} statements"
        statements += 1
    assert statements > 8, "each of them, and the commit"


async def test_one_who_can_not_go_on_stops_nobody_else(people: People) -> None:
    sequence = await people.sequence(step("one"))
    ids = [await people.lead(), await people.lead(zone="Mars/Olympus"), await people.lead()]
    await people.enrol(sequence, *ids)
    async with asyncio.timeout(60):
        await people.walk()
    assert await people.send() == ["one"] * 2
    await people.walk()
    states = [("completed", None), ("stopped", "failed"), ("completed", None)]
    assert await people.states(sequence) == states


async def test_a_sequence_nobody_could_follow_is_looked_at_again_by_itself(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "AGAIN_SECONDS", 0.1)
    sequence = await people.sequence(step("one", 60))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    step_id = await people.value("SELECT id FROM sequence_steps")
    await rows.change_step(people.pool, people.tenant_id, sequence, step_id, {"delay_seconds": 0})
    tries = 0

    async def fails_twice(*_: object) -> None:
        nonlocal tries
        tries += 1
        monkeypatch.setattr(edits, "_follow", fails_twice if tries < 2 else follows)
        raise ValueError("poison")

    follows = edits._follow
    monkeypatch.setattr(edits, "_follow", fails_twice)
    connection = await connect(people.uri, "walk")
    walking = asyncio.create_task(Walker(connection).run())
    await people.until("SELECT NOT EXISTS (TABLE sequence_edits)")
    walking.cancel()
    await asyncio.gather(walking, return_exceptions=True)
    await connection.close()
    assert tries == 2
    assert await people.send() == ["one"]


async def test_a_sequence_nobody_can_follow_holds_up_no_other(people: People) -> None:
    first, second = await people.sequence(step("one", 60)), await people.sequence(step("two", 60))
    await people.enrol(first, await people.lead())
    await people.enrol(second, await people.lead())
    await people.walk()
    for sequence in (first, second):
        step_id = await people.value(f"SELECT id FROM sequence_steps WHERE sequence_id = {sequence}")
        await rows.change_step(people.pool, people.tenant_id, sequence, step_id, {"delay_seconds": 0})
    await people.pool.execute(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'poison'; END $$;"
        f" CREATE TRIGGER poison BEFORE UPDATE OF not_before ON outbox FOR EACH ROW WHEN (OLD.source_id ="
        f" {await people.value(f'SELECT source_id FROM sequence_steps WHERE sequence_id = {first}')})"
        " EXECUTE FUNCTION poison()"
    )
    connection = await connect(people.uri, "walk")
    left = Aside("edits")
    while await edits.follow(connection, left) is not None:
        pass
    await connection.close()
    assert list(left) == [first]
    assert await people.send() == ["two"]


@pytest.mark.parametrize("was", ["open", "over"])
async def test_a_person_who_is_two_leads_walks_a_sequence_once(people: People, was: str) -> None:
    dialled, named = "+5511912345678", "+551112345678"
    sequence = await people.sequence(step("one"), step("two", DAY), trigger="new")
    first = await people.lead("new", phone=dialled)
    assert await people.until_end() == ["one"]
    if was == "over":
        await people.pass_time(DAY)
        assert await people.until_end() == ["two"]
    await people.name(dialled, named)
    second = await people.lead("new", phone=named)
    assert await people.until_end() == []
    assert (await people.states(sequence))[1] == ("stopped", "same_person")
    await people.pass_time(DAY)
    assert await people.until_end() == ([] if was == "over" else ["two"])
    third = await people.lead(phone="+5511812345678")  # who never was in it
    await people.name("+5511812345678", named)
    for lead in (third, second, first):
        await people.enrol(sequence, lead, again=True)
        assert await people.until_end() == (["one"] if lead == third else []), "as a person wants it, at one of them"


async def test_of_two_whose_name_is_learned_on_the_way_one_gets_the_step(people: People) -> None:
    sequence = await people.sequence(step("one"))
    await people.enrol(sequence, await people.lead(phone="+5511912345678"), await people.lead(phone="+551112345678"))
    await people.walk()
    await people.name("+5511912345678", "+551112345678")
    first, second = await people.pool.fetch("SELECT id FROM outbox ORDER BY id")
    asked = "SELECT is_so FROM outbox o, has_elsewhere(o, '551112345678@s.whatsapp.net') WHERE id = $1"
    assert not await people.value(asked, first["id"])
    await people.pool.execute(f"{CLAIMED} WHERE id = $1", second["id"])
    await people.pool.execute("UPDATE outbox SET state = 'sent', message_id = 'M' WHERE id = $1", second["id"])
    assert await people.value(asked, first["id"])
    await people.send("cancelled", "same_person")
    assert await people.until_end() == []
    assert await people.states(sequence) == [("stopped", "same_person"), ("completed", None)]
