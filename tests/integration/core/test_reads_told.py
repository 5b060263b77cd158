"""Of what was read here, WhatsApp is told what it knows as a message."""

from __future__ import annotations

import asyncio

from tests.integration.core import events
from tests.integration.core.conftest import World
from tests.integration.core.events import CALL_TERMINATE, GROUP, GROUP_INFO, MESSAGE, NOW, SITI, UNDECRYPTABLE
from wafast.database.pool import open_pool
from wafast.devices.untold_reads import q as told
from wafast.inbox import chats
from wafast.inbox.reach import Reach


async def named_after_reading(world: World) -> list[str]:
    """Reads the only chat; gives the ids its receipts name."""
    pool = await open_pool(world.uri, size=1, name="test")
    try:
        [chat] = await pool.fetch("SELECT id, tenant_id FROM chats")
        assert await chats.read_chat(pool, Reach(chat["tenant_id"], None), chat["id"])
        [row] = await pool.fetch(told.untold_reads, world.device_no)
        named = await pool.fetch(told.read_messages, row["chat_id"], row["from_key"], row["unread"])
        return [message["message_id"] for message in named]
    finally:
        await pool.close()


def test_receipts_name_no_changes_of_a_group_and_nothing_that_could_not_be_read(world: World) -> None:
    world.feed(
        (MESSAGE, events.message("A1", "hai", chat=GROUP, sender=SITI)),
        (GROUP_INFO, events.group_info(at=NOW + 1, NewInviteLink="https://chat.example/x")),
        (UNDECRYPTABLE, events.undecryptable("W1", chat=GROUP, sender=SITI, at=NOW + 2)),
        (MESSAGE, events.message("A2", "lagi", chat=GROUP, sender=SITI, at=NOW + 3)),
    )
    assert asyncio.run(named_after_reading(world)) == ["A2", "A1"]


def test_receipts_name_no_calls(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "hai")), (CALL_TERMINATE, events.ended_call("C1", at=NOW + 1)))
    assert asyncio.run(named_after_reading(world)) == ["A1"]
