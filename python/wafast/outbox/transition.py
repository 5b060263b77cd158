"""How a send ends: the only way out of `sending`, as compare-and-set on the claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from uuid import UUID

import asyncpg

from wafast._core import message_key
from wafast.database.queries import load
from wafast.devices.session import Change, Quoted, Sent
from wafast.events import bus
from wafast.inbox import chats
from wafast.inbox.messages import FORWARDED, FROM_ME
from wafast.outbox.claim import Claim
from wafast.outbox.device_gone import wake_pool
from wafast.outbox.rows import Cause

if TYPE_CHECKING:
    from wafast.events.bus import Executor

q = load(__file__)

#: messages.kind of what can be sent, as message_kind() in the database reads it; a test compares them.
KINDS = {"text": 0, "image": 1, "video": 2, "audio": 3, "voice": 4, "document": 5}


#: Kinds of reasons for which nothing was sent.
NEVER_LEFT: frozenset[Cause] = frozenset({"not_on_whatsapp", "media_gone"})


async def finish(
    connection: Executor,
    worker_id: UUID,
    claim: Claim,
    state: Literal["sent", "failed", "unknown", "queued"],
    reason: str | None = None,
    *,
    message_id: str | None = None,
    again_seconds: float = 0.0,
    cause: Cause | None = None,
) -> bool:
    """End a claim, and tell. `again_seconds` is the wait of a row that is queued again, `cause` what kind of reason one
    that failed has. A row that is to be queued again is cancelled, waits longer or waits elsewhere where somebody
    wanted that while it was being sent. One that others have given up as unknown ends by what its worker knows.

    False when the row is not this claim's any more: somebody else has decided about it.
    """
    has_not_left = state == "queued" or cause in NEVER_LEFT
    row = await connection.fetchrow(
        q.finish_send, claim.id, worker_id, claim.claim_epoch, state, reason, message_id, again_seconds, cause,
        has_not_left, claim.device_no,
    )  # fmt: skip
    if row is None:
        return False
    await bus.publish(connection, [{"k": "outbox", "t": claim.tenant_id, "d": claim.device_no, "o": [claim.id]}])
    if row["device_no"] is None:
        await wake_pool(connection)
    elif row["device_no"] != claim.device_no:
        await bus.wake(connection, "outbox", row["network"], row["device_no"])
    return True


async def record_sent(pool: asyncpg.Pool, worker_id: UUID, claim: Claim, sent: Sent, keep: int) -> bool:
    """The server has taken what was sent: the outbox row, and of a message its row and the chat's preview, in one
    transaction.

    Of the chat's messages the newest `keep` are shown, all when it is 0.

    False when the row is not this claim's any more; the message is stored all the same, because it has left.
    """
    async with pool.acquire() as connection, connection.transaction():
        ours = await finish(connection, worker_id, claim, "sent", message_id=sent.message_id)
        await take_in(connection, claim, sent, keep)
    return bool(ours)


async def take_in(connection: Executor, claim: Claim, sent: Sent, keep: int) -> None:
    """What a send that has left leaves here beside its row, in the caller's transaction: a message, or of a change only
    the receipts that were faster (the core changes the message, see `Session.changed`)."""
    if claim.target is None:
        await _store_message(connection, claim, sent, keep)
    else:
        await connection.execute(
            q.take_early_receipts_of_change, claim.device_no, claim.to_jid, sent.message_id, claim.id
        )


async def _store_message(connection: Executor, claim: Claim, sent: Sent, keep: int) -> None:
    """The message row of a send that has left, its chat's preview, and the receipts that were faster. Runs in the
    caller's transaction, in which the outbox row has become `sent`."""
    key = message_key(sent.timestamp, sent.message_id)
    kind = KINDS[claim.kind]
    body = claim.body or (claim.file_name or "" if claim.kind == "document" else "")
    chat_id = await chats.chat_with(connection, claim.tenant_id, claim.device_no, claim.to_jid)
    own = await connection.fetchval(q.own_jid, claim.device_no)
    new = await connection.fetchval(
        q.insert_own_message, chat_id, key, pack(own), claim.device_no, claim.tenant_id, kind, sent.message_id,
        body, sent.media, claim.quoted, FROM_ME | FORWARDED if claim.forwarded else FROM_ME,
    )  # fmt: skip
    if new is not None and sent.thumbnail is not None:
        await connection.execute(q.insert_thumbnail, chat_id, key, claim.tenant_id, sent.thumbnail)
    await connection.execute(q.show_in_chat, chat_id, key, new is not None, kind, body, keep)
    early = await connection.fetch(q.take_early_receipts, chat_id, sent.message_id, key)
    if early:
        status, at = max((row["status"], row["at"]) for row in early)
        await connection.execute(q.apply_early_receipts, chat_id, key, claim.id, status, at)
    where = {"t": claim.tenant_id, "d": claim.device_no}
    await bus.publish(
        connection, [{"k": "message", **where, "c": chat_id, "m": [key]}, {"k": "chat", **where, "c": [chat_id]}]
    )


async def quoted(pool: asyncpg.Pool, claim: Claim) -> Quoted | None:
    """The message a send answers, as far as it is still known."""
    if claim.quoted is None:
        return None
    row = await pool.fetchrow(q.quoted_message, claim.device_no, claim.to_jid, claim.quoted)
    if row is None:
        return None
    return Quoted(claim.quoted, row["own"] if row["from_me"] else row["sender"], row["body"])


async def change(pool: asyncpg.Pool, claim: Claim) -> Change | None:
    """What a send does to a message that is there; None when it is a message itself. What is not kept here any more
    counts as ours."""
    if claim.target is None or claim.kind not in ("reaction", "edit", "delete"):
        return None
    author = await pool.fetchval(q.author_of, claim.device_no, claim.to_jid, claim.target)
    return Change(claim.kind, claim.target, author, claim.body)


async def refuse(pool: asyncpg.Pool, worker_id: UUID, claim: Claim, reason: str, seconds: float, why: str) -> None:
    """A send failed with that reason as WhatsApp limits its device: that holds back its paced sends for so long, in one
    transaction, and says why."""
    async with pool.acquire() as connection, connection.transaction():
        await finish(connection, worker_id, claim, "failed", reason, cause="reach_out")
        tenant_id = await connection.fetchval(q.pause_device, claim.device_no, seconds, why)
        if tenant_id is not None:
            await bus.publish(connection, [{"k": "device", "t": tenant_id, "d": claim.device_no}])


def pack(jid: str | None) -> int:
    """A phone-number JID as messages.sender has it; 0 for none."""
    user = (jid or "").partition("@")[0]
    return int(user) << 3 if user.isdigit() else 0
