"""Who holds rows of a source holds the source before, so that nobody waits in a circle."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import pytest

from tests.database import blocked
from tests.integration.distribution.conftest import Shop
from wafast.accounts.principal import Principal
from wafast.devices import bulk
from wafast.devices.lease import Leases
from wafast.distribution import choices, people, pool, replace, runner
from wafast.distribution.lines import Standing, standings
from wafast.outbox import claim as claims


async def test_rows_go_back_to_the_pool_while_their_source_is_edited(shop: Shop) -> None:
    device = await shop.device(state="banned")
    source = await shop.source(may_move=True)
    await shop.plan(source, await shop.leads(2), device)
    [lane] = await pool.stuck_lanes(shop.connection, [device])
    async with shop.pool.acquire() as editing, editing.transaction():
        await editing.execute("UPDATE sources SET template = 'Hello' WHERE id = $1", source)
        taking = await blocked(shop.pool, pool.take_back(shop.connection, lane))
        await editing.execute("UPDATE outbox SET not_before = now() WHERE source_id = $1", source)
    await taking
    assert await shop.by_device(source) == {None: 2}


async def test_a_device_is_deleted_while_what_it_sends_is_cancelled(shop: Shop) -> None:
    device = await shop.device(desired_state="connected", store="x")
    leases = Leases(shop.pool, uuid4(), "loopback")
    await leases.beat()
    await leases.acquire()
    source = await shop.source()
    await shop.plan(source, await shop.leads(2), device)
    [claim] = await claims.claim(shop.pool, leases.worker_id, [], [device])
    device_id = await shop.pool.fetchval("SELECT id FROM devices")
    async with shop.pool.acquire() as editing, editing.transaction():
        await editing.execute("UPDATE sources SET template = 'Hello' WHERE id = $1", source)
        deleting = await blocked(shop.pool, bulk.delete(shop.pool, shop.tenant_id, [device_id], choices))
        await editing.execute("UPDATE outbox SET cause = 'parent_gone' WHERE id = $1", claim.id)
    await deleting
    states = await shop.pool.fetch("SELECT state FROM outbox ORDER BY id")
    assert [row["state"] for row in states] == ["unknown", "queued"]


async def test_a_device_that_is_deleted_while_rows_are_given_costs_nobody_its_row(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, other = await shop.device(per_day=900), await shop.device(per_day=100)
    source = await shop.source()
    await shop.plan(source, await shop.leads(4))

    async def deleted_since(connection: asyncpg.Connection, tenant_id: int) -> list[Standing]:
        found = await standings(connection, tenant_id)
        await shop.pool.execute("DELETE FROM devices WHERE no = $1", gone)
        return found

    monkeypatch.setattr(runner, "standings", deleted_since)
    await shop.runner.look()
    assert await shop.by_device(source) == {other: 4}
    assert await shop.pool.fetchval("SELECT bool_and(state = 'queued') FROM outbox")


async def test_a_device_that_is_deleted_while_people_are_given_to_it_ends_no_distribution(shop: Shop) -> None:
    gone, other = await shop.device(), await shop.device()
    await shop.leads(4)
    principal = Principal(tenant_id=shop.tenant_id, scope="admin", key_id=1)
    await people.begin(shop.pool, principal, {}, None, None)
    async with shop.pool.acquire() as deleting, deleting.transaction():
        await deleting.execute("DELETE FROM devices WHERE no = $1", gone)
        giving = await blocked(shop.pool, people.step(shop.connection))
    await giving
    assert await shop.pool.fetchval("SELECT left_reason FROM distributions") is None
    assert await shop.pool.fetchval("SELECT count(*) FROM leads WHERE device_no = $1", other) == 2


async def test_a_device_is_deleted_while_it_is_replaced(shop: Shop) -> None:
    device = await shop.device(state="banned")
    source = await shop.source()
    await shop.plan(source, await shop.leads(1), device)
    device_id = await shop.pool.fetchval("SELECT id FROM devices")
    async with shop.pool.acquire() as replacing, replacing.transaction():
        await choices.hold(replacing, shop.tenant_id, [device_id])
        deleting = await blocked(shop.pool, bulk.delete(shop.pool, shop.tenant_id, [device_id], choices))
        await replacing.execute(replace.q.lock_pair, shop.tenant_id, [device_id])
    assert list((await deleting).changed) == [device_id]
    assert await shop.by_device(source) == {None: 1}


async def test_a_device_is_replaced_while_a_campaign_that_chose_it_is_paused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replace, "TRIES", 1)
    old, new = await shop.device("Old", state="banned"), await shop.device("New")
    ids = [await shop.pool.fetchval("SELECT id FROM devices WHERE no = $1", no) for no in (old, new)]
    source = await shop.source(device_ids=[ids[0]])
    await shop.plan(source, await shop.leads(1), old)
    campaign = await shop.pool.fetchval(
        "INSERT INTO campaigns (tenant_id, source_id, name, audience, device_ids, created_by)"
        " VALUES ($1, $2, 'Raya', '{}', $3, 'test') RETURNING id",
        shop.tenant_id, source, [ids[0]],
    )  # fmt: skip
    principal = Principal(tenant_id=shop.tenant_id, scope="admin", key_id=1)
    async with shop.pool.acquire() as pausing, pausing.transaction():
        await pausing.execute("SELECT FROM campaigns WHERE id = $1 FOR NO KEY UPDATE", campaign)
        replacing = await blocked(shop.pool, replace.replace(shop.pool, principal, *ids))
        await pausing.execute("UPDATE sources SET state = 'paused' WHERE id = $1", source)
    replaced = await replacing
    assert replaced is not None
    assert replaced.sends == 1
    assert await shop.pool.fetchval("SELECT device_ids FROM campaigns") == [ids[1]]
