"""A sequence and the real claim: rows leave step by step, are held by a pause, and say what the step says when due."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.claimed import CLAIMED
from tests.integration.sequences.people import People, saying, step
from wafast.accounts.principal import Principal
from wafast.devices.lease import Leases
from wafast.devices.session import Sent
from wafast.leads import merging
from wafast.leads import rows as leads
from wafast.outbox import claim as claims
from wafast.outbox import naming, transition
from wafast.outbox.again import NotRetryable
from wafast.outbox.claim import Claim
from wafast.outbox.transition import End
from wafast.sequences import edits, enrolments, of_leads, rows

DAY = 86_400
SITI = "+60123456789"


class Sender:
    """A worker that holds the device and sends to nobody."""

    def __init__(self, people: People, worker_id: UUID) -> None:
        self._people, self.worker_id = people, worker_id

    @classmethod
    async def make(cls, people: People) -> Sender:
        """With the lease."""
        leases = Leases(people.pool, uuid4(), "loopback")
        await leases.beat()
        assert [one.device_no for one in await leases.acquire()] == [people.device_no]
        return cls(people, leases.worker_id)

    async def claim(self) -> Claim:
        """The one row that may leave now, on its way from then on."""
        [claim] = await claims.claim(self._people.pool, self.worker_id, [], [self._people.device_no])
        return claim

    async def fail(self, claim: Claim) -> None:
        """It has not left, and may be tried again at once."""
        assert await transition.record(
            self._people.pool, self.worker_id, [End(claim, "queued", "not sent yet: offline")], 20
        )

    async def end(self, claim: Claim) -> bool:
        """It has left."""
        sent = Sent(f"M{claim.id}", 1_795_574_838 + claim.id)
        return bool(await transition.record(self._people.pool, self.worker_id, [End(claim, "sent", sent=sent)], 20))

    async def send(self) -> list[str]:
        """The words of all that may leave now."""
        said: list[str] = []
        device = [self._people.device_no]
        while claimed := await claims.claim(self._people.pool, self.worker_id, [], device):
            for one in claimed:
                assert await self.end(one)
                said.append(one.body)
            await self._people.pool.execute("UPDATE devices SET hour_sends = '{}', day_sends = '{}'")
        return said


async def test_thirty_one_steps_through_the_claim(people: People) -> None:
    sender = await Sender.make(people)
    sequence = await people.sequence(*(step(f"{{name|friend}}, day {day}", DAY) for day in range(31)))
    await people.enrol(sequence, await people.lead(name="Farid"), await people.lead(name=""))
    said: list[str] = []
    for _ in range(31):
        await people.walk()
        assert await sender.send() == []
        await people.pass_time(DAY)
        said += sorted(await sender.send())
    await people.walk()
    assert said == [f"{name}, day {day}" for day in range(31) for name in ("Farid", "friend")]
    assert await people.states(sequence) == [("completed", None)] * 2
    assert await people.value("SELECT count(*) FROM outbox WHERE state = 'sent'") == 62


async def test_pauses_edits_and_opt_outs_hold_at_the_next_claim(people: People) -> None:
    sender = await Sender.make(people)
    sequence = await people.sequence(step("one"), step("two"), trigger="vip")
    lead = await people.lead("vip", phone="+60123456789")
    await people.walk()
    await rows.change(people.pool, people.tenant_id, sequence, {"state": "paused"})
    assert await sender.send() == []
    [first, _] = await rows.list_steps(people.pool, people.tenant_id, sequence)
    await rows.change_step(people.pool, people.tenant_id, sequence, first.id, saying("Hi {name}"))
    await rows.change(people.pool, people.tenant_id, sequence, {"state": "active"})
    assert await sender.send() == ["Hi Farid"]
    await people.walk()
    [row] = await people.pool.fetch("SELECT id FROM enrolments")
    place = (people.pool, people.tenant_id, sequence, row["id"])
    await enrolments.set_state(*place, "paused")
    assert await sender.send() == []
    await enrolments.set_state(*place, "active")
    await people.pool.execute(
        "INSERT INTO suppressions (tenant_id, phone, reason, created_by) VALUES ($1, '+60123456789', 'x', 'test')",
        people.tenant_id,
    )
    assert await sender.send() == []
    await people.walk()
    assert await people.states(sequence) == [("stopped", "opted_out")]
    buckets = "SELECT bucket, sum(n)::int4 AS n FROM source_buckets GROUP BY bucket ORDER BY bucket"
    assert [tuple(one) for one in await people.pool.fetch(buckets)] == [("opted_out", 1), ("sent", 1)]
    assert lead


async def _stop(people: People, sequence: int, enrolment: int) -> None:
    await enrolments.set_state(people.pool, people.tenant_id, sequence, enrolment, "stopped")


async def _skip(people: People, sequence: int, enrolment: int) -> None:
    await enrolments.skip(people.pool, people.tenant_id, sequence, enrolment)


async def _delete_step(people: People, sequence: int, enrolment: int) -> None:
    [first, *_] = await rows.list_steps(people.pool, people.tenant_id, sequence)
    await rows.delete_step(people.pool, people.tenant_id, sequence, first.id)
    await people.walk()


async def _delete_sequence(people: People, sequence: int, enrolment: int) -> None:
    await enrolments.delete(people.pool, people.tenant_id, sequence)
    await people.walk()


async def _reply(people: People, sequence: int, enrolment: int) -> None:
    await people.write("Hello", SITI)
    await people.follow()


async def _opt_out(people: People, sequence: int, enrolment: int) -> None:
    await people.write("stop", SITI)
    await people.follow()


async def _delete_lead(people: People, sequence: int, enrolment: int) -> None:
    await leads.remove(people.pool, people.tenant_id, [await people.value("SELECT id FROM leads")], of_leads)


async def _merge_lead(people: People, sequence: int, enrolment: int) -> None:
    gone, kept = await people.value("SELECT id FROM leads"), await people.lead()
    assert await merging.merge(people.pool, _admin(people), kept, gone, of_leads)


async def _change_number(people: People, sequence: int, enrolment: int) -> None:
    lead = await people.value("SELECT id FROM leads")
    assert await leads.change(people.pool, _admin(people), lead, {"phone": "+60199999999"}, of_leads)


def _admin(people: People) -> Principal:
    return Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)


@pytest.mark.parametrize(
    ("decide", "cause"),
    [
        (_stop, "by_person"),
        (_skip, "by_person"),
        (_delete_step, "parent_gone"),
        (_delete_sequence, "parent_gone"),
        (_reply, "replied"),
        (_opt_out, "opted_out"),
        (_delete_lead, "lead_gone"),
        (_merge_lead, "merged"),
        (_change_number, "number_changed"),
    ],
)
async def test_a_send_that_fails_is_not_tried_again_when_nobody_wants_it_any_more(
    people: People, decide: Callable[[People, int, int], Awaitable[None]], cause: str
) -> None:
    sender = await Sender.make(people)
    sequence = await people.sequence(step("one"))
    await people.enrol(sequence, await people.lead(phone=SITI))
    await people.walk()
    claim = await sender.claim()
    await decide(people, sequence, await people.value("SELECT id FROM enrolments"))
    assert await people.value("SELECT state FROM outbox WHERE id = $1", claim.id) == "sending"
    await sender.fail(claim)
    row = await people.pool.fetchrow("SELECT state, cause FROM outbox WHERE id = $1", claim.id)
    assert row is not None
    assert tuple(row) == ("cancelled", cause)


async def test_a_send_that_leaves_after_all_is_sent_whoever_wanted_it_no_more(people: People) -> None:
    sender = await Sender.make(people)
    sequence = await people.sequence(step("one"))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    claim = await sender.claim()
    await _stop(people, sequence, await people.value("SELECT id FROM enrolments"))
    assert await sender.end(claim)
    row = await people.pool.fetchrow("SELECT state, cause, reason FROM outbox")
    assert row is not None
    assert tuple(row) == ("sent", None, None)


async def test_a_send_that_fails_waits_while_its_way_is_paused(people: People) -> None:
    sender = await Sender.make(people)
    sequence = await people.sequence(step("one"))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    claim = await sender.claim()
    place = (people.pool, people.tenant_id, sequence, await people.value("SELECT id FROM enrolments"))
    await enrolments.set_state(*place, "paused")
    await sender.fail(claim)
    assert await sender.send() == []
    await enrolments.set_state(*place, "active")
    assert await sender.send() == ["one"]


async def test_a_send_that_fails_waits_as_its_step_says_by_then(people: People) -> None:
    sender = await Sender.make(people)
    sequence = await people.sequence(step("one"))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    claim = await sender.claim()
    [first] = await rows.list_steps(people.pool, people.tenant_id, sequence)
    await rows.change_step(people.pool, people.tenant_id, sequence, first.id, saying("tomorrow", DAY))
    await people.walk()
    await sender.fail(claim)
    assert await people.value("SELECT o.not_before - e.since FROM outbox o, enrolments e") == timedelta(days=1)
    assert await sender.send() == []


async def test_a_step_that_failed_is_tried_again_while_no_other_is_open(people: People) -> None:
    """SPEC section 6: one open step per enrolment."""
    sender = await Sender.make(people)
    sequence = await people.sequence(step("one"), step("two", DAY))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    await people.send("failed", "refused")
    failed = await people.value("SELECT id FROM outbox WHERE state = 'failed'")
    await people.walk()
    with pytest.raises(NotRetryable, match="has gone on to another step"):
        await enrolments.retry_row(people.pool, people.tenant_id, failed)
    await people.pass_time(DAY)
    await people.send("failed", "refused")
    await people.walk()
    assert await people.states(sequence) == [("completed", None)]
    last = await people.value("SELECT max(id) FROM outbox WHERE state = 'failed'")
    await enrolments.retry_row(people.pool, people.tenant_id, last)
    with pytest.raises(NotRetryable, match="only one can be open"):
        await enrolments.retry_row(people.pool, people.tenant_id, failed)
    assert await sender.send() == ["two"]
    await enrolments.retry_row(people.pool, people.tenant_id, failed)
    assert await sender.send() == ["one"]


async def test_a_step_that_is_too_late_expires_and_the_next_one_follows(people: People) -> None:
    """SPEC section 10, invariant 4: staleness is an explicit `expires_at`."""
    sender = await Sender.make(people)
    sequence = await people.sequence(step("happy birthday", DAY, 3600), step("and today?", DAY))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    await people.pass_time(DAY + 3601)
    assert await sender.send() == []
    await claims.expire(people.pool)
    assert await people.value("SELECT reason FROM outbox WHERE state = 'expired'") == "it could not leave in time"
    await people.walk()
    assert await sender.send() == [], "its delay counts from then"
    await people.pass_time(DAY + 3601)
    assert await sender.send() == ["and today?"]


async def test_the_end_of_a_step_holds_for_who_waits_and_goes_on_while_somebody_is_paused(people: People) -> None:
    sender = await Sender.make(people)
    sequence = await people.sequence(step("one", DAY))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    waits = "SELECT o.expires_at - e.since FROM outbox o JOIN enrolments e ON e.outbox_id = o.id"
    assert await people.value(waits) is None
    [one] = await rows.list_steps(people.pool, people.tenant_id, sequence)
    for expires, until in ((3600, timedelta(days=1, hours=1)), (None, None), (7200, timedelta(days=1, hours=2))):
        await rows.change_step(people.pool, people.tenant_id, sequence, one.id, {"expires_seconds": expires})
        await people.walk()
        assert await people.value(waits) == until
    place = (people.pool, people.tenant_id, sequence, await people.value("SELECT id FROM enrolments"))
    await enrolments.set_state(*place, "paused")
    await rows.change_step(people.pool, people.tenant_id, sequence, one.id, {"expires_seconds": 3600})
    await people.walk()
    await enrolments.set_state(*place, "active")
    assert await people.value(waits) == timedelta(days=1, hours=1)
    await enrolments.set_state(*place, "paused")
    await people.pool.execute("UPDATE outbox SET expires_at = now()")
    await claims.expire(people.pool)
    await enrolments.set_state(*place, "active")
    await people.walk()
    assert await sender.send() == []
    assert await people.states(sequence) == [("completed", None)]


async def test_no_step_is_too_late_because_its_sequence_stood_still(people: People) -> None:
    sender = await Sender.make(people)
    sequence = await people.sequence(step("one", 0, 3600), step("two", 0, 3600))
    await rows.change(people.pool, people.tenant_id, sequence, {"state": "paused"})
    await people.enrol(sequence, await people.lead())
    await people.walk()
    for text in ("one", "two"):
        await people.pass_time(DAY)
        await claims.expire(people.pool)
        await people.walk()
        assert await sender.send() == []
        await rows.change(people.pool, people.tenant_id, sequence, {"state": "active"})
        await claims.expire(people.pool)
        assert await sender.send() == [], "until everybody follows"
        await people.walk()
        assert await people.value("SELECT expires_at - now() <= interval '1 hour' FROM outbox WHERE state = 'queued'")
        assert await sender.send() == [text]
        await people.walk()
        await rows.change(people.pool, people.tenant_id, sequence, {"state": "paused"})


async def test_who_waited_while_a_sequence_stood_still_has_all_the_time_of_a_step_that_is_edited_since(
    people: People,
) -> None:
    sender = await Sender.make(people)
    sequence = await people.sequence(step("one", 0, 7200))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    await rows.change(people.pool, people.tenant_id, sequence, {"state": "paused"})
    await people.pass_time(DAY)
    await people.walk()
    await rows.change(people.pool, people.tenant_id, sequence, {"state": "active"})
    [one] = await rows.list_steps(people.pool, people.tenant_id, sequence)
    await rows.change_step(people.pool, people.tenant_id, sequence, one.id, {"expires_seconds": 3600})
    await people.walk()
    await claims.expire(people.pool)
    assert await sender.send() == ["one"]


async def test_a_step_that_was_typed_when_its_sequence_was_paused_does_not_end_in_the_pause(people: People) -> None:
    sender = await Sender.make(people)
    sequence = await people.sequence(step("one", 0, 3600))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    await people.pool.execute(CLAIMED)
    await rows.change(people.pool, people.tenant_id, sequence, {"state": "paused"})
    await people.pool.execute("UPDATE outbox SET state = 'queued', claim_worker = NULL, claim_epoch = NULL")
    await people.pass_time(DAY)
    await claims.expire(people.pool)
    await people.walk()
    await claims.expire(people.pool)
    assert await people.value("SELECT state FROM outbox") == "queued"
    await rows.change(people.pool, people.tenant_id, sequence, {"state": "active"})
    await people.walk()
    assert await sender.send() == ["one"]


async def test_what_is_tried_again_for_one_whose_way_has_ended_has_all_its_time_after_a_pause(people: People) -> None:
    sender = await Sender.make(people)
    sequence = await people.sequence(step("one", 0, 3600))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    refused = End(await sender.claim(), "failed", "WhatsApp refused it")
    assert await transition.record(people.pool, sender.worker_id, [refused], 20)
    await people.walk()
    assert await people.states(sequence) == [("completed", None)]
    await enrolments.retry_row(people.pool, people.tenant_id, await people.value("SELECT id FROM outbox"))
    await rows.change(people.pool, people.tenant_id, sequence, {"state": "paused"})
    await people.walk()
    await people.pass_time(DAY)
    await claims.expire(people.pool)
    await rows.change(people.pool, people.tenant_id, sequence, {"state": "active"})
    await people.walk()
    await claims.expire(people.pool)
    left = "SELECT expires_at - now() BETWEEN '59 minutes' AND '1 hour' FROM outbox WHERE state = 'queued'"
    assert await people.value(left)


async def test_what_waits_for_a_lead_leaves_at_the_hours_of_its_new_number(people: People) -> None:
    sender = await Sender.make(people)
    lead = await people.lead()
    await people.enrol(await people.sequence(step("one")), lead)
    await people.walk()
    admin = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    assert await leads.change(people.pool, admin, lead, {"phone": "+5511912345678"}, of_leads)
    shown = "SELECT n.zone = l.zone FROM outbox o JOIN lanes n ON n.id = o.lane_id JOIN leads l ON l.id = o.lead_id"
    assert await people.value(shown)
    assert (await sender.claim()).to_jid == "5511912345678@s.whatsapp.net"


async def test_a_step_put_in_for_an_old_number_is_tried_again_for_the_new_one(people: People) -> None:
    sender = await Sender.make(people)
    sequence = await people.sequence(step("one"))
    lead = await people.lead()
    await people.enrol(sequence, lead)
    await people.walk()
    # not as a person changes it: that readdresses what waits, but does not see what a walk has not committed
    await people.pool.execute("UPDATE leads SET phone = '+60199999999' WHERE id = $1", lead)
    assert await sender.send() == []
    await people.walk()
    row = await people.value("SELECT id FROM outbox WHERE state = 'failed' AND cause = 'number_changed'")
    await enrolments.retry_row(people.pool, people.tenant_id, row)
    assert (await sender.claim()).to_jid == "60199999999@s.whatsapp.net"


@pytest.mark.parametrize("decide", [_delete_step, _delete_sequence])
async def test_what_is_tried_again_for_people_at_their_end_ends_with_what_it_comes_from(
    people: People, monkeypatch: pytest.MonkeyPatch, decide: Callable[[People, int, int], Awaitable[None]]
) -> None:
    monkeypatch.setattr(edits, "STEP", 1)
    sender = await Sender.make(people)
    sequence = await people.sequence(step("one"))
    await people.enrol(sequence, *[await people.lead() for _ in range(3)])
    await people.walk()
    await people.send("failed", "refused")
    await people.walk()
    assert await people.states(sequence) == [("completed", None)] * 3
    for row in await people.pool.fetch("SELECT id FROM outbox"):
        await enrolments.retry_row(people.pool, people.tenant_id, row["id"])
    claim = await sender.claim()
    await decide(people, sequence, 0)
    await sender.fail(claim)
    ended = await people.pool.fetch("SELECT state, cause FROM outbox")
    assert [tuple(row) for row in ended] == [("cancelled", "parent_gone")] * 3


@pytest.mark.parametrize(
    ("decide", "why"),
    [
        (_stop, "Welcome is stopped"),
        (_delete_step, "was deleted"),
        (_delete_sequence, "was deleted"),
        (_delete_lead, "was deleted"),
        (_opt_out, "is stopped"),
    ],
)
async def test_a_step_that_failed_is_not_tried_again_when_nobody_wants_it_any_more(
    people: People, decide: Callable[[People, int, int], Awaitable[None]], why: str
) -> None:
    sequence = await people.sequence(step("one"), step("two", DAY))
    await people.enrol(sequence, await people.lead(phone=SITI))
    await people.walk()
    await people.send("failed", "refused")
    await people.walk()
    row = await people.value("SELECT id FROM outbox WHERE state = 'failed'")
    await decide(people, sequence, await people.value("SELECT id FROM enrolments"))
    with pytest.raises(NotRetryable, match=why):
        await enrolments.retry_row(people.pool, people.tenant_id, row)
    assert await people.value("SELECT state FROM outbox WHERE id = $1", row) == "failed"


async def _two_of_one_person(people: People) -> tuple[Sender, int, int]:
    """Two leads at the first step of a sequence, whose numbers WhatsApp names the same, as is known only now."""
    sender, numbers = await Sender.make(people), ("+5511912345678", "+5511812345678")
    sequence = await people.sequence(step("one"))
    await people.enrol(sequence, *[await people.lead(phone=number) for number in numbers])
    await people.walk()
    first, second = [row["id"] for row in await people.pool.fetch("SELECT id FROM outbox ORDER BY id")]
    return sender, first, second


async def _name_both(people: People) -> None:
    for number in ("+5511912345678", "+5511812345678"):
        await people.name(number, "+551112345678")


STATE = "SELECT state || coalesce(' ' || cause, '') FROM outbox WHERE id = $1"


async def test_two_lines_at_once_do_not_send_a_step_to_one_person(people: People) -> None:
    sender, first, second = await _two_of_one_person(people)
    await _name_both(people)
    device = [people.device_no]
    async with people.pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute(
                "UPDATE outbox SET state = 'sending', claim_worker = gen_random_uuid(), claim_epoch = 1, attempts = 1,"
                " claimed_at = now(), named_jid = '551112345678@s.whatsapp.net' WHERE id = $1", first,
            )  # fmt: skip
            waits = asyncio.create_task(claims.claim(people.pool, sender.worker_id, [], device))
            await people.until(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock')"
            )
        assert await waits == []
    assert await claims.claim(people.pool, sender.worker_id, [], device) == []
    assert await people.value(STATE, second) == "cancelled same_person"


async def test_of_two_steps_whose_person_is_named_as_they_leave_one_leaves(people: People) -> None:
    sender, *_ = await _two_of_one_person(people)
    both = [await sender.claim(), await sender.claim()]
    await _name_both(people)
    causes = [await naming.note(people.pool, sender.worker_id, one, "551112345678@s.whatsapp.net") for one in both]
    assert causes == [None, "same_person"]
