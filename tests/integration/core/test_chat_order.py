"""What the core stores is in the list of all devices at once, and in its order soon after."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from tests.integration.core import events
from tests.integration.core.conftest import OWN, World
from tests.integration.core.events import MESSAGE, NOW, SITI, SITI_LID
from wafast.database.pool import connect, open_pool
from wafast.inbox.all_chats import Filter, list_all_chats
from wafast.inbox.chat_order import place_moved, q

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


def listed(world: World, limit: int = 50, **wanted: Any) -> list[str]:
    """The JID of each chat of the list that passes a filter, page by page."""

    async def work() -> list[str]:
        pool = await open_pool(world.uri, size=1, name="test")
        try:
            tenant_id = await pool.fetchval("SELECT id FROM tenants")
            found, after = [], None
            while True:
                page = await list_all_chats(pool, tenant_id, Filter(**wanted), days=10_000, after=after, limit=limit)
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


def _work(world: World, jid: str, what: str) -> None:
    """Changes what a team has agreed on a chat."""
    world.rows(
        "INSERT INTO chat_work (chat_id, tenant_id) SELECT id, tenant_id FROM chats ON CONFLICT DO NOTHING RETURNING 1"
    )
    world.rows(f"UPDATE chat_work SET {what} WHERE chat_id = (SELECT id FROM chats WHERE jid = '{jid}') RETURNING 1")


def test_whose_a_chat_is_counts_before_the_order_knows(world: World) -> None:
    for number, jid in enumerate((SITI, FARID, MEI)):
        world.feed((MESSAGE, events.message(f"A{number}", "Hi", chat=jid, sender=jid, at=NOW + number)))
    order(world)
    aina = world.value("INSERT INTO users (email, name, password_hash) VALUES ('a@x', 'Aina', 'x') RETURNING id")
    _work(world, FARID, f"assignee_id = {aina}")
    assert (listed(world, assignee_id=aina), listed(world, unassigned=True)) == ([FARID], [MEI, SITI])
    order(world)
    assert (listed(world, assignee_id=aina), listed(world, unassigned=True)) == ([FARID], [MEI, SITI])
    assert world.value("SELECT count(*) FROM chat_order_queue") == 0
    _work(world, SITI, f"assignee_id = {aina}")
    _work(world, FARID, "assignee_id = NULL")
    assert (listed(world, assignee_id=aina), listed(world, unassigned=True)) == ([SITI], [MEI, FARID])
    order(world)
    assert (listed(world, assignee_id=aina), listed(world, unassigned=True)) == ([SITI], [MEI, FARID])
    world.rows(f"DELETE FROM users WHERE id = {aina} RETURNING 1")
    assert (listed(world, assignee_id=aina), listed(world)) == ([], [MEI, FARID, SITI])
    order(world)
    assert (listed(world, assignee_id=aina), listed(world)) == ([], [MEI, FARID, SITI])


def test_a_chat_is_closed_and_opened_before_the_order_knows(world: World) -> None:
    for number, jid in enumerate((SITI, MEI)):
        world.feed((MESSAGE, events.message(f"A{number}", "Hi", chat=jid, sender=jid, at=NOW + number)))
    order(world)
    closed = "closed_at = clock_timestamp(), closed_key = (SELECT last_key FROM chats WHERE id = chat_id)"
    _work(world, SITI, closed)
    assert (listed(world, is_open=True), listed(world, is_open=False)) == ([MEI], [SITI])
    order(world)
    assert (listed(world, is_open=True), listed(world, is_open=False)) == ([MEI], [SITI])
    world.feed((MESSAGE, events.message("A3", "Ours", chat=SITI, sender=OWN, from_me=True, at=NOW + 3)))
    assert (listed(world, is_open=True), listed(world, is_open=False)) == ([MEI], [SITI])
    order(world)
    assert (listed(world, is_open=True), listed(world, is_open=False)) == ([MEI], [SITI])
    world.feed((MESSAGE, events.message("A4", "One more thing", chat=SITI, sender=SITI, at=NOW + 4)))
    assert (listed(world, is_open=True), listed(world, is_open=False)) == ([SITI, MEI], [])
    order(world)
    assert (listed(world, is_open=True), listed(world, is_open=False)) == ([SITI, MEI], [])


def test_a_labels_chats_are_those_it_is_on_before_the_order_knows(world: World) -> None:
    for number, jid in enumerate((SITI, FARID, MEI)):
        world.feed((MESSAGE, events.message(f"A{number}", "Hi", chat=jid, sender=jid, at=NOW + number)))
    order(world)
    label = world.value(
        "INSERT INTO labels (tenant_id, name, colour) SELECT id, 'Paid', 'red' FROM tenants RETURNING id"
    )
    world.rows(
        f"INSERT INTO chat_labels (chat_id, label_id, tenant_id) SELECT id, {label}, tenant_id FROM chats RETURNING 1"
    )
    assert listed(world, label_id=label) == listed(world, label_id=label, limit=1) == [MEI, FARID, SITI]
    order(world)
    assert world.value("SELECT count(*) FROM chat_order_queue") == 0
    assert listed(world, label_id=label) == listed(world, label_id=label, limit=1) == [MEI, FARID, SITI]
    world.feed((MESSAGE, events.message("A3", "Hi", chat=SITI, sender=SITI, at=NOW + 3)))
    world.rows(f"UPDATE chats SET archived = true WHERE jid = '{MEI}' RETURNING 1")
    world.rows(f"DELETE FROM chat_labels WHERE chat_id = (SELECT id FROM chats WHERE jid = '{FARID}') RETURNING 1")
    for _ in range(2):
        assert listed(world, label_id=label) == [SITI]
        assert listed(world, label_id=label, archived=True) == [MEI]
        assert listed(world, label_id=label + 1) == []
        order(world)
    world.rows(f"UPDATE chats SET last_key = NULL WHERE jid = '{SITI}' RETURNING 1")
    for _ in range(2):
        assert listed(world, label_id=label) == []
        order(world)


def test_the_order_gives_way_to_who_deletes_a_label(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "Hi")))
    world.rows("INSERT INTO labels (tenant_id, name, colour) SELECT id, 'Paid', 'red' FROM tenants RETURNING id")
    world.rows(
        "INSERT INTO chat_labels (chat_id, label_id, tenant_id)"
        " SELECT c.id, l.id, c.tenant_id FROM chats c, labels l RETURNING 1"
    )

    async def work() -> None:
        connection, other = await connect(world.uri, "test"), await connect(world.uri, "test")
        try:
            await connection.execute(q.set_up)
            deletion = other.transaction()
            await deletion.start()
            await other.execute("DELETE FROM labels")
            await place_moved(connection)
            assert await connection.fetchval("SELECT count(*) FROM chat_order_queue") > 0
            await deletion.rollback()
            await place_moved(connection)
            assert await connection.fetchval("SELECT count(*) FROM chat_order_queue") == 0
        finally:
            await connection.close()
            await other.close()

    asyncio.run(work())
    assert world.value("SELECT l.last_key = c.last_key FROM chat_labels l JOIN chats c ON c.id = l.chat_id") is True


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
