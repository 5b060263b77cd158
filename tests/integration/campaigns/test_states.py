"""What people decide about a campaign holds from the next claim on, and its rows say how it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import time, timedelta
from uuid import uuid4

import asyncpg
import pytest

from tests.database import blocked
from tests.integration.campaigns.office import Office, buckets
from tests.integration.campaigns.test_planner import running_planner, until
from wafast import clock
from wafast.accounts.principal import Principal
from wafast.campaigns import planner, rows, trial
from wafast.campaigns.rows import NotPossible, Schedule
from wafast.campaigns.standstill import Standstill, standstills
from wafast.database import migrations
from wafast.devices import rows as devices
from wafast.distribution import choices
from wafast.inbox.reach import Reach
from wafast.leads import bulk
from wafast.leads import rows as leads
from wafast.outbox import again, lanes, transition
from wafast.outbox.again import NotRetryable
from wafast.outbox.lanes import Lane
from wafast.outbox.sources import Message, Pace
from wafast.outbox.transition import End
from wafast.sequences import of_leads


async def test_a_paused_campaign_gives_nothing_to_the_next_claim_and_goes_on_where_it_was(office: Office) -> None:
    """SPEC section 10, invariant 6."""
    await office.leads(3, await office.device())
    made = await office.started()
    [first] = await office.claim()
    await office.end(first)
    assert (await office.shown(made)).state == "running"
    paused = await rows.pause(office.pool, office.tenant_id, made.id)
    assert paused is not None
    assert paused.state == "paused"
    assert await office.claim() == []
    await rows.resume(office.pool, office.tenant_id, made.id)
    [second] = await office.claim()
    assert second.to_jid != first.to_jid
    with pytest.raises(NotPossible, match="It is running; only one that is paused can be resumed"):
        await rows.resume(office.pool, office.tenant_id, made.id)


async def test_a_preview_shows_the_very_words_that_are_sent(office: Office) -> None:
    await office.leads(12, await office.device())
    template = (
        "{{Hi|Hello|Good day}} {name|friend}, {greeting}! {{A|B|C|D}} {nobody knows} {shop|we}\nhttps://x.my/?a={1}"
    )
    await office.started(message=Message("text", template))
    said = set()
    for lead_id in await office.pool.fetch("SELECT id FROM leads ORDER BY id"):
        reader = await trial.person(office.pool, Reach(office.tenant_id), {}, lead_id["id"])
        [claim] = await office.claim()
        assert claim.body == trial.words(template, reader)
        said.add(claim.body.partition(" ")[0])
        await office.end(claim)
    assert said == {"Hi", "Hello", "Good"}


async def test_what_a_cancelled_campaign_holds_is_cancelled_at_once_and_moved_in_steps(office: Office) -> None:
    await office.leads(30, await office.device())
    made = await office.started()
    [claim] = await office.claim()
    await office.end(claim)
    cancelled = await rows.cancel(office.pool, office.tenant_id, made.id)
    assert cancelled is not None
    assert (cancelled.state, buckets(cancelled)) == ("cancelled", {"sent": 1, "cancelled": 29})
    assert await office.claim() == []
    async with running_planner(office), asyncio.timeout(60):
        while True:
            if await office.count(made, "state = 'cancelled'") == 29:
                break
            await asyncio.sleep(0.02)
    assert buckets(await office.shown(made)) == {"sent": 1, "cancelled": 29}


async def test_what_has_not_left_at_the_end_expires_also_in_the_pool(office: Office) -> None:
    await office.leads(2, await office.device())
    await office.leads(2, first=3)
    made = await office.started(expires_at=clock.now() + timedelta(hours=1))
    await rows.pause(office.pool, office.tenant_id, made.id)
    for table in ("campaigns", "outbox"):
        await office.pool.execute(f"UPDATE {table} SET expires_at = now()")
    async with running_planner(office):
        done = await until(office, made, "finished")
    assert buckets(done) == {"expired": 4}
    with pytest.raises(NotPossible, match="clone it"):
        await rows.retry_failed(office.pool, office.tenant_id, made.id)


async def test_failed_rows_are_tried_again_once_and_never_those_of_people_who_opted_out(office: Office) -> None:
    await office.leads(3, await office.device())
    made = await office.started()
    for state, cause in (("failed", "refused"), ("failed", "refused"), ("sent", None)):
        [claim] = await office.claim()
        await office.end(claim, state, cause)
    await office.pool.execute(
        "INSERT INTO suppressions (tenant_id, phone, reason, created_by)"
        " SELECT tenant_id, '+' || split_part(to_jid, '@', 1), 'replied STOP', 'lead'"
        " FROM outbox WHERE state = 'failed' ORDER BY id LIMIT 1"
    )
    async with running_planner(office):
        await until(office, made, "finished")
        async with asyncio.timeout(60):
            while True:
                if (await office.shown(made)).ended_at is not None:
                    break
                await asyncio.sleep(0.02)
    assert await office.claim() == []
    assert await rows.retry_failed(office.pool, office.tenant_id, made.id) == 1
    assert await rows.retry_failed(office.pool, office.tenant_id, made.id) == 0
    again = await office.shown(made)
    assert (again.state, buckets(again)) == ("running", {"waiting": 1, "sent": 1, "failed": 1})
    assert len(await office.claim()) == 1


async def test_a_row_that_a_person_has_tried_again_leaves_though_its_campaign_had_ended(office: Office) -> None:
    await office.leads(2, await office.device())
    made = await office.started()
    for state in ("sent", "failed"):
        [claim] = await office.claim()
        await office.end(claim, state)
    async with running_planner(office), asyncio.timeout(60):
        while True:
            if (await office.shown(made)).ended_at is not None:
                break
            await asyncio.sleep(0.02)
    await office.pool.execute("UPDATE campaigns SET ended_at = now() - interval '1 month'")
    await office.pool.execute("UPDATE outbox SET attempts = 7")
    await rows.retry_row(office.pool, office.tenant_id, claim.id)
    [again] = await office.claim()
    assert (again.id, again.attempts) == (claim.id, 1)
    assert (await office.shown(made)).state == "running"


async def test_a_campaign_of_which_a_row_waits_again_by_then_does_not_end(office: Office) -> None:
    """The planner has looked a moment before."""
    await office.leads(1, await office.device())
    made = await office.started()
    [claim] = await office.claim()
    await office.end(claim, "failed", "refused")
    await rows.retry_row(office.pool, office.tenant_id, claim.id)
    await planner.end(office.pool, made.id)
    assert (await office.shown(made)).ended_at is None
    assert [one.id for one in await office.claim()] == [claim.id]


async def test_what_is_tried_again_goes_to_the_number_a_person_has_now(office: Office) -> None:
    """Also to that of the one it became one with; who has it there already does not get it twice."""
    await office.leads(5, await office.device())
    made = await office.started()
    await office.pool.execute("UPDATE outbox SET state = 'failed', cause = 'number_changed'")
    people = await office.pool.fetch("SELECT id FROM leads ORDER BY phone")
    changed, gone, kept, other, alone = (row["id"] for row in people)
    await office.pool.execute("UPDATE leads SET phone = '+60129999999' WHERE id = $1", changed)
    # as when leads are merged (sequences/of_leads.sql): into one that has a row, and into one that has none
    await office.pool.execute("DELETE FROM outbox WHERE lead_id = $1", alone)
    for was, becomes in ((gone, kept), (other, alone)):
        await office.pool.execute("UPDATE outbox SET lead_id = $2 WHERE lead_id = $1", was, becomes)
    assert await rows.retry_failed(office.pool, office.tenant_id, made.id) == 3
    waiting = await office.pool.fetch("SELECT to_jid FROM outbox WHERE state = 'queued' ORDER BY to_jid")
    assert [row["to_jid"].partition("@")[0] for row in waiting] == ["601200000003", "601200000005", "60129999999"]
    left = await office.pool.fetchval("SELECT id FROM outbox WHERE state = 'failed'")
    with pytest.raises(NotRetryable, match="has this one already"):
        await rows.retry_row(office.pool, office.tenant_id, left)
    for _ in range(3):
        [claim] = await office.claim()
        await office.end(claim)
    assert await office.claim() == []


async def test_a_row_is_tried_again_while_its_device_is_deleted(office: Office) -> None:
    await office.leads(2, await office.device())
    made = await office.started()
    [claim] = await office.claim()
    await office.end(claim, "failed")
    async with office.pool.acquire() as deleting, deleting.transaction():
        await deleting.execute("SELECT FROM sources WHERE id = $1 FOR SHARE", made.source_id)
        retrying = await blocked(office.pool, rows.retry_row(office.pool, office.tenant_id, claim.id))
        await deleting.execute("UPDATE outbox SET device_no = NULL WHERE id = $1", claim.id)
    await retrying
    assert (await office.shown(made)).waiting == 2


async def test_a_row_that_a_merge_moves_meanwhile_is_tried_again_at_the_number_of_who_stays(office: Office) -> None:
    await office.leads(2, await office.device())
    made = await office.started()
    stays, gone = (row["id"] for row in await office.pool.fetch("SELECT id FROM leads ORDER BY phone"))
    await office.pool.execute("UPDATE outbox SET state = 'failed', cause = 'number_changed'")
    await office.pool.execute("DELETE FROM outbox WHERE lead_id = $1", stays)
    row = await office.pool.fetchval("SELECT id FROM outbox WHERE lead_id = $1", gone)
    async with office.pool.acquire() as merging, merging.transaction():
        await merging.execute("UPDATE outbox SET lead_id = $2 WHERE id = $1", row, stays)
        retrying = await blocked(office.pool, rows.retry_row(office.pool, office.tenant_id, row))
        await merging.execute("DELETE FROM leads WHERE id = $1", gone)
    await retrying
    assert await office.pool.fetchval("SELECT to_jid FROM outbox") == "601200000001@s.whatsapp.net"
    assert (await office.shown(made)).waiting == 1


async def test_a_lead_gets_a_number_of_another_country_while_its_device_is_deleted(office: Office) -> None:
    device = await office.device()
    await office.leads(1, device)
    made = await office.started(may_move=True)
    lead = await office.pool.fetchval("SELECT id FROM leads")
    who = Principal(tenant_id=office.tenant_id, scope="admin", key_id=1)
    async with office.pool.acquire() as deleting, deleting.transaction():
        await choices.hold(deleting, office.tenant_id, [device.id])
        changing = await blocked(
            office.pool, leads.change(office.pool, who, lead, {"phone": "+919812345678"}, of_leads)
        )
        await choices.leave(deleting, [device.no])
        await deleting.execute("DELETE FROM devices WHERE no = $1", device.no)
    assert await changing
    row = await office.pool.fetchrow(
        "SELECT o.state, n.zone, n.device_no, o.to_jid FROM outbox o JOIN lanes n ON n.id = o.lane_id"
    )
    assert tuple(row or ()) == ("queued", "Asia/Kolkata", None, "919812345678@s.whatsapp.net")
    assert (await office.shown(made)).waiting == 1


async def test_a_row_of_a_cancelled_campaign_is_not_tried_again(office: Office) -> None:
    await office.leads(2, await office.device())
    made = await office.started()
    [claim] = await office.claim()
    await office.end(claim, "failed")
    await rows.cancel(office.pool, office.tenant_id, made.id)
    with pytest.raises(rows.NotPossible, match="It is cancelled"):
        await rows.retry_row(office.pool, office.tenant_id, claim.id)
    await rows.remove(office.pool, office.tenant_id, made.id)
    with pytest.raises(rows.NotPossible, match="deleted"):
        await rows.retry_row(office.pool, office.tenant_id, claim.id)
    assert await office.count(made, "state = 'failed'") == 1


async def test_who_wants_no_more_is_not_written_to_again(office: Office) -> None:
    await office.leads(1, await office.device())
    await office.started()
    [claim] = await office.claim()
    await office.end(claim, "failed")
    await office.pool.execute(
        "INSERT INTO suppressions (tenant_id, phone, reason, created_by)"
        " SELECT tenant_id, phone, 'by a person', 'user:1' FROM leads"
    )
    with pytest.raises(NotRetryable, match="wants no more"):
        await rows.retry_row(office.pool, office.tenant_id, claim.id)


async def test_who_is_no_lead_any_more_is_not_tried_again(office: Office) -> None:
    await office.leads(1, await office.device())
    made = await office.started()
    [claim] = await office.claim()
    await office.end(claim, "failed")
    await office.pool.execute("DELETE FROM leads")
    with pytest.raises(NotRetryable, match="not among the leads any more"):
        await rows.retry_row(office.pool, office.tenant_id, claim.id)
    assert await rows.retry_failed(office.pool, office.tenant_id, made.id) == 0


async def test_a_row_whose_device_is_gone_is_tried_again_from_the_pool_at_once(office: Office) -> None:
    await office.leads(1, await office.device())
    await office.started()
    [claim] = await office.claim()
    await office.end(claim, "failed")
    await office.pool.execute("DELETE FROM devices")
    listener = await asyncpg.connect(office.uri)
    heard = asyncio.Event()
    try:
        await listener.add_listener("wafast_pool", lambda *_: heard.set())
        await rows.retry_row(office.pool, office.tenant_id, claim.id)
        await asyncio.wait_for(heard.wait(), 60)
    finally:
        await listener.close()
    lane = await office.pool.fetchrow(
        "SELECT n.device_no, n.is_live FROM outbox o JOIN lanes n ON n.id = o.lane_id WHERE o.state = 'queued'"
    )
    assert lane is not None
    assert tuple(lane) == (None, True)


@pytest.mark.parametrize("decide", [rows.cancel, rows.pause])
async def test_a_send_that_fails_does_not_leave_when_its_campaign_was_ended_or_held_meanwhile(
    office: Office, decide: Callable[..., Awaitable[object]]
) -> None:
    await office.leads(1, await office.device())
    made = await office.started()
    [claim] = await office.claim()
    await decide(office.pool, office.tenant_id, made.id)
    assert office.worker is not None
    assert await transition.record(office.pool, office.worker, [End(claim, "queued", "not sent yet: offline")], 20)
    assert await office.claim() == []
    if decide is rows.cancel:
        async with running_planner(office), asyncio.timeout(60):
            while True:
                if await office.count(made, "state = 'cancelled'"):
                    break
                await asyncio.sleep(0.02)


async def test_of_one_that_runs_only_the_pace_and_the_devices_can_be_changed(office: Office) -> None:
    device = await office.device()
    await office.leads(2, device)
    made = await office.started()
    wanted = {"pace": Pace(60.0, 90.0), "device_ids": [device.id], "may_move": True}
    changed = await rows.change(office.pool, office.tenant_id, made.id, wanted)
    assert changed is not None
    assert (changed.min_seconds, changed.max_seconds) == (60.0, 90.0)
    assert (changed.device_ids, changed.may_move) == ([device.id], True)
    assert await office.pool.fetchval("SELECT device_ids FROM sources WHERE id = $1", made.source_id) == [device.id]
    with pytest.raises(NotPossible, match="the pace and the devices can be changed"):
        await rows.change(office.pool, office.tenant_id, made.id, {"message": Message("text", "Other words")})


async def test_a_deleted_device_is_chosen_no_more_and_a_campaign_without_any_other_waits_for_a_person(
    office: Office,
) -> None:
    gone, stays = await office.device(), await office.device()
    await office.leads(2)
    running = await office.started(device_ids=[gone.id])
    both = await office.started(device_ids=[gone.id, stays.id])
    later = Schedule((clock.now() + timedelta(days=30)).date(), time(9), "Asia/Kuala_Lumpur")
    scheduled = await office.campaign(later, device_ids=[gone.id])
    ended = await office.started(device_ids=[gone.id], audience={"tags": ["nobody"]})
    await planner.end(office.pool, ended.id)
    assert await devices.delete_device(office.pool, office.tenant_id, gone.id, choices)
    shown = [await office.shown(one) for one in (running, both, scheduled, ended)]
    assert [row.state for row in shown] == ["paused", "running", "draft", "finished"]
    assert [row.device_ids for row in shown] == [None, [stays.id], None, None]
    assert [row.reason == choices.NONE_LEFT for row in shown] == [True, False, True, True]
    assert shown[2].schedule is None
    of_sources = await office.pool.fetch(
        "SELECT s.state, s.device_ids FROM sources s JOIN campaigns c ON c.source_id = s.id ORDER BY s.id"
    )
    assert [tuple(row) for row in of_sources] == [
        ("paused", None), ("running", [stays.id]), ("waiting", None), ("ended", None),
    ]  # fmt: skip
    assert not await office.pool.fetchval("SELECT bool_or(is_live) FROM lanes WHERE source_id = $1", running.source_id)
    resumed = await rows.resume(office.pool, office.tenant_id, running.id)
    assert resumed is not None
    assert (resumed.state, resumed.reason) == ("running", None)


async def test_devices_that_were_deleted_before_are_chosen_no_more_by_the_migration(office: Office) -> None:
    stays, ghost = (await office.device()).id, uuid4()
    await office.leads(1)
    chosen = [await office.started(device_ids=ids) for ids in ([ghost], [stays, ghost], [stays])]
    [migration] = [one for one in migrations.read() if one.name == "devices_that_are_gone"]
    await office.pool.execute(migration.sql)
    shown = [await office.shown(one) for one in chosen]
    assert [(row.state, row.device_ids, row.reason) for row in shown] == [
        ("paused", None, choices.NONE_LEFT), ("running", [stays], None), ("running", [stays], None),
    ]  # fmt: skip
    lanes = await office.pool.fetch("SELECT is_live FROM lanes WHERE source_id = $1", chosen[0].source_id)
    assert [row["is_live"] for row in lanes] == [False]


async def test_whose_device_is_deleted_gets_a_campaign_from_no_other_unless_it_may_move_people(office: Office) -> None:
    gone, other = await office.device(), await office.device()
    await office.leads(2, gone)
    stays, moves = await office.started(), await office.started(may_move=True)
    cancelled = await office.started()
    await rows.cancel(office.pool, office.tenant_id, cancelled.id)
    assert await devices.delete_device(office.pool, office.tenant_id, gone.id, choices)
    told = await office.pool.fetch(
        "SELECT DISTINCT state, cause, reason FROM outbox WHERE source_id = $1", stays.source_id
    )
    assert [tuple(row) for row in told] == [("failed", "device_gone", choices.STAYED)]
    assert await office.count(moves, "state = 'queued' AND device_no IS NULL") == 2
    assert buckets(await office.shown(cancelled)) == {"cancelled": 2}
    # a person gives one of them another device, and tries all again knowingly
    await office.pool.execute("UPDATE leads SET device_no = $1 WHERE id = (SELECT min(id) FROM leads)", other.no)
    assert await rows.retry_failed(office.pool, office.tenant_id, stays.id) == 2
    assert await office.count(stays, "state = 'queued' AND device_no IS NULL") == 1
    [claim] = await office.claim()
    assert (claim.source_id, claim.device_no) == (stays.source_id, other.no)


async def test_whom_nobody_gave_to_a_deleted_device_goes_back_to_the_pool(office: Office) -> None:
    gone = await office.device()
    await office.leads(3, gone)
    made = await office.started()
    first, second, _ = await office.pool.fetch("SELECT id, lead_id FROM outbox ORDER BY id")
    for row, outbox_id in ((first, first["id"]), (second, None)):
        await office.pool.execute(
            "INSERT INTO distribution_decisions (tenant_id, lead_id, outbox_id, device_no, code, reason)"
            " VALUES ($1, $2, $3, $4, 'room', 'It had the most room')",
            office.tenant_id, row["lead_id"], outbox_id, gone.no,
        )  # fmt: skip
    assert await devices.delete_device(office.pool, office.tenant_id, gone.id, choices)
    assert buckets(await office.shown(made)) == {"waiting": 2, "failed": 1}


async def test_a_campaign_none_of_whose_devices_can_send_stands_still_and_says_why(office: Office) -> None:
    one, two = await office.device(), await office.device()
    await office.leads(2, one)
    await office.leads(2, two, first=3)
    made = await office.started()

    async def still() -> Standstill | None:
        return (await standstills(office.pool, [await office.shown(made)])).get(made.id)

    async def set_device(no: int, change: str) -> None:
        await office.pool.execute(f"UPDATE devices SET {change} WHERE no = $1", no)

    assert await still() is None
    await set_device(one.no, "state = 'logged_out'")
    assert await still() is None, "the other one sends"
    await set_device(two.no, "paused_until = now() + interval '2 hours', pause_reason = '463'")
    found = await still()
    assert found is not None
    assert (found.gone, found.offline, found.held_back, found.has_pool) == (1, 0, 1, False)
    assert found.until is not None
    assert found.text.startswith(
        "Nothing can leave: of the devices where its people wait 1 is without a link to its phone, 1 is held back by"
        " WhatsApp. Connect or link one of them"
    )
    await set_device(two.no, "paused_until = NULL, state = 'offline'")
    await set_device(one.no, "state = 'offline'")
    found = await still()
    assert found is not None
    assert (found.gone, found.offline, found.held_back, found.until) == (0, 2, 0, None)
    # people without a device could get any that is online
    await office.leads(1, first=9, tag="later")
    pooled = await office.started(audience={"tags": ["later"]})
    of_pool = await standstills(office.pool, [pooled])
    assert (of_pool[pooled.id].has_pool, of_pool[pooled.id].offline) == (True, 0)
    await office.device()
    assert await standstills(office.pool, [pooled]) == {}
    assert await still() is not None
    await rows.pause(office.pool, office.tenant_id, made.id)
    assert await still() is None, "a person let it stand"


async def test_a_campaign_in_whose_hours_its_devices_are_quiet_stands_still_and_says_why(office: Office) -> None:
    device = await office.device()
    await office.leads(2, device)
    await office.leads(1, first=9, tag="later")
    night = Pace(0.0, 0.0, time(22), time(6))
    made = await office.started(audience={"tags": ["all"]}, pace=night)
    pooled = await office.started(audience={"tags": ["later"]}, pace=night)
    shown = [await office.shown(one) for one in (made, pooled)]
    assert await standstills(office.pool, shown) == {}, "until it is night"
    await office.pool.execute("UPDATE devices SET quiet_from = '21:00', quiet_until = '08:00'")
    found = await standstills(office.pool, shown)
    assert [(one.never_open, one.held_back, one.has_pool) for one in found.values()] == [(1, 0, False), (0, 0, True)]
    assert "1 is quiet in all hours of the campaign" in found[made.id].text
    await office.pool.execute("UPDATE devices SET quiet_until = '05:00'")
    assert await standstills(office.pool, shown) == {}


@pytest.mark.parametrize("how", ["one by one", "many"])
async def test_what_waits_for_people_who_get_another_device_leaves_from_there(office: Office, how: str) -> None:
    away, other = await office.device(), await office.device()
    await office.leads(2, away)
    made = await office.started()
    await office.pool.execute("UPDATE devices SET state = 'offline' WHERE no = $1", away.no)
    first, second = [row["id"] for row in await office.pool.fetch("SELECT id FROM leads ORDER BY id")]
    who = Principal(tenant_id=office.tenant_id, scope="admin", key_id=1)
    if how == "many":
        await bulk.act(office.pool, who, "set_device", [first], other.no, of_leads)
    else:
        await leads.change(office.pool, who, first, {"device_id": other.no}, of_leads)
    waiting = await office.pool.fetch("SELECT lead_id, device_no FROM outbox ORDER BY lead_id")
    assert [tuple(row) for row in waiting] == [(first, other.no), (second, away.no)]
    assert await standstills(office.pool, [await office.shown(made)]) == {}
    assert other.no in {claim.device_no for claim in await office.claim()}


@pytest.mark.parametrize("how", ["one by one", "many"])
async def test_what_went_to_another_device_does_not_come_back_as_its_person_keeps_its_own(
    office: Office, how: str
) -> None:
    away, other = await office.device(), await office.device()
    await office.leads(1, away)
    made = await office.started(may_move=True)
    [row] = await office.pool.fetch("SELECT id, lead_id FROM outbox")
    there = await lanes.ensure(office.pool, [Lane(office.tenant_id, made.source_id, other.no, "Asia/Kuala_Lumpur")])
    await lanes.move(office.pool, [row["id"]], there)
    who = Principal(tenant_id=office.tenant_id, scope="admin", key_id=1)
    if how == "many":
        await bulk.act(office.pool, who, "set_device", [row["lead_id"]], away.no, of_leads)
    else:
        await leads.change(office.pool, who, row["lead_id"], {"device_id": away.no, "name": "Siti"}, of_leads)
    assert await office.pool.fetchval("SELECT device_no FROM outbox") == other.no


async def test_a_clone_is_a_draft_with_the_same_words_and_people(office: Office) -> None:
    await office.leads(2, await office.device())
    made = await office.started(audience={"tags": ["all"]}, pace=Pace(7.0, 9.0))
    copy = await rows.clone(office.pool, office.tenant_id, made.id, "user:2", None)
    assert copy is not None
    assert (copy.state, copy.name, copy.audience) == ("draft", "Raya (copy)", {"tags": ["all"]})
    assert (copy.message, copy.pace, copy.total) == (made.message, Pace(7.0, 9.0), 0)


async def test_one_that_is_deleted_is_gone_from_sight_and_its_rows_stay(office: Office) -> None:
    await office.leads(2, await office.device())
    made = await office.started()
    with pytest.raises(NotPossible, match="Cancel it first"):
        await rows.remove(office.pool, office.tenant_id, made.id)
    await rows.cancel(office.pool, office.tenant_id, made.id)
    await rows.remove(office.pool, office.tenant_id, made.id)
    assert await rows.get(office.pool, office.tenant_id, made.id) is None
    assert await office.count(made) == 2


async def test_buckets_sum_to_the_total_in_every_look_while_rows_move(office: Office) -> None:
    devices = [await office.device() for _ in range(4)]
    for n, device in enumerate(devices):
        await office.leads(25, device, first=1 + 25 * n)
    made = await office.started()
    done = asyncio.Event()

    async def watch() -> int:
        looks = 0
        while not done.is_set():
            shown = await office.shown(made)
            assert sum(buckets(shown).values()) == shown.total == shown.planned == 100, buckets(shown)
            looks += 1
        return looks

    watching = [asyncio.create_task(watch()) for _ in range(2)]
    for n in range(20):
        for claim in await office.claim():
            await office.end(claim, ("sent", "failed", "unknown")[n % 3])
    await rows.retry_failed(office.pool, office.tenant_id, made.id)
    await rows.cancel(office.pool, office.tenant_id, made.id)
    done.set()
    assert min(await asyncio.gather(*watching)) > 1


async def test_many_that_failed_are_tried_again_a_bounded_step_at_a_time(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.leads(5, await office.device())
    made = await office.started()
    await office.pool.execute("UPDATE outbox SET state = 'failed', cause = 'refused'")
    queued: list[int] = []

    async def note(connection: asyncpg.Connection, tenant_id: int, ids: Sequence[int]) -> list[asyncpg.Record]:
        queued.append(len(ids))
        return await again.queue_again(connection, tenant_id, ids)

    monkeypatch.setattr(rows, "queue_again", note)
    monkeypatch.setattr(rows, "RETRY_STEP", 2)
    assert await rows.retry_failed(office.pool, office.tenant_id, made.id) == 5
    assert queued == [2, 2, 1]
    assert await office.count(made, "state = 'queued'") == 5
