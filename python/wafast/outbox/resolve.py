"""What becomes of a send nobody could say about, when a receipt names it: it has left, and this is its id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
import msgspec

from wafast import logs
from wafast.database.away import DATABASE_AWAY
from wafast.database.queries import load
from wafast.devices.session import Sent, Session
from wafast.events import bus
from wafast.inbox.media import ending_of
from wafast.outbox import transition
from wafast.outbox.claim import Claim

q = load(__file__)
log = logs.get("outbox.resolve")


async def resolve(
    pool: asyncpg.Pool, device_nos: Sequence[int], session_of: Callable[[int], Session | None], keep: int
) -> int:
    """Settle the unknown sends of these devices that receipts have answered; gives how many. Of a chat's
    messages the newest `keep` are shown, all when it is 0. One that can't be settled stays as it is."""
    settled = 0
    for record in await pool.fetch(q.answered, list(device_nos)):
        try:
            settled += await _settle(pool, dict(record), session_of, keep)
        except DATABASE_AWAY:
            raise
        except Exception:
            log.exception("an unknown send was not settled", outbox=record["id"])
    return settled


async def _settle(
    pool: asyncpg.Pool, fields: dict[str, Any], session_of: Callable[[int], Session | None], keep: int
) -> bool:
    message_id, at = fields.pop("message_id"), fields.pop("claimed_at")
    claim = msgspec.convert(fields, Claim)
    sent = Sent(message_id, at, _file(fields))
    change = await transition.change(pool, claim)
    if change is not None:
        session = session_of(claim.device_no)
        if session is None:
            return False
        session.changed(claim.to_jid, change, sent)
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchval(q.settle, claim.id, sent.message_id) is None:
            return False
        events = await transition.take_in(connection, [(claim, sent)], keep)
        row = {"k": "outbox", "t": claim.tenant_id, "d": claim.device_no, "o": [claim.id]}
        await bus.publish(connection, [row, *events])
    return True


def _file(row: dict[str, object]) -> dict[str, object] | None:
    """The file as it lies here; where it lies at WhatsApp was lost with the answer."""
    sha256, mime = row["media_sha256"], row["media_mime"]
    if not isinstance(sha256, bytes) or not isinstance(mime, str):
        return None
    return {"mime": mime, "ext": ending_of(mime), "sha256": sha256.hex(), "name": row["file_name"]}
