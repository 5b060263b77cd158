"""Two leads that are one person, each on its way through sequences."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.claimed import CLAIMED
from tests.integration.sequences.people import People, step
from wafast.accounts.principal import Principal
from wafast.database import migrations
from wafast.database.pool import connect
from wafast.events.bus import EVENTS
from wafast.leads.merging import merge
from wafast.outbox import lanes, sources
from wafast.outbox.lanes import Lane
from wafast.outbox.sources import Message, Pace
from wafast.sequences import enrolments, of_leads, rows
from wafast.sequences.walk import Standing, Walker

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = 86_400
#: A worker has claimed what waits.
SENDING = f"{CLAIMED}, attempts = 1 WHERE state = 'queued' RETURNING id"


async def _merge(people: People, kept: int, gone: int) -> None:
    principal = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    assert await merge(people.pool, principal, kept, gone, of_leads)


async def _ways(people: People, lead: int) -> list[tuple[int, str, str | None]]:
    """Sequence, state and reason of a lead's enrolments."""
    found = await people.pool.fetch("SELECT * FROM enrolments WHERE lead_id = $1 ORDER BY sequence_id, id", lead)
    return [(row["sequence_id"], row["state"], row["reason"]) for row in found]


async def test_the_one_that_stays_goes_on_and_the_other_gets_nothing_more(people: People) -> None:
    both = await people.sequence(step("one"), step("two", DAY), trigger="both")
    theirs = await people.sequence(step("theirs", DAY))
    been = await people.sequence(step("been"), trigger="vip")
    kept, gone = await people.lead("both"), await people.lead("both", "vip")
    assert sorted(await people.until_end()) == ["been", "one", "one"]
    await people.enrol(theirs, gone)
    await people.walk()
    await _merge(people, kept, gone)
    assert await _ways(people, kept) == [
        (both, "active", None), (both, "stopped", "merged"), (theirs, "stopped", "merged"), (been, "completed", None),
    ]  # fmt: skip
    await people.pass_time(2 * DAY)
    assert await people.until_end() == ["two"], "once, and nothing for its tag, as the person has been there"
    assert await people.states(both) == [("completed", None), ("stopped", "merged")]
    sends = "SELECT count(*) FROM outbox WHERE lead_id = $1"
    assert (await people.value(sends, kept), await people.value(sends, gone)) == (6, 0)
    waiting = "SELECT coalesce(sum(n), 0)::int4 FROM source_buckets WHERE bucket = 'waiting'"
    assert await people.value(waiting) == 0


async def test_who_looks_at_a_sequence_is_told_that_a_merge_ended_somebodys_way(people: People) -> None:
    sequence = await people.sequence(step("one", DAY))
    kept, gone = await people.lead(), await people.lead()
    await people.enrol(sequence, gone)
    heard: list[str] = []
    ended = asyncio.Event()
    listener = await connect(people.uri, "listener")
    await listener.add_listener(EVENTS, lambda *args: heard.append(str(args[3])))
    await listener.add_listener("ended", lambda *_: ended.set())
    await _merge(people, kept, gone)
    await people.pool.execute("NOTIFY ended")
    async with asyncio.timeout(60):
        await ended.wait()
    await listener.close()
    assert any('"sequence"' in one and f'"id":{sequence}' in one.replace(" ", "") for one in heard)


async def test_a_merge_while_both_enter_the_next_sequence_waits_and_is_not_refused(people: People) -> None:
    second = await people.sequence(step("two", DAY))
    first = await people.sequence(step("one"), next_sequence_id=second)
    kept, gone = await people.lead(), await people.lead()
    await people.enrol(first, kept, gone)
    await people.walk()
    assert await people.send() == ["one", "one"]
    connection = await connect(people.uri, "walk")
    merging: list[asyncio.Task[None]] = []

    class Slow(Walker):
        """Holds enrolments until somebody waits for them, who holds the leads that enter."""

        async def _complete(self, those: Sequence[Standing]) -> None:
            merging.append(asyncio.create_task(_merge(people, kept, gone)))
            await people.until(
                "SELECT EXISTS (SELECT FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock')"
            )
            await super()._complete(those)

    await Slow(connection).tick()
    await asyncio.gather(*merging)
    await connection.close()
    await people.walk()
    assert await _ways(people, kept) == [
        (second, "active", None), (second, "stopped", "merged"), (first, "completed", None), (first, "completed", None),
    ]  # fmt: skip


@pytest.mark.parametrize("has_row", [True, False])
async def test_what_is_on_its_way_to_the_one_that_goes_arrives_where_the_other_does_not_get_it(
    people: People, has_row: bool
) -> None:
    """The step is typed while the leads become one; `has_row`: it waits for the other too."""
    sequence = await people.sequence(step("one"), step("two", DAY))
    kept, gone = await people.lead(), await people.lead()
    await people.enrol(sequence, gone)
    await people.walk()
    theirs = await people.value(SENDING)
    await people.enrol(sequence, kept)
    if has_row:
        await people.walk()
    await _merge(people, kept, gone)
    assert await people.value("SELECT cause FROM outbox WHERE id = $1", theirs) is None, "it leaves"
    await people.pool.execute(
        "UPDATE outbox SET state = 'sent', sent_at = now(), message_id = 'M' WHERE id = $1", theirs
    )
    assert await people.until_end() == []
    await people.pass_time(2 * DAY)
    assert await people.until_end() == ["two"]


async def test_what_is_on_its_way_to_the_one_that_goes_is_cancelled_where_the_other_wants_nothing_of_it(
    people: People,
) -> None:
    sequence = await people.sequence(step("one"))
    kept, gone = await people.lead(), await people.lead()
    await people.enrol(sequence, gone)
    await people.walk()
    await people.pool.execute(SENDING)
    await _merge(people, kept, gone)
    assert await people.value("SELECT cause FROM outbox") == "merged"


@pytest.mark.parametrize("has_row", [True, False])
async def test_what_was_had_before_the_other_entered_is_had_again(people: People, has_row: bool) -> None:
    """As it is where one lead enters again."""
    sequence = await people.sequence(step("one"), step("two", DAY))
    kept, gone = await people.lead(), await people.lead()
    await people.enrol(sequence, gone)
    assert await people.until_end() == ["one"]
    await people.pass_time(2 * DAY)
    assert await people.until_end() == ["two"]
    assert await people.states(sequence) == [("completed", None)]
    await people.enrol(sequence, kept)
    if has_row:
        await people.walk()
    await _merge(people, kept, gone)
    assert await people.until_end() == ["one"]
    await people.pass_time(2 * DAY)
    assert await people.until_end() == ["two"]


async def test_what_has_left_for_one_does_not_leave_for_the_other(people: People) -> None:
    """Of a sequence the steps, and of a campaign the message."""
    sequence = await people.sequence(step("one"), step("two"), step("three", DAY))
    kept, gone = await people.lead(), await people.lead()
    await people.enrol(sequence, gone)
    assert await people.until_end() == ["one", "two"]
    await people.enrol(sequence, kept)
    await people.walk()
    campaign = await sources.create(people.pool, people.tenant_id, Message("text", "sale"), Pace(0, 0), may_move=False)
    [lane] = await lanes.ensure(people.pool, [Lane(people.tenant_id, campaign, people.device_no, "Asia/Kuala_Lumpur")])
    for lead, state in ((kept, "queued"), (gone, "sent")):
        await people.pool.execute(
            "INSERT INTO outbox (tenant_id, device_no, source_id, lane_id, lead_id, to_jid, kind, priority, state,"
            " message_id, created_by)"
            " VALUES ($1, $2, $3, $4, $5::int8, $5::int8::text, 'text', 'paced', $6, nullif($6, 'queued'), 'test')",
            people.tenant_id, people.device_no, campaign, lane, lead, state,
        )  # fmt: skip
    await _merge(people, kept, gone)
    [ended, _] = await people.pool.fetch("SELECT state, cause FROM outbox WHERE source_id = $1 ORDER BY id", campaign)
    assert tuple(ended) == ("cancelled", "same_person")
    assert await people.until_end() == []
    await people.pass_time(2 * DAY)
    assert await people.until_end() == ["three"], "once, and nothing that the other has had"
    assert await _ways(people, kept) == [(sequence, "stopped", "merged"), (sequence, "completed", None)]


@pytest.mark.parametrize("zone", ["Asia/Kuala_Lumpur", "America/Sao_Paulo"])
async def test_who_was_kept_from_something_because_of_the_other_gets_it(people: People, zone: str) -> None:
    """The steps that are still to come, at its own number and hours, and the campaign that waits for the other."""
    dialled, named = "+5511912345678", "+551112345678"
    sequence = await people.sequence(step("one"), step("two", DAY), step("three", DAY))
    gone, kept = await people.lead(phone=dialled), await people.lead(phone=named, zone=zone)
    await people.enrol(sequence, gone)
    assert await people.until_end() == ["one"]
    await people.name(dialled, named)
    await people.enrol(sequence, kept)
    await people.walk()
    assert await people.states(sequence) == [("active", None), ("stopped", "same_person")]
    campaign = await sources.create(people.pool, people.tenant_id, Message("text", "sale"), Pace(0, 0), may_move=False)
    await sources.set_state(people.pool, people.tenant_id, campaign, "running")
    [lane] = await lanes.ensure(people.pool, [Lane(people.tenant_id, campaign, people.device_no, "Asia/Kuala_Lumpur")])
    for lead, state, phone in ((kept, "cancelled", named), (gone, "queued", dialled)):
        await people.pool.execute(
            "INSERT INTO outbox (tenant_id, device_no, source_id, lane_id, lead_id, to_jid, kind, priority, state,"
            " reason, cause, created_by) SELECT $1, $2, $3, $4, $5, substr($7, 2) || '@s.whatsapp.net', 'text',"
            " 'paced', $6, c, c, 'test' FROM (SELECT CASE $6 WHEN 'cancelled' THEN 'same_person' END AS c) said",
            people.tenant_id, people.device_no, campaign, lane, lead, state, phone,
        )  # fmt: skip
    await _merge(people, kept, gone)
    waits = await people.pool.fetch(
        "SELECT o.to_jid, o.lead_id, l.zone FROM outbox o JOIN lanes l ON l.id = o.lane_id WHERE o.state = 'queued'"
    )
    assert [tuple(row) for row in waits] == [(f"{named[1:]}@s.whatsapp.net", kept, zone)] * 2
    assert await people.send() == ["sale"]
    for text in ("two", "three"):
        await people.pass_time(2 * DAY)
        assert await people.until_end() == [text]
    assert await people.states(sequence) == [("completed", None), ("stopped", "same_person")]


async def test_each_number_of_who_was_several_leads_means_the_one(people: People) -> None:
    """As people dial them, and as WhatsApp names them since."""
    phones = ["+60131000001", "+60131000002", "+60131000003"]
    kept, *others = [await people.lead(phone=phone) for phone in phones]
    for other in others:
        await _merge(people, kept, other)
    names = ["+60131000011", "+60131000012", "+60131000013"]
    for phone, named in zip(phones, names, strict=True):
        await people.name(phone, named)
    numbers = "SELECT array_agg(phone ORDER BY phone) FROM numbers_of_person($1, $2)"
    for phone in (*phones, *names):
        assert await people.value(numbers, people.tenant_id, phone) == phones + names, phone
        assert await people.value("SELECT id FROM lead_of_person($1, $2)", people.tenant_id, phone) == kept


async def _under_way(people: People, lead: int) -> int:
    """A worker has claimed what waits for a lead."""
    found: int = await people.value(
        f"{CLAIMED}, attempts = 1 WHERE state = 'queued' AND lead_id = $1 RETURNING id", lead
    )
    return found


async def _one_behind_the_other(people: People) -> tuple[int, int, int, int]:
    """A lead waits for the second step, and another gets the third just now: the sequence, both, and that row."""
    sequence = await people.sequence(step("one"), step("two"), step("three"), step("four"))
    kept, gone = await people.lead(), await people.lead()
    await people.enrol(sequence, gone)
    for text in ("one", "two"):
        await people.walk()
        assert await people.send() == [text]
    await people.walk()
    theirs = await _under_way(people, gone)
    await people.enrol(sequence, kept)
    await people.walk()
    assert await people.send() == ["one"]
    await people.walk()
    return sequence, kept, gone, theirs


@pytest.mark.parametrize("leaves", [True, False])
async def test_a_way_stands_at_the_step_that_is_on_its_way_to_the_other(people: People, leaves: bool) -> None:
    """No other step of it is open beside that, nor leaves before."""
    sequence, kept, gone, theirs = await _one_behind_the_other(people)
    await _merge(people, kept, gone)
    await people.walk()
    open_ones = "SELECT array_agg(id) FROM outbox WHERE state IN ('queued', 'sending')"
    assert await people.value(open_ones) == [theirs]
    ended = "UPDATE outbox SET state = $2, sent_at = now(), message_id = 'M', not_before = now() WHERE id = $1"
    await people.pool.execute(ended, theirs, "sent" if leaves else "queued")
    assert await people.until_end() == (["four"] if leaves else ["three", "four"])
    assert await people.states(sequence) == [("stopped", "merged"), ("completed", None)]


async def test_what_comes_next_waits_for_the_step_that_is_on_its_way_where_both_were_at_it(people: People) -> None:
    sequence = await people.sequence(step("one"), step("two"))
    kept, gone = await people.lead(), await people.lead()
    await people.enrol(sequence, gone)
    await people.walk()
    theirs = await _under_way(people, gone)
    await people.enrol(sequence, kept)
    await people.walk()
    await _merge(people, kept, gone)
    await people.walk()
    assert await people.value("SELECT array_agg(id) FROM outbox WHERE state IN ('queued', 'sending')") == [theirs]
    assert await people.value("SELECT array_agg(cause) FROM outbox WHERE state = 'cancelled'") == ["merged"]
    await people.pool.execute("UPDATE outbox SET state = 'queued' WHERE id = $1", theirs)
    assert await people.until_end() == ["one", "two"]
    assert await people.states(sequence) == [("stopped", "merged"), ("completed", None)]


async def test_a_way_that_is_paused_waits_at_the_step_that_was_on_its_way_to_the_other(people: People) -> None:
    sequence, kept, gone, theirs = await _one_behind_the_other(people)
    way = await people.value("SELECT id FROM enrolments WHERE lead_id = $1", kept)
    place = people.pool, people.tenant_id, sequence, way
    await enrolments.set_state(*place, "paused")
    await _merge(people, kept, gone)
    await people.pool.execute("UPDATE outbox SET state = 'queued' WHERE id = $1", theirs)
    assert await people.until_end() == []
    await enrolments.set_state(*place, "active")
    assert await people.until_end() == ["three", "four"]


async def test_what_is_on_its_way_to_the_one_that_goes_does_not_wait_again_where_the_other_is_past_it(
    people: People,
) -> None:
    sequence = await people.sequence(step("one"), step("three", DAY))
    kept, gone = await people.lead(), await people.lead()
    await people.enrol(sequence, kept)
    assert await people.until_end() == ["one"]
    await rows.add_step(people.pool, people.tenant_id, sequence, step("two"), 2)
    await people.enrol(sequence, gone)
    await people.walk()
    assert await people.send() == ["one"]
    await people.walk()
    theirs = await _under_way(people, gone)
    await _merge(people, kept, gone)
    assert await people.value("SELECT cause FROM outbox WHERE id = $1", theirs) == "merged"
    await people.pool.execute("UPDATE outbox SET state = 'cancelled' WHERE id = $1", theirs)
    await people.pass_time(2 * DAY)
    assert await people.until_end() == ["three"]
    assert await people.states(sequence) == [("completed", None), ("stopped", "merged")]


@pytest.mark.parametrize("is_under_way", [True, False])
async def test_who_has_had_all_as_the_other_before_the_first_step_was_put_in_has_completed_it(
    people: People, is_under_way: bool
) -> None:
    """Nobody has them go on otherwise: nothing of theirs ends any more."""
    following = await people.sequence(step("after"))
    sequence = await people.sequence(step("one"), next_sequence_id=following)
    kept, gone = await people.lead(), await people.lead()
    await people.enrol(sequence, gone)
    await people.walk()
    theirs = await people.value(SENDING)
    await people.enrol(sequence, kept)
    left = "UPDATE outbox SET state = 'sent', sent_at = now(), message_id = 'M' WHERE id = $1"
    if not is_under_way:
        await people.pool.execute(left, theirs)
    await _merge(people, kept, gone)
    if is_under_way:
        await people.walk()
        assert await people.states(sequence) == [("stopped", "merged"), ("active", None)], "until it has left"
        await people.pool.execute(left, theirs)
    assert await people.until_end() == ["after"]
    assert await people.states(sequence) == [("stopped", "merged"), ("completed", None)]


async def test_whom_a_merge_left_standing_before_goes_on_after_the_migration(people: People) -> None:
    sequence = await people.sequence(step("one"), step("two"))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    assert await people.send() == ["one"]
    await people.pool.execute("DELETE FROM walk_queue")
    assert await people.until_end() == []
    [migration] = [one for one in migrations.read() if one.name == "nobody_stands_still"]
    await people.pool.execute(migration.sql)
    assert await people.until_end() == ["two"]
    assert await people.states(sequence) == [("completed", None)]
