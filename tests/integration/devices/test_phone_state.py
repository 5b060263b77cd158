"""What the owner sets on the phone after the pairing shows in the inbox by itself."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from tests.integration.devices.stack import Stack
from wafast.events.bus import EVENTS

CHAT = """
    SELECT id, name, archived, pinned_at IS NOT NULL AS pinned, unread,
           extract(epoch FROM muted_until)::int8 AS muted_until
    FROM chats WHERE jid = $1
"""


async def until_chat(stack: Stack, jid: str, **wanted: Any) -> Any:
    """The chat once each field named is as wanted."""

    async def ask() -> Any:
        row = await stack.pool.fetchrow(CHAT, jid)
        return row if row is not None and all(row[name] == value for name, value in wanted.items()) else None

    return await stack.until(ask, f"{jid} with {wanted}")


@pytest.mark.asyncio
async def test_what_is_set_on_the_phone_shows_and_what_is_taken_back_goes(
    stack: Stack, phone: str, contact: str
) -> None:
    stack.start_worker()
    await stack.pair(phone)
    group = stack.simulator.group(phone, "Team", [contact])
    person = f"{contact}@s.whatsapp.net"
    stack.simulator.text(phone, contact, "hello")
    stack.simulator.text(phone, contact, "hello", group=group)
    chat = await until_chat(stack, person, unread=1, pinned=False, archived=False, muted_until=None)
    await until_chat(stack, group, unread=1, name="Team")
    until = int(time.time()) + 8 * 3600
    heard: list[int] = []
    listener: Any = await stack.pool.acquire()

    def hear(_connection: Any, _pid: int, _channel: str, payload: str) -> None:
        heard.extend(id for event in json.loads(payload) if event["k"] == "chat" for id in event["c"])

    await listener.add_listener(EVENTS, hear)
    stack.simulator.settings(phone, contact=contact, mute_until=until, pinned=True, archived=True, name="Aunty Siti")
    stack.simulator.settings(phone, group=group, mute_until=-1)
    await until_chat(stack, person, name="Aunty Siti", pinned=True, archived=True, muted_until=until, unread=1)
    team = await until_chat(stack, group, name="Team", muted_until=4_102_444_800, archived=False, unread=1)

    async def both_told() -> bool:
        return {chat["id"], team["id"]} <= set(heard)

    await stack.until(both_told, "both chats announced")
    stack.simulator.settings(phone, contact=contact, mute_until=0, pinned=False, archived=False)
    stack.simulator.settings(phone, group=group, mute_until=0)
    await until_chat(stack, person, name="Aunty Siti", pinned=False, archived=False, muted_until=None, unread=1)
    await until_chat(stack, group, muted_until=None)
    await listener.remove_listener(EVENTS, hear)
    await stack.pool.release(listener)


@pytest.mark.asyncio
async def test_what_is_read_on_the_phone_is_read(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    await stack.pair(phone)
    group = stack.simulator.group(phone, "Team", [contact])
    for jid, place in ((f"{contact}@s.whatsapp.net", None), (group, group)):
        ids = stack.simulator.text(phone, contact, "hello", count=3, group=place)
        await until_chat(stack, jid, unread=3)
        stack.simulator.own_read(phone, contact, ids[:2], group=place)
        await until_chat(stack, jid, unread=1)
        stack.simulator.own_read(phone, contact, ids[2:], group=place)
        await until_chat(stack, jid, unread=0)


@pytest.mark.asyncio
async def test_what_was_set_while_the_device_was_away_is_not_missed(stack: Stack, phone: str, contact: str) -> None:
    stranger = str(int(contact) + 5_000_000)
    worker = stack.start_worker()
    stack.simulator.settings(phone, contact=contact, pinned=True, name="Before")
    device = await stack.pair(phone)
    stack.simulator.text(phone, contact, "hello")
    await until_chat(stack, f"{contact}@s.whatsapp.net", name="Before", pinned=True)
    await asyncio.to_thread(worker.stop)
    stack.simulator.settings(phone, contact=contact, pinned=False, archived=True, name="After")
    stack.simulator.settings(phone, contact=stranger, name="Never wrote", mute_until=-1)
    stack.start_worker()
    await stack.until_state(device.id, "online")
    await until_chat(stack, f"{contact}@s.whatsapp.net", name="After", pinned=False, archived=True)
    assert await stack.pool.fetchval("SELECT count(*) FROM chats") == 1
    stack.simulator.text(phone, stranger, "now I do")
    await until_chat(stack, f"{stranger}@s.whatsapp.net", name="Never wrote", muted_until=4_102_444_800, unread=1)
