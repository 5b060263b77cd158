"""A real client can't decrypt what came: the inbox waits for the message, and shows it when it comes after all."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.database import Database
from tests.integration.devices.stack import Stack
from tests.simulator import Simulator
from wafast.database.pool import open_pool

WAITING = "Waiting for this message"
#: Messages that come 5 ms apart, and how many are stored when the worker is killed.
COUNT = 600
KILLS = (50, 200, 400)
COUNTED = """
    SELECT (figures ->> 'undecryptable')::int = 2 FROM workers WHERE expires_at > now() ORDER BY started_at DESC LIMIT 1
"""


async def until_shown(stack: Stack, message_id: str, text: str) -> Any:
    """The message once it shows this text."""
    return await stack.until(
        lambda: stack.pool.fetchrow(
            "SELECT * FROM whatsapp_messages WHERE message_id = $1 AND message_text = $2", message_id, text
        ),
        f"{message_id} with {text!r}",
    )


async def until_stored(stack: Stack, count: int) -> None:
    await stack.until(lambda: stack.pool.fetchval("SELECT count(*) >= $1 FROM messages", count), f"{count} rows")


@pytest.mark.asyncio
async def test_what_comes_again_takes_the_place_of_what_could_not_be_read(
    stack: Stack, phone: str, contact: str
) -> None:
    stack.start_worker()
    await stack.pair(phone)
    group = stack.simulator.group(phone, "Team", [contact])
    for place in (None, group):
        id = stack.simulator.corrupt(phone, contact, "second time", group=place)
        row = await until_shown(stack, id, "second time")
        assert row["message_type"] == "text"
    query = "SELECT count(*) FROM whatsapp_messages WHERE message_type <> 'system'"
    assert await stack.pool.fetchval(query) == 2


@pytest.mark.asyncio
async def test_what_never_comes_again_is_waited_for(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    await stack.pair(phone)
    id = stack.simulator.corrupt(phone, contact, "lost", comes_again=False)
    row = await until_shown(stack, id, WAITING)
    assert (row["message_type"], row["from_me"]) == ("unsupported", False)
    stack.simulator.text(phone, contact, "goes on")


@pytest.fixture
def own_simulator(tmp_path: Path) -> Iterator[Simulator]:
    simulator = Simulator.start(tmp_path / "world", seed=3)
    yield simulator
    simulator.stop()


@pytest_asyncio.fixture
async def own_stack(database: Database, tmp_path: Path, own_simulator: Simulator) -> Any:
    pool = await open_pool(database.uri, size=4, name="test")
    (tmp_path / "data").mkdir()
    stack = await Stack.make(database.uri, tmp_path / "data", own_simulator, pool)
    yield stack
    stack.end()
    await pool.close()


@pytest.mark.asyncio
async def test_a_redelivery_whose_key_was_used_up_is_waited_for_unless_it_was_read(
    own_stack: Stack, own_simulator: Simulator, tmp_path: Path, phone: str, contact: str
) -> None:
    """whatsmeow saves the ratchet before it hands a message over. The server is put back to before the message, so that
    the next one comes with the key that the killed client has used up."""
    stack, simulator = own_stack, own_simulator
    worker = stack.start_worker()
    await stack.pair(phone)
    group = simulator.group(phone, "Team", [contact])
    places = (None, group)
    for place in places:
        (id,) = simulator.text(phone, contact, "before", group=place)
        await until_shown(stack, id, "before")
    worker.stop()
    simulator.stop()
    shutil.copytree(simulator.folder, tmp_path / "earlier")
    simulator = stack.simulator = Simulator.start(simulator.folder)
    try:
        read = [simulator.text(phone, contact, "read", group=place)[0] for place in places]
        worker = stack.start_worker()
        for id in read:
            await until_shown(stack, id, "read")
        worker.kill()
        simulator.kill()
        shutil.rmtree(simulator.folder)
        shutil.copytree(tmp_path / "earlier", simulator.folder)
        simulator = stack.simulator = Simulator.start(simulator.folder)
        lost = [simulator.text(phone, contact, "lost", group=place)[0] for place in places]
        stack.start_worker()
        rows = [await until_shown(stack, id, WAITING) for id in lost]
        assert [row["sender_jid"] for row in rows] == [f"{contact}@s.whatsapp.net"] * 2
        assert [row["chat_jid"] for row in rows] == [f"{contact}@s.whatsapp.net", group]
        await stack.until(lambda: stack.pool.fetchval(COUNTED), "both are counted")
    finally:
        simulator.stop()


@pytest.mark.asyncio
async def test_killed_workers_leave_no_hole(stack: Stack, phone: str, contact: str) -> None:
    """Whatever instant the worker is killed at, each message has a row: its own, or one that waits for it."""
    worker = stack.start_worker()
    await stack.pair(phone)
    caller = Simulator.attach(stack.simulator.folder / "loopback.json")
    sending = asyncio.create_task(
        asyncio.to_thread(caller.text, phone, contact, "word", count=COUNT, interval_ms=5),
    )
    for stored in KILLS:
        await until_stored(stack, stored)
        worker.kill()
        worker = stack.start_worker()
    sent = {id: f"word {n}" for n, id in enumerate(await sending)}
    await until_stored(stack, COUNT)
    rows = await stack.pool.fetch("SELECT message_id, message_text, message_type FROM whatsapp_messages")
    assert sorted(row["message_id"] for row in rows) == sorted(sent)
    wrong = [row for row in rows if row["message_text"] != sent[row["message_id"]]]
    assert all((row["message_type"], row["message_text"]) == ("unsupported", WAITING) for row in wrong)
    lost = {row["message_id"] for row in wrong}
    beginnings = [id for before, id in pairwise([None, *sent]) if id in lost and before not in lost]
    assert len(beginnings) <= len(KILLS), "a kill costs what whatsmeow had read last and nobody was handed yet"
    unread = await stack.pool.fetchval("SELECT unread FROM chats")
    assert unread == COUNT
