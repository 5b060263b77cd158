"""Which rule holds a row, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.integration.outbox.floor import EVER, Floor
from wafast.outbox import claim as claims
from wafast.outbox import rows, sources
from wafast.outbox.held_by import HeldBy, clock_of, held_by, what_holds
from wafast.outbox.sources import Pace


class Counting:
    """A pool that counts what it is asked."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool, self.asked = pool, 0

    async def fetch(self, *arguments: Any) -> list[asyncpg.Record]:
        """As the pool answers."""
        self.asked += 1
        return await self._pool.fetch(*arguments)


async def held(floor: Floor, outbox_id: int) -> HeldBy:
    row = await rows.get(floor.pool, floor.tenant_id, outbox_id)
    assert row is not None
    found = await held_by(floor.pool, row)
    assert found is not None
    return found


LATER = "now() + interval '2 hours'"


@pytest.mark.parametrize(
    ("rule", "change", "word"),
    [
        ("due", "SELECT $1::int4", "at any moment"),
        ("device_offline", "UPDATE devices SET state = 'offline' WHERE no = $1", "offline"),
        ("device_over", "UPDATE devices SET state = 'banned' WHERE no = $1", "is banned and sends nothing more"),
        ("device_over", "UPDATE devices SET state = 'logged_out' WHERE no = $1", "is logged out and sends"),
        ("whatsapp_pause", f"UPDATE devices SET paused_until = {LATER}, pause_reason = 'too many (463)' WHERE no = $1",
         "463"),
        ("gap", "UPDATE devices SET last_paced_at = now() WHERE no = $1", "gap"),
        ("cap_hour", "UPDATE devices SET hour_sends = '{80}', hour_slot = slot_of(now(), 300) WHERE no = $1", "(80)"),
        ("cap_day", "UPDATE devices SET day_sends = '{800}', day_slot = slot_of(now(), 3600) WHERE no = $1", "(800)"),
        ("ramp", "UPDATE devices SET ramp = true, paired_at = now(), day_sends = '{20}',"
         " day_slot = slot_of(now(), 3600) WHERE no = $1", "may send 20"),
        ("hours", "UPDATE devices SET quiet_from = (now() AT TIME ZONE 'Asia/Kuala_Lumpur')::time - interval '1 hour',"
         " quiet_until = (now() AT TIME ZONE 'Asia/Kuala_Lumpur')::time + interval '1 hour' WHERE no = $1", "quiet"),
        ("not_before", f"UPDATE outbox SET not_before = {LATER} WHERE device_no = $1", "then"),
    ],
)  # fmt: skip
async def test_the_rule_that_holds_a_row_is_named(floor: Floor, rule: str, change: str, word: str) -> None:
    [device] = await floor.devices(1)
    [row] = await floor.rows(await floor.source(), device, 1)
    await floor.pool.execute(change, device)
    found = await held(floor, row)
    assert (found.rule, word in found.text) == (rule, True), found
    if rule not in ("due", "device_offline", "device_over"):
        assert found.until is not None
        assert found.until > datetime.now(UTC)
        assert await floor.pool.fetchval("SELECT $1 > now()", found.until)
        assert await claims.claim(floor.pool, floor.worker, [], [device]) == []


async def test_a_row_of_a_paused_source_and_one_of_the_pool_say_so(floor: Floor) -> None:
    source = await floor.source()
    [row] = await floor.rows(source, None, 1)
    assert (await held(floor, row)).rule == "pool"
    await sources.set_state(floor.pool, floor.tenant_id, source, "paused")
    assert (await held(floor, row)).text == "What it belongs to is paused."


async def test_nothing_of_a_source_leaves_where_no_stop_is_heard(floor: Floor) -> None:
    [device] = await floor.devices(1)
    [row] = await floor.rows(await floor.source(), device, 1)
    both = floor.worker, [device], [device]
    assert await claims.claim(floor.pool, *both, hears=False) == []
    assert await claims.next_due(floor.pool, [device], [device], hears=False) == {}, "it is not looked at all the time"
    waits = await rows.get(floor.pool, floor.tenant_id, row)
    assert waits is not None
    found = await held_by(floor.pool, waits, hears=False)
    assert found is not None
    assert (found.rule, "WHATSAPP_CHAT_STORAGE is false" in found.text) == ("not_heard", True)
    reply = await floor.reply(device)
    assert [one.id for one in await claims.claim(floor.pool, *both, hears=False)] == [reply]
    assert [one.id for one in await claims.claim(floor.pool, *both)] == [row]


async def test_who_is_behind_others_sees_how_many_and_about_when(floor: Floor) -> None:
    [device] = await floor.devices(1)
    ids = await floor.rows(await floor.source(Pace(100, 100)), device, 5)
    found = await held(floor, ids[3])
    assert (found.rule, found.text) == ("others", "3 wait before it.")
    assert found.until is not None
    assert abs(found.until - datetime.now(UTC) - timedelta(seconds=300)) < timedelta(minutes=1)


async def test_rows_of_a_page_are_told_what_holds_them_each_by_itself_in_one_query(floor: Floor) -> None:
    busy, off = await floor.devices(2)
    await floor.pool.execute("UPDATE devices SET state = 'offline' WHERE no = $1", off)
    source = await floor.source(Pace(100, 100))
    behind, away, pooled = [await floor.rows(source, device, 3) for device in (busy, off, None)]
    sent = await floor.reply(busy)
    await floor.pool.execute("UPDATE outbox SET state = 'failed' WHERE id = $1", sent)
    page = [behind[2], behind[0], away[1], pooled[0], sent]
    counting = Counting(floor.pool)
    found = await what_holds(counting, floor.tenant_id, page)  # type: ignore[arg-type]
    assert {row: one.rule for row, one in found.items()} == {
        behind[2]: "others", behind[0]: "due", away[1]: "device_offline", pooled[0]: "pool",
    }  # fmt: skip
    alone = {row: await held(floor, row) for row in page[:4]}
    assert {row: one.text for row, one in found.items()} == {row: one.text for row, one in alone.items()}
    assert (found[behind[2]].text, counting.asked) == ("2 wait before it.", 1)


async def test_of_very_many_lanes_few_rows_are_counted_in_each(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wafast.outbox.held_by.MOST_LOOKED_AT", 6)
    monkeypatch.setattr("wafast.outbox.held_by.FEW_AHEAD", 2)
    source, devices = await floor.source(Pace(0, 0)), await floor.devices(2)
    rows_of = [await floor.rows(source, device, 6) for device in devices]
    alone = await what_holds(floor.pool, floor.tenant_id, [rows_of[0][5], rows_of[0][1]])
    assert [alone[row].text for row in (rows_of[0][5], rows_of[0][1])] == ["5 wait before it.", "1 wait before it."]
    those = [rows_of[0][5], rows_of[1][2]]
    both = await what_holds(floor.pool, floor.tenant_id, those)
    assert [both[row].text for row in those] == ["3 or more wait before it.", "2 wait before it."]


async def test_a_devices_clock_says_what_has_left_and_when_the_next_may(floor: Floor) -> None:
    [device] = await floor.devices(1, ramp=True, paired_at=datetime.now(UTC))
    clock = await clock_of(floor.pool, device)
    assert (clock.last_paced_at, clock.next_at, clock.sent_in_hour, clock.day_cap) == (None, None, 0, 20)
    await floor.rows(await floor.source(Pace(60, 60)), device, 2, not_before=EVER)
    assert len(await claims.claim(floor.pool, floor.worker, [], [device])) == 1
    clock = await clock_of(floor.pool, device)
    assert clock.last_paced_at is not None
    assert clock.next_at == clock.last_paced_at + timedelta(seconds=60)
    assert (clock.sent_in_hour, clock.sent_in_day) == (1, 1)


async def test_what_waits_behind_a_file_on_its_way_says_so_and_what_passes_it_does_not_count_it(floor: Floor) -> None:
    [device] = await floor.devices(1)
    mine, others = "60111@s.whatsapp.net", "60222@s.whatsapp.net"
    file = await floor.file(device, mine)
    assert [one.id for one in await claims.claim(floor.pool, floor.worker, [device], [])] == [file]
    following, second = await floor.reply(device, mine), await floor.file(device, others)
    passing, last = await floor.reply(device, others), await floor.reply(device, others)
    found = [await held(floor, row) for row in (following, second, passing, last)]
    assert [(one.rule, one.until is None) for one in found] == [
        ("file", True), ("file", True), ("due", False), ("others", False),
    ]  # fmt: skip
    assert found[3].text == "1 wait before it."
    [left] = await claims.claim(floor.pool, floor.worker, [device], [], filing={device: mine})
    assert left.id == passing
