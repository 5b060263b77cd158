"""What has ended stays so, whatever statement is written: invariants 1 to 3 of the outbox rest on it."""

from __future__ import annotations

import asyncpg
import pytest

from tests.integration.outbox.floor import Floor

#: From a state in which a row waits or is under way the claim and its end decide; from these only so.
GOES_ON = {
    "sent": {"delivered", "read"},
    "delivered": {"read"},
    "read": set(),
    "failed": {"queued", "cancelled"},
    "expired": {"queued", "cancelled"},
    "cancelled": {"queued"},
    "unknown": {"sent", "failed", "queued", "cancelled"},
}
STATES = ["queued", "sending", *GOES_ON]


@pytest.mark.parametrize("was", GOES_ON)
async def test_a_row_that_has_ended_goes_on_only_as_is_allowed(floor: Floor, was: str) -> None:
    [device] = await floor.devices(1)
    row = await floor.reply(device)
    claimed = "claim_worker = gen_random_uuid(), claim_epoch = 1, claimed_at = now(), message_id = 'M'"
    await floor.pool.execute(f"UPDATE outbox SET state = $2, {claimed} WHERE id = $1", row, was)
    reached = {becomes for becomes in STATES if becomes != was and await _may_become(floor.pool, row, becomes)}
    assert reached == GOES_ON[was]


async def _may_become(pool: asyncpg.Pool, row: int, state: str) -> bool:
    async with pool.acquire() as connection:
        tried = connection.transaction()
        await tried.start()
        try:
            await connection.execute("UPDATE outbox SET state = $2 WHERE id = $1", row, state)
        except asyncpg.CheckViolationError as error:
            assert error.constraint_name == "outbox_no_way_back"
            return False
        finally:
            await tried.rollback()
    return True
