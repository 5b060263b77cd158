"""Who writes in a chat, as a lead: the number, whether it wants campaigns, and in which of them and sequences it is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from wafast.database.queries import load
from wafast.sequences.enrolments import Reason, State

if TYPE_CHECKING:
    import asyncpg

q = load(__file__)

#: Nobody reads more beside a conversation.
MOST = 10


class Person(msgspec.Struct, frozen=True):
    """The person of a chat; the last three say how it came to want nothing more, None when it does not."""

    phone: str | None
    lead_id: int | None
    reason: str | None
    created_by: str | None
    created_at: datetime | None


class InSequence(msgspec.Struct, frozen=True):
    """An enrolment, with the name of its sequence."""

    id: int
    sequence_id: int
    name: str
    state: State
    reason: Reason | None
    started_at: datetime
    position: int | None
    due_at: datetime | None


class InCampaign(msgspec.Struct, frozen=True):
    """A campaign's message to a lead, and what became of it."""

    campaign_id: int
    name: str
    bucket: str
    reason: str | None
    sent_at: datetime | None


async def person(pool: asyncpg.Pool, tenant_id: int, chat_id: int) -> Person | None:
    """None of a group."""
    row = await pool.fetchrow(q.person_of_chat, tenant_id, chat_id)
    return None if row is None else msgspec.convert(dict(row), Person)


async def sequences_of(pool: asyncpg.Pool, tenant_id: int, lead_id: int) -> list[InSequence]:
    """The last MOST a lead entered."""
    rows = await pool.fetch(q.sequences_of_lead, tenant_id, lead_id, MOST)
    return [msgspec.convert(dict(row), InSequence) for row in rows]


async def campaigns_of(pool: asyncpg.Pool, tenant_id: int, lead_id: int) -> list[InCampaign]:
    """The last MOST that wrote or will write to a lead."""
    rows = await pool.fetch(q.campaigns_of_lead, tenant_id, lead_id, MOST)
    return [msgspec.convert(dict(row), InCampaign) for row in rows]
