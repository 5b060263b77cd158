"""The order of the list of all devices follows what is stored, and the list never waits for it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.integration.api.world import Chat, Tenant, World
from wafast.database.turn import CHAT_ORDER
from wafast.inbox.chat_order import keep_order

#: Whose turn it is in this database; PostgreSQL keeps the two halves of a lock's number.
HOLDER = (
    "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database AND datname = current_database()"
    f" WHERE locktype = 'advisory' AND granted AND classid = {CHAT_ORDER >> 32} AND objid = {CHAT_ORDER & 0xFFFFFFFF}"
)
CUT = f"SELECT pg_terminate_backend(({HOLDER}), 5000)"


def _is_placed(tenant: Tenant, key: int) -> bool:
    placed: bool = tenant.world.sql(
        "SELECT EXISTS (SELECT FROM chat_order WHERE tenant_id = $1 AND last_key = $2)"
        " AND NOT EXISTS (SELECT FROM chat_order_queue WHERE tenant_id = $1)",
        tenant.id,
        key,
    )
    return placed


def _wait_until_placed(tenant: Tenant, chat: Chat, key: int) -> None:
    deadline = time.monotonic() + 60
    while not _is_placed(tenant, key):
        assert time.monotonic() < deadline, "the chat has no place after 60 seconds"
        tenant.world.publish({"k": "message", "t": tenant.id, "d": chat.device.no, "c": chat.id, "m": [key]})
        time.sleep(0.05)


def test_what_is_announced_gets_its_place_also_after_the_connection_was_cut(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    _wait_until_placed(tenant, chat, tenant.message(chat, at=int(time.time()) - 5))
    assert tenant.world.sql(CUT)
    _wait_until_placed(tenant, chat, tenant.message(chat))
    assert tenant.world.sql("SELECT count(*) FROM chat_order_queue WHERE tenant_id = $1", tenant.id) == 0


@contextmanager
def _another_process(world: World) -> Iterator[None]:
    """Another one that wants to do the same."""
    task = asyncio.run_coroutine_threadsafe(keep_order(world.uri), world.background.loop)
    try:
        yield
    finally:
        task.cancel()


def test_of_several_processes_one_does_it_and_another_follows(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    with _another_process(tenant.world):
        for age in (9, 6, 3):
            _wait_until_placed(tenant, chat, tenant.message(chat, at=int(time.time()) - age))
            assert tenant.world.sql(f"SELECT count(*) FROM ({HOLDER}) holder") == 1
            assert tenant.world.sql(CUT)
    _wait_until_placed(tenant, chat, tenant.message(chat))


def _ids(client: httpx.Client, **params: Any) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = client.get("/api/v1/chats", params=params | {"limit": 3} | ({"after": after} if after else {})).json()
        found += [chat["id"] for chat in page["items"]]
        after = page["next"]
        if after is None:
            return found


def _expected(tenant: Tenant, condition: str) -> list[str]:
    ids = tenant.world.sql(
        "SELECT array_agg(id::text ORDER BY pinned_at IS NOT NULL DESC, last_key DESC, id DESC) FROM chats"
        f" WHERE tenant_id = $1 AND last_key IS NOT NULL AND {condition}",
        tenant.id,
    )
    return ids or []


@pytest.mark.parametrize("seed", range(3))
def test_the_list_is_exact_whatever_part_of_it_is_placed(tenant: Tenant, seed: int) -> None:
    draw = random.Random(seed)
    now = int(time.time())
    devices = [tenant.device(), tenant.device()]
    jids = [f"1203630000000{seed}{number:02}@g.us" if number % 3 == 0 else None for number in range(12)]
    chats = [tenant.chat(draw.choice(devices), jid=jid) for jid in jids]
    changes = ("unread = 0", "archived = NOT archived", "pinned_at = now()", "pinned_at = NULL", "last_key = NULL")
    for step in range(60):
        chat = draw.choice(chats)
        if draw.random() < 0.7:
            tenant.message(chat, at=now - 200 + 2 * step)
        else:
            tenant.world.sql(f"UPDATE chats SET {draw.choice(changes)} WHERE id = $1", chat.id)
        if step % 20 == 10:
            _wait_until_placed(tenant, chat, tenant.message(chat, at=now - 199 + 2 * step))
        if step % 10 == 9:
            client = tenant.client("read")
            assert _ids(client) == _expected(tenant, "NOT archived")
            assert _ids(client, unread=True) == _expected(tenant, "NOT archived AND unread > 0")
            assert _ids(client, is_group=True) == _expected(tenant, "NOT archived AND is_group")
            assert _ids(client, archived=True) == _expected(tenant, "archived")
            one = str(devices[0].id)
            assert _ids(client, device_id=one) == _expected(tenant, f"NOT archived AND device_no = {devices[0].no}")
