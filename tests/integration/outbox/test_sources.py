"""What the claim makes of sources: words, turns, hours, and who wants nothing more."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Literal

import pytest

from tests.integration.outbox.floor import HELLO, Floor
from wafast.devices import number_checks
from wafast.devices.session import Sent
from wafast.distribution import choices
from wafast.outbox import again, device_gone, sources, transition
from wafast.outbox import claim as claims
from wafast.outbox.rows import Cause
from wafast.outbox.sources import Message, Pace
from wafast.outbox.transition import End

AT = datetime(2026, 3, 23, 4, tzinfo=UTC)  # noon in Kuala Lumpur
QUICK = Pace(0, 0)


async def test_the_words_are_in_the_row_before_anybody_sends_them(floor: Floor) -> None:
    [device] = await floor.devices(1)
    source = await floor.source(message=Message("text", "{greeting}, {name|friend}!"))
    [row] = await floor.rows(source, device, 1)
    [claim] = await claims.claim(floor.pool, floor.worker, [device], [device], AT)
    assert (claim.id, claim.body) == (row, "Good afternoon, Aisyah!")
    stored = await floor.pool.fetchrow("SELECT state, body FROM outbox WHERE id = $1", row)
    assert stored is not None
    assert tuple(stored) == ("sending", "Good afternoon, Aisyah!")


async def test_a_changed_message_counts_for_what_has_not_left(floor: Floor) -> None:
    [device] = await floor.devices(1, min_seconds=0, max_seconds=0)
    source = await floor.source(QUICK)
    await floor.rows(source, device, 2)
    assert [one.body for one in await floor.claim_at(AT, [device])] == ["Hi Aisyah"]
    await sources.change(floor.pool, floor.tenant_id, source, Message("text", "New: {name}"), QUICK, may_move=False)
    assert [one.body for one in await floor.claim_at(AT, [device])] == ["New: Aisyah"]


@pytest.mark.parametrize(
    ("template", "name", "cause"),
    [("{name}", "", "render"), ("{name}" * 9_000, "Aisyah Rahman", "render"), ("Hi", "", "lead_gone")],
    ids=["no words", "too many", "nobody"],
)
async def test_what_cannot_be_said_fails_at_its_claim_and_costs_no_clock(
    floor: Floor, template: str, name: str, cause: str
) -> None:
    [device] = await floor.devices(1)
    source = await floor.source(message=Message("text", template))
    [fails] = await floor.rows(source, device, 1, name=name)
    if cause == "lead_gone":
        await floor.pool.execute("DELETE FROM leads")
    [leaves] = await floor.rows(source, device, 1)
    assert await floor.claim_at(AT, [device]) == []
    assert await floor.state(fails) == ("failed", cause)
    assert await floor.sends_counted(device) == 0
    assert [one.id for one in await floor.claim_at(AT, [device])] == [leaves]


async def test_who_is_known_not_to_be_on_whatsapp_fails_at_the_claim_and_costs_no_clock(floor: Floor) -> None:
    """It is known for 30 days, and forgotten when a person wants it tried again."""
    [device] = await floor.devices(1)
    source = await floor.source()
    absent, present = await floor.rows(source, device, 2)
    jid = await floor.pool.fetchval("SELECT to_jid FROM outbox WHERE id = $1", absent)
    await number_checks.note_absent(floor.pool, device, jid)
    await floor.pool.execute("UPDATE number_checks SET checked_at = $1", AT - timedelta(days=29))
    assert await floor.claim_at(AT, [device]) == []
    assert await floor.state(absent) == ("failed", "not_on_whatsapp")
    assert await floor.sends_counted(device) == 0
    assert [one.id for one in await floor.claim_at(AT, [device])] == [present]
    await again.queue_one_again(floor.pool, floor.tenant_id, absent)
    await floor.pool.execute("UPDATE outbox SET not_before = $1 WHERE id = $2", AT, absent)
    later = AT + timedelta(minutes=2)
    assert [one.id for one in await floor.claim_at(later, [device])] == [absent]


@pytest.mark.parametrize("change", ["checked_at = checked_at - interval '1 day'", "network = 'whatsapp'"])
async def test_that_a_number_has_no_whatsapp_is_known_for_thirty_days_and_of_its_network(
    floor: Floor, change: str
) -> None:
    [device] = await floor.devices(1)
    [row] = await floor.rows(await floor.source(), device, 1)
    jid = await floor.pool.fetchval("SELECT to_jid FROM outbox WHERE id = $1", row)
    await number_checks.note_absent(floor.pool, device, jid)
    await floor.pool.execute("UPDATE number_checks SET checked_at = $1", AT - timedelta(days=29, hours=1))
    await floor.pool.execute(f"UPDATE number_checks SET {change}")
    assert [one.id for one in await floor.claim_at(AT, [device])] == [row]


@pytest.mark.parametrize(("end", "cause", "counted"), [
    ("queued", None, 0), ("failed", "not_on_whatsapp", 0), ("failed", "media_gone", 0), ("failed", "refused", 1),
    ("unknown", None, 1), ("sent", None, 1),
])  # fmt: skip
async def test_caps_count_what_has_left_or_may_have(
    floor: Floor, end: Literal["queued", "failed", "unknown", "sent"], cause: Cause | None, counted: int
) -> None:
    """Also when it turns out in a later hour."""
    [device] = await floor.devices(1)
    await floor.rows(await floor.source(), device, 1)
    before = datetime.now(UTC) - timedelta(hours=2)
    [claim] = await claims.claim(floor.pool, floor.worker, [], [device], before)
    assert await floor.sends_counted(device) == 1
    reply = await floor.reply(device)
    await floor.pool.execute("UPDATE outbox SET not_before = $1 WHERE id = $2", before, reply)
    await claims.claim(floor.pool, floor.worker, [device], [], before + timedelta(minutes=30))
    sent = Sent("M", 1_795_574_838) if end == "sent" else None
    assert await transition.record(floor.pool, floor.worker, [End(claim, end, "as it went", sent, cause=cause)], 20)
    assert await floor.sends_counted(device) == 1 + counted


async def test_a_lane_with_nothing_due_is_walked_from_its_beginning_once_a_minute(floor: Floor) -> None:
    [device] = await floor.devices(1, min_seconds=0, max_seconds=0)
    drained, later = await floor.source(QUICK), await floor.source(QUICK)
    for source in (drained, later):
        await floor.rows(source, device, 1)
    await floor.rows(later, device, 1, not_before=AT + timedelta(days=1))
    for _ in range(2):
        assert len(await floor.claim_at(AT, [device])) == 1
    walked = "SELECT walked_at FROM lanes ORDER BY id"
    for passed, walks in ((30, 0), (61, 61), (100, 61), (122, 122)):
        at = AT + timedelta(seconds=passed)
        assert await floor.claim_at(at, [device]) == []
        await claims.next_due(floor.pool, [device], [device], at)
        found = [(row["walked_at"] - AT).total_seconds() for row in await floor.pool.fetch(walked)]
        assert found == [walks, walks], passed


async def test_only_rows_of_a_running_source_leave(floor: Floor) -> None:
    """SPEC section 10, invariant 6."""
    [device] = await floor.devices(1, min_seconds=0, max_seconds=0)
    source = await floor.source(QUICK)
    await floor.rows(source, device, 3)
    assert len(await floor.claim_at(AT, [device])) == 1
    await sources.set_state(floor.pool, floor.tenant_id, source, "paused")
    assert await floor.claim_at(AT, [device]) == []
    assert await claims.next_due(floor.pool, [device], [device], AT) == {}
    await sources.set_state(floor.pool, floor.tenant_id, source, "running")
    assert len(await floor.claim_at(AT, [device])) == 1


async def test_a_lane_made_while_its_source_is_paused_comes_alive_with_it(floor: Floor) -> None:
    [device] = await floor.devices(1)
    source = await sources.create(floor.pool, floor.tenant_id, HELLO, QUICK)
    await floor.rows(source, device, 1)
    assert await floor.claim_at(AT, [device]) == []
    await sources.set_state(floor.pool, floor.tenant_id, source, "running")
    assert len(await floor.claim_at(AT, [device])) == 1


async def test_who_wants_no_more_is_cancelled_instead_and_costs_no_clock(floor: Floor) -> None:
    [device] = await floor.devices(1)
    source = await floor.source()
    unwanted, wanted = await floor.rows(source, device, 2)
    await floor.pool.execute(
        "INSERT INTO suppressions (tenant_id, phone, reason, created_by)"
        " SELECT tenant_id, '+' || split_part(to_jid, '@', 1), 'replied STOP', 'lead' FROM outbox WHERE id = $1",
        unwanted,
    )
    assert await floor.claim_at(AT, [device]) == []
    assert await floor.state(unwanted) == ("cancelled", "opted_out")
    assert await floor.pool.fetchval("SELECT attempts FROM outbox WHERE id = $1", unwanted) == 0
    [first] = await floor.claim_at(AT, [device])
    assert (first.id, first.is_first) == (wanted, True), "nothing has left before"


async def test_replies_go_at_once_whatever_the_pace_is(floor: Floor) -> None:
    [device] = await floor.devices(1, per_hour=1)
    source = await floor.source()
    await floor.rows(source, device, 2)
    assert len(await floor.claim_at(AT, [device])) == 1
    await floor.pool.execute(
        "INSERT INTO outbox (tenant_id, device_no, to_jid, kind, body, not_before, created_by)"
        " VALUES ($1, $2, '60123@s.whatsapp.net', 'text', 'Yes', $3, 'test')",
        floor.tenant_id, device, AT,
    )  # fmt: skip
    assert [one.body for one in await floor.claim_at(AT, [device])] == ["Yes"]


async def test_a_source_with_a_short_gap_does_not_pass_one_with_a_long_gap(floor: Floor) -> None:
    [device] = await floor.devices(1, min_seconds=1, max_seconds=1, per_hour=100_000, per_day=100_000)
    quick, slow = await floor.source(Pace(1, 1)), await floor.source(Pace(50, 60))
    for source in (quick, slow):
        await floor.rows(source, device, 40)
    left = await floor.run(AT, AT + timedelta(minutes=20), [device])
    shares = [sum(claim.source_id == source for _, claim in left) for source in (quick, slow)]
    assert abs(shares[0] - shares[1]) <= 1
    assert shares[1] > 15


async def test_hours_of_the_source_and_quiet_hours_of_the_device_both_hold(floor: Floor) -> None:
    [device] = await floor.devices(1, quiet_from=time(21), quiet_until=time(8))
    source = await floor.source(Pace(0, 0, time(20), time(9)))
    await floor.rows(source, device, 1)
    assert await floor.claim_at(AT, [device]) == []
    waits = await claims.next_due(floor.pool, [device], [device], AT)
    assert waits[device] == 8 * 3600, "20:00 in Kuala Lumpur is noon UTC"
    at_night = datetime(2026, 3, 23, 14, tzinfo=UTC)
    assert await floor.claim_at(at_night, [device]) == []
    assert len(await floor.claim_at(datetime(2026, 3, 23, 12, 1, tzinfo=UTC), [device])) == 1


async def test_hours_that_leave_no_time_never_come_due(floor: Floor) -> None:
    [device] = await floor.devices(1, quiet_from=time(9), quiet_until=time(18))
    await floor.rows(await floor.source(Pace(0, 0, time(9), time(17))), device, 1)
    assert await claims.next_due(floor.pool, [device], [device], AT) == {}


async def test_a_row_that_comes_in_behind_the_claim_is_found_within_a_minute(floor: Floor) -> None:
    [device] = await floor.devices(1, min_seconds=0, max_seconds=0)
    source = await floor.source(QUICK)
    await floor.rows(source, device, 2, not_before=AT)
    assert len(await floor.claim_at(AT, [device])) == 1
    late = await floor.rows(source, device, 1, not_before=AT - timedelta(days=1))
    for passed in (0, 61):
        left = [one.id for one in await floor.claim_at(AT + timedelta(seconds=passed), [device])]
        assert (left == late) is (passed > 0)


async def test_what_waits_goes_back_to_the_pool(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    [device, other] = await floor.devices(2)
    source = await floor.source()
    moved, [stays] = await floor.rows(source, device, 2), await floor.rows(source, other, 1)
    monkeypatch.setattr(device_gone, "STEP", 1)
    async with floor.pool.acquire() as connection, connection.transaction():
        found = [rows async for rows in device_gone.waiting_at(connection, [device])]
        assert [[row["id"] for row in rows] for rows in found] == [[one] for one in moved], "a bounded step at a time"
        assert [await device_gone.give_back(connection, rows) for rows in found] == [[one] for one in moved]
    pooled = await floor.pool.fetch(
        "SELECT o.id FROM outbox o JOIN lanes n ON n.id = o.lane_id"
        " WHERE o.device_no IS NULL AND n.device_no IS NULL AND n.source_id = o.source_id ORDER BY 1"
    )
    assert [row["id"] for row in pooled] == sorted(moved)
    assert await floor.pool.fetchval("SELECT device_no FROM outbox WHERE id = $1", stays) == other
    assert (await floor.pool.fetchval("SELECT is_live FROM lanes WHERE device_no IS NULL")) is True


async def test_deleting_a_device_keeps_what_its_campaigns_sent_and_still_have_to(floor: Floor) -> None:
    from wafast.devices import bulk

    [device] = await floor.devices(1, min_seconds=0, max_seconds=0)
    source = await floor.source(QUICK)
    ids = await floor.rows(source, device, 3)
    await floor.claim_at(AT, [device])
    await claims.claim(floor.pool, floor.worker, [], [device], AT)
    device_id = await floor.pool.fetchval("SELECT id FROM devices WHERE no = $1", device)
    await bulk.delete(floor.pool, floor.tenant_id, [device_id], choices)
    left = await floor.pool.fetch("SELECT state, device_no FROM outbox WHERE id = ANY ($1) ORDER BY id", ids)
    assert [tuple(row) for row in left] == [("sent", None), ("unknown", None), ("queued", None)]
    buckets = await floor.pool.fetch("SELECT device_no, bucket, n FROM source_buckets ORDER BY bucket")
    assert [tuple(row) for row in buckets] == [(None, "sent", 1), (None, "unknown", 1), (None, "waiting", 1)]
    await again.queue_one_again(floor.pool, floor.tenant_id, ids[1])
    lanes = await floor.pool.fetch("SELECT DISTINCT lane_id FROM outbox WHERE state = 'queued'")
    assert [
        await floor.pool.fetchval("SELECT device_no FROM lanes WHERE id = $1", row["lane_id"]) for row in lanes
    ] == [None], "what is tried again waits in the pool too"


async def test_a_claim_does_not_wait_for_whoever_changes_the_state_of_its_source(floor: Floor) -> None:
    [device] = await floor.devices(1)
    source = await floor.source()
    [row] = await floor.rows(source, device, 1)
    async with floor.pool.acquire() as other, other.transaction():
        await sources.set_state(other, floor.tenant_id, source, "paused")
        async with asyncio.timeout(60):
            assert [one.id for one in await floor.claim_at(AT, [device])] == [row]


async def test_claims_and_changes_of_state_never_wait_for_each_other_in_a_circle(floor: Floor) -> None:
    numbers = await floor.devices(8, min_seconds=0, max_seconds=0, per_hour=1_000_000, per_day=1_000_000)
    made = [await floor.source(QUICK) for _ in range(4)]
    for source in made:
        for device in numbers:
            await floor.rows(source, device, 40)

    async def flip(source: int) -> None:
        for _ in range(60):
            async with floor.pool.acquire() as connection, connection.transaction():
                for state in ("paused", "running"):
                    await sources.set_state(connection, floor.tenant_id, source, state)

    async def claim() -> None:
        for _ in range(60):
            await floor.claim_at(AT, numbers)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(claim())
        for source in made[:2]:
            tasks.create_task(flip(source))
