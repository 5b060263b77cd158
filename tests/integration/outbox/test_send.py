"""What the sending loop makes of what goes wrong around it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from tests.claimed import CLAIMED
from tests.database import Database
from tests.integration.outbox.floor import Floor
from tests.integration.outbox.lines import Line, nothing, sending, take, until, until_state
from wafast import clock
from wafast._core import message_key
from wafast.database.away import DATABASE_AWAY
from wafast.database.pool import open_pool
from wafast.devices.session import Busy, Change, Content, Media, NotSent, Offline, Quoted, Refused, Sent, Unanswered
from wafast.outbox import again, rows, send, sources, transition
from wafast.outbox import claim as claims
from wafast.outbox.claim import Claim
from wafast.outbox.send import typing_seconds
from wafast.outbox.sources import Message, Pace

NOON = datetime(2026, 3, 23, 4, tzinfo=UTC)
#: Longer than what a LID is stored as.
NO_LID = "99999999999999999999@lid"


async def test_a_number_too_long_for_a_lid_is_written_to_and_stops_nobody(floor: Floor, tmp_path: Path) -> None:
    [device, other] = await floor.devices(2)
    strange = await floor.reply(device, NO_LID)
    lost = await floor.reply(other, NO_LID)
    await floor.pool.execute(f"{CLAIMED} WHERE id = $1", lost)
    await floor.pool.execute("UPDATE outbox SET state = 'unknown' WHERE id = $1", lost)
    async with sending(floor, [Line(device), Line(other)], tmp_path) as sender:
        await until_state(floor, strange, "sent")
        following = await floor.reply(other)
        sender.wake(other)
        await until_state(floor, following, "sent")
    assert await floor.state(lost) == ("unknown", None)


async def test_what_is_answered_is_found_where_the_number_of_a_lid_was_learned_meanwhile(floor: Floor) -> None:
    [device] = await floor.devices(1)
    device_id = await floor.pool.fetchval("SELECT id FROM devices WHERE no = $1", device)
    chat = await floor.pool.fetchval(
        "INSERT INTO chats (tenant_id, device_no, jid) VALUES ($1, $2, '900123@lid') RETURNING id",
        floor.tenant_id, device,
    )  # fmt: skip
    await floor.pool.execute(
        "INSERT INTO messages (chat_id, key, tenant_id, device_no, kind, flags, status, message_id, body, created_at,"
        " sender) VALUES ($1, $4, $2, $3, 0, 0, 0, 'ASKED', 'How much?', now(), 60123456789 << 3)",
        chat, floor.tenant_id, device, message_key(1_700_000_000, "ASKED"),
    )  # fmt: skip
    for kind, more in (("text", {"quoted": "ASKED"}), ("reaction", {"target": "ASKED"})):
        wanted = {"device_id": device_id, "to_jid": "900123@lid", "kind": kind, "body": "\U0001f44d", **more}
        await rows.enqueue(floor.pool, floor.tenant_id, msgspec.convert(wanted, rows.Send), created_by="user:1")
    told = "INSERT INTO lid_numbers (tenant_id, device_no, lid, number) VALUES ($1, $2, 900123, 60123456789)"
    await floor.pool.execute(told, floor.tenant_id, device)
    await floor.pool.execute("UPDATE chats SET jid = '60123456789@s.whatsapp.net' WHERE id = $1", chat)
    [answer] = await claims.claim(floor.pool, floor.worker, [device], [])
    quoted = await transition.quoted(floor.pool, answer)
    assert quoted == Quoted("ASKED", "60123456789@s.whatsapp.net", "How much?")
    [reaction] = await claims.claim(floor.pool, floor.worker, [device], [])
    change = await transition.change(floor.pool, reaction)
    assert change == Change("reaction", "ASKED", "60123456789@s.whatsapp.net", "\U0001f44d")


@pytest.mark.parametrize("error", [RuntimeError("a row nobody thought of"), asyncpg.DataError("out of range")])
async def test_what_is_looked_after_beside_sending_does_not_stop_it(
    floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def fail(_pool: asyncpg.Pool) -> None:
        raise error

    monkeypatch.setattr(claims, "expire", fail)
    [device] = await floor.devices(1)
    row = await floor.reply(device)
    async with sending(floor, [Line(device)], tmp_path):
        await until_state(floor, row, "sent")


async def test_a_claim_that_fails_cuts_off_none_beside_it(
    floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "LOOKED_AT_ONCE", 1)
    [device, other] = await floor.devices(2)
    claim_once, asked, has_failed = claims.claim, list[list[int]](), asyncio.Event()

    async def fail_first(
        pool: asyncpg.Pool, worker: UUID, replies: list[int], paced: list[int], *, filing: claims.Filing, hears: bool
    ) -> list[Claim]:
        asked.append(replies)
        if asked.count([device]) == 1 and replies == [device]:
            has_failed.set()
            raise RuntimeError("a row nobody thought of")
        got = await claim_once(pool, worker, replies, paced, filing=filing, hears=hears)
        await has_failed.wait()
        return got

    monkeypatch.setattr(claims, "claim", fail_first)
    row, beside = await floor.reply(device), await floor.reply(other)
    async with sending(floor, [Line(device), Line(other)], tmp_path):
        await until_state(floor, beside, "sent")
        assert asked[:2] == [[device], [other]], "they were under way together"
        await until_state(floor, row, "sent")


async def test_who_stands_still_in_the_middle_of_a_claim_does_not_hold_its_devices_for_ever(
    floor: Floor, database: Database
) -> None:
    [device] = await floor.devices(1)
    row = await floor.reply(device)
    stands_still = await open_pool(database.uri, size=1, name="test", idle_seconds=0.5)
    async with stands_still.acquire() as connection:
        await connection.execute("BEGIN")
        await connection.execute("SELECT FROM devices WHERE no = $1 FOR NO KEY UPDATE", device)
        taken: list[Claim] = []

        async def claimed() -> bool:
            taken.extend(await claims.claim(floor.pool, floor.worker, [device], []))
            return bool(taken)

        assert not await claimed()
        await until(claimed, "the device")
        with pytest.raises(DATABASE_AWAY):
            await connection.execute("COMMIT")
    stands_still.terminate()
    assert [one.id for one in taken] == [row]


async def test_a_claim_whose_answer_never_reached_its_worker_is_unknown_after_a_minute(floor: Floor) -> None:
    """The database went away as it gave it. What the worker does send is not among these, however long that takes."""
    devices = await floor.devices(3)
    lost, sent, fresh = [await floor.reply(device) for device in devices]
    assert len(await claims.claim(floor.pool, floor.worker, devices, [])) == 3
    for row, seconds in ((lost, 61), (sent, 3600), (fresh, 50)):
        change = "UPDATE outbox SET claimed_at = now() - make_interval(secs => $2) WHERE id = $1"
        await floor.pool.execute(change, row, seconds)
    await claims.give_up_lost(floor.pool, uuid4(), [])
    await claims.give_up_lost(floor.pool, floor.worker, [sent])
    assert [(await floor.state(row))[0] for row in (lost, sent, fresh)] == ["unknown", "sending", "sending"]


async def test_what_is_on_its_way_for_minutes_is_not_given_up(
    floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "SAFETY_SECONDS", 0.01)
    [device] = await floor.devices(1)
    line, may_answer, looks = Line(device), asyncio.Event(), 0
    give_up = claims.give_up_lost

    async def look(pool: asyncpg.Pool, worker_id: UUID, in_flight: Sequence[int]) -> None:
        nonlocal looks
        await give_up(pool, worker_id, in_flight)
        looks += 1

    async def answer(to_jid: str, content: Content | Change) -> Sent:
        await may_answer.wait()
        return await take(to_jid, content)

    async def looked_again() -> bool:
        return looks > before + 1

    monkeypatch.setattr(claims, "give_up_lost", look)
    line.server = answer
    row = await floor.reply(device)
    async with sending(floor, [line], tmp_path):
        await until_state(floor, row, "sending")
        await floor.pool.execute("UPDATE outbox SET claimed_at = now() - interval '10 minutes' WHERE id = $1", row)
        before = looks
        await until(looked_again, "a look")
        assert (await floor.state(row))[0] == "sending"
        may_answer.set()
        await until_state(floor, row, "sent")


async def given_up(floor: Floor, device_no: int, row: int) -> None:
    """A row that is being sent becomes unknown: another worker takes its device."""
    await until_state(floor, row, "sending")
    await floor.pool.execute("UPDATE leases SET epoch = epoch + 1 WHERE device_no = $1", device_no)
    assert await claims.orphan(floor.pool, [device_no]) == 1


async def test_who_sent_what_others_gave_up_says_how_it_ended(floor: Floor, tmp_path: Path) -> None:
    [device] = await floor.devices(1)
    line, may_answer = Line(device), asyncio.Event()

    async def answer(to_jid: str, content: Content | Change) -> Sent:
        await may_answer.wait()
        return await take(to_jid, content)

    line.server = answer
    row = await floor.reply(device)
    async with sending(floor, [line], tmp_path):
        await given_up(floor, device, row)
        may_answer.set()
        await until_state(floor, row, "sent")
    assert await floor.pool.fetchval("SELECT message_id FROM outbox WHERE id = $1", row) is not None


@pytest.mark.parametrize(
    ("of_source", "cause", "end"), [(False, None, "queued"), (True, None, "failed"), (True, "by_person", "cancelled")]
)
async def test_what_surely_never_left_does_not_stay_unknown(
    floor: Floor, tmp_path: Path, of_source: bool, cause: str | None, end: str
) -> None:
    """A reply is tried again. A campaign may have ended meanwhile: its row fails, and can be retried with others. One
    that was cancelled while it was being sent is cancelled."""
    [device] = await floor.devices(1)
    line, may_answer = Line(device), asyncio.Event()

    async def answer(_to_jid: str, _content: Content | Change) -> Sent:
        await may_answer.wait()
        raise Offline("the device is not connected")

    line.server = answer
    row = (await floor.rows(await floor.source(), device, 1))[0] if of_source else await floor.reply(device)
    async with sending(floor, [line], tmp_path):
        await until_state(floor, row, "sending")
        await floor.pool.execute("UPDATE outbox SET cause = $2 WHERE id = $1", row, cause)
        await given_up(floor, device, row)
        may_answer.set()
        await until_state(floor, row, end)
    assert line.sent == []


async def test_what_is_not_answered_is_unknown_and_says_why_and_holds_up_nothing(floor: Floor, tmp_path: Path) -> None:
    [device] = await floor.devices(1)
    line, asked = Line(device), []

    async def answer(to_jid: str, content: Content | Change) -> Sent:
        asked.append(to_jid)
        if len(asked) == 1:
            raise Unanswered("timed out waiting for message send response")
        return await take(to_jid, content)

    line.server = answer
    row = await floor.reply(device)
    async with sending(floor, [line], tmp_path) as sender:
        await until_state(floor, row, "unknown")
        after = await floor.reply(device)
        sender.wake(device)
        await until_state(floor, after, "sent")
    reason = "WhatsApp did not answer, it may have left: timed out waiting for message send response"
    assert await floor.pool.fetchval("SELECT reason FROM outbox WHERE id = $1", row) == reason
    assert ((await floor.state(row))[0], len(asked), await floor.sends_counted(device)) == ("unknown", 2, 2)


async def test_what_a_person_retried_is_not_ended_by_who_sent_it_before(floor: Floor, tmp_path: Path) -> None:
    [device] = await floor.devices(1)
    line, may_answer, asked = Line(device), asyncio.Event(), []

    async def answer(to_jid: str, content: Content | Change) -> Sent:
        asked.append(to_jid)
        await may_answer.wait()
        return await take(to_jid, content)

    line.server = answer
    row = await floor.reply(device)
    async with sending(floor, [line], tmp_path):
        await given_up(floor, device, row)
        await again.retry(floor.pool, floor.tenant_id, row)
        may_answer.set()
        await until_state(floor, row, "sent")
    assert len(asked) == 2


async def test_a_file_that_a_person_has_sent_again_meanwhile_does_not_leave_twice(
    floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker stood still, or uploaded, for so long that its device was another's."""
    monkeypatch.setattr(send, "LOOK_AGAIN_SECONDS", 0.0)
    [device] = await floor.devices(1)
    line, is_first = Line(device), True
    row = await floor.file(device, "60111@s.whatsapp.net")

    async def stand_still() -> None:
        nonlocal is_first
        if is_first:
            is_first = False
            await given_up(floor, device, row)
            await again.retry(floor.pool, floor.tenant_id, row)

    line.uploading = stand_still
    async with sending(floor, [line], tmp_path):
        await until_state(floor, row, "sent")
    assert line.sent == ["60111@s.whatsapp.net"]


async def test_what_a_person_has_sent_again_while_the_machine_slept_does_not_leave_twice(
    floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The monotonic clock stands still then: by it, no time has passed since the claim."""
    [device] = await floor.devices(1)
    line, asleep, awake = Line(device), 0.0, clock.since_boot
    monkeypatch.setattr(clock, "since_boot", lambda: awake() + asleep)
    row = await floor.reply(device)

    async def sleep() -> None:
        nonlocal asleep
        if not asleep:
            asleep = 600.0
            await given_up(floor, device, row)
            await again.retry(floor.pool, floor.tenant_id, row)

    line.introducing = sleep
    async with sending(floor, [line], tmp_path):
        await until_state(floor, row, "sent")
    assert len(line.sent) == 1


async def test_a_file_that_is_cancelled_while_it_is_uploaded_does_not_leave(
    floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "LOOK_AGAIN_SECONDS", 0.0)
    [device] = await floor.devices(1)
    line = Line(device)
    row = await floor.file(device, "60111@s.whatsapp.net")
    line.uploading = lambda: rows.cancel(floor.pool, floor.tenant_id, row)
    async with sending(floor, [line], tmp_path):
        await until_state(floor, row, "cancelled")
    assert line.sent == []


async def test_who_wants_no_more_while_it_is_asked_how_they_are_called_gets_nothing(
    floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the device shows no typing."""
    monkeypatch.setattr(send, "LOOK_AGAIN_SECONDS", 0.0)
    [device] = await floor.devices(1)
    [row] = await floor.rows(await floor.source(), device, 1)
    line = Line(device)

    async def stop() -> None:
        await floor.pool.execute(
            "INSERT INTO suppressions (tenant_id, phone, reason, created_by)"
            " SELECT tenant_id, '+' || split_part(to_jid, '@', 1), 'replied STOP', 'lead' FROM outbox WHERE id = $1",
            row,
        )

    line.introducing = stop
    async with sending(floor, [line], tmp_path):
        await until_state(floor, row, "cancelled")
    assert (await floor.state(row), line.sent) == (("cancelled", "opted_out"), [])


@pytest.mark.parametrize("named", ["60111@s.whatsapp.net", "60333@s.whatsapp.net"])
async def test_a_file_on_its_way_holds_up_what_follows_it_there_and_other_files_but_nothing_else(
    floor: Floor, tmp_path: Path, named: str
) -> None:
    """SPEC section 5: replies are not slowed beyond 1 s, and a large file takes minutes. `named`: as WhatsApp says when
    it is first asked."""
    [device] = await floor.devices(1)
    line, may_arrive = Line(device), asyncio.Event()
    mine, others = "60111@s.whatsapp.net", "60222@s.whatsapp.net"
    line.names[mine] = named
    on_its_way = asyncio.Event()

    async def answer(to_jid: str, content: Content | Change) -> Sent:
        if isinstance(content, Content) and content.media is not None:
            on_its_way.set()
            await may_arrive.wait()
        return await take(to_jid, content)

    line.server = answer
    file, following, second = (
        await floor.file(device, mine),
        await floor.reply(device, mine),
        await floor.file(device, others),
    )
    async with sending(floor, [line], tmp_path) as sender:
        async with asyncio.timeout(120):
            await on_its_way.wait()
        for _ in range(2):
            row = await floor.reply(device, others)
            sender.wake(device)
            await until_state(floor, row, "sent")
        assert [(await floor.state(row))[0] for row in (file, following, second)] == ["sending", "queued", "queued"]
        waits = await claims.next_due(floor.pool, [device], [], filing={device: mine})
        assert waits == {}, "nobody looks again and again meanwhile"
        may_arrive.set()
        for row in (following, second):
            await until_state(floor, row, "sent")
    assert line.sent[:3] == [others, others, named]


async def test_a_file_is_not_in_memory_while_somebody_types(floor: Floor, tmp_path: Path) -> None:
    """Nor before it is uploaded: the session gets to know where it lies."""
    [device] = await floor.devices(1, typing=True)
    sha256 = bytes(32)
    await floor.pool.execute(
        "INSERT INTO media (tenant_id, sha256, mime, size) VALUES ($1, $2, 'application/pdf', 3)",
        floor.tenant_id, sha256,
    )  # fmt: skip
    source = await floor.source(message=Message("document", "Our prices", sha256, "prices.pdf"))
    [row] = await floor.rows(source, device, 1)
    line, told = Line(device), []

    async def answer(to_jid: str, content: Content | Change) -> Sent:
        assert isinstance(content, Content)
        told.append(content.media)
        return await take(to_jid, content)

    line.server = answer
    async with sending(floor, [line], tmp_path):
        await until_state(floor, row, "sent")
    path = tmp_path / "00" / sha256.hex()
    assert told == [Media("document", path, sha256, "application/pdf", "prices.pdf")], "nobody has looked for it yet"


@pytest.mark.parametrize("typing", [True, False])
async def test_what_somebody_stops_while_its_file_is_uploaded_does_not_leave(
    floor: Floor, tmp_path: Path, typing: bool
) -> None:
    """The first from a device, and a file takes minutes."""
    [device] = await floor.devices(1, typing=typing)
    await floor.file(device, "60111@s.whatsapp.net")
    await floor.pool.execute("DELETE FROM outbox")
    source = await floor.source(message=Message("document", "Our prices", bytes(32), "prices.pdf"))
    [row] = await floor.rows(source, device, 1)
    line = Line(device)
    line.uploading = lambda: sources.set_state(floor.pool, floor.tenant_id, source, "paused")
    async with sending(floor, [line], tmp_path):
        await until(lambda: floor.pool.fetchval("SELECT state <> 'sending' AND attempts = 1 FROM outbox"), "it ended")
    assert (await floor.state(row), line.sent) == (("queued", None), [])


async def test_a_limit_of_whatsapp_never_shortens_a_pause(floor: Floor, tmp_path: Path) -> None:
    [short, long] = await floor.devices(2)
    await floor.pool.execute(
        "UPDATE devices SET paused_until = now() + interval '5 hours', pause_reason = 'a ban' WHERE no = $1", long
    )
    lines = [Line(short), Line(long)]

    async def refuse(_to_jid: str, _content: Content | Change) -> Sent:
        raise Refused("the server said 463", 463)

    for line in lines:
        line.server = refuse
    rows = [await floor.reply(short), await floor.reply(long)]
    async with sending(floor, lines, tmp_path):
        for row in rows:
            await until_state(floor, row, "failed")
            assert (await floor.state(row))[1] == "reach_out"
    paused = "SELECT paused_until > now() + interval '2 hours', pause_reason, pause_cause FROM devices WHERE no = $1"
    found = [tuple(await floor.pool.fetchrow(paused, no) or ()) for no in (short, long)]
    limited = "WhatsApp limits messages to people who do not know this number (463)"
    assert found == [(False, limited, "reach_out"), (True, "a ban", None)]


async def _pause(floor: Floor, device_no: int) -> tuple[bool, str | None, str | None]:
    """Whether paced sends of a device wait, why, and what kind of reason that is."""
    wanted = "SELECT paused_until > now(), pause_reason, pause_cause FROM devices WHERE no = $1"
    row = await floor.pool.fetchrow(wanted, device_no)
    assert row is not None
    return bool(row[0]), row[1], row[2]


async def test_what_whatsapp_can_not_take_just_now_is_sent_later(
    floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device pauses a moment, and says why."""
    monkeypatch.setattr(send, "FIRST_BUSY_RETRY", 0.4)
    [device] = await floor.devices(1)
    line, answers = Line(device), [429, 503]

    async def answer(to_jid: str, content: Content | Change) -> Sent:
        if answers:
            raise Busy(f"WhatsApp is busy ({answers[0]})", answers.pop(0))
        return await take(to_jid, content)

    line.server = answer
    row = await floor.reply(device)
    async with sending(floor, [line], tmp_path):
        await until_state(floor, row, "sent")
    assert await floor.pool.fetchval("SELECT attempts FROM outbox WHERE id = $1", row) == 3
    assert (await _pause(floor, device))[1:] == ("WhatsApp is busy (503)", "not_now")


async def test_what_is_never_taken_fails_at_last(floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what was said last, and not counted against the caps; tries without a connection are none of these."""
    monkeypatch.setattr(send, "MOST_REFUSALS", 3)
    monkeypatch.setattr(send, "FIRST_RETRY", 0.01)
    [device, away] = await floor.devices(2)
    line, offline, asked, tries = Line(device), Line(away), [], []
    no_connection, not_taken = Offline("not connected"), NotSent("the file could not be uploaded: status code 401")

    async def answer(to_jid: str, _content: Content | Change) -> Sent:
        asked.append(to_jid)
        raise not_taken

    async def no_answer(to_jid: str, content: Content | Change) -> Sent:
        tries.append(to_jid)
        if len(tries) < 6:
            raise not_taken if len(tries) in (3, 5) else no_connection
        return await take(to_jid, content)

    line.server, offline.server = answer, no_answer
    row, waiting = await floor.reply(device), await floor.reply(away)
    async with sending(floor, [line, offline], tmp_path) as sender:
        await until_state(floor, row, "failed")
        await until_state(floor, waiting, "sent")
        assert len(asked) == 3
        await again.retry(floor.pool, floor.tenant_id, row)
        sender.wake(device)
        await until_state(floor, row, "failed")
        assert len(asked) == 6, "a person's wish is as good as new"
    assert await floor.state(row) == ("failed", "not_taken")
    reason = await floor.pool.fetchval("SELECT reason FROM outbox WHERE id = $1", row)
    assert reason == "given up after 3 attempts: the file could not be uploaded: status code 401"
    assert await floor.sends_counted(device) == 0


async def test_several_refusals_in_a_row_pause_the_device(floor: Floor, tmp_path: Path) -> None:
    [device] = await floor.devices(1)
    line, refuse = Line(device), True

    async def answer(to_jid: str, content: Content | Change) -> Sent:
        if refuse:
            raise Refused("WhatsApp refused the message with error 479", 479)
        return await take(to_jid, content)

    line.server = answer
    async with sending(floor, [line], tmp_path) as sender:
        for turn, is_refused in enumerate([True, True, False, True, True, True]):
            refuse = is_refused
            assert not (await _pause(floor, device))[0], f"before message {turn}"
            row = await floor.reply(device)
            sender.wake(device)
            await until_state(floor, row, "failed" if is_refused else "sent")
    reason = "WhatsApp refused 3 messages one after the other: WhatsApp refused the message with error 479"
    assert await _pause(floor, device) == (True, reason, "refused_often")


@pytest.mark.parametrize(("code", "failed"), [(463, 0), (479, 2)])
async def test_what_waits_at_a_device_that_whatsapp_refuses_is_not_failed_row_by_row(
    floor: Floor, tmp_path: Path, code: int, failed: int
) -> None:
    """Whoever met the refusal goes behind the others, and leaves when the pause is over."""
    [device] = await floor.devices(1, min_seconds=0, max_seconds=0)
    waiting = await floor.rows(await floor.source(Pace(0, 0)), device, 5)
    line, refuses = Line(device), True

    async def answer(to_jid: str, content: Content | Change) -> Sent:
        if refuses:
            raise Refused(f"WhatsApp refused the message with error {code}", code)
        return await take(to_jid, content)

    line.server = answer
    async with sending(floor, [line], tmp_path) as sender:
        await until(lambda: floor.pool.fetchval("SELECT max(refusals) = 1 FROM outbox"), "one met the refusal")
        assert (await _pause(floor, device))[0]
        found = await floor.pool.fetch("SELECT state FROM outbox ORDER BY id")
        assert [row["state"] for row in found] == ["failed"] * failed + ["queued"] * (5 - failed)
        last = await floor.pool.fetchval(
            "SELECT id FROM outbox WHERE state = 'queued' ORDER BY not_before DESC LIMIT 1"
        )
        assert last == waiting[failed]
        refuses = False
        await floor.pool.execute("UPDATE devices SET paused_until = NULL")
        sender.wake(device)
        for row in waiting[failed:]:
            await until_state(floor, row, "sent")


async def test_what_a_campaign_sends_first_from_a_device_is_not_typed_long(floor: Floor) -> None:
    """Whatever place its people are of, and whatever else has left."""
    [device] = await floor.devices(1, min_seconds=0, max_seconds=0)
    for _ in range(2):
        source = await floor.source(Pace(0, 0))
        for zone in ("Asia/Kuala_Lumpur", "Europe/Berlin"):
            await floor.rows(source, device, 1, zone, name="Aisyah " * 20)
    claimed = [one for minute in range(4) for one in await floor.claim_at(NOON + timedelta(minutes=minute), [device])]
    seconds: dict[int | None, list[float]] = {}
    for one in claimed:
        seconds.setdefault(one.source_id, []).append(typing_seconds(one))
    assert list(seconds.values()) == [[0.3, 8.0]] * 2


async def test_a_clock_that_is_set_back_holds_nothing_up(floor: Floor, tmp_path: Path) -> None:
    """What left before counts as left now, and what comes is found though it lies before what was taken."""
    [device] = await floor.devices(1, min_seconds=0, max_seconds=0, per_hour=3, per_day=3)
    source = await floor.source(Pace(0, 0))
    [row] = await floor.rows(source, device, 1, not_before=datetime.now(UTC) - timedelta(minutes=1))
    await floor.pool.execute(
        "UPDATE devices SET last_paced_at = now() + interval '2 years', hour_sends = '{2}', day_sends = '{2}',"
        " hour_slot = slot_of(now() + interval '2 years', 300), day_slot = slot_of(now() + interval '2 years', 3600)"
        " WHERE no = $1",
        device,
    )
    await floor.pool.execute(
        "UPDATE lanes SET passed_at = now() + interval '2 years', walked_at = now() + interval '2 years'"
    )
    async with sending(floor, [Line(device)], tmp_path):
        await until_state(floor, row, "sent")
    clock = "SELECT last_paced_at <= now() AND hour_slot <= slot_of(now(), 300) FROM devices WHERE no = $1"
    assert await floor.pool.fetchval(clock, device)
    assert await floor.sends_counted(device) == 3, "what left before is not forgotten"


async def test_what_had_come_to_its_time_before_a_clock_was_set_back_is_due_and_what_a_person_chose_stays(
    floor: Floor,
) -> None:
    [device] = await floor.devices(1)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    planned = await floor.rows(await floor.source(), device, 2, not_before=tomorrow)
    pooled = await floor.rows(await floor.source(), None, 1, not_before=tomorrow)
    steps = await floor.rows(await floor.source(), device, 2, not_before=tomorrow)
    reply, chosen = await floor.reply(device), await floor.reply(device)
    chosen_at = tomorrow - timedelta(minutes=1)
    change = "UPDATE outbox SET enrolment_id = $2, not_before = $3, created_at = coalesce($4, created_at) WHERE id = $1"
    for row in (
        (steps[0], 1, tomorrow, None), (steps[1], 2, tomorrow + timedelta(days=1), None),
        (reply, None, tomorrow, tomorrow), (chosen, None, tomorrow, chosen_at),
    ):  # fmt: skip
        await floor.pool.execute(change, *row)
    await floor.pool.execute(
        "UPDATE devices SET last_paced_at = $1, paused_until = $2",
        tomorrow + timedelta(minutes=1), tomorrow + timedelta(hours=1),
    )  # fmt: skip
    await floor.pool.execute("UPDATE lanes SET claimed_at = $1, walked_at = $1 WHERE device_no IS NOT NULL", tomorrow)
    await claims.set_clocks_back(floor.pool, floor.worker)
    due = await floor.pool.fetch("SELECT id FROM outbox WHERE not_before <= now() ORDER BY id")
    assert [row["id"] for row in due] == sorted([*planned, *pooled, steps[0], reply])
    found = await floor.pool.fetchrow(
        "SELECT paused_until > now() + interval '50 minutes', paused_until < now() + interval '1 hour',"
        " (SELECT bool_and(claimed_at <= now()) FROM lanes) FROM devices"
    )
    assert found is not None
    assert tuple(found) == (True, True, True)


async def test_what_was_put_in_for_an_old_number_does_not_go_there(floor: Floor) -> None:
    """The number changed while the plan that put it in was not committed: nobody saw the row."""
    [device] = await floor.devices(1, min_seconds=0, max_seconds=0)
    [row] = await floor.rows(await floor.source(Pace(0, 0)), device, 1)
    await floor.pool.execute("UPDATE outbox SET to_jid = '60199999999@s.whatsapp.net' WHERE id = $1", row)
    assert await floor.claim_at(NOON, [device]) == []
    assert await floor.state(row) == ("failed", "number_changed")


SINCE = {
    "paused": ("UPDATE sources SET state = 'paused'", ("queued", None)),
    "cancelled": ("UPDATE outbox SET cause = 'by_person', reason = 'somebody'", ("cancelled", "by_person")),
    "STOP": (
        "INSERT INTO suppressions (tenant_id, phone, reason, created_by)"
        " SELECT tenant_id, '+' || split_part(to_jid, '@', 1), 'STOP', 'lead' FROM outbox",
        ("cancelled", "opted_out"),
    ),
    "held for this person": ("UPDATE outbox SET not_before = now() + interval '100 years'", ("queued", None)),
    "its time is over": ("UPDATE outbox SET expires_at = now()", ("expired", None)),
    "taken to another device": (
        "WITH pool AS (INSERT INTO lanes (tenant_id, source_id, zone, is_live)"
        " SELECT tenant_id, source_id, zone, true FROM lanes RETURNING id)"
        " UPDATE outbox SET lane_id = pool.id FROM pool",
        ("queued", None),
    ),
    "held back by WhatsApp": ("UPDATE devices SET paused_until = now() + interval '1 hour'", ("queued", None)),
    "quiet hours": (
        "UPDATE devices SET quiet_from = (now() AT TIME ZONE 'Asia/Kuala_Lumpur')::time - interval '1 hour',"
        " quiet_until = (now() AT TIME ZONE 'Asia/Kuala_Lumpur')::time + interval '1 hour'",
        ("queued", None),
    ),
    "given up": (
        "WITH other AS (UPDATE leases SET epoch = epoch + 1) UPDATE outbox SET state = 'unknown'",
        ("failed", None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SINCE)
async def test_what_somebody_stops_while_it_is_typed_does_not_leave(floor: Floor, tmp_path: Path, what: str) -> None:
    """It is typed up to 8 s after the claim."""
    change, end = SINCE[what]
    [device] = await floor.devices(1, typing=True)
    [row] = await floor.rows(await floor.source(), device, 1)
    line = Line(device)
    line.meanwhile = lambda: floor.pool.execute(change)
    async with sending(floor, [line], tmp_path):
        await until(
            lambda: floor.pool.fetchval("SELECT bool_and(state <> 'sending' AND attempts = 1) FROM outbox"), what
        )
        await claims.expire(floor.pool)
        await until_state(floor, row, end[0])
    assert (await floor.state(row), line.typed != [], line.sent) == (end, True, [])
    reason = await floor.pool.fetchval("SELECT coalesce(reason, '') FROM outbox WHERE id = $1", row)
    assert ("others had given it up" in reason) == (what == "given up")
    assert await floor.sends_counted(device) == 0


@pytest.mark.parametrize("what", ["a campaign's text that nobody types", "a reply's file"])
async def test_what_is_too_late_when_it_could_leave_does_not(floor: Floor, tmp_path: Path, what: str) -> None:
    """Whose number it is may be asked for seconds, and a file be uploaded for minutes after the claim."""
    [device] = await floor.devices(1)
    row = await floor.file(device, "60123456789@s.whatsapp.net") if "file" in what else None
    row = row or (await floor.rows(await floor.source(), device, 1))[0]
    await floor.pool.execute("UPDATE outbox SET expires_at = clock_timestamp() + interval '1 second'")
    line = Line(device)

    async def too_late() -> None:
        await until(lambda: floor.pool.fetchval("SELECT expires_at <= clock_timestamp() FROM outbox"), "it is over")

    line.introducing = line.uploading = too_late
    async with sending(floor, [line], tmp_path):
        await until(lambda: floor.pool.fetchval("SELECT state <> 'sending' AND attempts = 1 FROM outbox"), what)
        await claims.expire(floor.pool)
        await until_state(floor, row, "expired")
    assert line.sent == []


async def test_what_was_held_back_while_it_was_typed_leaves_once_it_may_before_the_others(
    floor: Floor, tmp_path: Path
) -> None:
    [device] = await floor.devices(1, typing=True, min_seconds=0, max_seconds=0)
    source = await floor.source(Pace(0, 0))
    rows = await floor.rows(source, device, 2)
    line = Line(device)
    line.meanwhile = lambda: sources.set_state(floor.pool, floor.tenant_id, source, "paused")
    back = "SELECT state = 'queued' AND attempts = 1 FROM outbox WHERE id = $1"
    async with sending(floor, [line], tmp_path) as sender:
        await until(lambda: floor.pool.fetchval(back, rows[0]), "it is back")
        line.meanwhile = nothing
        await sources.set_state(floor.pool, floor.tenant_id, source, "running")
        sender.wake(device)
        for row in rows:
            await until_state(floor, row, "sent")
    assert line.sent == [await floor.pool.fetchval("SELECT to_jid FROM outbox WHERE id = $1", row) for row in rows]
