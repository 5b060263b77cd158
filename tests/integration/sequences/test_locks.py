"""Who takes several rows takes them in one order, so that nobody waits in a circle."""

from __future__ import annotations

import asyncpg

from tests.database import blocked
from tests.integration.sequences.people import People, step
from wafast.accounts.principal import Principal
from wafast.database.pool import connect
from wafast.leads import rows as leads
from wafast.outbox.sources import Message, Pace
from wafast.sequences import edits, enrolments, of_leads, rows
from wafast.sequences.rows import Step


async def test_a_lead_is_deleted_while_the_walk_lets_it_enter_the_next_sequence(people: People) -> None:
    second = await people.sequence(step("two"))
    first = await people.sequence(step("one"), next_sequence_id=second)
    lead = await people.lead()
    await people.enrol(first, lead)
    principal = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    async with people.pool.acquire() as walk, walk.transaction():
        await walk.execute("UPDATE enrolments SET state = 'completed', ended_at = now() WHERE lead_id = $1", lead)
        deleting = await blocked(people.pool, leads.delete(people.pool, principal, lead, of_leads))
        entered = "INSERT INTO enrolments (tenant_id, sequence_id, lead_id) VALUES ($1, $2, $3)"
        await walk.execute(entered, people.tenant_id, second, lead)
    assert await deleting
    assert await people.value("SELECT count(*) FROM enrolments") == 0


async def test_people_follow_an_edit_while_a_row_of_theirs_goes_back_to_the_pool(people: People) -> None:
    sequence = await people.sequence(step("one", 60))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    [row] = await people.pool.fetch("SELECT id, source_id FROM outbox")
    [one] = await people.pool.fetch("SELECT id FROM sequence_steps")
    wanted = Step(Message("text", "one"), Pace(0, 0), 120)
    await rows.change_step(people.pool, people.tenant_id, sequence, one["id"], wanted, None)
    connection: asyncpg.Connection = await connect(people.uri, "follow")
    async with people.pool.acquire() as taking, taking.transaction():
        await taking.fetchval("SELECT state FROM sources WHERE id = $1 FOR SHARE", row["source_id"])
        following = await blocked(people.pool, edits.follow(connection))
        await taking.execute("UPDATE outbox SET reason = 'x' WHERE id = $1", row["id"])
    assert await following is not None
    await connection.close()


async def test_a_row_is_tried_again_while_people_follow_an_edit(people: People) -> None:
    sequence = await people.sequence(step("one"))
    await people.enrol(sequence, await people.lead())
    await people.walk()
    await people.send("failed", "refused")
    await people.walk()
    [row] = await people.pool.fetch("SELECT id, source_id, enrolment_id FROM outbox")
    async with people.pool.acquire() as following, following.transaction():
        await following.execute("SELECT FROM sources WHERE id = $1 FOR NO KEY UPDATE", row["source_id"])
        retrying = await blocked(people.pool, enrolments.retry_row(people.pool, people.tenant_id, row["id"]))
        await following.execute("SELECT FROM enrolments WHERE id = $1 FOR NO KEY UPDATE", row["enrolment_id"])
    await retrying
    assert await people.value("SELECT state FROM outbox") == "queued"
