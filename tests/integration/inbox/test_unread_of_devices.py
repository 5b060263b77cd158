"""How many messages of a line are unread, told at any instant and without a look at all of its chats."""

from __future__ import annotations

import json

import asyncpg

from tests.database import Database
from wafast.database.pool import connect, open_pool
from wafast.devices import rows
from wafast.inbox.chat_order import place_moved

CHATS = """
    INSERT INTO chats (tenant_id, device_no, jid, last_key, unread)
    SELECT $1, $2, n || '@lid', (extract(epoch FROM now())::int8 << 32) + n,
           CASE WHEN n % 500 = 0 THEN 2 ELSE 0 END FROM generate_series(1, 2000) n
"""


async def touched(connection: asyncpg.Connection, device_no: int, tenant_id: int) -> int:
    """Blocks that are looked at to count."""
    for _ in range(2):  # the first reads the catalogue
        [plan] = json.loads(
            await connection.fetchval(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT unread_of({device_no}, {tenant_id})"
            )
        )
    found: int = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    return found


async def test_the_unread_messages_of_a_line_are_found_by_the_few_chats_that_have_some(database: Database) -> None:
    pool = await open_pool(database.uri, size=2, name="test")
    tenant_id = await pool.fetchval("INSERT INTO tenants (name) VALUES ('Shop') RETURNING id")
    lines = [await rows.create_device(pool, tenant_id, name, "loopback") for name in ("One", "Other")]
    for line in lines:
        await pool.execute(CHATS, tenant_id, line.no)

    async def counted() -> list[int]:
        return [line.unread_count for line in await rows.list_devices(pool, tenant_id)]

    assert await counted() == [8, 8], "while none has its place"
    connection = await connect(database.uri, "test")
    await place_moved(connection)
    assert await counted() == [8, 8]
    await pool.execute("UPDATE chats SET unread = 5 WHERE device_no = $1 AND jid = '7@lid'", lines[1].no)
    assert await counted() == [13, 8], "one that waits for its place"
    await place_moved(connection)
    await connection.execute("ANALYZE chats, chat_order")
    assert await touched(connection, lines[1].no, tenant_id) < 40, "a line's chats alone are in more blocks"
    await connection.close()
    await pool.close()


async def test_archived_and_old_chats_count_in_no_badge_as_no_list_shows_them(database: Database) -> None:
    pool = await open_pool(database.uri, size=2, name="test", chat_days=7)
    tenant_id = await pool.fetchval("INSERT INTO tenants (name) VALUES ('Shop') RETURNING id")
    line = await rows.create_device(pool, tenant_id, "One", "loopback")
    await pool.execute(CHATS, tenant_id, line.no)
    await pool.execute("UPDATE chats SET archived = true WHERE device_no = $1 AND jid = '500@lid'", line.no)
    # eight days ago
    await pool.execute("UPDATE chats SET last_key = last_key - (691200::int8 << 32) WHERE jid = '1000@lid'")

    async def counted() -> int:
        [found] = await rows.list_devices(pool, tenant_id)
        return found.unread_count

    assert await counted() == 4, "while none has its place"
    connection = await connect(database.uri, "test")
    await place_moved(connection)
    assert await counted() == 4
    await pool.execute(
        "INSERT INTO chat_order_queue (tenant_id, chat_ids) SELECT $1, '{}' FROM generate_series(1, 200)", tenant_id
    )
    assert await counted() == 4, "while the order is behind"
    await connection.close()
    await pool.close()


async def test_it_does_not_take_longer_the_more_chats_of_other_lines_wait_for_their_place(database: Database) -> None:
    pool = await open_pool(database.uri, size=2, name="test")
    tenant_id = await pool.fetchval("INSERT INTO tenants (name) VALUES ('Shop') RETURNING id")
    lines = [await rows.create_device(pool, tenant_id, f"Line {number}", "loopback") for number in range(3)]
    for line in lines:
        await pool.execute(CHATS, tenant_id, line.no)
    connection = await connect(database.uri, "test")
    await place_moved(connection)
    await pool.execute(
        "INSERT INTO chat_order_queue (tenant_id, chat_ids)"
        " SELECT tenant_id, array_agg(id) FROM chats, generate_series(1, 200) n GROUP BY tenant_id, n, id % 6"
    )
    assert [line.unread_count for line in await rows.list_devices(pool, tenant_id)] == [8] * 3
    await connection.execute("ANALYZE chats, chat_order")
    assert await touched(connection, lines[1].no, tenant_id) < 3000, "the queue alone is in more blocks"
    await connection.close()
    await pool.close()
