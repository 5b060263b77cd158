"""People without a device are spread over chosen ones as was shown before, in steps, and can be taken back."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.distribution.conftest import Shop
from wafast.accounts.principal import Principal
from wafast.devices import number_checks
from wafast.distribution import lost, people, runner
from wafast.distribution.lines import fold, standings
from wafast.events import bus


async def ids_of(shop: Shop, *device_nos: int) -> list[Any]:
    return [row["id"] for row in await shop.pool.fetch("SELECT id FROM devices WHERE no = ANY ($1)", device_nos)]


async def owners(shop: Shop) -> Counter[int | None]:
    return Counter(row["device_no"] for row in await shop.pool.fetch("SELECT device_no FROM leads"))


async def run_out(shop: Shop) -> None:
    while await shop.runner.look() == 0:
        pass


@pytest.fixture
def admin(shop: Shop) -> Principal:
    return Principal(tenant_id=shop.tenant_id, scope="admin", key_id=1)


async def test_everybody_goes_where_the_preview_said(
    shop: Shop, admin: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "STEP", 7)
    first, second = await shop.device("First"), await shop.device("Second")
    await shop.leads(10, first)
    found = await shop.leads(40)
    await shop.pool.execute(
        "INSERT INTO chats (tenant_id, device_no, jid, last_key) SELECT tenant_id, $2, substr(phone, 2)"
        " || '@s.whatsapp.net', 1 FROM leads WHERE id = ANY ($1)", found[:5], first,
    )  # fmt: skip
    named = "551112345678@s.whatsapp.net"
    await shop.pool.execute(
        "INSERT INTO chats (tenant_id, device_no, jid, last_key) VALUES ($1, $2, $3, 1)", shop.tenant_id, first, named
    )
    dialled = await shop.pool.fetchval("SELECT phone FROM leads WHERE id = $1", found[5])
    await number_checks.note(shop.pool, first, {dialled: named})
    shown = await people.plan(shop.pool, shop.tenant_id, {}, None, None)
    assert [(share.line.no, share.known, share.others) for share in shown.shares] == [(first, 6, 9), (second, 0, 25)]
    assert (shown.people, shown.left) == (40, 0)
    begun = await people.begin(shop.pool, admin, {}, None, None)
    await run_out(shop)
    assert await owners(shop) == {first: 25, second: 25}
    done = await people.get(shop.pool, shop.tenant_id, begun)
    assert done is not None
    assert (done.state, [(one["name"], one["planned"], one["given"]) for one in done.shares]) == (
        "done", [("Second", 25, 25), ("First", 15, 15)],
    )  # fmt: skip
    reasons = await shop.pool.fetch("SELECT code, reason FROM distribution_decisions WHERE lead_id = $1", found[0])
    assert [tuple(row) for row in reasons] == [("chat", "First has a chat with this person")]


async def test_no_more_than_asked_and_only_chosen_devices(shop: Shop, admin: Principal) -> None:
    first, second, third = [await shop.device(name) for name in ("First", "Second", "Third")]
    await shop.set(second, state="offline")
    await shop.leads(20)
    chosen = await ids_of(shop, first, second)
    shown = await people.plan(shop.pool, shop.tenant_id, {}, chosen, 8)
    assert (shown.left, shown.left_reason) == (12, "Each device gets 8 at most")
    await people.begin(shop.pool, admin, {}, chosen, 8)
    await run_out(shop)
    assert await owners(shop) == {first: 8, None: 12}
    assert third not in await owners(shop)


async def test_only_people_that_fit(shop: Shop, admin: Principal) -> None:
    device = await shop.device()
    found = await shop.leads(6)
    await shop.pool.execute("UPDATE leads SET tags = '{vip}' WHERE id = ANY ($1)", found[:2])
    await people.begin(shop.pool, admin, {"tags": ["vip"]}, None, None)
    await run_out(shop)
    assert await owners(shop) == {device: 2, None: 4}


async def test_undoing_takes_back_whom_nobody_wrote_to(
    shop: Shop, admin: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "STEP", 3)
    first, second = await shop.device("First"), await shop.device("Second")
    found = await shop.leads(10)
    begun = await people.begin(shop.pool, admin, {}, await ids_of(shop, first), None)
    await run_out(shop)
    await shop.pool.execute(
        "INSERT INTO outbox (tenant_id, device_no, lead_id, to_jid, kind, state, message_id, claimed_at, created_by)"
        " VALUES ($1, $2, $3, 'x', 'text', 'sent', 'A', now(), 'test')", shop.tenant_id, first, found[0],
    )  # fmt: skip
    await shop.pool.execute("UPDATE leads SET device_no = $2 WHERE id = $1", found[1], second)
    assert await people.undo(shop.pool, admin, begun)
    await run_out(shop)
    assert await owners(shop) == {first: 1, second: 1, None: 8}
    assert not await people.undo(shop.pool, admin, begun)
    assert (await people.get(shop.pool, shop.tenant_id, begun)).state == "undone"  # type: ignore[union-attr]


async def test_a_distribution_goes_on_where_another_process_left_it(
    shop: Shop, admin: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "STEP", 4)
    device = await shop.device()
    await shop.leads(10)
    await people.begin(shop.pool, admin, {}, None, None)
    await shop.runner.look()
    assert await owners(shop) == {device: 4, None: 6}
    await run_out(shop)
    assert await owners(shop) == {device: 10}
    assert await shop.pool.fetchval("SELECT count(*) FROM distribution_decisions") == 10


async def test_the_highest_scores_are_handed_out_first_and_the_decision_says_so(
    shop: Shop, admin: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "STEP", 2)
    device = await shop.device("First")
    found = await shop.leads(9)
    for place, score in ((0, 10), (2, 95), (3, 95), (5, 60), (7, 0)):
        await shop.score(found[place], score)
    await shop.pool.execute("UPDATE leads SET tags = '{kl}' WHERE id <> $1", found[2])
    for most, expected in ((1, [3]), (2, [3, 5]), (6, [0, 3, 5, 6, 7, 8])):
        begun = await people.begin(shop.pool, admin, {"tags": ["kl"]}, None, most)
        await run_out(shop)
        given = await shop.pool.fetch("SELECT id FROM leads WHERE device_no = $1 ORDER BY id", device)
        assert [row["id"] for row in given] == [found[place] for place in expected]
        assert await people.undo(shop.pool, admin, begun)
        await run_out(shop)
    reasons = await shop.pool.fetch("SELECT DISTINCT reason FROM distribution_decisions WHERE lead_id = $1", found[5])
    assert [row["reason"].partition("; ")[2] for row in reasons] == ["scored 60, and the highest scores come first"]
    reasons = await shop.pool.fetch("SELECT reason FROM distribution_decisions WHERE lead_id = $1", found[8])
    assert "score" not in reasons[0]["reason"]


async def test_somebody_scored_while_it_runs_is_not_forgotten(
    shop: Shop, admin: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "STEP", 2)
    device = await shop.device()
    found = await shop.leads(6)
    for lead in found[:4]:
        await shop.score(lead, 50)
    await people.begin(shop.pool, admin, {}, None, None)
    await shop.runner.look()
    assert await owners(shop) == {device: 2, None: 4}
    await shop.pool.execute("UPDATE lead_scores SET score = 99")
    await shop.score(found[5], 70)
    await run_out(shop)
    assert await owners(shop) == {device: 6}


async def test_whoever_holds_a_person_is_not_waited_for(shop: Shop, admin: Principal) -> None:
    device = await shop.device()
    found = await shop.leads(5)
    begun = await people.begin(shop.pool, admin, {}, None, None)
    async with shop.pool.acquire() as importer, importer.transaction():
        await importer.execute("UPDATE leads SET name = 'Siti' WHERE id = $1", found[2])
        async with asyncio.timeout(60):
            await run_out(shop)
        assert await owners(shop) == {device: 4, None: 1}
    await run_out(shop)
    assert await owners(shop) == {device: 5}
    assert await people.undo(shop.pool, admin, begun)
    async with shop.pool.acquire() as importer, importer.transaction():
        await importer.execute("UPDATE leads SET name = 'Siti' WHERE id = $1", found[2])
        async with asyncio.timeout(60):
            await run_out(shop)
        assert (await owners(shop))[device] >= 1
    await run_out(shop)
    assert await owners(shop) == {None: 5}


async def test_how_many_leads_a_device_has_is_exact_whatever_moved_them(shop: Shop) -> None:
    first, second = await shop.device("First"), await shop.device("Second")

    async def expect_exact() -> None:
        for is_folded in (False, True):
            if is_folded:
                await fold(shop.pool)
                assert await shop.pool.fetchval("SELECT count(*) FROM lead_counts") == 0
            real = {no: count for no, count in (await owners(shop)).items() if no is not None}
            told = {line.no: line.people for line in await standings(shop.pool, shop.tenant_id)}
            assert told == {no: real.get(no, 0) for no in told}

    await shop.leads(5, first)
    found = [*await shop.leads(4, second), *await shop.leads(3)]
    await expect_exact()
    await shop.pool.execute("UPDATE leads SET device_no = $1 WHERE id = ANY ($2)", first, found[2:6])
    await shop.pool.execute("UPDATE leads SET name = 'Aina'")
    await expect_exact()
    await shop.pool.execute("DELETE FROM leads WHERE id = ANY ($1)", found[:3])
    await expect_exact()
    await shop.pool.execute("DELETE FROM devices WHERE no = $1", first)
    await expect_exact()
    assert await shop.pool.fetchval("SELECT count(*) FROM lead_sums") == 1


async def test_a_distribution_with_a_fault_ends_and_says_so(shop: Shop, admin: Principal) -> None:
    await shop.device()
    await shop.leads(3)
    await shop.pool.execute(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'poison'; END $$;"
        " CREATE TRIGGER poison BEFORE INSERT ON distribution_decisions FOR EACH ROW EXECUTE FUNCTION poison()"
    )
    begun = await people.begin(shop.pool, admin, {}, None, None)
    await run_out(shop)
    done = await people.get(shop.pool, shop.tenant_id, begun)
    assert done is not None
    assert (done.state, done.left_over, done.left_reason) == ("done", 3, "It could not go on: poison")


async def test_people_leave_a_device_that_is_over_with_what_waits_for_them(
    shop: Shop, admin: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost, "STEP", 3)
    banned = await shop.device("Banned")
    given = await shop.leads(8)
    await people.begin(shop.pool, admin, {}, None, None)
    await run_out(shop)
    by_hand = await shop.leads(2, banned)
    source = await shop.source()
    await shop.plan(source, given + by_hand, banned)
    other = await shop.device("Other")
    await shop.set(banned, state="banned", state_reason="WhatsApp banned the number")
    await shop.runner.look([banned])
    assert await shop.by_device(source) == {other: 8, banned: 2}
    owned = await shop.pool.fetch("SELECT id FROM leads WHERE device_no = $1 ORDER BY id", banned)
    assert [row["id"] for row in owned] == by_hand, "whom a person gave to it stays"
    told = await shop.pool.fetch(
        "SELECT code, reason FROM distribution_decisions WHERE lead_id = $1 ORDER BY id", given[0]
    )
    assert [row["code"] for row in told] == ["room", "returned", "returned", "room"], "the person, and then the row"
    assert {row["reason"] for row in told[1:3]} == {"Banned can't send any more: WhatsApp banned the number"}


async def test_who_is_held_while_the_device_ends_leaves_it_once_nobody_holds_him(
    distributing: Shop, admin: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much happens meanwhile: the look at everything is minutes away."""
    monkeypatch.setattr(runner, "HELD_SECONDS", 0.1)
    shop = distributing
    device = await shop.device("Banned")
    [held, *free] = await shop.leads(3)
    await people.begin(shop.pool, admin, {}, None, None)
    await shop.until("SELECT count(*) = 3 FROM leads WHERE device_no IS NOT NULL")
    async with shop.pool.acquire() as importer, importer.transaction():
        await importer.execute("UPDATE leads SET name = 'Siti' WHERE id = $1", held)
        await shop.set(device, state="banned")
        await bus.publish(shop.pool, [{"k": "device", "t": shop.tenant_id, "d": device}])
        await shop.until("SELECT count(*) = 2 FROM leads WHERE device_no IS NULL AND id = ANY ($1::int8[])", free)
    await shop.until("SELECT device_no IS NULL FROM leads WHERE id = $1", held)


async def test_who_had_a_device_from_the_pool_is_nobodys_when_it_is_over_also_after_it_was_held_back(
    shop: Shop,
) -> None:
    device = await shop.device("Shop")
    source, found = await shop.source(may_move=True), await shop.leads(3)
    await shop.plan(source, found)
    await shop.runner.look()
    other = await shop.device("Other")
    await shop.set(device, paused_until=datetime.now(UTC) + timedelta(hours=1), pause_reason="463")
    await shop.runner.look([device])
    assert await shop.by_device(source) == {other: 3}
    assert await owners(shop) == {device: 3}, "it will send again"
    await shop.set(device, state="banned")
    await shop.runner.look([device])
    assert await owners(shop) == {None: 3}
    assert await shop.by_device(source) == {other: 3}, "a row that waits at a device that can send stays there"


async def test_a_device_that_ends_while_people_are_handed_out_gets_no_more_of_them(
    shop: Shop, admin: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "STEP", 4)
    first, second = await shop.device("First"), await shop.device("Second")
    await shop.leads(16)
    await people.begin(shop.pool, admin, {}, None, None)
    await shop.runner.look()
    await shop.set(first, state="banned")
    await shop.runner.look([first])
    await run_out(shop)
    assert await owners(shop) == {second: 8, None: 8}
