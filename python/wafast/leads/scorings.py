"""Scores of leads by the AI endpoint: who asked for which, and how far it is. `scorer.py` does it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from wafast.accounts import audit
from wafast.database.queries import load
from wafast.leads.rows import matching

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from wafast.accounts.principal import Principal

q = load(__file__)

#: Channel that wakes the scorer.
WORK = "wafast_scoring"
#: Leads that are named one by one, of a request.
AT_ONCE = 5_000


class Scoring(msgspec.Struct, frozen=True, kw_only=True):
    """Leads that get scores."""

    id: Annotated[str, Meta(examples=["3"])]
    state: Annotated[Literal["running", "done", "failed", "cancelled"], Meta(examples=["running"])]
    reason: Annotated[str | None, Meta(description="Why it failed, or why it waits just now.", examples=[None])]
    goal: Annotated[str, Meta(examples=["Restaurants in Penang that order every week"])]
    leads: Annotated[int, Meta(description="That fitted when it was asked for.", examples=[130])]
    scored: Annotated[int, Meta(description="Have got their score.", examples=[48])]
    failed: Annotated[int, Meta(description="Got none; each says why.", examples=[1])]
    created_by: Annotated[str, Meta(examples=["user:7"])]
    created_at: datetime
    ended_at: datetime | None


def scoring_of(row: asyncpg.Record) -> Scoring:
    """A Scoring of a row."""
    fields = {name: row[name] for name in Scoring.__struct_fields__}
    return msgspec.convert(fields | {"id": str(row["id"])}, Scoring)


async def begin(
    pool: asyncpg.Pool, principal: Principal, wanted: dict[str, Any], lead_ids: Sequence[int] | None, goal: str
) -> Scoring:
    """Asks for scores; the scorer makes them.

    Args:
        wanted: a filter as ``filters.stored`` gives it.
        lead_ids: only these of the leads that fit; None for all.
        goal: what makes a good lead, in the caller's words; may be empty.
    """
    tenant_id = principal.tenant_id
    async with matching(pool) as connection:
        row = await connection.fetchrow(q.create_scoring, tenant_id, wanted, lead_ids, goal, principal.actor)
        assert row is not None, "an insert that always gives its row gave none"
        told = {"leads": row["leads"]}
        await audit.record(connection, tenant_id, principal.actor, "leads.score", f"scoring:{row['id']}", **told)
        await connection.execute(q.wake_scorer, WORK)
    return scoring_of(row)


async def cancel(pool: asyncpg.Pool, principal: Principal, scoring_id: int) -> bool:
    """Ends it; scores that there are stay. False when it has ended, or there is none."""
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchval(q.cancel_scoring, principal.tenant_id, scoring_id) is None:
            return False
        subject = f"scoring:{scoring_id}"
        await audit.record(connection, principal.tenant_id, principal.actor, "leads.cancel_scoring", subject)
    return True


async def get(pool: asyncpg.Pool, tenant_id: int, scoring_id: int) -> Scoring | None:
    """One of the tenant's."""
    row = await pool.fetchrow(q.get_scoring, tenant_id, scoring_id)
    return None if row is None else scoring_of(row)


async def list_scorings(pool: asyncpg.Pool, tenant_id: int, *, before: int, limit: int) -> list[asyncpg.Record]:
    """Rows with ids below `before`, newest first; ``scoring_of`` makes a Scoring of one."""
    return await pool.fetch(q.list_scorings, tenant_id, before, limit)
