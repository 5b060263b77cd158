"""What the core stores is in the list of all devices at once, and in its order soon after."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from tests.integration.core import events
from tests.integration.core.conftest import World
from tests.integration.core.events import MESSAGE, NOW, SITI, SITI_LID
from wafast.database.pool import connect, open_pool
from wafast.inbox.all_chats import Filter, list_all_chats
from wafast.inbox.chat_order import place_moved

FARID, MEI = "60111111111@s.whatsapp.net", "60122222222@s.whatsapp.net"


def order(world: World) -> None:
    """Does what the job does when it is told of something."""

    async def work() -> None:
        connection = await connect(world.uri, "test")
        try:
            await place_moved(connection)
        finally:
            await connection.close()

    asyncio.run(work())


def listed(world: World, limit: int = 50) -> list[str]:
    """The JID of each chat of the list, page by page."""

    async def work() -> list[str]:
        pool = await open_pool(world.uri, size=1, name="test")
        try:
            tenant_id = await pool.fetchval("SELECT id FROM tenants")
            found, after = [], None
            while True:
                page = await list_all_chats(pool, tenant_id, Filter(), days=10_000, after=after, limit=limit)
                found += [chat.chat_jid for chat in page.chats]
                if (after := page.last) is None:
                    return found
        finally:
            await pool.close()

    return asyncio.run(work())


def places(world: World) -> list[tuple[str, int]]:
    """Chats as they stand in the order, with what they were placed by."""
    query = "SELECT c.jid, o.last_key FROM chat_order o LEFT JOIN chats c ON c.id = o.chat_id ORDER BY o.last_key DESC"
    return [(row["jid"], row["last_key"]) for row in world.rows(query)]


def test_a_chat_is_where_its_last_message_puts_it_before_the_order_knows(world: World) -> None:
    for number, jid in enumerate((SITI, FARID, MEI)):
        world.feed((MESSAGE, events.message(f"A{number}", "Hi", chat=jid, sender=jid, at=NOW + number)))
    assert listed(world) == [MEI, FARID, SITI]
    order(world)
    assert [jid for jid, _ in places(world)] == listed(world) == [MEI, FARID, SITI]
    world.feed((MESSAGE, events.message("A3", "Hi again", at=NOW + 3)))
    assert [jid for jid, _ in places(world)] == [MEI, FARID, SITI]
    assert listed(world) == listed(world, limit=1) == [SITI, MEI, FARID]
    order(world)
    assert [jid for jid, _ in places(world)] == listed(world, limit=1) == [SITI, MEI, FARID]
    assert world.value("SELECT count(*) FROM chat_order_queue") == 0


def test_a_chat_whose_last_message_goes_moves_down(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "Hi", at=NOW)))
    world.feed((MESSAGE, events.message("A2", "Hi", chat=MEI, sender=MEI, at=NOW + 1)))
    order(world)
    world.rows(f"UPDATE chats SET last_key = {NOW - 1}::int8 << 32 WHERE jid = '{MEI}' RETURNING 1")
    assert listed(world) == [SITI, MEI]
    order(world)
    assert [jid for jid, _ in places(world)] == listed(world) == [SITI, MEI]
    world.rows(f"UPDATE chats SET last_key = NULL WHERE jid = '{MEI}' RETURNING 1")
    assert listed(world) == [SITI]
    order(world)
    assert [jid for jid, _ in places(world)] == listed(world) == [SITI]


def test_chats_that_become_one_have_one_place(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "by lid", chat=SITI_LID, sender=SITI_LID)))
    world.feed((MESSAGE, events.message("A2", "by number", at=NOW + 1)))
    order(world)
    assert listed(world) == [SITI, SITI_LID]
    world.feed((MESSAGE, events.message("A3", "", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI, at=NOW + 2)))
    assert listed(world) == [SITI]
    order(world)
    assert [jid for jid, _ in places(world)] == listed(world) == [SITI]


def test_chats_leave_with_their_device(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "Hi")))
    order(world)
    world.close()
    world.rows("DELETE FROM devices RETURNING 1")
    assert listed(world) == []
    order(world)
    assert places(world) == []
    assert world.value("SELECT count(*) FROM chat_order_queue") == 0


def test_many_changes_at_once_are_many_small_steps(world: World) -> None:
    world.rows(
        "INSERT INTO chats (tenant_id, device_no, jid, last_key, last_kind, last_flags, last_text, last_status)"
        f" SELECT tenant_id, no, n || '@g.us', ({NOW} + n)::int8 << 32, 0, 0, 'Hi', 0"
        " FROM devices, generate_series(1, 2500) n RETURNING 1"
    )
    assert world.value("SELECT max(cardinality(chat_ids)) FROM chat_order_queue") <= 1000
    order(world)
    assert world.value("SELECT count(*) FROM chat_order") == 2500


def _apart(world: World) -> int:
    count: int = world.value(
        "SELECT count(*) FROM chat_order o"
        " FULL JOIN (SELECT * FROM chats WHERE last_key IS NOT NULL) c ON c.id = o.chat_id"
        " WHERE o.last_key IS DISTINCT FROM c.last_key OR o.is_unread IS DISTINCT FROM (c.unread > 0)"
    )
    return count


def test_in_a_flood_no_chat_is_lost(world: World) -> None:
    draw = random.Random(7)
    jids = [f"601{number:08}@s.whatsapp.net" for number in range(200)]

    def flood() -> None:
        for batch in range(20):
            world.feed(
                *(
                    (MESSAGE, events.message(f"A{batch}-{number}", "Hi", chat=jid, sender=jid, at=NOW + batch))
                    for number, jid in enumerate(draw.choices(jids, k=100))
                )
            )

    async def work() -> None:
        connection = await connect(world.uri, "test")
        try:
            await until_done(asyncio.to_thread(flood), lambda: place_moved(connection))
        finally:
            await connection.close()

    asyncio.run(work())
    assert _apart(world) == 0
    keys = {row["jid"]: row["last_key"] for row in world.rows("SELECT jid, last_key FROM chats")}
    assert listed(world, limit=17) == sorted(keys, key=lambda jid: -keys[jid])


async def until_done(work: Awaitable[None], beside: Callable[[], Awaitable[None]]) -> None:
    """Does something again and again until `work` has ended, and once more."""
    task = asyncio.ensure_future(work)
    while not task.done():
        await beside()
        await asyncio.sleep(0)
    await task
    await beside()
