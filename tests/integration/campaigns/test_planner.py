"""A plan is all of the audience, once, or nothing."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from tests.calendar import change_of_clocks
from tests.integration.campaigns.office import Office, buckets
from tests.mortal import CUT, mortal
from wafast import clock
from wafast.campaigns import planner, rows
from wafast.campaigns.rows import CampaignRow, NotPossible, Schedule
from wafast.database.pool import set_codecs
from wafast.outbox import lanes
from wafast.outbox.lanes import Lane


async def audience(office: Office, campaign: CampaignRow) -> int:
    """What a preview counts."""
    count = "SELECT count(*) FROM campaign_audience($1, $2)"
    found: int = await office.pool.fetchval(count, office.tenant_id, campaign.audience)
    return found


@asynccontextmanager
async def running_planner(office: Office, *, hears: bool = True) -> AsyncIterator[None]:
    """The job, as an API process runs it."""
    task = asyncio.create_task(planner.keep_planned(office.uri, office.pool, hears=hears))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(office: Office, campaign: CampaignRow, state: str) -> CampaignRow:
    """The campaign once it is in a state."""
    async with asyncio.timeout(60):
        while True:
            found = await office.shown(campaign)
            if found.state == state:
                return found
            await asyncio.sleep(0.02)


async def until_nobody_plans(office: Office) -> None:
    """What a process asked last is still carried out when it is gone."""
    plans = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1)"
    async with asyncio.timeout(60):
        while True:
            if not await office.pool.fetchval(plans, "wafast campaign plan"):
                return
            await asyncio.sleep(0.02)


async def test_as_many_rows_as_the_preview_counted_and_each_person_once(office: Office) -> None:
    """SPEC section 10, invariants 1 and 14."""
    device = await office.device()
    await office.leads(30, device)
    await office.leads(20, first=31)
    await office.leads(5, device, first=51, tag="others")
    await office.pool.execute(
        "INSERT INTO suppressions (tenant_id, phone, reason, created_by) VALUES ($1, '+601200000007', 'STOP', 'lead')",
        office.tenant_id,
    )
    made = await office.campaign(audience={"tags": ["all"]})
    expected = await audience(office, made)
    await rows.start(office.pool, office.tenant_id, made.id)
    assert await office.plan(made) == expected == 49
    shown = await office.shown(made)
    assert (shown.state, shown.planned, shown.total, buckets(shown)) == ("running", 49, 49, {"waiting": 49})
    assert await office.count(made, "device_no IS NULL") == 20
    assert await office.plan(made) is None, "it is planned once"
    with pytest.raises(asyncpg.UniqueViolationError):
        await office.pool.execute(
            "INSERT INTO outbox (tenant_id, device_no, source_id, to_jid, kind, created_by)"
            " SELECT tenant_id, device_no, source_id, to_jid, kind, created_by FROM outbox"
            " WHERE source_id = $1 LIMIT 1",
            made.source_id,
        )


async def test_a_started_campaign_is_planned_and_can_be_claimed_within_moments(office: Office) -> None:
    device = await office.device()
    await office.leads(3, device)
    made = await office.campaign()
    async with running_planner(office):
        await rows.start(office.pool, office.tenant_id, made.id)
        await until(office, made, "running")
        [claim] = await office.claim()
        await office.end(claim)
        for _ in range(2):
            [claim] = await office.claim()
            await office.end(claim)
        await planner.wake(office.pool)
        done = await until(office, made, "finished")
        assert buckets(done) == {"sent": 3}


async def is_killed(office: Office, campaign: CampaignRow, statements: int) -> bool:
    """Whether a plan was cut off, by whoever kills its planner after so many statements."""
    connection = await mortal(office.uri, statements, "wafast campaign plan")
    try:
        await planner.plan(connection, office.tenant_id, campaign.id)
    except CUT:
        return True
    finally:
        connection.terminate()
        await until_nobody_plans(office)
    return False


async def test_a_planner_killed_in_the_middle_leaves_nothing_and_the_next_begins_again(office: Office) -> None:
    """SPEC section 10, invariant 3."""
    device = await office.device()
    await office.leads(40, device)
    made = await office.campaign()
    await rows.start(office.pool, office.tenant_id, made.id)
    kills = 0
    while await is_killed(office, made, kills):
        assert await office.count(made) == 0, f"cut off after {kills} statements"
        kills += 1
    assert kills > 8, "each statement of a plan, and its commit"
    shown = await office.shown(made)
    assert (shown.state, shown.planned, await office.count(made)) == ("running", 40, 40)


async def test_a_planner_process_killed_at_random_instants_plans_each_person_once(office: Office) -> None:
    people, kills = 20_000, 6
    await office.leads(people, await office.device())
    made = await office.campaign()
    await rows.start(office.pool, office.tenant_id, made.id)
    chance = random.Random(7)
    command = [sys.executable, "-m", "tests.integration.campaigns.planner_process", office.uri]
    for kill in range(kills + 1):
        process = await asyncio.create_subprocess_exec(*command)
        try:
            if kill == kills:
                await until(office, made, "running")
            else:
                await asyncio.sleep(chance.uniform(0.3, 2.0))  # the instant of the kill
        finally:
            process.kill()
            await process.wait()
        await until_nobody_plans(office)
        total = (await office.shown(made)).total
        assert total in (0, people), "all of them or none"
        assert await office.count(made) == total
    assert await office.pool.fetchval("SELECT count(DISTINCT to_jid) FROM outbox") == people


async def test_two_planners_plan_it_once(office: Office) -> None:
    """SPEC section 10, invariant 2."""
    device = await office.device()
    await office.leads(200, device)
    made = await office.campaign()
    await rows.start(office.pool, office.tenant_id, made.id)

    async def attempt() -> int | None:
        try:
            return await office.plan(made)
        except asyncpg.SerializationError:
            return None

    planned = await asyncio.gather(*(attempt() for _ in range(4)))
    assert sorted(planned, key=str) == [200, None, None, None]
    assert await office.count(made) == 200


async def test_one_cancelled_while_it_is_planned_has_no_rows(office: Office) -> None:
    device = await office.device()
    await office.leads(10, device)
    made = await office.campaign()
    await rows.start(office.pool, office.tenant_id, made.id)
    connection = await asyncpg.connect(office.uri)
    await set_codecs(connection)
    try:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        # a plan that is under way has its snapshot, and holds the source by the lanes it made
        await lanes.ensure(connection, [Lane(office.tenant_id, made.source_id, device.no, "Asia/Kuala_Lumpur")])
        await asyncio.wait_for(rows.cancel(office.pool, office.tenant_id, made.id), 30)
        with pytest.raises(asyncpg.SerializationError):
            await connection.execute(planner.q.end_plan, made.id, 10)
    finally:
        await connection.close()
    assert (await office.shown(made)).state == "cancelled"


async def test_a_schedule_is_the_clock_of_its_place_over_changes_of_the_clock(office: Office) -> None:
    """SPEC section 10, invariant 5."""
    sunday = change_of_clocks()
    saturday = sunday - timedelta(days=1)

    async def starts_at(day: date, hour: int, minute: int = 0) -> datetime | None:
        return (await office.campaign(Schedule(day, time(hour, minute), "Europe/Berlin"))).starts_at

    assert await starts_at(saturday, 9) == datetime.combine(saturday, time(8), UTC)
    assert await starts_at(sunday, 9) == datetime.combine(sunday, time(7), UTC)
    gap = datetime.combine(sunday, time(1), UTC)
    assert await starts_at(sunday, 2, 30) == gap, "the first instant after the hour that is not there"
    with pytest.raises(NotPossible, match="is over"):
        await office.campaign(Schedule(date(2020, 1, 1), time(9), "Europe/Berlin"))


async def test_a_scheduled_campaign_begins_by_itself(office: Office) -> None:
    await office.leads(2, await office.device())
    at = clock.now().astimezone(ZoneInfo("Asia/Kuala_Lumpur")) + timedelta(hours=1)
    made = await office.campaign(Schedule(at.date(), at.time(), "Asia/Kuala_Lumpur"))
    assert made.state == "scheduled"
    # by then what asks for so soon an instant may be too late
    soon = "UPDATE campaigns SET starts_at = now() + interval '2 seconds' WHERE id = $1 RETURNING starts_at"
    starts_at = await office.pool.fetchval(soon, made.id)
    async with running_planner(office):
        running = await until(office, made, "running")
        assert running.planned_at is not None
        assert running.planned_at >= starts_at


async def test_a_scheduled_campaign_does_not_begin_where_no_stop_is_heard_and_says_why(office: Office) -> None:
    await office.leads(2, await office.device())
    at = clock.now().astimezone(ZoneInfo("Asia/Kuala_Lumpur")) + timedelta(hours=1)
    made = await office.campaign(Schedule(at.date(), at.time(), "Asia/Kuala_Lumpur"))
    await office.pool.execute("UPDATE campaigns SET starts_at = now() WHERE id = $1", made.id)
    async with running_planner(office, hears=False):
        draft = await until(office, made, "draft")
    assert draft.reason is not None
    assert "WHATSAPP_CHAT_STORAGE is false" in draft.reason


async def test_rows_without_a_device_wait_in_the_pool(office: Office) -> None:
    await office.leads(2)
    made = await office.started()
    assert buckets(made) == {"waiting": 2}
    assert await office.count(made, "device_no IS NULL AND lane_id IS NOT NULL") == 2


async def test_who_has_a_higher_score_leaves_the_pool_before_others(office: Office) -> None:
    await office.leads(4)
    await office.pool.execute(
        "INSERT INTO lead_scores (lead_id, tenant_id, score, reason, model, facts_hash, scored_at)"
        " SELECT id, tenant_id, right(name, 1)::int * 20, 'x', 'x', 0, now() FROM leads"
        " WHERE name IN ('Lead 2', 'Lead 4')"
    )
    made = await office.started()
    rows = await office.pool.fetch(
        "SELECT l.name FROM outbox o JOIN leads l ON l.id = o.lead_id WHERE o.source_id = $1 ORDER BY o.id",
        made.source_id,
    )
    assert [row["name"] for row in rows] == ["Lead 4", "Lead 2", "Lead 1", "Lead 3"]
