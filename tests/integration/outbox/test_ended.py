"""How a row goes on, whatever statement is written, and that what has ended stays so: invariants 1 to 3 rest on it."""

from __future__ import annotations

import asyncpg
import pytest

from tests.integration.outbox.floor import Floor
from wafast.outbox import again
from wafast.outbox import claim as claims
from wafast.outbox.again import NotRetryable

GOES_ON = {
    "queued": {"sending", "failed", "expired", "cancelled"},
    "sending": {"sent", "failed", "unknown", "queued", "cancelled"},
    "sent": {"delivered", "read"},
    "delivered": {"read"},
    "read": set(),
    "failed": {"queued", "cancelled"},
    "expired": {"queued", "cancelled"},
    "cancelled": {"queued"},
    "unknown": {"sent", "failed", "queued", "cancelled"},
}
#: By which each is reached from the queue.
WAYS = {
    "queued": [],
    "expired": [],
    "cancelled": [],
    "sending": [],
    "delivered": ["sending", "sent"],
    "read": ["sending", "sent"],
}


@pytest.mark.parametrize("was", GOES_ON)
async def test_a_row_goes_on_only_as_is_allowed(floor: Floor, was: str) -> None:
    [device] = await floor.devices(1)
    row = await floor.reply(device)
    for state in [*WAYS.get(was, ["sending"]), was]:
        claimed = "claim_worker = gen_random_uuid(), claim_epoch = 1, claimed_at = now(), message_id = 'M'"
        await floor.pool.execute(f"UPDATE outbox SET state = $2, {claimed} WHERE id = $1", row, state)
    reached = {becomes for becomes in GOES_ON if becomes != was and await _may_become(floor.pool, row, becomes)}
    assert reached == GOES_ON[was]


async def test_what_is_too_late_is_not_tried_again_unless_it_may_wait_as_long_as_before(floor: Floor) -> None:
    [device] = await floor.devices(1)
    [planned] = await floor.rows(await floor.source(), device, 1)
    reaction, reply = await floor.reply(device), await floor.reply(device)
    await floor.pool.execute("UPDATE outbox SET kind = 'reaction', target = 'M' WHERE id = $1", reaction)
    await floor.pool.execute("UPDATE outbox SET created_at = now() - interval '3 hours', expires_at = now()")
    await claims.expire(floor.pool)
    for row in (planned, reaction):
        async with floor.pool.acquire() as connection, connection.transaction():
            assert await again.queue_again(connection, floor.tenant_id, [row]) == []
            with pytest.raises(NotRetryable, match="The time it was to leave in is over: write anew"):
                await again.queue_one_again(connection, floor.tenant_id, row)
        assert (await floor.state(row))[0] == "expired"
    await again.retry(floor.pool, floor.tenant_id, reply)
    waits = "SELECT state = 'queued' AND expires_at > now() + interval '2 hours' FROM outbox WHERE id = $1"
    assert await floor.pool.fetchval(waits, reply)


async def _may_become(pool: asyncpg.Pool, row: int, state: str) -> bool:
    async with pool.acquire() as connection:
        tried = connection.transaction()
        await tried.start()
        try:
            await connection.execute("UPDATE outbox SET state = $2 WHERE id = $1", row, state)
        except asyncpg.CheckViolationError as error:
            assert error.constraint_name == "outbox_one_way"
            return False
        finally:
            await tried.rollback()
    return True
