"""What the core stores is found: also when nobody was there to hear of it, and where it is after chats became one."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import cast

import asyncpg
import pytest

from tests.integration.core import events
from tests.integration.core.conftest import World
from tests.integration.core.events import MESSAGE, NOW, SITI, SITI_LID
from wafast.database.pool import connect, open_pool
from wafast.inbox import search, search_chats
from wafast.inbox.chat_order import place_moved
from wafast.inbox.grams import BUCKET_SECONDS, wanted
from wafast.inbox.reach import Reach
from wafast.inbox.search_index import Indexer

Page = tuple[list[int], search.Place | None]


def index(world: World) -> None:
    """Does what the indexer does when it starts, and gives chats their place in the order of lists."""

    async def work() -> None:
        connection = await connect(world.uri, "search")
        try:
            indexer = Indexer(connection)
            await indexer.look_back()
            while await indexer.catch_up(1):
                pass
            while await indexer.walk():
                pass
            await place_moved(connection)
        finally:
            await connection.close()

    asyncio.run(work())


def found(world: World, words: str) -> list[str]:
    """Chat and text of each message that is found."""

    async def work() -> list[str]:
        pool = await open_pool(world.uri, size=1, name="test")
        try:
            scope = search.Scope(Reach(await pool.fetchval("SELECT id FROM tenants")), None)
            page = await search.find_messages(pool, scope, wanted(words))
            return [f"{one.message.chat_jid}: {one.message.message_text}" for one in page.items]
        finally:
            await pool.close()

    return asyncio.run(work())


def test_what_nobody_heard_of_is_found_after_a_start(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "Harga durian?")), (MESSAGE, events.message("A2", "Ya", at=NOW + 1)))
    index(world)
    assert found(world, "durian") == [f"{SITI}: Harga durian?"]
    index(world)
    assert world.value("SELECT count(*) FROM message_search") == 2
    assert world.value("SELECT count(*) FROM search_queue") == 0


def test_what_was_there_before_the_index_is_walked_once(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "Harga durian?")))
    world.rows("DELETE FROM search_queue")
    world.rows("UPDATE search_progress SET told_until = 'infinity', walk_end = (SELECT max(id) FROM chats)")
    index(world)
    assert found(world, "durian") == [f"{SITI}: Harga durian?"]
    assert world.value("SELECT walked_to = walk_end FROM search_progress")
    assert world.value("SELECT number FROM chat_search") == "60123456789"


def test_what_was_there_before_has_its_turn_also_while_more_is_announced_all_the_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.feed((MESSAGE, events.message("A1", "Harga durian?")))
    world.rows("DELETE FROM search_queue")
    world.rows("UPDATE search_progress SET told_until = 'infinity', walk_end = (SELECT max(id) FROM chats)")

    async def work() -> None:
        connection, walked = await connect(world.uri, "search"), asyncio.Event()
        indexer = Indexer(connection)
        take_queue, walk, numbers = indexer._take_queue, indexer.walk, itertools.count(1)

        async def take_while_more_comes() -> int:
            indexer._announced.add([(0, next(numbers))])
            return await take_queue()

        async def walk_and_tell() -> bool:
            is_more = await walk()
            if not is_more:
                walked.set()
            return is_more

        monkeypatch.setattr(indexer, "_take_queue", take_while_more_comes)
        monkeypatch.setattr(indexer, "walk", walk_and_tell)
        running = asyncio.create_task(indexer.run())
        try:
            await asyncio.wait_for(walked.wait(), 60)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await connection.close()

    asyncio.run(work())
    assert found(world, "durian") == [f"{SITI}: Harga durian?"]


def people(world: World, count: int) -> list[int]:
    """So many chats whose messages came four hours apart; their ids, newest first."""
    for number in range(count):
        person, at = f"6012000000{number}@s.whatsapp.net", NOW - number * BUCKET_SECONDS
        world.feed((MESSAGE, events.message(f"A{number}", "durian", chat=person, sender=person, at=at)))
    index(world)
    return [row["id"] for row in world.rows("SELECT id FROM chats ORDER BY last_key DESC")]


def pages(
    world: World, look: Callable[[asyncpg.Pool, search.Scope, search.Place | None], Awaitable[Page]]
) -> list[int]:
    """What all pages of something have, one after the other."""

    async def work() -> list[int]:
        pool, ids = await open_pool(world.uri, size=1, name="test"), []
        try:
            scope = search.Scope(Reach(await pool.fetchval("SELECT id FROM tenants")), [world.device_no])
            found, last = await look(pool, scope, None)
            ids += found
            while last is not None:
                found, last = await look(pool, scope, last)
                ids += found
            return ids
        finally:
            await pool.close()

    return asyncio.run(asyncio.wait_for(work(), 120))


@pytest.mark.parametrize("is_short_of_time", [False, True])
def test_a_devices_list_is_searched_to_its_end_however_little_one_look_covers(
    world: World, monkeypatch: pytest.MonkeyPatch, is_short_of_time: bool
) -> None:
    ids = people(world, 4)
    if is_short_of_time:
        monkeypatch.setattr(search, "BUDGET_SECONDS", 0.0)
        monkeypatch.setattr(search_chats, "STEP", 1)

    async def look(pool: asyncpg.Pool, scope: search.Scope, after: search.Place | None) -> Page:
        days = 10_000
        page = await search_chats.list_with(
            pool, scope, world.device_no, wanted("durian"), days=days, after=after, limit=3
        )
        return [int(chat.id) for chat in page.chats], cast("search.Place | None", page.last)

    assert pages(world, look) == ids


@pytest.mark.parametrize("most_ranked", [100, 1])
def test_people_are_found_to_the_last_newest_first_by_the_index_or_by_a_walk(
    world: World, monkeypatch: pytest.MonkeyPatch, most_ranked: int
) -> None:
    other = "60199999999@s.whatsapp.net"
    world.feed((MESSAGE, events.message("B1", "durian", chat=other, sender=other, at=NOW - 1)))
    newest, _, *older = people(world, 5)
    monkeypatch.setattr(search, "MOST_DEVICE_GRAMS", 0)
    monkeypatch.setattr(search, "BUDGET_SECONDS", 0.0)
    monkeypatch.setattr(search_chats, "WALK", 1)
    monkeypatch.setattr(search_chats, "MOST_RANKED", most_ranked)

    async def look(pool: asyncpg.Pool, scope: search.Scope, after: search.Place | None) -> Page:
        page = await search_chats.find_chats(pool, scope, wanted("012000000"), after=after, limit=2)
        return [int(one.chat.id) for one in page.items], page.last

    assert pages(world, look) == [newest, *older]


def test_edits_and_deletions_change_what_is_found(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "Harga durian?")), (MESSAGE, events.message("A2", "durian!", at=NOW + 1)))
    index(world)
    world.feed((MESSAGE, events.message("E1", events.edit("A1", "Harga manggis?"))))
    world.feed((MESSAGE, events.message("R1", events.revoke("A2"))))
    assert found(world, "durian") == []
    index(world)
    assert (found(world, "durian"), found(world, "manggis")) == ([], [f"{SITI}: Harga manggis?"])
    assert world.value("SELECT count(*) FROM message_search") == 1


def test_the_last_word_of_the_longest_text_is_found(world: World) -> None:
    text = f"{'durian ' * 9360}kilauan"
    world.feed((MESSAGE, events.message("A1", text)))
    index(world)
    assert found(world, "kilauan") == [f"{SITI}: {text}"]


def test_receipts_leave_the_index_alone(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "Harga durian?")))
    index(world)
    world.feed((MESSAGE, events.message("R1", events.reaction("A1", "👍", NOW + 1))))
    assert world.value("SELECT count(*) FROM search_queue") == 0


def test_messages_of_a_chat_that_became_part_of_another_are_found_there(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "durian by lid", chat=SITI_LID, sender=SITI_LID)))
    world.feed((MESSAGE, events.message("A2", "durian by number", at=NOW + 1)))
    index(world)
    assert len(found(world, "durian")) == 2
    told = events.message("A3", "both", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI, at=NOW + 2)
    world.feed((MESSAGE, told))
    index(world)
    assert found(world, "durian") == [f"{SITI}: durian by number", f"{SITI}: durian by lid"]
    assert world.value("SELECT count(*) FROM message_search") == 3
    assert world.value("SELECT count(*) FROM chat_search") == 1


def test_messages_are_found_after_whatsapp_has_named_their_number_otherwise(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "Harga durian?")))
    index(world)
    world.value(
        "WITH long_ago AS (UPDATE messages SET created_at = created_at - interval '1 hour' RETURNING 1)"
        " SELECT count(*) FROM long_ago"
    )
    named = "6012345678@s.whatsapp.net"
    world.value(f"SELECT count(*) FROM tenants t, join_named_chats(t.id, 'loopback', '{SITI}', '{named}')")
    index(world)
    assert found(world, "durian") == [f"{named}: Harga durian?"]


def test_what_is_trimmed_leaves_no_rows_behind(world: World) -> None:
    world.start(messages_per_chat=5)
    for number in range(30):
        world.feed((MESSAGE, events.message(f"A{number}", f"durian {number}", at=NOW + number)))
        if number % 7 == 0:
            index(world)
    for number in range(30, 40):
        world.feed((MESSAGE, events.message(f"A{number}", f"durian {number}", at=NOW + 30)))
        index(world)
    assert len(found(world, "durian")) == 5
    assert world.value("SELECT count(*) FROM message_search") == 5
