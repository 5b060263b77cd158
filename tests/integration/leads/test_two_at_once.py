"""What two people do to one number, or one lead, in the same moment."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.database import Database, blocked, pool_of
from tests.integration.sequences.people import People
from wafast.accounts.principal import Principal
from wafast.leads import bulk, rows, suppressions
from wafast.sequences import of_leads

SITI = "+60123456789"


@pytest_asyncio.fixture
async def people(database: Database) -> AsyncIterator[People]:
    async with pool_of(database.uri) as pool:
        yield await People.make(database.uri, pool)


@pytest.fixture
def principal(people: People) -> Principal:
    return Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)


async def test_a_number_is_put_on_the_list_twice_at_once(people: People, principal: Principal) -> None:
    added = "INSERT INTO suppressions (tenant_id, phone, reason, created_by) VALUES ($1, $2, 'replied STOP', 'lead')"
    async with people.pool.acquire() as other, other.transaction():
        await other.execute(added, people.tenant_id, SITI)
        adding = await blocked(people.pool, suppressions.add(people.pool, principal, SITI, "asked on the phone"))
    stands, is_new = await adding
    assert (stands.reason, stands.created_by, is_new) == ("replied STOP", "lead", False)
    assert await people.value("SELECT count(*) FROM suppression_queue") == 1
    assert await people.value("SELECT count(*) FROM audit_log WHERE action = 'suppression.add'") == 0


async def test_two_leads_get_one_number_at_once(people: People, principal: Principal) -> None:
    first, second = await people.lead(), await people.lead()
    async with people.pool.acquire() as other, other.transaction():
        await other.execute("UPDATE leads SET phone = $2 WHERE id = $1", first, SITI)
        changing = await blocked(people.pool, rows.change(people.pool, principal, second, {"phone": SITI}, of_leads))
    with pytest.raises(rows.Known) as known:
        await changing
    assert known.value.lead_id == first


async def test_a_new_tag_is_given_to_many_while_one_of_them_gets_it(people: People, principal: Principal) -> None:
    lead = await people.lead()
    async with people.pool.acquire() as changing, changing.transaction():
        await changing.execute("SELECT FROM leads WHERE id = $1 FOR NO KEY UPDATE", lead)
        tagging = await blocked(people.pool, bulk.act(people.pool, principal, "add_tags", [lead], ["expo"], of_leads))
        await rows.learn(changing, people.tenant_id, ["expo"], ())
    assert (await tagging).changed == 1


async def test_two_learn_the_same_new_tags_in_one_order(people: People) -> None:
    async with people.pool.acquire() as first, first.transaction():
        await rows.learn(first, people.tenant_id, ["expo"], ())
        learning = await blocked(people.pool, rows.learn(people.pool, people.tenant_id, ["raya", "expo"], ()))
        await rows.learn(first, people.tenant_id, ["raya"], ())
    await learning
    assert (await rows.terms(people.pool, people.tenant_id))["tag"] == []
