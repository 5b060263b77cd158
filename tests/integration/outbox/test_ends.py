"""Ends of sends are recorded together, and each as if it were alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.integration.outbox.floor import Floor
from tests.integration.outbox.lines import Line, Send, sending, take, until, until_state
from wafast.devices import bulk
from wafast.devices.session import Change, Content, Sent
from wafast.distribution import choices
from wafast.outbox import again, lanes, naming, transition
from wafast.outbox import claim as claims
from wafast.outbox.claim import Claim
from wafast.outbox.sources import Pace
from wafast.outbox.transition import End

AT = 1_795_574_838
#: PostgreSQL stores no such text.
NO_ID = "A\x00B"


async def claimed(floor: Floor, devices: list[int]) -> dict[int, Claim]:
    """A send from each device that is on its way, by device."""
    for place, device in enumerate(devices):
        await floor.reply(device, f"6012000{place}@s.whatsapp.net")
    return {claim.device_no: claim for claim in await claims.claim(floor.pool, floor.worker, devices, [])}


async def answering_together(floor: Floor, folder: Path, lines: list[Line], servers: dict[int, Send]) -> list[int]:
    """A reply from each line, and all are answered at the same instant: by `take`, or those of a device by its server.
    Gives the rows once nothing is on its way."""
    rows, asked, may_answer = [await floor.reply(line.device_no) for line in lines], [], asyncio.Event()

    def held(line: Line) -> Send:
        async def answer(to_jid: str, content: Content | Change) -> Sent:
            asked.append(line.device_no)
            await may_answer.wait()
            return await servers.get(line.device_no, take)(to_jid, content)

        return answer

    async def are_all_asked() -> bool:
        return len(asked) == len(lines)

    for line in lines:
        line.server = held(line)
    async with sending(floor, lines, folder):
        await until(are_all_asked, "all are being sent")
        may_answer.set()
        for row in rows:

            async def is_over(row: int = row) -> bool:
                return (await floor.state(row))[0] != "sending"

            await until(is_over, f"row {row} has ended")
    return rows


async def test_what_ends_together_is_one_transaction(floor: Floor, tmp_path: Path) -> None:
    lines = [Line(no) for no in await floor.devices(30)]
    rows = await answering_together(floor, tmp_path, lines, {})
    ended = await floor.pool.fetch("SELECT state, xmin::text FROM outbox WHERE id = ANY ($1)", rows)
    assert {row["state"] for row in ended} == {"sent"}
    assert len({row["xmin"] for row in ended}) <= 3
    assert await floor.pool.fetchval("SELECT count(*) FROM messages") == 30


async def test_an_end_that_cannot_be_recorded_spoils_no_other(floor: Floor, tmp_path: Path) -> None:
    lines = [Line(no) for no in await floor.devices(10)]

    async def answer_nonsense(_to_jid: str, _content: Content | Change) -> Sent:
        return Sent(NO_ID, AT)

    rows = await answering_together(floor, tmp_path, lines, {lines[4].device_no: answer_nonsense})
    states = [(await floor.state(row))[0] for row in rows]
    assert states == ["unknown" if place == 4 else "sent" for place in range(10)]


async def test_an_end_waits_alone_for_whoever_holds_its_device(floor: Floor, tmp_path: Path) -> None:
    """As one does who deletes it: for as long as that takes."""
    devices = await floor.devices(10)
    lines, may_answer = [Line(no) for no in devices], asyncio.Event()

    async def answer(to_jid: str, content: Content | Change) -> Sent:
        await may_answer.wait()
        return await take(to_jid, content)

    for line in lines:
        line.server = answer
    rows = [await floor.reply(no) for no in devices]
    async with sending(floor, lines, tmp_path):
        for row in rows:
            await until_state(floor, row, "sending")
        async with floor.pool.acquire() as holder, holder.transaction():
            await holder.execute("SELECT FROM devices WHERE no = $1 FOR UPDATE", devices[4])
            may_answer.set()
            for row in rows[:4] + rows[5:]:
                await until_state(floor, row, "sent")
            assert (await floor.state(rows[4]))[0] == "sending"
        await until_state(floor, rows[4], "sent")


async def test_an_end_that_is_written_again_ends_no_later_attempt(floor: Floor) -> None:
    """Its answer was lost; meanwhile the row is under way from another device, whose lease has the same epoch."""
    device, other = await floor.devices(2, min_seconds=0, max_seconds=0)
    source = await floor.source(Pace(0, 0), may_move=True)
    [row] = await floor.rows(source, device, 1)
    [first] = await claims.claim(floor.pool, floor.worker, [], [device])
    end = End(first, "queued", "not sent yet: offline")
    assert await transition.record(floor.pool, floor.worker, [end], 20) == {row}
    assert await lanes.move(floor.pool, [row], [await floor.lane(source, other)]) == [row]
    [second] = await claims.claim(floor.pool, floor.worker, [], [other])
    assert (second.id, second.claim_epoch) == (first.id, first.claim_epoch)
    assert await transition.record(floor.pool, floor.worker, [end], 20) == set()
    assert (await floor.state(row))[0] == "sending"
    sent = End(second, "sent", sent=Sent("ONCE", AT))
    assert await transition.record(floor.pool, floor.worker, [sent], 20) == {row}


@pytest.mark.parametrize("what", ["a look", "an end", "a name"])
async def test_a_claim_whose_device_was_deleted_says_nothing_of_the_row_once_a_person_had_it_tried_again(
    floor: Floor, what: str
) -> None:
    """It is the first attempt anew, by the same worker, under a lease of the same epoch."""
    device, other = await floor.devices(2, min_seconds=0, max_seconds=0)
    source = await floor.source(Pace(0, 0))
    [row] = await floor.rows(source, device, 1)
    [first] = await claims.claim(floor.pool, floor.worker, [], [device])
    public = await floor.pool.fetchval("SELECT id FROM devices WHERE no = $1", device)
    await bulk.delete(floor.pool, floor.tenant_id, [public], choices)
    await again.queue_one_again(floor.pool, floor.tenant_id, row)
    assert await lanes.move(floor.pool, [row], [await floor.lane(source, other)]) == [row]
    [second] = await claims.claim(floor.pool, floor.worker, [], [other])
    assert (second.id, second.claim_epoch, second.attempts) == (first.id, first.claim_epoch, first.attempts)
    if what == "a look":
        assert await claims.held_since(floor.pool, floor.worker, first) == "given_up"
        assert await claims.held_since(floor.pool, floor.worker, second) is None
    elif what == "a name":
        await naming.note(floor.pool, floor.worker, first, "60999@s.whatsapp.net")
        assert await floor.pool.fetchval("SELECT named_jid FROM outbox") is None
    else:
        end = End(first, "queued", "not sent yet: the device is not connected")
        assert await transition.record(floor.pool, floor.worker, [end], 20) == set()
    assert (await floor.state(row))[0] == "sending"


async def test_ends_of_one_transaction_are_not_mixed_up(floor: Floor) -> None:
    devices = await floor.devices(6)
    of = await claimed(floor, devices)
    text, picture, lost, limited, absent, later = (of[no] for no in devices)
    await floor.pool.execute("UPDATE outbox SET claim_epoch = claim_epoch + 1 WHERE id = $1", lost.id)
    media: dict[str, object] = {"mime": "image/jpeg", "ext": "jpg"}
    ends = [
        End(later, "queued", "not sent yet: offline", again_seconds=600),
        End(absent, "failed", "nobody is there", cause="not_on_whatsapp"),
        End(limited, "failed", "463", cause="reach_out", pause=transition.REACH_OUT),
        End(lost, "sent", sent=Sent("LOST", AT)),
        End(picture, "sent", sent=Sent("PICTURE", AT + 1, media, b"small")),
        End(text, "sent", sent=Sent("TEXT", AT)),
    ]
    ours = await transition.record(floor.pool, floor.worker, ends, 20)
    assert ours == {claim.id for claim in of.values()} - {lost.id}
    found = await floor.pool.fetch(
        "SELECT device_no, state, cause, message_id, not_before > now() + interval '9 minutes' FROM outbox ORDER BY id"
    )
    assert [tuple(row) for row in found] == [
        (devices[0], "sent", None, "TEXT", False),
        (devices[1], "sent", None, "PICTURE", False),
        (devices[2], "sending", None, None, False),
        (devices[3], "failed", "reach_out", None, False),
        (devices[4], "failed", "not_on_whatsapp", None, False),
        (devices[5], "queued", None, None, True),
    ]
    stored = await floor.pool.fetch(
        "SELECT m.device_no, c.jid, m.message_id, m.media, m.sender >> 3 AS number, p.jpeg, c.stored,"
        " c.last_key = m.key AS is_last FROM messages m JOIN chats c ON c.id = m.chat_id AND c.device_no = m.device_no"
        " LEFT JOIN thumbnails p ON p.chat_id = m.chat_id AND p.key = m.key ORDER BY m.device_no"
    )
    assert [tuple(row) for row in stored] == [
        (no, of[no].to_jid, message_id, media, int(f"6010{no}"), picture, 1, True)
        for no, message_id, media, picture in (
            (devices[0], "TEXT", None, None),
            (devices[1], "PICTURE", media, b"small"),
            (devices[2], "LOST", None, None),
        )
    ], "what has left is stored, whatever has become of its row"
    assert await floor.pool.fetchval("SELECT array_agg(phone) FROM number_checks") == ["+60120004"]
    paused = await floor.pool.fetchval("SELECT array_agg(no) FROM devices WHERE paused_until > now()")
    assert paused == [devices[3]]


async def test_receipts_that_came_first_go_to_their_messages(floor: Floor) -> None:
    devices = await floor.devices(3)
    of = await claimed(floor, devices)
    for no, statuses in zip(devices, ((3,), (4, 3), ()), strict=True):
        chat = await floor.pool.fetchval(
            "INSERT INTO chats (tenant_id, device_no, jid) VALUES ($1, $2, $3) RETURNING id",
            floor.tenant_id, no, of[no].to_jid,
        )  # fmt: skip
        for status in statuses:
            await floor.pool.execute(
                "INSERT INTO pending_changes (tenant_id, device_no, chat_id, message_id, change)"
                " VALUES ($1, $2, $3, $4, $5)",
                floor.tenant_id, no, chat, f"M{no}", {"change": "status", "status": status, "at": AT + status},
            )  # fmt: skip
    ends = [End(of[no], "sent", sent=Sent(f"M{no}", AT)) for no in reversed(devices)]
    await transition.record(floor.pool, floor.worker, ends, 20)
    assert [(await floor.state(of[no].id))[0] for no in devices] == ["delivered", "read", "sent"]
    shown = await floor.pool.fetch(
        "SELECT status, last_status FROM messages m JOIN chats c ON c.id = chat_id ORDER BY id"
    )
    assert [tuple(row) for row in shown] == [(3, 3), (4, 4), (2, 2)]


async def test_what_a_device_has_sent_that_is_gone_is_sent(floor: Floor) -> None:
    """Its chats are gone with it."""
    [gone, other] = await floor.devices(2)
    await floor.rows(await floor.source(), gone, 1)
    await floor.rows(await floor.source(), other, 1)
    sent = await claims.claim(floor.pool, floor.worker, [], [gone, other])
    public = await floor.pool.fetchval("SELECT id FROM devices WHERE no = $1", gone)
    await bulk.delete(floor.pool, floor.tenant_id, [public], choices)
    ends = [End(claim, "sent", sent=Sent(f"M{claim.id}", AT)) for claim in sent]
    assert await transition.record(floor.pool, floor.worker, ends, 20) == {claim.id for claim in sent}
    assert [(await floor.state(claim.id))[0] for claim in sent] == ["sent", "sent"]
    assert await floor.pool.fetchval("SELECT count(*) FROM messages") == 1
