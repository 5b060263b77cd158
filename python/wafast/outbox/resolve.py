"""What becomes of a send nobody could say about, when a receipt names it: it has left, and this is its id."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import asyncpg
import msgspec

from wafast.database.queries import load
from wafast.devices.session import Sent, Session
from wafast.events import bus
from wafast.inbox.media import ending_of
from wafast.outbox import transition
from wafast.outbox.claim import Claim

q = load(__file__)


async def resolve(
    pool: asyncpg.Pool, device_nos: Sequence[int], session_of: Callable[[int], Session | None], keep: int
) -> int:
    """Settle the unknown sends of these devices that receipts have answered; gives how many. Of a chat's
    messages the newest `keep` are shown, all when it is 0."""
    settled = 0
    for record in await pool.fetch(q.answered, list(device_nos)):
        fields = dict(record)
        sent = Sent(fields.pop("message_id"), fields.pop("claimed_at"), _file(fields))
        claim = msgspec.convert(fields, Claim)
        change = await transition.change(pool, claim)
        session = session_of(claim.device_no)
        if change is not None and session is not None:
            session.changed(claim.to_jid, change, sent)
        if change is None or session is not None:
            settled += await _settle(pool, claim, sent, keep)
    return settled


async def _settle(pool: asyncpg.Pool, claim: Claim, sent: Sent, keep: int) -> bool:
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchval(q.settle, claim.id, sent.message_id) is None:
            return False
        await transition.take_in(connection, claim, sent, keep)
        event = {"k": "outbox", "t": claim.tenant_id, "d": claim.device_no, "o": [claim.id]}
        await bus.publish(connection, [event])
    return True


def _file(row: dict[str, object]) -> dict[str, object] | None:
    """The file as it lies here; where it lies at WhatsApp was lost with the answer."""
    sha256, mime = row["media_sha256"], row["media_mime"]
    if not isinstance(sha256, bytes) or not isinstance(mime, str):
        return None
    return {"mime": mime, "ext": ending_of(mime), "sha256": sha256.hex(), "name": row["file_name"]}
