"""Rows in the pool get a device, each with its reason, and leave it again when it can't send."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.claimed import CLAIMED
from tests.integration.distribution.conftest import Shop
from wafast.accounts.principal import Principal
from wafast.campaigns import estimate
from wafast.devices import bulk, number_checks
from wafast.devices.lease import Leases
from wafast.distribution import choices, replace
from wafast.distribution.lines import MOST_FAILURES
from wafast.distribution.pool import STANDING_SECONDS
from wafast.outbox import claim as claims
from wafast.outbox import transition
from wafast.outbox.claim import Claim
from wafast.outbox.sources import Pace
from wafast.outbox.transition import End


async def test_rows_are_spread_by_what_devices_have_left_today(shop: Shop) -> None:
    small = await shop.device("Small", per_day=100, per_hour=1000)
    large = await shop.device("Large", per_day=300, per_hour=1000)
    source = await shop.source()
    await shop.plan(source, await shop.leads(200))
    await shop.runner.look()
    assert await shop.by_device(source) == {small: 50, large: 150}


async def test_of_those_who_wait_the_highest_scores_get_a_device_first(shop: Shop) -> None:
    device = await shop.device("Shop", per_day=2, per_hour=2)
    source, found = await shop.source(), await shop.leads(4)
    await shop.plan(source, found)
    await shop.score(found[1], 20)
    await shop.score(found[3], 90)
    await shop.runner.look()
    rows = await shop.pool.fetch(
        "SELECT o.lead_id, x.reason FROM outbox o LEFT JOIN distribution_decisions x ON x.outbox_id = o.id"
        " WHERE o.device_no = $1 ORDER BY o.lead_id", device,
    )  # fmt: skip
    assert [row["lead_id"] for row in rows] == [found[1], found[3]]
    assert [row["reason"].partition("; ")[2] for row in rows] == [
        "scored 20, and the highest scores come first", "scored 90, and the highest scores come first",
    ]  # fmt: skip


async def test_what_was_sent_and_what_waits_counts(shop: Shop) -> None:
    if (left := 3600 - time.time() % 3600) < 20:  # the hour must not end meanwhile
        await asyncio.sleep(left)
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
    assert await shop.by_device(source) == {busy: 20, idle: 100, None: 80}, "of the 40 left today half are its turns"


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
    mine, chatted, written, stranger, named = await shop.leads(5)
    await shop.pool.execute("UPDATE leads SET device_no = $2 WHERE id = $1", mine, first)
    await shop.pool.execute(
        "INSERT INTO chats (tenant_id, device_no, jid, last_key) SELECT tenant_id, $2, substr(phone, 2)"
        " || '@s.whatsapp.net', 1 FROM leads WHERE id = $1", chatted, second,
    )  # fmt: skip
    await shop.pool.execute(
        "INSERT INTO outbox (tenant_id, device_no, lead_id, to_jid, kind, state, message_id, created_by)"
        " VALUES ($1, $2, $3, 'x', 'text', 'sent', 'A', 'test')", shop.tenant_id, third, written,
    )  # fmt: skip
    jid = "551112345678@s.whatsapp.net"
    await shop.pool.execute(
        "INSERT INTO chats (tenant_id, device_no, jid, last_key) VALUES ($1, $2, $3, 1)", shop.tenant_id, second, jid
    )
    await number_checks.note(
        shop.pool, first, {await shop.pool.fetchval("SELECT phone FROM leads WHERE id = $1", named): jid}
    )
    source = await shop.source()
    await shop.plan(source, [mine, chatted, written, stranger, named])
    await shop.runner.look()
    rows = await shop.pool.fetch(
        "SELECT d.lead_id, d.device_no, d.code, d.reason, l.device_no AS kept, o.device_no AS sends"
        " FROM distribution_decisions d JOIN leads l ON l.id = d.lead_id JOIN outbox o ON o.id = d.outbox_id"
    )
    decided = {row["lead_id"]: (row["device_no"], row["code"]) for row in rows}
    assert decided[mine] == (first, "own")
    assert decided[chatted] == decided[named] == (second, "chat")
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


async def test_a_source_has_its_turns_where_another_fills_the_devices(shop: Shop) -> None:
    device = await shop.device(per_day=1000, per_hour=100)
    await shop.plan(await shop.source(), await shop.leads(400, device), device)
    few, many = await shop.source(), await shop.source()
    await shop.plan(few, await shop.leads(7))
    await shop.plan(many, await shop.leads(300))
    await shop.runner.look()
    assert await shop.by_device(few) == {device: 7}
    assert await shop.by_device(many) == {device: 34, None: 266}, "one of three takes turns in this hour"
    await shop.pool.execute("DELETE FROM outbox WHERE source_id = $1", few)
    await shop.runner.look()
    assert await shop.by_device(many) == {device: 50, None: 250}, "now it is one of two"
    await shop.runner.look()
    assert (await shop.by_device(many))[device] == 50


async def test_what_room_there_is_is_taken_before_the_turns_where_there_is_none(shop: Shop) -> None:
    full, free = [await shop.device(name, per_day=1000, per_hour=100) for name in ("Full", "Free")]
    await shop.plan(await shop.source(), await shop.leads(400, full), full)
    source = await shop.source()
    await shop.plan(source, await shop.leads(90))
    await shop.runner.look()
    assert await shop.by_device(source) == {free: 90}
    await shop.plan(other := await shop.source(), await shop.leads(40))
    await shop.runner.look()
    assert await shop.by_device(other) == {free: 25, full: 15}


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
    states = ["sent", "sent", "unknown", "failed"]
    await shop.pool.execute(f"{CLAIMED} WHERE id = ANY ($1)", [row["id"] for row in rows[: len(states)]])
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


async def test_rows_of_a_device_that_stays_away_move_where_they_may_and_a_short_cut_moves_none(shop: Shop) -> None:
    away, other = await shop.device("Away"), await shop.device("Other")
    source, stays = await shop.source(may_move=True), await shop.source()
    for one in (source, stays):
        await shop.plan(one, await shop.leads(2, away), away)
    await shop.set(away, state="offline", failures=1)
    await shop.runner.look([away])
    assert await shop.by_device(source) == {away: 2}
    await shop.set(away, failures=MOST_FAILURES)
    await shop.runner.look([away])
    assert await shop.by_device(source) == {other: 2}
    assert await shop.by_device(stays) == {away: 2}


async def test_rows_stay_with_their_devices_while_all_of_them_are_away(shop: Shop) -> None:
    away, back = await shop.device("Away"), await shop.device("Back")
    source = await shop.source(may_move=True)
    for device in (away, back):
        await shop.plan(source, await shop.leads(2, device), device)
        await shop.set(device, state="offline", failures=MOST_FAILURES)
    await shop.runner.look([away, back])
    assert await shop.by_device(source) == {away: 2, back: 2}
    await shop.set(back, state="online", failures=0, online_at=datetime.now(UTC))
    await shop.runner.look([away, back])
    assert await shop.by_device(source) == {away: 2, back: 2}, "who comes back first does not get what others have"
    await shop.set(back, online_at=datetime.now(UTC) - timedelta(seconds=STANDING_SECONDS + 1))
    await shop.runner.look([away])
    assert await shop.by_device(source) == {back: 4}, "the device alone is to blame by now"
    assert await shop.pool.fetchval("SELECT count(*) FROM distribution_decisions WHERE code = 'returned'") == 2


async def test_rows_of_a_device_that_a_person_disconnected_move_where_they_may(shop: Shop) -> None:
    away, other = await shop.device("Away"), await shop.device("Other")
    source = await shop.source(may_move=True)
    await shop.plan(source, await shop.leads(2, away), away)
    await shop.set(away, state="offline", desired_state="disconnected", state_reason="Disconnected on request")
    await shop.runner.look([away])
    assert await shop.by_device(source) == {other: 2}
    reasons = await shop.pool.fetch("SELECT DISTINCT reason FROM distribution_decisions WHERE code = 'returned'")
    assert [row["reason"] for row in reasons] == ["Away is not connected: Disconnected on request"]


@pytest.mark.parametrize("state", ["new", "pairing"])
async def test_rows_of_a_device_that_is_not_linked_move_where_they_may(shop: Shop, state: str) -> None:
    """A file may name it as the owner of its leads: nobody would ever write to them."""
    unlinked, other = await shop.device("Unlinked"), await shop.device("Other")
    source, stays = await shop.source(may_move=True), await shop.source()
    for each in (source, stays):
        await shop.plan(each, await shop.leads(1, unlinked), unlinked)
    await shop.set(unlinked, state=state, online_at=None)
    await shop.runner.look([unlinked])
    assert (await shop.by_device(source), await shop.by_device(stays)) == ({other: 1}, {unlinked: 1})


@pytest.mark.parametrize("is_banned", [False, True], ids=["limited", "banned for an hour"])
async def test_people_stay_with_a_device_that_is_held_back_and_leave_one_that_is_over(
    shop: Shop, is_banned: bool
) -> None:
    held, over = await shop.device("Held"), await shop.device("Over")
    other = await shop.device("Other")
    source = await shop.source(may_move=True)
    stay, leave = await shop.leads(2, held), await shop.leads(2, over)
    await shop.plan(source, stay, held)
    await shop.plan(source, leave, over)
    later = datetime.now(UTC) + timedelta(hours=1)
    await shop.set(held, paused_until=later, pause_reason="463")
    if is_banned:
        await shop.set(held, state="banned", retry_at=later)
    await shop.set(over, state="banned")
    await shop.runner.look([held, over])
    assert await shop.by_device(source) == {other: 4}
    rows = await shop.pool.fetch("SELECT id, device_no FROM leads")
    assert {row["id"]: row["device_no"] for row in rows} == dict.fromkeys(stay, held) | dict.fromkeys(leave, other)


async def test_a_campaign_at_a_device_that_is_banned_for_a_while_is_done_after_the_ban(shop: Shop) -> None:
    ends = datetime.now(UTC) + timedelta(hours=5)
    why = {"pause_reason": "WhatsApp banned the number for 5 hours", "pause_cause": "banned", "paused_until": ends}
    banned = await shop.device("Banned", state="banned", retry_at=ends, **why)
    source = await shop.source()
    await shop.plan(source, await shop.leads(3, banned), banned)
    found = await estimate.of_running(shop.pool, shop.tenant_id, source, Pace(), None, "Asia/Kuala_Lumpur")
    assert found.finishes_at is not None
    assert ends < found.finishes_at < ends + timedelta(hours=1)
    assert [(load.holds, load.holds_cause) for load in found.loads] == [(why["pause_reason"], "banned")]


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


class Sending:
    """The one row of a source that a worker has claimed at a device."""

    def __init__(self, shop: Shop, worker: UUID, claim: Claim) -> None:
        self.shop, self.worker, self.claim = shop, worker, claim

    @classmethod
    async def make(cls, shop: Shop, device: int, *, may_move: bool = False) -> Sending:
        leases = Leases(shop.pool, uuid4(), "loopback")
        await shop.set(device, desired_state="connected", store="x")
        await leases.beat()
        await leases.acquire()
        await shop.plan(await shop.source(may_move=may_move), await shop.leads(1, device), device)
        [claim] = await claims.claim(shop.pool, leases.worker_id, [], [device])
        return cls(shop, leases.worker_id, claim)

    async def fails(self) -> tuple[str, int | None, int | None]:
        """It has not left; gives its state, its device and that of its lane."""
        assert await transition.record(
            self.shop.pool, self.worker, [End(self.claim, "queued", "not sent yet: offline")], 20
        )
        row = await self.shop.pool.fetchrow(
            "SELECT o.state, o.device_no, n.device_no AS of_lane FROM outbox o JOIN lanes n ON n.id = o.lane_id"
            " WHERE o.id = $1",
            self.claim.id,
        )
        assert row is not None
        return row["state"], row["device_no"], row["of_lane"]


async def test_a_send_that_fails_goes_on_from_the_device_that_took_the_place_of_its_own(shop: Shop) -> None:
    old, new = await shop.device("Old"), await shop.device("New")
    sending = await Sending.make(shop, old)
    await shop.set(old, state="banned")
    ids = [await shop.pool.fetchval("SELECT id FROM devices WHERE no = $1", no) for no in (old, new)]
    principal = Principal(tenant_id=shop.tenant_id, scope="admin", key_id=1)
    assert await replace.replace(shop.pool, principal, *ids) is not None
    assert await shop.pool.fetchval("SELECT device_no FROM outbox") == old, "it is on its way there"
    assert await sending.fails() == ("queued", new, new)


async def test_a_send_that_fails_at_a_device_that_is_over_goes_back_to_the_pool(shop: Shop) -> None:
    device = await shop.device()
    sending = await Sending.make(shop, device, may_move=True)
    await shop.set(device, state="banned")
    await shop.runner.look([device])
    other = await shop.device("Other")
    await shop.runner.look()
    assert await sending.fails() == ("queued", None, None)
    await shop.runner.look([])
    assert await shop.pool.fetchval("SELECT device_no FROM outbox") == other


async def test_a_send_whose_device_is_deleted_is_not_tried_again(shop: Shop) -> None:
    device = await shop.device()
    sending = await Sending.make(shop, device)
    await bulk.delete(shop.pool, shop.tenant_id, [await shop.pool.fetchval("SELECT id FROM devices")], choices)
    assert not await transition.record(
        shop.pool, sending.worker, [End(sending.claim, "queued", "not sent yet: offline")], 20
    )
    assert await shop.pool.fetchval("SELECT state FROM outbox") == "unknown"


async def test_whoever_holds_a_person_does_not_hold_up_its_rows(shop: Shop) -> None:
    device = await shop.device()
    source, found = await shop.source(), await shop.leads(3)
    await shop.plan(source, found)
    async with shop.pool.acquire() as importer, importer.transaction():
        await importer.execute("UPDATE leads SET name = 'Siti' WHERE id = $1", found[1])
        async with asyncio.timeout(60):
            await shop.runner.look()
        assert await shop.by_device(source) == {device: 3}


async def test_a_campaigns_preview_gives_each_device_whom_it_gets(shop: Shop) -> None:
    devices = [
        await shop.device("Small", per_day=100, per_hour=1000),
        await shop.device("Large", per_day=300, per_hour=1000),
        await shop.device("New", paired_at=datetime.now(UTC), per_hour=1000),
        await shop.device("Off", state="offline"),
        await shop.device("Narrow", per_hour=5),
    ]
    rows = await shop.pool.fetch("SELECT no, id FROM devices WHERE no = ANY ($1)", devices)
    ids = {row["id"]: row["no"] for row in rows}
    found = await shop.leads(200)
    own = await shop.leads(7, devices[3])
    for device, knows in zip(devices[2:], (found[:60], found[60:63], found[63:83]), strict=True):
        await shop.pool.execute(
            "INSERT INTO chats (tenant_id, device_no, jid, last_key) SELECT tenant_id, $2, substr(phone, 2)"
            " || '@s.whatsapp.net', 1 FROM leads WHERE id = ANY ($1)", knows, device,
        )  # fmt: skip
    await shop.pool.execute(
        "INSERT INTO outbox (tenant_id, device_no, lead_id, to_jid, kind, state, message_id, created_by)"
        " VALUES ($1, $2, $3, 'x', 'text', 'sent', 'A', 'test')", shop.tenant_id, devices[2], found[83],
    )  # fmt: skip
    shown = await estimate.of_audience(
        shop.pool, shop.tenant_id, {}, Pace(), list(ids), datetime.now(UTC), "Asia/Kuala_Lumpur"
    )
    source = await shop.source(device_ids=list(ids))
    await shop.plan(source, found)
    await shop.plan(source, own, devices[3])
    running = await estimate.of_running(shop.pool, shop.tenant_id, source, Pace(), list(ids), "Asia/Kuala_Lumpur")
    assert [load.rows for load in running.loads] == [load.rows for load in shown.loads]
    await shop.runner.look()
    given = await shop.by_device(source)
    assert {ids[load.line.id]: load.rows for load in shown.loads if load.line is not None} == given
    assert given[devices[2]] >= 61, "it knows so many, and by itself would get ten"
    assert (given[devices[3]], given[devices[4]]) == (10, 5), (
        "known where strangers don't go, and no more than there is room"
    )


async def test_a_row_that_can_not_be_given_holds_up_no_other(shop: Shop) -> None:
    device, source = await shop.device(), await shop.source()
    found = await shop.leads(20)
    await shop.plan(source, found)
    await shop.pool.execute(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'poison'; END $$;"
        " CREATE TRIGGER poison BEFORE INSERT ON distribution_decisions FOR EACH ROW"
        f" WHEN (NEW.lead_id = {found[7]}) EXECUTE FUNCTION poison()"
    )
    await shop.runner.look()
    assert await shop.by_device(source) == {device: 19, None: 1}
    [row] = await shop.pool.fetch("SELECT state, reason FROM outbox WHERE device_no IS NULL")
    assert tuple(row) == ("cancelled", "it fits no device: poison")
