"""Which numbers are on WhatsApp, as this workspace's devices have found out. WhatsApp takes it ill when many numbers
are asked at once: each is asked when something is sent to it and nothing is known; what was found out holds 30 days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wafast import phones
from wafast.database.queries import load
from wafast.events import bus

if TYPE_CHECKING:
    from wafast.events.bus import Executor

q = load(__file__)

KEPT_DAYS = 30


async def known(connection: Executor, device_no: int, asked: Sequence[str]) -> dict[str, str | None]:
    """What is known of these numbers (E.164) on the device's network: the JID, None where a number is not on WhatsApp.
    A number of which nothing is known is not among them."""
    rows = await connection.fetch(q.known_numbers, device_no, list(asked), KEPT_DAYS)
    return {row["phone"]: row["jid"] for row in rows}


async def note(connection: Executor, device_no: int, found: Mapping[str, str | None]) -> None:
    """Keep what a device has found out: the JID of each number (E.164), None where it is not on WhatsApp. Where
    that is another number, the person's chats are called by it from now on."""
    columns = list(found), list(found.values())
    await connection.execute(q.note_numbers, device_no, *columns)
    joined = await connection.fetch(q.join_named_chats, device_no, *columns)
    merged = [{"k": "merged", "t": t, "d": device, "c": gone, "b": kept} for t, device, gone, kept in joined]
    await bus.publish(connection, merged)


async def note_absent(connection: Executor, device_no: int, jid: str) -> None:
    """Keep that WhatsApp has refused a phone-number JID because nobody is there."""
    await note_name(connection, device_no, jid, None)


async def note_name(connection: Executor, device_no: int, jid: str, named: str | None) -> None:
    """Keep how WhatsApp names a phone-number JID; None where it is not on WhatsApp."""
    phone = phones.of_jid(jid)
    if phone is not None:
        await note(connection, device_no, {phone: named})


async def forget_absent(connection: Executor, tenant_id: int, jids: Sequence[str]) -> None:
    """People behind these phone-number JIDs may be on WhatsApp by now: they are asked for again."""
    numbers = [phone for jid in jids if (phone := phones.of_jid(jid)) is not None]
    await connection.execute(q.forget_absent, tenant_id, numbers)
