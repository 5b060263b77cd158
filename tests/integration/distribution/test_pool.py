"""Rows in the pool get a device, each with its reason, and leave it again when it can't send."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from tests.integration.distribution.conftest import Shop


async def test_rows_are_spread_by_what_devices_have_left_today(shop: Shop) -> None:
    small = await shop.device("Small", per_day=100, per_hour=1000)
    large = await shop.device("Large", per_day=300, per_hour=1000)
    source = await shop.source()
    await shop.plan(source, await shop.leads(200))
    await shop.runner.look()
    assert await shop.by_device(source) == {small: 50, large: 150}


async def test_what_was_sent_and_what_waits_counts(shop: Shop) -> None:
    busy = await shop.device("Busy", per_day=100, per_hour=100)
    await shop.pool.execute(
        "UPDATE devices SET day_sends = '{10, 50, 7}', day_slot = slot_of(now(), 3600) - 23 WHERE no = $1", busy
    )
    idle = await shop.device("Idle", per_day=100, per_hour=100)
    other = await shop.source()
    await shop.plan(other, await shop.leads(30, busy), busy)
    source = await shop.source()
    await shop.plan(source, await shop.leads(200))
    await shop.runner.look()
    assert await shop.by_device(source) == {busy: 10, idle: 100, None: 90}


async def test_a_sick_or_new_device_gets_less(shop: Shop) -> None:
    well = await shop.device("Well")
    new = await shop.device("New", paired_at=datetime.now(UTC))
    sick = await shop.device("Sick")
    for state in ["offline", "online"] * 5:
        await shop.set(sick, state=state)
    source = await shop.source()
    await shop.plan(source, await shop.leads(60))
    await shop.runner.look()
    shares = await shop.by_device(source)
    assert shares[well] > shares[sick] > shares[new] > 0


async def test_who_knows_a_person_gets_it_and_the_person_keeps_its_device(shop: Shop) -> None:
    first, second, third = [await shop.device(name) for name in ("First", "Second", "Third")]
    mine, chatted, written, stranger = await shop.leads(4)
    await shop.pool.execute("UPDATE leads SET device_no = $2 WHERE id = $1", mine, first)
    await shop.pool.execute(
        "INSERT INTO chats (tenant_id, device_no, jid, last_key) SELECT tenant_id, $2, substr(phone, 2)"
        " || '@s.whatsapp.net', 1 FROM leads WHERE id = $1", chatted, second,
    )  # fmt: skip
    await shop.pool.execute(
        "INSERT INTO outbox (tenant_id, device_no, lead_id, to_jid, kind, state, message_id, created_by)"
        " VALUES ($1, $2, $3, 'x', 'text', 'sent', 'A', 'test')", shop.tenant_id, third, written,
    )  # fmt: skip
    source = await shop.source()
    await shop.plan(source, [mine, chatted, written, stranger])
    await shop.runner.look()
    rows = await shop.pool.fetch(
        "SELECT d.lead_id, d.device_no, d.code, d.reason, l.device_no AS kept, o.device_no AS sends"
        " FROM distribution_decisions d JOIN leads l ON l.id = d.lead_id JOIN outbox o ON o.id = d.outbox_id"
    )
    decided = {row["lead_id"]: (row["device_no"], row["code"]) for row in rows}
    assert decided[mine] == (first, "own")
    assert decided[chatted] == (second, "chat")
    assert decided[written] == (third, "wrote")
    assert decided[stranger][1] == "room"
    assert all(row["device_no"] == row["kept"] == row["sends"] for row in rows)
    reasons = {row["lead_id"]: row["reason"] for row in rows}
    assert reasons[chatted] == "Second has a chat with this person"
    assert "800 of 800 sends left today" in reasons[stranger]


async def test_only_chosen_devices_of_the_own_workspace_are_used(shop: Shop) -> None:
    chosen = await shop.device("Chosen", per_hour=5)
    await shop.device("Other")
    device_id = await shop.pool.fetchval("SELECT id FROM devices WHERE no = $1", chosen)
    source = await shop.source(device_ids=[device_id])
    await shop.plan(source, await shop.leads(8))
    await shop.runner.look()
    assert await shop.by_device(source) == {chosen: 5, None: 3}
    left = await shop.pool.fetchval("SELECT left_reason FROM lanes WHERE source_id = $1 AND device_no IS NULL", source)
    assert left == "All of the chosen devices that are online have enough to send for the next hour"


async def test_two_sources_share_what_room_there_is(shop: Shop) -> None:
    device = await shop.device(per_day=3000, per_hour=2000)
    sources = [await shop.source() for _ in range(2)]
    for source in sources:
        await shop.plan(source, await shop.leads(2500))
    await shop.runner.look()
    assert [(await shop.by_device(source))[device] for source in sources] == [1000, 1000]


async def test_rows_of_a_paused_source_and_rows_for_later_stay(shop: Shop) -> None:
    await shop.device()
    paused, later = await shop.source(), await shop.source()
    for source in (paused, later):
        await shop.plan(source, await shop.leads(5))
    await shop.pool.execute("UPDATE sources SET state = 'paused' WHERE id = $1", paused)
    await shop.pool.execute("UPDATE outbox SET not_before = now() + interval '20 s' WHERE source_id = $1", later)
    assert 10 < await shop.runner.look() <= 20
    assert await shop.by_device(paused) == await shop.by_device(later) == {None: 5}


async def test_leftovers_say_why_and_go_when_a_device_comes_online(distributing: Shop) -> None:
    shop = distributing
    device = await shop.device(state="offline")
    source = await shop.source()
    await shop.plan(source, await shop.leads(3))
    await shop.until("SELECT left_reason = 'None of your devices is online' FROM lanes WHERE source_id = $1", source)
    await shop.set(device, state="online")
    await shop.pool.execute(
        """SELECT pg_notify('wafast_event', '[{"k": "device", "t": 1, "d": ' || $1 || '}]')""", str(device)
    )
    await shop.until("SELECT count(*) = 3 FROM outbox WHERE source_id = $1 AND device_no = $2", source, device)
    assert await shop.pool.fetchval("SELECT count(*) FROM lanes WHERE left_reason IS NOT NULL") == 0


async def test_unsent_rows_of_a_banned_device_go_on_to_others_and_no_other_row_moves(shop: Shop) -> None:
    banned = await shop.device("Banned", per_hour=6, per_day=6)
    source = await shop.source()
    await shop.plan(source, await shop.leads(6))
    await shop.runner.look()
    rows = await shop.pool.fetch("SELECT id FROM outbox ORDER BY id")
    states = ["sent", "delivered", "unknown", "failed"]
    for row, state in zip(rows, states, strict=False):
        await shop.pool.execute("UPDATE outbox SET state = $2, message_id = id::text WHERE id = $1", row["id"], state)
    await shop.set(banned, state="banned", state_reason="WhatsApp banned the number")
    other = await shop.device("Other")
    await shop.runner.look([banned])
    assert await shop.by_device(source) == {banned: 4, other: 2}
    told = await shop.pool.fetch(
        "SELECT code, reason, device_no FROM distribution_decisions WHERE outbox_id = $1 ORDER BY id", rows[-1]["id"]
    )
    assert [row["code"] for row in told] == ["room", "returned", "room"]
    assert told[1]["reason"] == "Banned can't send any more: WhatsApp banned the number"
    assert await shop.pool.fetchval("SELECT device_no FROM leads ORDER BY id DESC LIMIT 1") == other


async def test_rows_of_a_device_that_is_held_back_move_only_where_they_may(shop: Shop) -> None:
    held = await shop.device("Held")
    other = await shop.device("Other")
    stays, moves = await shop.source(), await shop.source(may_move=True)
    for source in (stays, moves):
        await shop.plan(source, await shop.leads(4, held), held)
    await shop.set(held, paused_until=datetime.now(UTC) + timedelta(hours=1), pause_reason="463")
    await shop.runner.look([held])
    assert await shop.by_device(stays) == {held: 4}
    assert await shop.by_device(moves) == {other: 4}


async def test_rows_planned_for_a_device_that_is_over_stay_there_where_they_may_not_move(shop: Shop) -> None:
    over = await shop.device("Over", state="logged_out")
    await shop.device("Other")
    source = await shop.source()
    await shop.plan(source, await shop.leads(4, over), over)
    await shop.runner.look()
    assert await shop.by_device(source) == {over: 4}


async def test_buckets_follow_the_rows(shop: Shop) -> None:
    device = await shop.device(per_hour=3)
    source = await shop.source()
    await shop.plan(source, await shop.leads(5))
    await shop.runner.look()
    rows = await shop.pool.fetch("SELECT * FROM source_buckets WHERE source_id = $1", source)
    assert Counter({(row["device_no"], row["bucket"]): row["n"] for row in rows}) == {
        (device, "waiting"): 3, (None, "waiting"): 2,
    }  # fmt: skip
