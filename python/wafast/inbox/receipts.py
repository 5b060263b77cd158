"""How far a message of ours got: when it was sent, delivered, read and played, and in a group by whom."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from wafast.database.queries import load
from wafast.inbox.messages import FROM_ME, MessageStatus
from wafast.inbox.people import Person, people_of

if TYPE_CHECKING:
    import asyncpg

    from wafast.inbox.reach import Reach

q = load(__file__)


class PersonReceipt(Person, frozen=True, kw_only=True):
    """How far one member of a group got."""

    delivered_at: datetime | None
    read_at: datetime | None
    played_at: datetime | None


class MessageReceipts(msgspec.Struct, frozen=True, kw_only=True):
    """How far a message of ours got; in a chat of two, only the status is known of what was written on the phone."""

    status: Annotated[MessageStatus, Meta(examples=["read"])]
    is_group: bool
    sent_at: datetime
    delivered_at: Annotated[datetime | None, Meta(description="In a group: to the first of its members.")]
    read_at: Annotated[datetime | None, Meta(description="In a group: by the first of its members.")]
    people: Annotated[list[PersonReceipt], Meta(description="Members of a group of whom anything is known.")]


async def receipts_of(pool: asyncpg.Pool, reach: Reach, chat_id: int, key: int) -> MessageReceipts | None:
    """How far a message within reach got, or None when there is no such message of ours."""
    row = await pool.fetchrow(q.progress, reach.tenant_id, reach.device_ids, chat_id, key)
    if row is None or not row["flags"] & FROM_ME:
        return None
    found = []
    if row["is_group"]:
        found = await pool.fetch(q.receipts_of, reach.tenant_id, row["device_no"], chat_id, key)
    told = await people_of(pool, chat_id, [one["jid"] for one in found])
    people = [
        PersonReceipt(
            **told[one["jid"]],
            delivered_at=one["delivered_at"],
            read_at=one["read_at"],
            played_at=one["played_at"],
        )
        for one in found
    ]
    return MessageReceipts(
        status=row["status"],
        is_group=row["is_group"],
        sent_at=row["sent_at"],
        delivered_at=_first(row["delivered_at"], [one.delivered_at or one.read_at for one in people]),
        read_at=_first(row["read_at"], [one.read_at for one in people]),
        people=people,
    )


def _first(known: datetime | None, others: list[datetime | None]) -> datetime | None:
    return min((at for at in [known, *others] if at is not None), default=None)
