"""How sends end: the only way out of `sending`, as compare-and-set on the claims."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from uuid import UUID

import asyncpg
import msgspec

from wafast.database.queries import load
from wafast.devices import number_checks
from wafast.devices.rows import PauseCause
from wafast.devices.session import Change, Quoted, Sent
from wafast.events import bus
from wafast.outbox import own_messages
from wafast.outbox.claim import Claim
from wafast.outbox.device_gone import wake_pool
from wafast.outbox.rows import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wafast.events.bus import Event, Executor

q = load(__file__)

#: Kinds of reasons for which nothing was sent.
NEVER_LEFT: frozenset[Cause] = frozenset({"not_on_whatsapp", "media_gone", "not_taken", "opted_out", "same_person"})


class Pause(msgspec.Struct, frozen=True):
    """How long paced sends of a device are held back, and why, in plain words and by kind."""

    seconds: float
    reason: str
    cause: PauseCause


#: Once WhatsApp limits a number.
REACH_OUT = Pause(3600.0, "WhatsApp limits messages to people who do not know this number (463)", "reach_out")


class End(msgspec.Struct, frozen=True):
    """How a send ended. Of one that is sent, `sent` is what the server said. `again_seconds` is the wait of one that is
    queued again, `is_not_taken` whether WhatsApp did not take it, `cause` what kind of reason one that failed has.
    `pause`: what follows for its device."""

    claim: Claim
    state: Literal["sent", "failed", "unknown", "queued", "cancelled"]
    reason: str | None = None
    sent: Sent | None = None
    again_seconds: float = 0.0
    is_not_taken: bool = False
    cause: Cause | None = None
    pause: Pause | None = None


async def record(pool: asyncpg.Pool, worker_id: UUID, ends: Sequence[End], keep: int) -> set[int]:
    """End claims, of each device at most one, in one transaction, and tell: the rows, of messages that have left theirs
    and the previews of their chats, and what follows for device and number. Of a chat's messages the newest `keep` are
    shown, all when it is 0.

    A row that is to be queued again is cancelled, waits longer or waits elsewhere where somebody wanted that while it
    was being sent. One that others have given up as unknown ends by what its worker knows.

    Gives the rows that were these claims' until now. About others somebody else has decided; a message is stored all
    the same, because it has left. Raises asyncpg.LockNotAvailableError where others hold what it needs.
    """
    ends = sorted(ends, key=lambda end: end.claim.id)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(q.begin_ends)
        finished, events = await _finish(connection, worker_id, ends)
        events += await take_in(connection, [(end.claim, end.sent) for end in ends if end.sent is not None], keep)
        for end in ends:
            if end.cause == "not_on_whatsapp":
                await number_checks.note_absent(connection, end.claim.device_no, end.claim.to_jid)
            if end.pause is not None:
                events += await _pause(connection, end.claim.device_no, end.pause)
        await bus.publish(connection, events)
    return finished


async def _finish(connection: Executor, worker_id: UUID, ends: Sequence[End]) -> tuple[set[int], list[Event]]:
    """The rows; gives those that were these claims', and what is to be told of them."""
    columns = zip(*(_columns(end) for end in ends), strict=True)
    rows = {row["id"]: row for row in await connection.fetch(q.finish_sends, worker_id, *map(list, columns))}
    ours = [end.claim for end in ends if end.claim.id in rows]
    if any(row["device_no"] is None for row in rows.values()):
        await wake_pool(connection)
    at = {claim.id: (rows[claim.id]["network"], rows[claim.id]["device_no"]) for claim in ours}
    moved = [at[claim.id] for claim in ours if at[claim.id][1] not in (None, claim.device_no)]
    await bus.wake_each(connection, "outbox", moved)
    events = [{"k": "outbox", "t": claim.tenant_id, "d": claim.device_no, "o": [claim.id]} for claim in ours]
    return set(rows), events


def _columns(end: End) -> tuple[object, ...]:
    """As `finish_sends` takes them."""
    claim, has_not_left = end.claim, end.state == "queued" or end.cause in NEVER_LEFT
    message_id = None if end.sent is None else end.sent.message_id
    return (
        claim.id, claim.claim_epoch, claim.device_no, end.state, end.reason, message_id, end.again_seconds, end.cause,
        has_not_left, end.is_not_taken, claim.attempts,
    )  # fmt: skip


async def take_in(connection: Executor, left: Sequence[tuple[Claim, Sent]], keep: int) -> list[Event]:
    """What sends that have left, of each device at most one, leave here beside their rows, in the caller's transaction:
    a message, or of a change only the receipts that were faster (the core changes the message, see `Session.changed`).
    Gives what is to be told of it."""
    changes = [(claim, sent) for claim, sent in left if claim.target is not None]
    if changes:
        columns = zip(*((c.device_no, c.to_jid, sent.message_id, c.id) for c, sent in changes), strict=True)
        await connection.execute(q.take_early_receipts_of_changes, *map(list, columns))
    return await own_messages.store(connection, [one for one in left if one[0].target is None], keep)


async def _pause(connection: Executor, device_no: int, pause: Pause) -> list[Event]:
    """WhatsApp limits a device: that holds back its paced sends. Gives what is to be told of it."""
    tenant_id = await connection.fetchval(q.pause_device, device_no, pause.seconds, pause.reason, pause.cause)
    return [] if tenant_id is None else [{"k": "device", "t": tenant_id, "d": device_no}]


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
