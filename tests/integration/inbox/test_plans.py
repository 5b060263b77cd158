"""What the inbox asks all day walks the index that was made for it, however much there is beside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.inbox.conftest import Shelf
from wafast.answers.follow import q as answers
from wafast.devices.group_members import q as members
from wafast.events import bus
from wafast.inbox.all_chats import Filter, q
from wafast.inbox.chats import NEWEST
from wafast.inbox.chats import q as chats
from wafast.inbox.grams import BUCKET_SECONDS, in_bucket
from wafast.inbox.media_fetches import q as fetches
from wafast.inbox.messages import q as messages
from wafast.inbox.search import TOP
from wafast.inbox.search import q as search
from wafast.inbox.search_chats import q as search_chats
from wafast.inbox.search_index import q as search_index
from wafast.outbox import rows

#: Statements are planned for any arguments after their fifth time, unless that is expected to cost more.
PLANNED = ("force_custom_plan", "force_generic_plan")


async def _indexes(connection: bus.Executor, query: str, *arguments: Any) -> set[str]:
    """Names of the indexes that a query reads."""
    return _read(await _plan(connection, query, *arguments))


def _read(nodes: list[dict[str, Any]]) -> set[str]:
    return {node["Index Name"] for node in nodes if "Index Name" in node}


async def _rows_read(connection: bus.Executor, *tables: str) -> int:
    """How many rows of these tables the connection's transaction has read."""
    read: int = await connection.fetchval(
        "SELECT sum(seq_tup_read + idx_tup_fetch)::int8 FROM pg_stat_xact_user_tables WHERE relname = ANY ($1)",
        list(tables),
    )
    return read


async def _plan(connection: bus.Executor, query: str, *arguments: Any) -> list[dict[str, Any]]:
    """What a query does, step by step."""
    [plan] = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *arguments))
    return list(_nodes(plan["Plan"]))


async def _plan_of_list(
    connection: bus.Executor, shelf: Shelf, wanted: Filter, walked: str = "all"
) -> list[dict[str, Any]]:
    """What a first page of 50 chats does, planned as the list plans it."""
    await connection.execute(q.plan_each_time)
    return await _plan(
        connection, q.list_all_chats, shelf.tenant, wanted.devices, 0, NEWEST, NEWEST, False, wanted.archived,
        wanted.unread, wanted.is_group, wanted.assignee_id, wanted.unassigned, wanted.label_id, wanted.is_open, 51, [],
        walked,
    )  # fmt: skip


async def _chat(shelf: Shelf) -> int:
    """A chat without messages."""
    chat_id: int = await shelf.pool.fetchval(
        "INSERT INTO chats (tenant_id, device_no, jid) VALUES ($1, $2, '60121234567@s.whatsapp.net') RETURNING id",
        shelf.tenant, shelf.device_no,
    )  # fmt: skip
    return chat_id


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan and all in it."""
    yield node
    for inner in node.get("Plans", []):
        yield from _nodes(inner)


@pytest.mark.parametrize("planned", PLANNED)
async def test_what_has_not_left_a_chat_is_found_by_its_index(shelf: Shelf, planned: str) -> None:
    chat_id = await shelf.pool.fetchval(
        "INSERT INTO chats (tenant_id, device_no, jid)"
        " SELECT $1, $2, n || '@s.whatsapp.net' FROM generate_series(1, 500) n RETURNING id",
        shelf.tenant, shelf.device_no,
    )  # fmt: skip
    # a chat's sends have nearly all left
    await shelf.pool.execute(
        "INSERT INTO outbox (tenant_id, device_no, to_jid, kind, body, state, message_id, sent_at, created_by)"
        " SELECT $1, $2, n % 500 || '@s.whatsapp.net', 'text', 'Hi',"
        " CASE WHEN n % 20 = 0 THEN 'failed' ELSE 'sent' END, CASE WHEN n % 20 <> 0 THEN 'M' || n END, now(), 'user:1'"
        " FROM generate_series(1, 4000) n",
        shelf.tenant, shelf.device_no,
    )  # fmt: skip
    async with shelf.pool.acquire() as connection:
        await connection.execute(f"ANALYZE; SET plan_cache_mode = {planned}")
        for before in (None, 3000):
            found = await _indexes(connection, rows.q.open_outbox_of_chat, chat_id, 51, before)
            assert "outbox_open_of_chat" in found
            assert not {name for name in found if name.startswith("outbox_")} - {"outbox_open_of_chat"}


@pytest.mark.parametrize(
    ("is_unread", "is_open", "index"),
    [
        (None, None, "chat_order_assigned"),
        (None, True, "chat_order_assigned_open"),
        (True, None, "chat_order_assigned_unread"),
    ],
)
async def test_chats_of_one_person_are_walked_in_their_order(
    shelf: Shelf, is_unread: bool | None, is_open: bool | None, index: str
) -> None:
    user = await shelf.pool.fetchval(
        "INSERT INTO users (email, name, password_hash) VALUES ('a@example.com', 'Aina', 'x') RETURNING id"
    )
    await shelf.pool.execute(
        "INSERT INTO chat_order (chat_id, tenant_id, device_no, last_key, is_group, is_unread, is_pinned, archived,"
        " assignee_id, is_open)"
        " SELECT n, $1, $2, n, false, n % 10 = 0, false, false, CASE WHEN n % 7 = 0 THEN $3::int8 END, n % 70 = 0"
        " FROM generate_series(1, 20000) n",
        shelf.tenant, shelf.device_no, user,
    )  # fmt: skip
    async with shelf.pool.acquire() as connection, connection.transaction():
        await connection.execute("ANALYZE chat_order")
        wanted = Filter(unread=is_unread, assignee_id=user, is_open=is_open)
        found = _read(await _plan_of_list(connection, shelf, wanted))
    assert {name for name in found if name.startswith("chat_order")} == {index}


async def test_the_few_closed_chats_of_all_are_walked_in_their_order(shelf: Shelf) -> None:
    await shelf.pool.execute(
        "INSERT INTO chat_order (chat_id, tenant_id, device_no, last_key, is_group, is_unread, is_pinned, archived,"
        " is_open) SELECT n, $1, $2, n, false, false, false, false, n % 70 <> 0 FROM generate_series(1, 20000) n",
        shelf.tenant, shelf.device_no,
    )  # fmt: skip
    async with shelf.pool.acquire() as connection, connection.transaction():
        await connection.execute("ANALYZE chat_order")
        found = _read(await _plan_of_list(connection, shelf, Filter(is_open=False)))
    assert {name for name in found if name.startswith("chat_order")} == {"chat_order_closed"}


@pytest.mark.parametrize("is_unread", [None, False])
async def test_chats_of_few_devices_are_walked_each_in_its_order(shelf: Shelf, is_unread: bool | None) -> None:
    devices = [shelf.device_no + more for more in range(3)]
    await shelf.pool.execute(
        "INSERT INTO chat_order (chat_id, tenant_id, device_no, last_key, is_group, is_unread, is_pinned, archived,"
        " is_open) SELECT n, $1, $2 + n % 100, n, false, n % 10 = 0, false, false, true"
        " FROM generate_series(1, 100000) n",
        shelf.tenant, shelf.device_no,
    )  # fmt: skip
    async with shelf.pool.acquire() as connection, connection.transaction():
        await connection.execute("ANALYZE chat_order")
        nodes = await _plan_of_list(connection, shelf, Filter(devices=devices, unread=is_unread), "devices")
    walked = {name for name in _read(nodes) if name.startswith("chat_order")}
    assert walked == {"chat_order_of_devices"}
    reads = [node for node in nodes for below in node.get("Plans", []) if below.get("Index Name") in walked]
    assert [node["Node Type"] for node in reads] == ["Limit"], "no more than a page is read of each"


@pytest.mark.parametrize(
    ("is_unread", "is_open", "index"),
    [(None, None, "chat_labels_walked"), (None, True, "chat_labels_open"), (True, None, "chat_labels_unread")],
)
async def test_chats_of_one_label_are_walked_in_their_order(
    shelf: Shelf, is_unread: bool | None, is_open: bool | None, index: str
) -> None:
    label = await shelf.pool.fetchval(
        "INSERT INTO labels (tenant_id, name, colour) VALUES ($1, 'Paid', 'red') RETURNING id", shelf.tenant
    )
    await shelf.pool.execute(
        "WITH made AS (INSERT INTO chats (tenant_id, device_no, jid)"
        " SELECT $1, $2, n || '@s.whatsapp.net' FROM generate_series(1, 5000) n RETURNING id)"
        " INSERT INTO chat_labels (chat_id, label_id, tenant_id, device_no, last_key, is_group, is_unread, is_pinned,"
        " archived, is_open) SELECT id, $3, $1, $2, id, false, id % 10 = 0, false, false, id % 20 = 0 FROM made",
        shelf.tenant, shelf.device_no, label,
    )  # fmt: skip
    async with shelf.pool.acquire() as connection, connection.transaction():
        await connection.execute("ANALYZE chat_labels")
        wanted = Filter(unread=is_unread, label_id=label, is_open=is_open)
        found = _read(await _plan_of_list(connection, shelf, wanted, "label"))
    # those of a page are shown with their labels
    assert {name for name in found if name.startswith("chat_labels")} - {"chat_labels_pkey"} == {index}


@pytest.mark.parametrize("planned", PLANNED)
async def test_names_of_leads_are_looked_up_by_number(shelf: Shelf, planned: str) -> None:
    await shelf.pool.execute(
        "INSERT INTO leads (tenant_id, phone, name, zone) SELECT $1, '+6012' || 1000000 + n, 'Lead ' || n, 'UTC'"
        " FROM generate_series(1, 20000) n",
        shelf.tenant,
    )
    await shelf.pool.execute(
        "WITH made AS (INSERT INTO chats (tenant_id, device_no, jid, last_key)"
        " SELECT $1, $2, '6012' || 1000000 + n || '@s.whatsapp.net', n FROM generate_series(1, 20000) n RETURNING id)"
        " INSERT INTO chat_order (chat_id, tenant_id, device_no, last_key, is_group, is_unread, is_pinned, archived,"
        " is_open) SELECT id, $1, $2, id, false, false, false, false, true FROM made",
        shelf.tenant, shelf.device_no,
    )  # fmt: skip
    async with shelf.pool.acquire() as connection, connection.transaction():
        await connection.execute("ANALYZE chats; ANALYZE chat_order; ANALYZE leads")
        found = _read(await _plan_of_list(connection, shelf, Filter()))
        assert {name for name in found if name.startswith("leads")} == {"leads_tenant_id_phone_key"}
        await connection.execute(f"SET LOCAL plan_cache_mode = {planned}")
        found = await _indexes(connection, q.get_chats, [shelf.tenant], None, [1, 2, 3])
        assert {name for name in found if name.startswith("leads")} == {"leads_tenant_id_phone_key"}


@pytest.mark.parametrize("planned", PLANNED)
async def test_what_is_pinned_in_a_chat_is_found_among_very_many_messages(shelf: Shelf, planned: str) -> None:
    chat_id = await _chat(shelf)
    await shelf.pool.execute(
        "INSERT INTO messages (chat_id, key, tenant_id, device_no, kind, flags, status, message_id, created_at,"
        " pin_said_at) SELECT $3, n, $1, $2, 0, 0, 0, 'M' || n, now(), CASE WHEN n % 1000 = 0 THEN n END"
        " FROM generate_series(1, 5000) n",
        shelf.tenant, shelf.device_no, chat_id,
    )  # fmt: skip
    async with shelf.pool.acquire() as connection:
        await connection.execute(f"ANALYZE; SET plan_cache_mode = {planned}")
        found = await _indexes(connection, messages.list_pinned, shelf.tenant, None, chat_id, 3)
    assert {name for name in found if name.startswith("messages")} == {"messages_pinned"}


async def test_who_looks_for_what_came_lately_does_not_expect_all_messages_there_are(shelf: Shelf) -> None:
    chat_id = await _chat(shelf)
    await shelf.pool.execute(
        "INSERT INTO messages (chat_id, key, tenant_id, device_no, kind, flags, status, message_id, body, created_at)"
        " SELECT $3, n, $1, $2, 1, 0, 0, 'M' || n, 'Hi', now() - n * interval '1 hour' FROM generate_series(1, 5000) n",
        shelf.tenant, shelf.device_no, chat_id,
    )  # fmt: skip
    async with shelf.pool.acquire() as connection:
        await connection.execute("ANALYZE")
        await connection.execute(answers.for_all_rows.replace("LOCAL", ""))
        for until, untold, before in (
            (answers.told_until, answers.open_untold, ()),
            (search_index.told_until, search_index.untold_places, (10_000,)),
        ):
            since = await connection.fetchval(until)
            [plan] = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {untold}", *before, since))
            assert 0 < _expected(plan["Plan"], "messages") < 100


def _expected(node: dict[str, Any], table: str) -> int:
    """How many rows of a table a plan expects to read, in all its nodes."""
    own: int = node["Plan Rows"] if node.get("Relation Name") == table else 0
    return own + sum(_expected(below, table) for below in node.get("Plans", []))


async def test_chats_under_a_number_named_otherwise_are_found_without_a_look_at_each_device(shelf: Shelf) -> None:
    await shelf.pool.execute(
        "WITH made AS (INSERT INTO devices (tenant_id, name, network) SELECT $1, 'Line ' || n, 'loopback'"
        " FROM generate_series(1, 300) n RETURNING no)"
        " INSERT INTO chats (tenant_id, device_no, jid) SELECT $1, no, n || '@s.whatsapp.net'"
        " FROM made, generate_series(1, 20) n",
        shelf.tenant,
    )
    async with shelf.pool.acquire() as connection:
        await connection.execute("ANALYZE chats; ANALYZE devices")
        async with connection.transaction():
            await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            await connection.execute("SELECT join_named_chats($1, 'loopback', 'x@s.whatsapp.net', 'y')", shelf.tenant)
            looks = await connection.fetchval(
                "SELECT seq_tup_read + idx_scan FROM pg_stat_xact_user_tables WHERE relname = 'chats'"
            )
    assert looks < 10, "whoever plans looks for the ends of an index too"


@pytest.mark.parametrize("planned", PLANNED)
async def test_of_a_devices_very_many_chats_a_page_is_read(shelf: Shelf, planned: str) -> None:
    await shelf.pool.execute(
        "WITH made AS (INSERT INTO chats (tenant_id, device_no, jid, last_key)"
        " SELECT $1, $2, n || '@s.whatsapp.net', n FROM generate_series(1, 10000) n RETURNING id, last_key)"
        " INSERT INTO chat_order (chat_id, tenant_id, device_no, last_key, is_group, is_unread, is_pinned, archived,"
        " is_open) SELECT id, $1, $2, last_key, false, false, false, false, true FROM made",
        shelf.tenant, shelf.device_no,
    )  # fmt: skip
    await shelf.pool.execute("DELETE FROM chat_order_queue")
    await shelf.pool.execute("UPDATE chats SET last_key = 20000 WHERE id = (SELECT min(id) FROM chats)")
    async with shelf.pool.acquire() as connection:
        await connection.execute(f"ANALYZE; SET plan_cache_mode = {planned}")
        for query, arguments in (
            (chats.list_chats, (None, shelf.device_no, 0, NEWEST, NEWEST, 51)),
            (search_chats.next_listed, (shelf.device_no, 0, NEWEST, NEWEST, 51)),
        ):
            async with connection.transaction():
                page = await connection.fetch(query, shelf.tenant, *arguments)
                read = await _rows_read(connection, "chats", "chat_order")
            assert [row["last_key"] for row in page] == [20000, *range(10000, 9950, -1)]
            assert read < 300


@pytest.mark.parametrize("planned", PLANNED)
@pytest.mark.parametrize(
    ("letters", "seconds", "read", "left"),
    [("%harga%", 60.0, 2000, []), ("%argah%", 0.0, 2000, [8, 7]), ("%argah%", 60.0, 6000, [])],
    ids=["a page is full", "the time is over", "there is nothing further back"],
)
async def test_of_common_letters_no_more_hours_are_read_than_a_page_or_the_time_needs(
    shelf: Shelf, planned: str, letters: str, seconds: float, read: int, left: list[int]
) -> None:
    gram, buckets = 77, [9, 8, 7]
    for bucket in buckets:
        await shelf.pool.execute(
            "INSERT INTO message_search (chat_id, key, tenant_id, device_no, kind, words, grams)"
            " SELECT n, ($3::int8 << 32) + n, $1, $2, 0, 'harga', ARRAY[$4::int4] FROM generate_series(1, 2000) n",
            shelf.tenant, shelf.device_no, bucket * BUCKET_SECONDS, in_bucket(gram, bucket),
        )  # fmt: skip
    await shelf.pool.execute(
        "INSERT INTO search_buckets (tenant_id, bucket) SELECT $1, unnest($2::int4[])", shelf.tenant, buckets
    )
    async with shelf.pool.acquire() as connection:
        await connection.execute("VACUUM ANALYZE message_search")
        await connection.execute(f"SET plan_cache_mode = {planned}")
        async with connection.transaction():
            rows = await connection.fetch(
                search.find_messages, shelf.tenant, None, None, 9, *TOP, [gram], [gram], [letters], 51, seconds
            )
            assert await _rows_read(connection, "message_search") == read
    assert [row["bucket"] for row in rows if row["key"] is None] == left
    assert [row["key"] & 0xFFFF for row in rows if row["key"] is not None] in ([], list(range(2000, 1949, -1)))


@pytest.mark.parametrize("planned", PLANNED)
async def test_files_that_wait_for_their_next_attempt_are_not_read(shelf: Shelf, planned: str) -> None:
    await shelf.pool.execute(
        "INSERT INTO media_fetches (chat_id, key, tenant_id, device_no, retry_at) SELECT 1, n, $1, $2,"
        " now() + (1000 - n) * interval '1 hour' FROM generate_series(-20000, 1002) n",
        shelf.tenant, shelf.device_no,
    )  # fmt: skip
    async with shelf.pool.acquire() as connection:
        await connection.execute(f"ANALYZE media_fetches; SET plan_cache_mode = {planned}")
        async with connection.transaction():
            due = await connection.fetch(fetches.next_wanted, [shelf.device_no], [], [], 10)
            seconds = await connection.fetchval(fetches.seconds_until_wanted, [shelf.device_no])
            read = await _rows_read(connection, "media_fetches")
    assert [row["key"] for row in due] == [1002, 1001, 1000]
    assert 0 < seconds <= 3600
    assert read < 10


async def test_of_a_group_with_very_many_messages_the_newest_are_looked_at_for_who_has_read_them(shelf: Shelf) -> None:
    chat_id = await _chat(shelf)
    await shelf.pool.execute(
        "INSERT INTO messages (chat_id, key, tenant_id, device_no, kind, flags, status, message_id, created_at)"
        " SELECT $3, n, $1, $2, 0, 1, 3, 'M' || n, now() FROM generate_series(1, 6000) n",
        shelf.tenant, shelf.device_no, chat_id,
    )  # fmt: skip
    await shelf.pool.execute(
        "INSERT INTO receipts (chat_id, key, person, tenant_id, read_at) SELECT $2, n, p << 3, $1, now()"
        " FROM generate_series(1, 6000) n, generate_series(1, 5) p",
        shelf.tenant, chat_id,
    )  # fmt: skip
    await shelf.pool.execute(
        "INSERT INTO group_members (chat_id, tenant_id, told_at, members) SELECT $2, $1, now(),"
        " (SELECT jsonb_agg(jsonb_build_object('jid', p || '@s.whatsapp.net')) FROM generate_series(1, 5) p)",
        shelf.tenant, chat_id,
    )  # fmt: skip
    async with shelf.pool.acquire() as connection:
        await connection.execute("ANALYZE")
        for newest in (6000, 5900):
            async with connection.transaction():
                read = await connection.fetch(members.mark_read_by_all, chat_id)
                looked = await _rows_read(connection, "receipts")
            assert sorted(row["key"] for row in read) == list(range(newest - 99, newest + 1))
            # of 30,000: how many have read each of the newest thousand, and who they are for a hundred of them
            assert looked < 15_000


async def test_receipts_of_a_chat_that_goes_are_found_by_their_index(shelf: Shelf) -> None:
    chat_id = await _chat(shelf)
    await shelf.pool.execute(
        "INSERT INTO receipts (chat_id, key, person, tenant_id) SELECT $2, n / 100, n, $1"
        " FROM generate_series(1, 20000) n",
        shelf.tenant, chat_id,
    )  # fmt: skip
    async with shelf.pool.acquire() as connection:
        await connection.execute("ANALYZE receipts; SET plan_cache_mode = force_generic_plan")
        await connection.execute("PREPARE gone (int8) AS DELETE FROM receipts WHERE chat_id = $1")
        nodes = await _plan(connection, "EXECUTE gone (1)")
    assert _read(nodes) == {"receipts_pkey"}


async def test_a_change_of_very_many_leads_is_no_comparison_of_each_with_each(shelf: Shelf) -> None:
    await shelf.pool.execute(
        "INSERT INTO leads (tenant_id, phone, name, zone, tags) SELECT $1, '+6012' || 1000000 + n, 'Lead ' || n, 'UTC',"
        " '{paid}' FROM generate_series(1, 60000) n",
        shelf.tenant,
    )
    await shelf.pool.execute(
        "INSERT INTO sequences (tenant_id, name, trigger, created_by) VALUES ($1, 'Drip', 'gold', 'user:1')",
        shelf.tenant,
    )
    async with shelf.pool.acquire() as connection:
        # what a trigger does is planned for the first change of a connection, which is mostly one of one lead
        await connection.execute("UPDATE leads SET tags = '{paid, gold}' WHERE id = (SELECT min(id) FROM leads)")
        # 3,600 million comparisons take minutes on any machine, 60,000 looks for a chat a second or two
        await connection.execute("SET statement_timeout = '60s'")
        await connection.execute("UPDATE leads SET device_no = $1", shelf.device_no)
        assert await connection.fetchval("SELECT count(*) FROM enrolments") == 1


async def test_the_end_of_very_many_steps_is_no_comparison_of_each_with_each(shelf: Shelf) -> None:
    await shelf.pool.execute(
        "INSERT INTO outbox (tenant_id, device_no, to_jid, kind, body, created_by, enrolment_id)"
        " SELECT $1, $2, n || '@s.whatsapp.net', 'text', 'Hi', 'user:1', n FROM generate_series(1, 30000) n",
        shelf.tenant, shelf.device_no,
    )  # fmt: skip
    async with shelf.pool.acquire() as connection:
        await connection.execute("UPDATE outbox SET body = 'Hello' WHERE id = (SELECT min(id) FROM outbox)")
        await connection.execute("SET statement_timeout = '60s'")
        await connection.execute("UPDATE outbox SET state = 'cancelled'")
        assert await connection.fetchval("SELECT count(*) FROM walk_queue") == 30000
