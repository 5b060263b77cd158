"""Files on their way from WhatsApp: at once by setting, whole or not at all, and what becomes of expired ones."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from tests.integration.devices.stack import Stack
from tests.simulator import Image
from wafast.events import bus
from wafast.events.calls import CallFailed, DeadlinePassed, NoLease

FETCHES = "SELECT state, reason, attempts, retry_at > now() AS waits FROM media_fetches WHERE device_no = $1"


async def picture(stack: Stack, phone: str, contact: str) -> Image:
    """A contact sends a picture nobody has seen before."""
    return await asyncio.to_thread(stack.simulator.image, phone, contact, data=os.urandom(20_000))


async def message(stack: Stack, id: str) -> asyncpg.Record:
    """Where the message is, once it is stored."""
    query = "SELECT chat_id, key FROM messages WHERE message_id = $1"
    return await stack.until(lambda: stack.pool.fetchrow(query, id), "the picture's message")


async def fetch(stack: Stack, device_no: int, id: str, deadline: float = 30.0) -> dict[str, Any]:
    """Asks the device for a message's file, as a view does."""
    row = await message(stack, id)
    async with stack.caller() as caller:
        return await caller.call(device_no, "fetch_media", {"chat_id": row["chat_id"], "key": row["key"]}, deadline)


async def until_here(stack: Stack, image: Image) -> None:
    """Returns when a picture's row is there and it is on disk, which is a moment later."""

    async def is_here() -> bool:
        row = await stack.pool.fetchval("SELECT 1 FROM media WHERE sha256 = $1", bytes.fromhex(image.sha256))
        return row is not None and image.sha256 in stack.files()

    await stack.until(is_here, "the file and its row")


async def until_fetches(stack: Stack, device_no: int, *states: str) -> list[asyncpg.Record]:
    """What is remembered of files, once it is in these states."""

    async def ask() -> list[asyncpg.Record] | None:
        rows = await stack.pool.fetch(FETCHES, device_no)
        return rows if sorted(row["state"] for row in rows) == sorted(states) else None

    return await stack.until(ask, f"fetches in {states}") if states else await ask() or []


@contextlib.asynccontextmanager
async def downloads(stack: Stack, how: Any) -> AsyncIterator[None]:
    """WhatsApp's media servers are so meanwhile."""
    await asyncio.to_thread(stack.simulator.downloads, how)
    try:
        yield
    finally:
        await asyncio.to_thread(stack.simulator.downloads, "served")


async def test_files_of_new_messages_come_by_themselves(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker(media="eager")
    device = await stack.pair(phone)
    images = [await picture(stack, phone, contact) for _ in range(5)]
    for image in images:
        await until_here(stack, image)

    async def nothing_left() -> bool:
        return not await stack.pool.fetch(FETCHES, device.no)

    await stack.until(nothing_left, "no file that is still wanted")


async def test_files_stay_at_whatsapp_until_they_are_viewed_unless_told_otherwise(
    stack: Stack, phone: str, contact: str
) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    image = await picture(stack, phone, contact)
    await fetch(stack, device.no, image.id)
    second = await picture(stack, phone, contact)
    await message(stack, second.id)
    # the worker has handled what came after it
    [text] = await asyncio.to_thread(stack.simulator.text, phone, contact, "Seen it?")
    await message(stack, text)
    assert stack.files() == {image.sha256}


async def test_files_that_did_not_come_before_a_kill_come_after_it(stack: Stack, phone: str, contact: str) -> None:
    worker = stack.start_worker(media="eager")
    device = await stack.pair(phone)
    before = (await asyncio.to_thread(stack.simulator.stats)).downloads
    async with downloads(stack, "held"):
        images = [await picture(stack, phone, contact) for _ in range(5)]

        async def begun() -> bool:
            return (await asyncio.to_thread(stack.simulator.stats)).downloads >= before + 3

        await stack.until(begun, "three fetches under way")
        assert len(await until_fetches(stack, device.no, *["wanted"] * 5)) == 5
        assert (await asyncio.to_thread(stack.simulator.stats)).downloads == before + 3, "not more at once"
        worker.kill()
    assert stack.files() == set()
    stack.start_worker(media="eager")
    for image in images:
        await until_here(stack, image)


async def test_a_file_that_breaks_off_leaves_nothing_and_the_next_view_begins_anew(
    stack: Stack, phone: str, contact: str
) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    image = await picture(stack, phone, contact)
    async with downloads(stack, "cut"):
        with pytest.raises((CallFailed, DeadlinePassed)):
            await fetch(stack, device.no, image.id)
        assert stack.files() == set()
        assert await stack.pool.fetch(FETCHES, device.no) == [], "it is not gone"
    assert (await fetch(stack, device.no, image.id))["sha256"] == image.sha256


async def test_a_view_whose_worker_is_killed_hears_so_and_the_next_one_works(
    stack: Stack, phone: str, contact: str
) -> None:
    worker = stack.start_worker()
    device = await stack.pair(phone)
    image = await picture(stack, phone, contact)
    async with downloads(stack, "held"):
        before = (await asyncio.to_thread(stack.simulator.stats)).downloads
        view = asyncio.create_task(fetch(stack, device.no, image.id, 60.0))

        async def begun() -> bool:
            return (await asyncio.to_thread(stack.simulator.stats)).downloads > before

        await stack.until(begun, "a fetch under way")
        worker.kill()
        stack.start_worker()
        with pytest.raises(NoLease, match="try again"):
            await view
        assert stack.files() == set()
    await stack.until_state(device.id, "online")
    assert (await fetch(stack, device.no, image.id))["sha256"] == image.sha256


async def test_other_bytes_than_the_message_names_are_refused_and_not_stored(
    stack: Stack, phone: str, contact: str
) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    image = await picture(stack, phone, contact)
    async with downloads(stack, "wrong"):
        with pytest.raises(CallFailed) as refused:
            await fetch(stack, device.no, image.id)
    assert refused.value.code == "failed"
    assert stack.files() == set()
    assert await stack.pool.fetchval("SELECT count(*) FROM media") == 0


async def test_a_file_whatsapp_keeps_no_more_is_remembered_until_it_is_there_again(
    stack: Stack, phone: str, contact: str
) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    image = await picture(stack, phone, contact)
    row = await message(stack, image.id)
    events = bus.subscribe(stack.uri, "test")
    assert isinstance(await anext(events), bus.Gap)
    async with downloads(stack, "expired"):
        with pytest.raises(CallFailed) as refused:
            await fetch(stack, device.no, image.id)
    assert refused.value.code == "expired"
    [remembered] = await until_fetches(stack, device.no, "expired")
    assert remembered["waits"] and "does not keep" in remembered["reason"]
    assert (await fetch(stack, device.no, image.id))["sha256"] == image.sha256
    assert await stack.pool.fetch(FETCHES, device.no) == []
    told = {"k": "status", "t": stack.tenant_id, "d": device.no, "c": row["chat_id"], "m": [row["key"]]}
    seen = 0
    while seen < 2:  # that it is gone, and that it is not
        batch = await asyncio.wait_for(anext(events), 30)
        assert not isinstance(batch, bus.Gap)
        seen += batch.count(told)


async def test_a_file_that_does_not_come_is_tried_again_and_given_up_with_a_reason(
    stack: Stack, phone: str, contact: str
) -> None:
    stack.start_worker(media="eager")
    device = await stack.pair(phone)
    async with downloads(stack, "wrong"):
        image = await picture(stack, phone, contact)

        async def failed_once() -> bool:
            rows = await stack.pool.fetch(FETCHES, device.no)
            return [row["attempts"] for row in rows] == [1] and rows[0]["waits"] and rows[0]["state"] == "wanted"

        await stack.until(failed_once, "a first failure")
        last = "UPDATE media_fetches SET attempts = 9, retry_at = now() WHERE device_no = $1"
        await stack.pool.execute(last, device.no)
        again = await picture(stack, phone, contact)  # wakes the worker
        await message(stack, again.id)

        async def given_up() -> bool:
            rows = await stack.pool.fetch(FETCHES, device.no)
            return any(row["state"] == "failed" and row["attempts"] == 10 and row["reason"] for row in rows)

        await stack.until(given_up, "the file given up")
    assert (await fetch(stack, device.no, image.id))["sha256"] == image.sha256
    left = await stack.pool.fetch(FETCHES, device.no)
    assert all(row["state"] == "wanted" for row in left), "a view tries again"


async def test_an_expired_file_is_not_asked_for_over_and_over(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker(media="eager")
    device = await stack.pair(phone)
    async with downloads(stack, "expired"):
        await picture(stack, phone, contact)
        [remembered] = await until_fetches(stack, device.no, "expired")
        assert remembered["attempts"] == 1
        await picture(stack, phone, contact)
        rows = await until_fetches(stack, device.no, "expired", "expired")
    assert [row["attempts"] for row in rows] == [1, 1]
