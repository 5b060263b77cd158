"""Who is in a group, kept as WhatsApp says when somebody wants to know: 500 members do not fit the answer to a call."""

from __future__ import annotations

import asyncpg
import msgspec

from wafast.database.queries import load
from wafast.devices.session import Session

q = load(__file__)


async def read(pool: asyncpg.Pool, device_no: int, session: Session, chat_id: int) -> None:
    """Ask for the members of a device's group, and keep them. Raises SessionError."""
    group = await pool.fetchrow(q.group_of_chat, device_no, chat_id)
    if group is None:
        return
    members = await session.members(group["jid"])
    await pool.execute(q.keep_members, device_no, chat_id, group["asked_at"], msgspec.to_builtins(members))
