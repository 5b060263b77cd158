"""People without a device are spread over chosen ones as was shown before, in steps, and can be taken back."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.integration.distribution.conftest import Shop
from wafast.accounts.principal import Principal
from wafast.distribution import people


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
        " || '@s.whatsapp.net', 1 FROM leads WHERE id = ANY ($1)", found[:6], first,
    )  # fmt: skip
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
