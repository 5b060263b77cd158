"""What becomes of a send nobody could say about: a receipt names it, then it has left, and this is its id; or a person
says whether it arrived."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any

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
from wafast.outbox.told import tell

if TYPE_CHECKING:
    from wafast.accounts.principal import Principal
    from wafast.events.bus import Executor

#: Of what a person says of it nobody knows WhatsApp's id: it has one of ours, of its row.
OURS = "wafast-"
#: Unknown sends of a campaign that are settled in one transaction.
AT_ONCE = 200

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


class NotKnowable(Exception):
    """A person can't say that of a send; the text says why, and what can be done."""


async def say(pool: asyncpg.Pool, who: Principal, rows: Sequence[int], *, arrived: bool, keep: int) -> list[int]:
    """A person says of unknown sends, of each device at most one, whether they have arrived: they have left, with their
    messages, or failed. Of a chat's messages the newest `keep` are shown, all when it is 0.

    Gives those that were unknown until now. Raises NotKnowable.
    """
    async with pool.acquire() as connection, connection.transaction():
        found = await connection.fetch(q.unknown_rows, who.tenant_id, list(rows))
        ids = [row["id"] for row in found]
        if arrived:
            await _have_arrived(connection, [dict(row) for row in found], keep)
        else:
            await connection.execute(q.say_not_arrived, ids, who.user_id, who.key_id, who.actor)
        await tell(connection, found)
    return ids


async def _have_arrived(connection: Executor, rows: list[dict[str, Any]], keep: int) -> None:
    if any(row["target"] is not None for row in rows):
        raise NotKnowable(
            "A reaction, an edit or a deletion is done anew instead of being called done: twice is as good as once."
        )
    sent = [(row, Sent(f"{OURS}{row['id']}", row["claimed_at"], _file(row))) for row in rows]
    await connection.execute(q.say_arrived, [row["id"] for row in rows], [one.message_id for _, one in sent])
    here = [(_claim(row), one) for row, one in sent if row["device_no"] is not None]
    await bus.publish(connection, await transition.take_in(connection, here, keep) if here else [])


async def say_of_source(
    pool: asyncpg.Pool, who: Principal, source_id: int, *, arrived: bool, keep: int
) -> AsyncIterator[list[int]]:
    """`say` of all unknown sends of a campaign's source, a bounded part at a time; gives the rows of each."""
    while rows := [row["id"] for row in await pool.fetch(q.unknown_of_source, who.tenant_id, source_id, AT_ONCE)]:
        yield await say(pool, who, rows, arrived=arrived, keep=keep)


def _claim(fields: dict[str, Any]) -> Claim:
    return msgspec.convert({name: value for name, value in fields.items() if name != "claimed_at"}, Claim)


async def _settle(
    pool: asyncpg.Pool, fields: dict[str, Any], session_of: Callable[[int], Session | None], keep: int
) -> bool:
    message_id = fields.pop("message_id")
    claim, sent = _claim(fields), Sent(message_id, fields["claimed_at"], _file(fields))
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
