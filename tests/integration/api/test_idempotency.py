"""Idempotency-Key when the database goes away in the middle: what was done once is not done again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pytest

from tests.integration.api.world import Tenant
from wafast.api.idempotency import Answer, IdempotencyKeys
from wafast.api.problems import Problem
from wafast.database.together import together

MADE = {
    "/api/v1/campaigns": ({"name": "Raya"}, "campaigns"),
    "/api/v1/sequences": ({"name": "Welcome"}, "sequences"),
    "/api/v1/keys": ({"name": "CRM", "scope": "read"}, "api_keys"),
    "/api/v1/users": ({"name": "Siti", "email": "siti@{tenant}.example.com", "role": "agent"}, "members"),
    "/api/v1/devices": ({"name": "Sales"}, "devices"),
}


@contextmanager
def cut_at(tenant: Tenant, table: str) -> Iterator[None]:
    """Whoever puts a row of the workspace into a table loses his connection then."""
    sql, name = tenant.world.sql, f"cut_{table}_{tenant.id}"
    sql(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'"
    )
    sql(
        f"CREATE TRIGGER {name} AFTER INSERT ON {table} FOR EACH ROW WHEN (NEW.tenant_id = {tenant.id})"
        f" EXECUTE FUNCTION {name}()"
    )
    try:
        yield
    finally:
        sql(f"DROP FUNCTION {name} CASCADE")


@pytest.mark.parametrize("path", MADE)
def test_what_is_cut_off_at_its_line_in_the_log_is_made_once(tenant: Tenant, path: str) -> None:
    body, table = MADE[path]
    body = {name: text.replace("{tenant}", str(tenant.id)) for name, text in body.items()}
    client, headers = tenant.client(), {"Idempotency-Key": f"once-{path}"}
    count = f"SELECT count(*) FROM {table} WHERE tenant_id = $1"
    before = tenant.world.sql(count, tenant.id)
    with cut_at(tenant, "audit_log"):
        assert client.post(path, json=body, headers=headers).status_code == 503
    answer = client.post(path, json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    assert client.post(path, json=body, headers=headers).json() == answer.json()
    assert tenant.world.sql(count, tenant.id) == before + 1
    logged = "SELECT count(*) FROM audit_log WHERE tenant_id = $1 AND action LIKE '%.create'"
    assert tenant.world.sql(logged, tenant.id) == 1


def test_a_message_whose_answer_was_lost_on_the_way_is_sent_once(tenant: Tenant) -> None:
    """The answer stands where the message does: who asks again gets it, though nobody heard of the commit."""
    first, again = IdempotencyKeys(tenant.world.pool), IdempotencyKeys(tenant.world.pool)
    request = tenant.id, "order-17", "POST /api/v1/messages", b"body"
    answer = Answer(202, b'{"id":"1"}')

    async def lost() -> Answer | None:
        assert await first.claim(*request, in_one=True) is None
        async with together(tenant.world.pool) as pool:
            await first.keep(pool, tenant.id, "order-17", answer)
        await first.fail(tenant.id, "order-17", 503)
        return await again.claim(*request, in_one=True)

    assert tenant.world.background.run(lost()) == answer


def test_two_at_once_of_which_one_keeps_its_answer(tenant: Tenant) -> None:
    """Also in two processes: the second is undone."""
    first, second = IdempotencyKeys(tenant.world.pool), IdempotencyKeys(tenant.world.pool)
    request = tenant.id, "storm", "POST /api/v1/notes", b"body"

    async def both() -> None:
        assert await first.claim(*request, in_one=True) is None
        assert await second.claim(*request, in_one=True) is None
        await first.keep(tenant.world.pool, tenant.id, "storm", Answer(201, b"{}"))
        await second.keep(tenant.world.pool, tenant.id, "storm", Answer(201, b"[]"))

    with pytest.raises(Problem, match="has not ended"):
        tenant.world.background.run(both())


@pytest.mark.parametrize("status", [0, 500, 503, 504])
def test_work_of_several_steps_that_ended_nobody_knows_how_is_not_done_again(tenant: Tenant, status: int) -> None:
    keys = IdempotencyKeys(tenant.world.pool)
    request = tenant.id, f"bulk-{status}", "POST /api/v1/leads/bulk", b"body"

    async def repeated() -> None:
        assert await keys.claim(*request) is None
        await keys.fail(tenant.id, request[1], status)
        await keys.claim(*request)

    with pytest.raises(Problem, match="look whether its work was done"):
        tenant.world.background.run(repeated())


def test_a_refusal_while_the_database_is_away_keeps_nobody_waiting(tenant: Tenant) -> None:
    """The key can't be given back then; who repeats the request is told at once."""
    world = tenant.world

    async def repeated() -> None:
        pool = await asyncpg.create_pool(world.uri, min_size=1, max_size=1)
        keys = IdempotencyKeys(pool)
        request = tenant.id, "away", "POST /api/v1/leads/bulk", b"body"
        assert await keys.claim(*request) is None
        await pool.close()
        with pytest.raises(asyncpg.InterfaceError):
            await keys.fail(tenant.id, "away", 400)
        with pytest.raises(asyncpg.InterfaceError):
            await keys.claim(*request)

    world.background.run(repeated())
