"""A person who has two numbers, and is two leads, gets a campaign once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.claimed import CLAIMED
from tests.integration.outbox.floor import Floor
from tests.integration.outbox.lines import Line, sending, until, until_state
from wafast.devices import number_checks
from wafast.leads import rows as leads
from wafast.outbox import again, naming
from wafast.outbox import claim as claims
from wafast.outbox.rows import Cause
from wafast.outbox.sources import Pace
from wafast.sequences import of_leads

AT = datetime(2026, 3, 23, 4, tzinfo=UTC)  # noon in Kuala Lumpur
ANA = "551112345678@s.whatsapp.net"
#: Somebody of this database waits for another.
WAITS = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"


async def _rows(floor: Floor, devices: list[int], *jids: str) -> list[int]:
    """A row of one campaign at each device, to people of these JIDs."""
    source = await floor.source(Pace(0, 0))
    rows = [(await floor.rows(source, device, 1))[0] for device in devices]
    for row, jid in zip(rows, jids, strict=True):
        await floor.pool.execute(
            "WITH o AS (UPDATE outbox SET to_jid = $2 WHERE id = $1 RETURNING lead_id)"
            " UPDATE leads l SET phone = '+' || split_part($2, '@', 1) FROM o WHERE l.id = o.lead_id",
            row, jid,
        )  # fmt: skip
    return rows


async def _name(floor: Floor, device: int, *phones: str) -> None:
    await number_checks.note(floor.pool, device, dict.fromkeys(phones, ANA))


@pytest.mark.parametrize("is_dialled_first", [True, False])
async def test_whom_whatsapp_names_the_same_gets_it_at_one_number(floor: Floor, is_dialled_first: bool) -> None:
    devices = await floor.devices(2)
    dialled, named = await _rows(floor, devices, "5511912345678@s.whatsapp.net", ANA)
    await _name(floor, devices[0], "+5511912345678")
    for device in devices if is_dialled_first else reversed(devices):
        await floor.claim_at(AT, [device])
    assert await floor.state(dialled) == ("cancelled", "same_person")
    assert await floor.state(named) == ("sent", None)
    assert await floor.sends_counted(devices[0]) == 0, "what does not leave costs no clock"
    with pytest.raises(again.NotRetryable, match="has this one already"):
        await again.queue_one_again(floor.pool, floor.tenant_id, dialled)


async def test_who_was_kept_from_it_by_a_lead_that_is_deleted_gets_it(floor: Floor) -> None:
    devices = await floor.devices(2)
    dialled, named = await _rows(floor, devices, "5511912345678@s.whatsapp.net", ANA)
    await _name(floor, devices[0], "+5511912345678")
    assert await floor.claim_at(AT, devices[:1]) == []
    assert await floor.state(dialled) == ("cancelled", "same_person")
    waits = await floor.pool.fetchval("SELECT lead_id FROM outbox WHERE id = $1", named)
    async with floor.pool.acquire() as connection, connection.transaction():
        await leads.remove(connection, floor.tenant_id, [waits], of_leads)
    assert await floor.state(named) == ("cancelled", "lead_gone")
    assert await floor.state(dialled) == ("queued", None)


async def test_what_one_number_of_a_lead_has_is_not_tried_again_at_the_other(floor: Floor) -> None:
    """Two leads became one, each with a row of the campaign (sequences/of_leads.sql)."""
    devices = await floor.devices(2)
    failed, left = await _rows(floor, devices, "5511912345678@s.whatsapp.net", ANA)
    await floor.pool.execute("UPDATE outbox SET state = 'failed', cause = 'refused' WHERE id = $1", failed)
    assert [claim.id for claim in await floor.claim_at(AT, devices)] == [left]
    await floor.pool.execute("UPDATE outbox SET lead_id = (SELECT lead_id FROM outbox WHERE id = $1)", failed)
    assert await again.queue_again(floor.pool, floor.tenant_id, [failed]) == []


@pytest.mark.parametrize("ended", ["cancelled", "failed", "expired"])
@pytest.mark.parametrize("leaves", ["dialled", "named"])
async def test_what_ended_at_one_number_without_leaving_goes_to_the_other(
    floor: Floor, leaves: str, ended: str
) -> None:
    devices = await floor.devices(2)
    dialled, named = await _rows(floor, devices, "5511912345678@s.whatsapp.net", ANA)
    await _name(floor, devices[0], "+5511912345678")
    wanted, other = (dialled, named) if leaves == "dialled" else (named, dialled)
    await floor.pool.execute(
        "UPDATE outbox SET state = $2, reason = 'x', cause = 'lead_gone', named_jid = nullif($3, to_jid) WHERE id = $1",
        other, ended, ANA,
    )  # fmt: skip
    [claim] = await floor.claim_at(AT, devices)
    assert claim.id == wanted


async def test_two_lines_at_once_do_not_write_to_one_person(floor: Floor) -> None:
    devices = await floor.devices(2)
    first, second = await _rows(floor, devices, "5511912345678@s.whatsapp.net", "5511812345678@s.whatsapp.net")
    await _name(floor, devices[0], "+5511912345678", "+5511812345678")
    async with floor.pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute(f"{CLAIMED}, named_jid = $2 WHERE id = $1", first, ANA)
            await connection.execute("UPDATE outbox SET state = 'sent', message_id = 'M' WHERE id = $1", first)
            waits = asyncio.create_task(claims.claim(floor.pool, floor.worker, [], [devices[1]], AT))
            await until(lambda: floor.pool.fetchval(WAITS), "the claim waits")
        assert await waits == []
    assert await floor.state(second) == ("queued", None)
    assert await floor.claim_at(AT, [devices[1]]) == []
    assert await floor.state(second) == ("cancelled", "same_person")


async def test_of_two_rows_to_one_person_that_are_due_at_once_one_leaves(floor: Floor) -> None:
    devices = await floor.devices(3)
    jids = ["5511912345678@s.whatsapp.net", "5511812345678@s.whatsapp.net", "60123456789@s.whatsapp.net"]
    first, second, other = await _rows(floor, devices, *jids)
    await _name(floor, devices[0], "+5511912345678", "+5511812345678")
    assert len(await floor.claim_at(AT, devices)) == 2
    await floor.claim_at(AT, devices)
    assert await floor.state(other) == ("sent", None)
    assert {await floor.state(first), await floor.state(second)} == {("sent", None), ("cancelled", "same_person")}


@pytest.mark.parametrize("cause", ["same_person", "opted_out"])
async def test_a_name_that_is_learned_as_a_message_is_about_to_leave_keeps_it(
    floor: Floor, tmp_path: Path, cause: Cause
) -> None:
    [device] = await floor.devices(1, min_seconds=0, max_seconds=0, typing=True)
    line = Line(device)
    line.names["5511912345678@s.whatsapp.net"] = ANA
    if cause == "same_person":
        await _rows(floor, [device, device], ANA, "5511912345678@s.whatsapp.net")
    else:
        await floor.pool.execute(
            "INSERT INTO suppressions (tenant_id, phone, reason, created_by) VALUES ($1, $2, 'asked', 'lead')",
            floor.tenant_id, "+551112345678",
        )  # fmt: skip
        await _rows(floor, [device], "5511912345678@s.whatsapp.net")
    last = await floor.pool.fetchval("SELECT max(id) FROM outbox")
    async with sending(floor, [line], tmp_path) as sender:
        sender.wake(device)
        await until_state(floor, last, "cancelled")
    assert await floor.state(last) == ("cancelled", cause)
    assert line.sent == line.typed == ([ANA] if cause == "same_person" else [])
    assert await floor.sends_counted(device) == len(line.sent)


async def test_a_campaign_goes_to_the_name_of_a_person_who_has_one_lead(floor: Floor, tmp_path: Path) -> None:
    [device] = await floor.devices(1)
    line = Line(device)
    line.names["5511912345678@s.whatsapp.net"] = ANA
    [row] = await _rows(floor, [device], "5511912345678@s.whatsapp.net")
    async with sending(floor, [line], tmp_path) as sender:
        sender.wake(device)
        await until_state(floor, row, "sent")
    assert line.sent == [ANA]
    assert await floor.pool.fetchval("SELECT jid FROM number_checks") == ANA


async def test_a_name_is_kept_only_at_the_claim_that_learned_it(floor: Floor) -> None:
    """Somebody else's row would be kept from its person by it."""
    [device] = await floor.devices(1)
    [row] = await _rows(floor, [device], "5511912345678@s.whatsapp.net")
    [claim] = await claims.claim(floor.pool, floor.worker, [], [device], AT)
    await naming.note(floor.pool, floor.worker, claim, ANA)
    name = "SELECT named_jid FROM outbox WHERE id = $1"
    assert await floor.pool.fetchval(name, row) == ANA
    await floor.pool.execute("UPDATE outbox SET state = 'unknown' WHERE id = $1", row)
    await again.queue_one_again(floor.pool, floor.tenant_id, row)
    await naming.note(floor.pool, floor.worker, claim, ANA)
    assert await floor.pool.fetchval(name, row) is None


async def test_a_name_whose_chats_somebody_holds_is_kept_later(floor: Floor, tmp_path: Path) -> None:
    """Who deletes a device, say; waited for by as many as a worker has connections, none of its lines would send."""
    [device] = await floor.devices(1)
    dialled = "5511912345678@s.whatsapp.net"
    await floor.pool.execute(
        "INSERT INTO chats (tenant_id, device_no, jid) VALUES ($1, $2, $3)", floor.tenant_id, device, dialled
    )
    line = Line(device)
    line.names[dialled] = ANA
    row = await floor.reply(device, dialled)
    waits = "SELECT state = 'queued' AND reason LIKE '%the database is busy%' FROM outbox WHERE id = $1"
    async with sending(floor, [line], tmp_path), floor.pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute("SELECT FROM chats FOR UPDATE")
            await until(lambda: floor.pool.fetchval(waits, row), "it is left for later")
        await until_state(floor, row, "sent")
    assert line.sent == [ANA]
