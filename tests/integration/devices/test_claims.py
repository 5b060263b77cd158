"""Claims and leases on the database alone: who may send what, and who holds a device."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.database import pool_of
from tests.integration.devices.stack import Stack
from wafast.devices import bulk, lease, rows, state
from wafast.devices.lease import Leases
from wafast.devices.session import Media, Sent
from wafast.devices.uploads import Uploads
from wafast.events import bus
from wafast.outbox import claim as claims
from wafast.outbox import transition
from wafast.outbox.resolve import resolve
from wafast.outbox.transition import End


async def holder(stack: Stack, *devices: rows.DeviceRow) -> UUID:
    """A worker that holds the devices, which are online."""
    for device in devices:
        await stack.pool.execute(
            "UPDATE devices SET jid = $2, state = 'online', desired_state = 'connected', store = 'x.db' WHERE no = $1",
            device.no, f"6010{device.no}@s.whatsapp.net",
        )  # fmt: skip
    leases = Leases(stack.pool, uuid4(), "loopback")
    await leases.beat()
    taken = await leases.acquire()
    assert {one.device_no for one in taken} >= {device.no for device in devices}
    return leases.worker_id


async def queue(stack: Stack, device: rows.DeviceRow, count: int, priority: str = "reply") -> list[int]:
    sends = [await stack.send(device.id, "60123", f"{n}", priority=priority) for n in range(count)]
    return [row.id for row in sends]


async def test_a_pace_that_is_changed_wakes_what_it_held(stack: Stack) -> None:
    device = await stack.add_device("Shop")
    heard: asyncio.Queue[str] = asyncio.Queue()

    def hear(*said: object) -> None:
        if '"w":"outbox"' in str(said[-1]):
            heard.put_nowait(str(said[-1]))

    async with stack.pool.acquire() as connection:
        await connection.add_listener(bus.WORK, hear)
        for change in (
            rows.change_device(stack.pool, stack.tenant_id, device.id, {"per_hour": 9}),
            bulk.set_pacing(stack.pool, stack.tenant_id, [device.id], {"quiet_from": None, "per_hour": 10}),
        ):
            await change
            async with asyncio.timeout(60):
                assert f'"d":{device.no}}}' in await heard.get()
        await connection.remove_listener(bus.WORK, hear)


async def test_one_row_a_device_and_replies_and_paced_rows_side_by_side(stack: Stack) -> None:
    devices = [await stack.add_device(f"Shop {n}") for n in range(3)]
    worker = await holder(stack, *devices)
    for device in devices:
        await queue(stack, device, 2)
        await queue(stack, device, 2, "paced")
    numbers = [device.no for device in devices]
    got = await claims.claim(stack.pool, worker, numbers, numbers)
    assert sorted((row.device_no, row.priority, row.body) for row in got) == sorted(
        (no, priority, "0") for no in numbers for priority in ("reply", "paced")
    )
    again = await claims.claim(stack.pool, worker, numbers, numbers)
    assert {row.priority for row in again} == {"reply"}, "the clock holds paced rows back"


async def test_many_claimers_never_get_one_row_twice(stack: Stack) -> None:
    device = await stack.add_device()
    worker = await holder(stack, device)
    expected = await queue(stack, device, 30)
    got: list[int] = []

    async def take() -> None:
        for _ in range(15):
            got.extend(row.id for row in await claims.claim(stack.pool, worker, [device.no], [device.no]))

    await asyncio.gather(*(take() for _ in range(4)))
    while left := await claims.claim(stack.pool, worker, [device.no], []):
        got.extend(row.id for row in left)
    assert sorted(got) == expected


async def test_nothing_is_claimed_without_the_lease(stack: Stack) -> None:
    """SPEC section 10, invariant 2."""
    device = await stack.add_device()
    await holder(stack, device)
    await queue(stack, device, 1)
    assert await claims.claim(stack.pool, uuid4(), [device.no], [device.no]) == []


async def test_sending_without_a_claim_is_impossible(stack: Stack) -> None:
    """SPEC section 10, invariant 2."""
    device = await stack.add_device()
    await holder(stack, device)
    [row] = await queue(stack, device, 1)
    with pytest.raises(asyncpg.CheckViolationError):
        await stack.pool.execute("UPDATE outbox SET state = 'sending' WHERE id = $1", row)


@pytest.mark.parametrize("priority", ["reply", "paced"])
async def test_a_row_that_is_late_expires_and_one_that_is_early_waits(stack: Stack, priority: str) -> None:
    """SPEC section 10, invariant 4: one that was due long ago leaves."""
    device = await stack.add_device()
    worker = await holder(stack, device)
    await stack.pool.execute("UPDATE devices SET min_seconds = 0, max_seconds = 0 WHERE no = $1", device.no)
    late, early, due = await queue(stack, device, 3, priority)
    await stack.pool.execute("UPDATE outbox SET expires_at = now() - interval '1 s' WHERE id = $1", late)
    await stack.pool.execute("UPDATE outbox SET not_before = now() + interval '1 hour' WHERE id = $1", early)
    await stack.pool.execute("UPDATE outbox SET not_before = '2001-01-01' WHERE id = $1", due)
    looked = ([device.no], []) if priority == "reply" else ([], [device.no])
    assert [row.id for row in await claims.claim(stack.pool, worker, *looked)] == [due]
    assert await claims.claim(stack.pool, worker, *looked) == []
    seconds = (await claims.next_due(stack.pool, *looked))[device.no]
    assert 3_500 < seconds <= 3_600
    await claims.expire(stack.pool)
    assert (await stack.until_sent(late, "expired")).reason == "it could not leave in time"


async def test_a_cap_is_a_time_to_wait(stack: Stack) -> None:
    device = await stack.add_device()
    worker = await holder(stack, device)
    pacing = "UPDATE devices SET per_day = 1, min_seconds = 0, max_seconds = 0 WHERE no = $1"
    await stack.pool.execute(pacing, device.no)
    await queue(stack, device, 2, "paced")
    assert len(await claims.claim(stack.pool, worker, [], [device.no])) == 1
    assert await claims.claim(stack.pool, worker, [], [device.no]) == []
    seconds = (await claims.next_due(stack.pool, [], [device.no]))[device.no]
    assert 86_400 <= seconds <= 90_000, "a day and what is left of its hour"


async def test_a_claim_under_an_old_lease_is_unknown_until_its_worker_says_how_it_ended(stack: Stack) -> None:
    device = await stack.add_device()
    worker = await holder(stack, device)
    [row] = await queue(stack, device, 1)
    [claim] = await claims.claim(stack.pool, worker, [device.no], [])
    await stack.pool.execute("UPDATE workers SET expires_at = '-infinity'")
    await lease.Burial(stack.pool).attempt()
    other = Leases(stack.pool, uuid4(), "loopback")
    await other.beat()
    [taken] = await other.acquire()
    assert taken.epoch == 2
    assert await claims.orphan(stack.pool, [device.no]) == 1
    assert (await stack.until_sent(row, "unknown")).reason is not None
    assert await transition.record(stack.pool, worker, [End(claim, "queued")], 20)
    assert not await transition.record(stack.pool, worker, [End(claim, "failed")], 20)


async def test_a_receipt_that_came_first_is_not_lost(stack: Stack) -> None:
    device = await stack.add_device()
    worker = await holder(stack, device)
    [row] = await queue(stack, device, 1)
    [claim] = await claims.claim(stack.pool, worker, [device.no], [])
    chat = await stack.pool.fetchval(
        "INSERT INTO chats (tenant_id, device_no, jid) VALUES ($1, $2, '60123@s.whatsapp.net') RETURNING id",
        stack.tenant_id, device.no,
    )  # fmt: skip
    insert = (
        "INSERT INTO pending_changes (tenant_id, device_no, chat_id, message_id, change) VALUES ($1, $2, $3, 'ABC', $4)"
    )
    for status in (3, 4):
        change = {"change": "status", "status": status, "at": 1_795_574_838 + status}
        await stack.pool.execute(insert, stack.tenant_id, device.no, chat, change)
    assert await transition.record(stack.pool, worker, [End(claim, "sent", sent=Sent("ABC", 1_795_574_838))], 20)
    read = await stack.until_sent(row, "read")
    assert read.delivered_at is not None
    assert read.read_at is not None
    assert await stack.pool.fetchval("SELECT status FROM whatsapp_messages") == "read"
    assert await stack.pool.fetchval("SELECT last_status FROM chats") == 4
    assert await stack.pool.fetchval("SELECT count(*) FROM pending_changes") == 0


@pytest.mark.parametrize(
    ("members", "state"), [(None, "delivered"), (["60777"], "read"), (["60777", "60888"], "delivered")]
)
async def test_a_members_receipt_that_came_first_names_the_member(
    stack: Stack, members: list[str] | None, state: str
) -> None:
    device = await stack.add_device()
    worker = await holder(stack, device)
    [row] = await queue(stack, device, 1)
    [claim] = await claims.claim(stack.pool, worker, [device.no], [])
    chat = await stack.pool.fetchval(
        "INSERT INTO chats (tenant_id, device_no, jid) VALUES ($1, $2, '60123@s.whatsapp.net') RETURNING id",
        stack.tenant_id, device.no,
    )  # fmt: skip
    for how, by in ((3, "60777@s.whatsapp.net"), (4, "60777@s.whatsapp.net"), (3, "888@lid")):
        change = {"change": "status", "status": 3, "of_member": how, "by": by, "at": 1_795_574_838}
        await stack.pool.execute(
            "INSERT INTO pending_changes (tenant_id, device_no, chat_id, message_id, change)"
            " VALUES ($1, $2, $3, 'ABC', $4)",
            stack.tenant_id, device.no, chat, change,
        )  # fmt: skip
    if members is not None:
        await stack.pool.execute(
            "INSERT INTO group_members (chat_id, tenant_id, told_at, members) SELECT $1, $2, now(), jsonb_agg("
            "jsonb_build_object('jid', jid)) FROM (SELECT jid FROM devices UNION ALL SELECT unnest($3::text[])) p",
            chat, stack.tenant_id, [f"{user}@s.whatsapp.net" for user in members],
        )  # fmt: skip
    assert await transition.record(stack.pool, worker, [End(claim, "sent", sent=Sent("ABC", 1_795_574_838))], 20)
    assert ((await stack.until_sent(row, state)).read_at is None) == (state != "read")
    known = await stack.pool.fetch(
        "SELECT jid_of(person) AS jid, delivered_at IS NOT NULL, read_at IS NOT NULL FROM receipts ORDER BY 1"
    )
    assert [tuple(one) for one in known] == [("60777@s.whatsapp.net", True, True), ("888@lid", True, False)]


async def _unknown_with_receipt(stack: Stack, sends: int, *ids: str) -> tuple[int, list[int]]:
    """A device with so many unknown sends in one chat, and receipts there for ids that no row has."""
    device = await stack.add_device()
    worker = await holder(stack, device)
    sent = await queue(stack, device, sends)
    for _ in range(sends):
        [claim] = await claims.claim(stack.pool, worker, [device.no], [])
        assert await transition.record(stack.pool, worker, [End(claim, "unknown", "nobody can say")], 20)
    chat = await stack.pool.fetchval(
        "INSERT INTO chats (tenant_id, device_no, jid) VALUES ($1, $2, '60123@s.whatsapp.net') RETURNING id",
        stack.tenant_id, device.no,
    )  # fmt: skip
    insert = (
        "INSERT INTO pending_changes (tenant_id, device_no, chat_id, message_id, change) VALUES ($1, $2, $3, $4, $5)"
    )
    change = {"change": "status", "status": 3, "at": 1_795_574_838}
    for message_id in ids:
        await stack.pool.execute(insert, stack.tenant_id, device.no, chat, message_id, change)
    return device.no, sent


async def test_a_receipt_tells_that_an_unknown_send_has_left(stack: Stack) -> None:
    device_no, [row] = await _unknown_with_receipt(stack, 1, "ABC")
    assert await resolve(stack.pool, [device_no], lambda _: None, 20) == 1
    assert (await stack.until_sent(row, "delivered")).message_id == "ABC"
    stored = await stack.pool.fetchrow("SELECT * FROM whatsapp_messages")
    assert stored is not None
    assert (stored["message_id"], stored["message_text"], stored["status"], stored["from_me"]) == (
        "ABC", "0", "delivered", True,
    )  # fmt: skip
    assert await resolve(stack.pool, [device_no], lambda _: None, 20) == 0


@pytest.mark.parametrize(("sends", "ids"), [(2, ["ABC"]), (1, ["ABC", "DEF"])], ids=["two sends", "two receipts"])
async def test_an_unknown_send_stays_so_when_a_receipt_could_mean_another(
    stack: Stack, sends: int, ids: list[str]
) -> None:
    device_no, rows_left = await _unknown_with_receipt(stack, sends, *ids)
    assert await resolve(stack.pool, [device_no], lambda _: None, 20) == 0
    for row in rows_left:
        await stack.until_sent(row, "unknown")


async def test_an_unknown_send_stays_so_when_another_went_to_the_same_person_by_the_lid(stack: Stack) -> None:
    device_no, [row] = await _unknown_with_receipt(stack, 1, "ABC")
    told = "INSERT INTO lid_numbers (tenant_id, device_no, lid, number) VALUES ($1, $2, 900, 60123)"
    await stack.pool.execute(told, stack.tenant_id, device_no)
    await stack.pool.execute(
        "INSERT INTO outbox (tenant_id, device_no, to_jid, kind, state, claimed_at, created_by)"
        " VALUES ($1, $2, '900@lid', 'text', 'unknown', now(), 'test')", stack.tenant_id, device_no,
    )  # fmt: skip
    assert await resolve(stack.pool, [device_no], lambda _: None, 20) == 0
    await stack.until_sent(row, "unknown")


async def test_a_receipt_that_came_much_later_says_nothing_of_an_unknown_send(stack: Stack) -> None:
    device_no, _ = await _unknown_with_receipt(stack, 1, "ABC")
    await stack.pool.execute("UPDATE outbox SET claimed_at = claimed_at - interval '6 minutes'")
    assert await resolve(stack.pool, [device_no], lambda _: None, 20) == 0


@pytest.mark.parametrize(
    ("sends", "change"),
    [
        (1, "UPDATE pending_changes SET created_at = created_at - interval '1 minute'"),
        (2, "UPDATE outbox SET state = 'sent', message_id = 'ABC' WHERE id = (SELECT max(id) FROM outbox)"),
    ],
    ids=["it came before", "it is of another that left"],
)
async def test_a_receipt_that_is_not_surely_of_an_unknown_send_says_nothing_of_it(
    stack: Stack, sends: int, change: str
) -> None:
    device_no, [row, *_] = await _unknown_with_receipt(stack, sends, "ABC")
    await stack.pool.execute(change)
    assert await resolve(stack.pool, [device_no], lambda _: None, 20) == 0
    await stack.until_sent(row, "unknown")


async def test_an_unknown_send_stays_so_while_another_is_on_its_way_there(stack: Stack) -> None:
    device_no, [row] = await _unknown_with_receipt(stack, 1, "ABC")
    device_id, worker = await stack.pool.fetchval(
        "SELECT (d.id, l.worker_id) FROM devices d JOIN leases l ON l.device_no = d.no WHERE d.no = $1", device_no
    )
    await stack.send(device_id, "60123", "Are you there?")
    [claim] = await claims.claim(stack.pool, worker, [device_no], [])
    assert await resolve(stack.pool, [device_no], lambda _: None, 20) == 0
    await transition.record(stack.pool, worker, [End(claim, "sent", sent=Sent("DEF", 1_795_574_838))], 20)
    assert await resolve(stack.pool, [device_no], lambda _: None, 20) == 1
    assert (await stack.until_sent(row, "delivered")).message_id == "ABC"


async def test_an_echo_that_came_first_stays(stack: Stack) -> None:
    device = await stack.add_device()
    worker = await holder(stack, device)
    await queue(stack, device, 2)
    [claim] = await claims.claim(stack.pool, worker, [device.no], [])
    sent = Sent("ABC", 1_795_574_838)
    await transition.record(stack.pool, worker, [End(claim, "sent", sent=sent)], 20)
    await transition.record(stack.pool, worker, [End(claim, "sent", sent=sent)], 20)
    assert await stack.pool.fetchval("SELECT count(*) FROM messages") == 1
    assert await stack.pool.fetchval("SELECT stored FROM chats") == 1


async def test_a_chat_nobody_answers_in_shows_no_more_than_is_kept(stack: Stack) -> None:
    device = await stack.add_device()
    worker = await holder(stack, device)
    await queue(stack, device, 1)
    [claim] = await claims.claim(stack.pool, worker, [device.no], [])
    for n in range(25):
        sent = Sent(f"A{n}", 1_795_574_838 + n)
        await transition.record(stack.pool, worker, [End(claim, "sent", sent=sent)], 20)
    shown = await stack.pool.fetch("SELECT message_id FROM whatsapp_messages ORDER BY timestamp")
    assert [row["message_id"] for row in shown] == [f"A{n}" for n in range(5, 25)]


async def test_an_upload_is_worth_something_for_a_day_whatever_the_clock_said_when_it_was_made(stack: Stack) -> None:
    uploads, device = Uploads(stack.pool), await stack.add_device()
    file = Media("document", stack.data_dir, bytes(32), "application/pdf")
    await uploads.keep(device.no, file, b"where it lies")
    found = {}
    for hours in (-25, -23, 0, 23, 24 * 365):
        moved = "UPDATE uploads SET uploaded_at = now() + make_interval(hours => $1)"
        await stack.pool.execute(moved, hours)
        found[hours] = await uploads.find(device.no, file) is not None
    assert found == {-25: False, -23: True, 0: True, 23: False, 24 * 365: False}


async def test_two_workers_never_hold_one_device(stack: Stack) -> None:
    """SPEC section 10, invariant 2."""
    for n in range(20):
        device = await stack.add_device(f"Shop {n}")
        await stack.pool.execute(
            "UPDATE devices SET jid = $2, state = 'offline', desired_state = 'connected' WHERE no = $1",
            device.no, f"6010{n}@s.whatsapp.net",
        )  # fmt: skip
    workers = [Leases(stack.pool, uuid4(), "loopback") for _ in range(4)]
    await asyncio.gather(*(worker.beat() for worker in workers))
    taken: list[int] = []
    for _ in range(6):
        for got in await asyncio.gather(*(worker.acquire() for worker in workers)):
            taken.extend(one.device_no for one in got)
    assert len(taken) == len(set(taken)) == 20
    counts = await stack.pool.fetch("SELECT count(*) FROM leases GROUP BY worker_id")
    assert [row["count"] for row in counts] == [5, 5, 5, 5], "everybody a fair share"


async def test_a_worker_of_the_other_network_takes_nothing(stack: Stack) -> None:
    device = await stack.add_device()
    await stack.start_pairing(device.id)
    other = Leases(stack.pool, uuid4(), "whatsapp")
    await other.beat()
    assert await other.acquire() == []


async def test_a_state_is_written_only_under_the_lease_and_only_where_it_may_be(stack: Stack) -> None:
    device = await stack.add_device()
    worker = await holder(stack, device)
    assert not await state.move(stack.pool, (uuid4(), 1), device.no, "offline", None)
    assert not await state.move(stack.pool, (worker, 9), device.no, "offline", None)
    assert not await state.move(stack.pool, (worker, 1), device.no, "new", None)
    assert await state.move(stack.pool, (worker, 1), device.no, "banned", "why", retry_seconds=state.NEVER)
    moved = await stack.device(device.id)
    assert (moved.state, moved.state_reason) == ("banned", "why")


@pytest.mark.parametrize("column", ["jid", "lid", "phone", "wa_device"])
async def test_who_a_line_is_changes_with_a_pairing_alone(stack: Stack, column: str) -> None:
    """SPEC section 10, invariant 10."""
    device = await stack.add_device()
    await stack.pool.execute(
        "UPDATE devices SET jid = '601@s.whatsapp.net', lid = '1@lid', phone = '+601', wa_device = 1, paired_at = now()"
        " WHERE no = $1",
        device.no,
    )
    other = f"UPDATE devices SET {column} = 2::text::{'int4' if column == 'wa_device' else 'text'}"
    for value in ("2", "NULL"):
        with pytest.raises(asyncpg.CheckViolationError, match="until it is paired again"):
            await stack.pool.execute(f"{other.replace('2::', f'{value}::')} WHERE no = $1", device.no)
    await stack.pool.execute(f"UPDATE devices SET {column} = {column}, push_name = 'Shop' WHERE no = $1", device.no)
    await stack.pool.execute(f"{other}, paired_at = now() WHERE no = $1", device.no)


async def test_what_a_worker_asks_does_not_grow_with_its_devices(stack: Stack) -> None:
    """SPEC section 10, invariant 15."""
    devices = [await stack.add_device() for _ in range(7)]
    worker = await holder(stack, *devices)
    for device in devices:
        await queue(stack, device, 1)
    numbers = [device.no for device in devices]
    asked: list[int] = []
    async with pool_of(stack.uri, size=1) as pool:
        # of a type seen for the first time asyncpg asks what it is
        for some in (numbers[:1], numbers[1:2], numbers[2:]):
            said: list[object] = []
            async with pool.acquire() as connection:
                connection.add_query_logger(said.append)
            assert len(await claims.claim(pool, worker, some, some)) == len(some)
            await claims.next_due(pool, some, some)
            await claims.orphan(pool, some)
            asked.append(len(said))
    assert asked[1] == asked[2] > 3, asked
