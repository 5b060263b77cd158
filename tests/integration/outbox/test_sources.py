"""What the claim makes of sources: words, turns, hours, and who wants nothing more."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from tests.integration.outbox.floor import HELLO, Floor
from wafast.outbox import claim as claims
from wafast.outbox import pool as sends
from wafast.outbox import rows, sources
from wafast.outbox.sources import Message, Pace

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


@pytest.mark.parametrize(("template", "cause"), [("{name}", "render"), ("Hi", "lead_gone")])
async def test_what_cannot_be_said_is_claimed_with_its_fault(floor: Floor, template: str, cause: str) -> None:
    [device] = await floor.devices(1)
    source = await floor.source(message=Message("text", template))
    await floor.rows(source, device, 1, name="")
    if cause == "lead_gone":
        await floor.pool.execute("DELETE FROM leads")
    [claim] = await floor.claim_at(AT, [device])
    assert claim.fault is not None
    assert claim.fault[0] == cause


async def test_only_rows_of_a_running_source_leave(floor: Floor) -> None:
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
    assert [one.id for one in await floor.claim_at(AT, [device])] == [wanted]


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


async def test_what_waits_goes_back_to_the_pool_with_its_device(floor: Floor) -> None:
    [device, other] = await floor.devices(2)
    movable, fixed = await floor.source(may_move=True), await floor.source()
    moved, [stays] = await floor.rows(movable, device, 2), await floor.rows(fixed, device, 1)
    await floor.rows(movable, other, 1)
    assert await sends.give_back(floor.pool, [device]) == 2
    pooled = await floor.pool.fetch(
        "SELECT o.id FROM outbox o JOIN lanes n ON n.id = o.lane_id"
        " WHERE o.device_no IS NULL AND n.device_no IS NULL AND n.source_id = o.source_id ORDER BY 1"
    )
    assert [row["id"] for row in pooled] == sorted(moved)
    assert await floor.pool.fetchval("SELECT device_no FROM outbox WHERE id = $1", stays) == device
    assert (await floor.pool.fetchval("SELECT is_live FROM lanes WHERE device_no IS NULL")) is True


async def test_deleting_a_device_keeps_what_its_campaigns_sent_and_still_have_to(floor: Floor) -> None:
    from wafast.devices import bulk

    [device] = await floor.devices(1, min_seconds=0, max_seconds=0)
    source = await floor.source(QUICK)
    ids = await floor.rows(source, device, 3)
    await floor.claim_at(AT, [device])
    await claims.claim(floor.pool, floor.worker, [], [device], AT)
    device_id = await floor.pool.fetchval("SELECT id FROM devices WHERE no = $1", device)
    await bulk.delete(floor.pool, floor.tenant_id, [device_id])
    left = await floor.pool.fetch("SELECT state, device_no FROM outbox WHERE id = ANY ($1) ORDER BY id", ids)
    assert [tuple(row) for row in left] == [("sent", None), ("unknown", None), ("queued", None)]
    buckets = await floor.pool.fetch("SELECT device_no, bucket, n FROM source_buckets ORDER BY bucket")
    assert [tuple(row) for row in buckets] == [(None, "sent", 1), (None, "unknown", 1), (None, "waiting", 1)]
    await rows.retry(floor.pool, floor.tenant_id, ids[1])
    lanes = await floor.pool.fetch("SELECT DISTINCT lane_id FROM outbox WHERE state = 'queued'")
    assert [
        await floor.pool.fetchval("SELECT device_no FROM lanes WHERE id = $1", row["lane_id"]) for row in lanes
    ] == [None], "what is tried again waits in the pool too"
