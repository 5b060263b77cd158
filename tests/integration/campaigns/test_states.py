"""What people decide about a campaign holds from the next claim on, and its rows say how it is."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.integration.campaigns.office import Office, buckets
from tests.integration.campaigns.test_planner import running_planner, until
from wafast import clock
from wafast.campaigns import rows
from wafast.campaigns.rows import NotPossible, Plan
from wafast.outbox import rows as outbox
from wafast.outbox.sources import Message, Pace


async def test_a_paused_campaign_gives_nothing_to_the_next_claim_and_goes_on_where_it_was(office: Office) -> None:
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
    made = await office.started(expires_at=clock.now() + timedelta(seconds=1))
    await rows.pause(office.pool, office.tenant_id, made.id)
    async with running_planner(office):
        done = await until(office, made, "finished")
    assert buckets(done) == {"expired": 4}
    with pytest.raises(NotPossible, match="clone it"):
        await rows.retry_failed(office.pool, office.tenant_id, made.id)


async def test_failed_rows_are_tried_again_once_and_never_those_of_people_who_opted_out(office: Office) -> None:
    await office.leads(3, await office.device())
    made = await office.started()
    for state, cause in (("failed", "refused"), ("failed", "opted_out"), ("sent", None)):
        [claim] = await office.claim()
        await office.end(claim, state, cause)
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
        assert await outbox.retry(office.pool, office.tenant_id, claim.id) is not None
        while True:
            if await office.claim():
                break
            await asyncio.sleep(0.02)
    assert (await office.shown(made)).state == "running"


async def test_of_one_that_runs_only_the_pace_can_be_changed(office: Office) -> None:
    await office.leads(2, await office.device())
    made = await office.started()
    slower = Plan(name=made.name, audience={}, message=made.message, pace=Pace(60.0, 90.0))
    changed = await rows.change(office.pool, office.tenant_id, made.id, slower)
    assert changed is not None
    assert (changed.min_seconds, changed.max_seconds) == (60.0, 90.0)
    other = Plan(name=made.name, audience={}, message=Message("text", "Other words"), pace=made.pace)
    with pytest.raises(NotPossible, match="the pace can be changed"):
        await rows.change(office.pool, office.tenant_id, made.id, other)


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
