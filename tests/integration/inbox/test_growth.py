"""Queries that must not read more as a device or a chat grows: how PostgreSQL goes about them."""

from __future__ import annotations

import asyncpg
import pytest

from tests.integration.inbox.conftest import Shelf
from wafast._core import message_key
from wafast.inbox import messages, work


async def _plan(pool: asyncpg.Pool, query: str, *arguments: object) -> str:
    async with pool.acquire() as connection, connection.transaction():
        # tables are small here: what can be done by an index is done so
        await connection.execute("SET LOCAL enable_seqscan = off")
        return "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}", *arguments))


async def test_the_lid_of_a_chat_is_one_look(shelf: Shelf) -> None:
    plan = await _plan(shelf.pool, work.q.chat_facts, shelf.tenant, None, 1, work.MOST_COUNTED)
    assert "using lid_numbers_by_number" in plan


async def test_a_quoted_message_is_looked_for_among_keys_alone(shelf: Shelf) -> None:
    plan = await _plan(shelf.pool, messages.q.place_of_message, shelf.tenant, None, 1, "A1", message_key(0, "A1"))
    assert "Index Only Scan using messages_pkey" in plan


@pytest.mark.parametrize(
    "jid", ["120363000000000001@g.us", "900123@lid", "x1@s.whatsapp.net", "60123456789@s.whatsapp.net"]
)
async def test_facts_of_every_kind_of_chat(shelf: Shelf, jid: str) -> None:
    chat = await shelf.pool.fetchval(
        "INSERT INTO chats (tenant_id, device_no, jid, is_group) VALUES ($1, $2, $3, false) RETURNING id",
        shelf.tenant, shelf.device_no, jid,
    )  # fmt: skip
    await shelf.pool.execute(
        "INSERT INTO lid_numbers (tenant_id, device_no, lid, number) VALUES ($1, $2, 77, 60123456789)",
        shelf.tenant, shelf.device_no,
    )  # fmt: skip
    row = await shelf.pool.fetchrow(work.q.chat_facts, shelf.tenant, None, chat, work.MOST_COUNTED)
    assert row is not None and row["lid"] == (77 if jid.startswith("601") else None)
