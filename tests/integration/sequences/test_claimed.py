"""A sequence and the real claim: rows leave step by step, are held by a pause, and say what the step says when due."""

from __future__ import annotations

from uuid import UUID, uuid4

from tests.integration.sequences.people import People, step
from wafast.devices.lease import Leases
from wafast.devices.session import Sent
from wafast.outbox import claim as claims
from wafast.outbox import transition
from wafast.sequences import enrolments, rows

DAY = 86_400


class Sender:
    """A worker that holds the device and sends to nobody."""

    def __init__(self, people: People, worker_id: UUID) -> None:
        self._people, self._worker_id = people, worker_id

    @classmethod
    async def make(cls, people: People) -> Sender:
        """With the lease."""
        leases = Leases(people.pool, uuid4(), "loopback")
        await leases.beat()
        assert [one.device_no for one in await leases.acquire()] == [people.device_no]
        return cls(people, leases.worker_id)

    async def send(self) -> list[str]:
        """The words of all that may leave now."""
        said: list[str] = []
        device = [self._people.device_no]
        while claimed := await claims.claim(self._people.pool, self._worker_id, [], device):
            for one in claimed:
                sent = Sent(f"M{one.id}", 1_795_574_838 + one.id)
                assert await transition.record_sent(self._people.pool, self._worker_id, one, sent, 20)
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
    change = {"trigger": None, "next_sequence_id": None, "stop_on_reply": True}
    await rows.change(people.pool, people.tenant_id, sequence, "Welcome", **change, state="paused")  # type: ignore[arg-type]
    assert await sender.send() == []
    [first, _] = await rows.list_steps(people.pool, people.tenant_id, sequence)
    await rows.change_step(people.pool, people.tenant_id, sequence, first.id, step("Hi {name}"))
    await rows.change(people.pool, people.tenant_id, sequence, "Welcome", **change, state="active")  # type: ignore[arg-type]
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
