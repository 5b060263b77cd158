"""Leads as the API and the other producers see them: look at, count, put in, change, delete."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Meta

from wafast import phones
from wafast.accounts import audit
from wafast.database.queries import load
from wafast.events import bus
from wafast.leads.filters import TargetStatus, within
from wafast.leads.tags import tags

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from wafast.accounts.principal import Principal
    from wafast.inbox.reach import Reach
    from wafast.leads.sends import Sends

q = load(__file__)

#: A lead can have this many tags, and this many fields of its own.
MOST_TAGS = 100
MOST_FIELDS = 100
#: The constraint by which a number is one lead's.
ONE_NUMBER = "leads_tenant_id_phone_key"
#: Leads named in one event; of more than that a list is fetched again.
MOST_TOLD = 100

Fields = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=100)], Annotated[str, Meta(max_length=2000)]],
    Meta(max_length=MOST_FIELDS, description="What else is known, by name.", examples=[{"city": "Ipoh"}]),
]


class LeadScore(msgspec.Struct, frozen=True, kw_only=True):
    """What the AI endpoint said of a lead."""

    score: Annotated[int | None, Meta(description="0 (will not buy) to 100; null: there was none yet.", examples=[82])]
    reason: Annotated[str | None, Meta(description="Why, in its words.", examples=["Asked for a price twice."])]
    model: Annotated[str | None, Meta(examples=["qwen3:8b"])]
    scored_at: datetime | None
    is_old: Annotated[bool, Meta(description="The lead has changed since.", examples=[False])]
    problem: Annotated[str | None, Meta(description="Why the last attempt gave no score.", examples=[None])]


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """A person to write to."""

    id: Annotated[str, Meta(examples=["4711"])]
    phone: Annotated[str, Meta(description="E.164.", examples=["+60123456789"])]
    name: Annotated[str, Meta(examples=["Siti binti Hassan"])]
    tags: Annotated[list[str], Meta(description="Trimmed and casefolded.", examples=[["kl", "vip"]])]
    target_status: Annotated[TargetStatus, Meta(examples=["prospect"])]
    device_id: Annotated[UUID | None, Meta(description="Who writes to it; null: nobody yet.")]
    fields: Fields
    zone: Annotated[str, Meta(description="Time zone, from the number.", examples=["Asia/Kuala_Lumpur"])]
    is_suppressed: Annotated[bool, Meta(description="Wants nothing of campaigns and sequences.", examples=[False])]
    score: Annotated[LeadScore | None, Meta(description="Null: nobody asked for one (`POST /scorings`).")]
    replied_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What a lead is to be.

    Args:
        phone: E.164.
        device_no: of a device of the tenant, or None.
    """

    phone: str
    name: str = ""
    tags: Sequence[str] = ()
    target_status: TargetStatus = "prospect"
    device_no: int | None = None
    fields: dict[str, str] = {}


class Known(Exception):
    """A lead of the tenant has this number, or its person has; `lead_id` says which."""

    def __init__(self, lead_id: int) -> None:
        super().__init__(f"lead {lead_id} has the number")
        self.lead_id = lead_id


def lead_of(row: asyncpg.Record) -> Lead:
    """A Lead of a row of `get_leads` or `list_leads`."""
    fields = dict(row) | {"score": msgspec.convert(row["score"], LeadScore | None)}
    return Lead(id=str(fields.pop("id")), **{name: fields[name] for name in Lead.__struct_fields__[1:]})


@contextlib.asynccontextmanager
async def matching(pool: asyncpg.Pool) -> AsyncIterator[bus.Executor]:
    """A connection in a transaction, for statements with `leads_matching()`."""
    async with pool.acquire() as connection, connection.transaction():
        await plan_by_filter(connection)
        yield connection


async def plan_by_filter(connection: bus.Executor) -> None:
    """The same for a connection that is in a transaction."""
    await connection.execute(q.plan_by_filter)


async def region(pool: bus.Executor, tenant_id: int) -> tuple[str, str]:
    """The tenant's region, for numbers without country code, and its time zone, for those of nowhere."""
    row = await pool.fetchrow(q.region_of_tenant, tenant_id)
    assert row is not None, f"tenant {tenant_id} is gone"
    return row["region"], row["time_zone"]


async def list_leads(
    pool: asyncpg.Pool, reach: Reach, wanted: dict[str, Any], *, before: int, limit: int
) -> list[asyncpg.Record]:
    """Rows of leads that fit, newest first, with ids below `before`; ``lead_of`` makes a Lead of one.

    Args:
        wanted: a filter as ``filters.stored`` gives it.
    """
    async with matching(pool) as connection:
        return await connection.fetch(q.list_leads, reach.tenant_id, within(wanted, reach), before, limit)


async def count(pool: asyncpg.Pool, reach: Reach, wanted: dict[str, Any]) -> int:
    """How many leads fit."""
    async with matching(pool) as connection:
        return int(await connection.fetchval(q.count_leads, reach.tenant_id, within(wanted, reach)))


async def get(pool: bus.Executor, reach: Reach, lead_id: int) -> Lead | None:
    """One lead the caller sees: of his devices, or of none."""
    rows = await pool.fetch(q.get_leads, reach.tenant_id, [lead_id], reach.device_ids)
    return lead_of(rows[0]) if rows else None


async def others_of_person(pool: bus.Executor, reach: Reach, lead_id: int) -> list[Lead]:
    """Leads the caller sees that are the same person as this one: WhatsApp names their numbers the same, or one has the
    number of a lead that became part of the other."""
    ids = [row["id"] for row in await pool.fetch(q.others_of_person, reach.tenant_id, lead_id)]
    return [lead_of(row) for row in await pool.fetch(q.get_leads, reach.tenant_id, ids, reach.device_ids)]


async def device_no(pool: bus.Executor, reach: Reach, device_id: UUID) -> int | None:
    """The number of a device the caller sees."""
    found: int | None = await pool.fetchval(q.device_for_lead, reach.tenant_id, device_id)
    return found if reach.sees(device_id) else None


async def create(pool: asyncpg.Pool, principal: Principal, draft: Draft) -> int:
    """A new lead's id. Raises Known."""
    tenant_id, wanted = principal.tenant_id, tags(draft.tags)
    async with pool.acquire() as connection, connection.transaction():
        _, time_zone = await region(connection, tenant_id)
        lead_id: int | None = await connection.fetchval(
            q.create_lead, tenant_id, draft.phone, draft.name, wanted, draft.target_status, draft.device_no,
            draft.fields, phones.zone_of(draft.phone, time_zone),
        )  # fmt: skip
        if lead_id is None:
            raise Known(await connection.fetchval(q.lead_of_person, tenant_id, draft.phone))
        await learn(connection, tenant_id, wanted, draft.fields)
        await audit.record(connection, tenant_id, principal.actor, "lead.create", f"lead:{lead_id}", phone=draft.phone)
        await tell(connection, tenant_id, [lead_id])
        await tell_renamed(connection, tenant_id, [draft.phone])
    return lead_id


async def change(pool: asyncpg.Pool, principal: Principal, lead_id: int, changes: dict[str, Any], sends: Sends) -> bool:
    """Changes what `changes` names: phone, name, tags, target_status, device_id (the device's number), fields. False
    when there is no such lead. Raises Known."""
    tenant_id = principal.tenant_id
    if "tags" in changes:
        changes["tags"] = tags(changes["tags"])
    phone = changes.get("phone")
    try:
        return await _change(pool, principal, lead_id, changes, phone, sends)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != ONE_NUMBER:
            raise
    # somebody else has given the number to another one in this moment
    raise Known(await pool.fetchval(q.lead_of_person, tenant_id, phone))


async def _change(
    pool: asyncpg.Pool, principal: Principal, lead_id: int, changes: dict[str, Any], phone: str | None, sends: Sends
) -> bool:
    tenant_id = principal.tenant_id
    async with pool.acquire() as connection, connection.transaction():
        moves = phone is not None or changes.get("device_id") is not None
        rows = await hold(connection, tenant_id, [lead_id], sends if moves else None)
        if not rows:
            return False
        [held] = rows
        zone = None
        if phone is not None:
            _, time_zone = await region(connection, tenant_id)
            zone = phones.zone_of(phone, time_zone)
            other = await connection.fetchval(q.lead_of_person, tenant_id, phone)
            if other not in (None, lead_id):
                raise Known(other)
            await sends.readdress(connection, tenant_id, lead_id, phone, zone)
            await connection.execute(q.stay_suppressed, tenant_id, lead_id, phone)
        await connection.execute(
            q.change_lead, tenant_id, lead_id, phone, zone, changes.get("name"),
            changes.get("tags"), changes.get("target_status"), changes.get("device_id"), changes.get("fields"),
            list(changes),
        )  # fmt: skip
        if changes.get("device_id") not in (None, held["device_no"]):
            await sends.go_over(connection, tenant_id, [lead_id])
        await learn(connection, tenant_id, changes.get("tags", []), changes.get("fields", {}))
        told = {"changed": sorted(changes)}
        await audit.record(connection, tenant_id, principal.actor, "lead.change", f"lead:{lead_id}", **told)
        await tell(connection, tenant_id, [lead_id])
        if changes.keys() & {"name", "phone", "device_id"}:
            await tell_renamed(connection, tenant_id, [held["phone"], phone or held["phone"]])
    return True


async def hold(
    connection: bus.Executor, tenant_id: int, lead_ids: Sequence[int], sends: Sends | None = None
) -> list[asyncpg.Record]:
    """Leads that are about to be changed, held in the order in which everybody does (outbox/sources.py); with `sends`
    also what waits for them and is about to be moved. Gives id, phone and device_no of those that are there."""
    found = await connection.fetch(q.hold_leads, tenant_id, list(lead_ids))
    if sends is not None:
        await sends.hold_sources(connection, tenant_id, [row["id"] for row in found])
    return found


async def delete(pool: asyncpg.Pool, principal: Principal, lead_id: int, sends: Sends) -> bool:
    """Deletes a lead; what waits to be sent to it is cancelled. False when there is none."""
    async with pool.acquire() as connection, connection.transaction():
        if not await remove(connection, principal.tenant_id, [lead_id], sends):
            return False
        await audit.record(connection, principal.tenant_id, principal.actor, "lead.delete", f"lead:{lead_id}")
    return True


async def remove(connection: bus.Executor, tenant_id: int, lead_ids: Sequence[int], sends: Sends) -> list[int]:
    """Deletes leads in the caller's transaction; gives those that were there. Who is gone is written to no more."""
    await hold(connection, tenant_id, lead_ids)
    await sends.hold(connection, tenant_id, lead_ids)
    rows = await connection.fetch(q.delete_leads, tenant_id, lead_ids)
    gone = [row["id"] for row in rows]
    await sends.cancel(connection, tenant_id, gone)
    await tell(connection, tenant_id, gone)
    await tell_renamed(connection, tenant_id, [row["phone"] for row in rows])
    return gone


async def learn(connection: bus.Executor, tenant_id: int, words: Iterable[str], fields: Iterable[str]) -> None:
    """Remembers tags and names of fields that leads have, to choose from. After the leads, which whoever changes one of
    them holds by then."""
    words, fields = list(words), list(fields)
    if words or fields:
        await connection.execute(q.learn_terms, tenant_id, words, fields)


async def terms(pool: asyncpg.Pool, tenant_id: int) -> dict[str, list[str]]:
    """The tags that leads have (`tag`) and the names of fields they had (`field`), in order."""
    found: dict[str, list[str]] = {"tag": [], "field": []}
    for row in await pool.fetch(q.list_terms, tenant_id):
        found[row["kind"]].append(row["term"])
    return found


async def tell(connection: bus.Executor, tenant_id: int, lead_ids: Sequence[int]) -> None:
    """Tells browsers of leads that changed."""
    if lead_ids:
        named = list(lead_ids) if len(lead_ids) <= MOST_TOLD else []
        await bus.publish(connection, [{"k": "lead", "t": tenant_id, "l": named}])


async def tell_renamed(connection: bus.Executor, tenant_id: int, numbers: Sequence[str]) -> None:
    """Tells browsers of the chats with these numbers, which the leads may have given another name. Of very many they
    learn when they next fetch."""
    if numbers and len(numbers) <= MOST_TOLD:
        rows = await connection.fetch(q.chats_of_numbers, tenant_id, numbers)
        await bus.publish(connection, [{"k": "chat", "t": tenant_id, "d": r["device_no"], "c": r["ids"]} for r in rows])
