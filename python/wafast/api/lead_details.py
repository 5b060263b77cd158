"""What hangs on a lead: notes, what was sent to it, and becoming one with another."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.answers import sends
from wafast.api.authentication import reach_of
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import number_of
from wafast.api.leads import find_lead
from wafast.api.paging import below_of, page_of
from wafast.api.parameters import After, IdempotencyKey, Limit
from wafast.api.policy import Policy
from wafast.api.problems import conflict, not_found, refused_field
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.leads import merging, notes
from wafast.leads.notes import LeadNote
from wafast.leads.rows import Lead, others_of_person
from wafast.sequences import of_leads


class WriteLeadNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the team is to know."""

    text: Annotated[str, Meta(min_length=1, max_length=10_000, examples=["Wants the blue one; call back on Friday."])]


class MergeLead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lead that goes."""

    lead_id: Annotated[str, Meta(examples=["4712"])]


class LeadSend(msgspec.Struct, frozen=True, kw_only=True):
    """One message to a lead: a row of the outbox, and what it is part of."""

    id: Annotated[str, Meta(description="Of the outbox row.", examples=["99"])]
    device_id: UUID | None
    campaign_id: Annotated[str | None, Meta(examples=["5"])]
    sequence_id: Annotated[str | None, Meta(examples=[None])]
    step: Annotated[int | None, Meta(description="Which step of the sequence, from 1.", examples=[None])]
    source_name: Annotated[str | None, Meta(description="Of the campaign or sequence.", examples=["Raya promo"])]
    kind: Annotated[str, Meta(examples=["text"])]
    text: Annotated[str, Meta(description="As sent; empty until then.", examples=["Hi Siti!"])]
    state: Annotated[str, Meta(examples=["delivered"])]
    cause: Annotated[str | None, Meta(examples=[None])]
    reason: Annotated[str | None, Meta(examples=[None])]
    not_before: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    replied_at: datetime | None


class LeadDetailController(Controller):
    """Of one lead."""

    path = "/leads/{lead_id:str}"
    tags = ["Leads"]

    @get(
        "/notes",
        opt={"policy": Policy.READ},
        operation_id="list_lead_notes",
        summary="Notes of a lead",
        responses=problems(400, 401, 404),
    )
    async def notes_of(
        self,
        lead_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[LeadNote]:
        """Newest first."""
        lead = await find_lead(services, principal, lead_id)
        found = await notes.list_notes(
            services.pool,
            principal.tenant_id,
            int(lead.id),
            before=below_of(after),
            limit=limit + 1,
        )
        return page_of(found, limit, notes.note_of, lambda row: int(row["id"]))

    @post(
        "/notes",
        opt={"policy": Policy.SEND, "idempotent": IN_ONE},
        operation_id="create_lead_note",
        summary="Write a note about a lead",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def write_note(
        self,
        lead_id: FromPath[str],
        data: JSONBody[WriteLeadNote],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> LeadNote:
        """For the team; it is never sent."""
        lead = await find_lead(services, principal, lead_id)
        if not data.text.strip():
            raise refused_field("text", data.text, "a note has at least one word")
        return await notes.write(services.pool, principal, int(lead.id), data.text.strip())

    @delete(
        "/notes/{lead_note_id:str}",
        opt={"policy": Policy.SEND},
        operation_id="delete_lead_note",
        summary="Delete a note of a lead",
        responses=problems(401, 403, 404),
    )
    async def remove_note(
        self,
        lead_id: FromPath[str],
        lead_note_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> None:
        """Whoever wrote it."""
        lead = await find_lead(services, principal, lead_id)
        number = number_of("note", lead_note_id)
        if not await notes.delete(services.pool, principal.tenant_id, int(lead.id), number):
            raise not_found("note", lead_note_id)

    @get(
        "/sends",
        opt={"policy": Policy.READ},
        operation_id="list_lead_sends",
        summary="What was and will be sent to a lead",
        responses=problems(400, 401, 404),
    )
    async def sends(
        self,
        lead_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[LeadSend]:
        """Of campaigns and sequences, the last put in first."""
        lead = await find_lead(services, principal, lead_id)
        found = await sends.of_lead(
            services.pool,
            principal.tenant_id,
            int(lead.id),
            before=below_of(after),
            limit=limit + 1,
        )
        return page_of(found, limit, _send_of, lambda row: int(row["id"]))

    @get(
        "/same-person",
        opt={"policy": Policy.READ},
        operation_id="list_leads_of_person",
        summary="Leads that are the same person",
        responses=problems(401, 404),
    )
    async def same_person(
        self,
        lead_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Page[Lead]:
        """WhatsApp names their numbers the same, in which case they get each campaign once; or one has the number of a
        lead that became part of the other. Merge them to have one."""
        lead = await find_lead(services, principal, lead_id)
        return Page(await others_of_person(services.pool, reach_of(principal), int(lead.id)), None)

    @post(
        "/merge",
        opt={"policy": Policy.SEND},
        status_code=200,
        operation_id="merge_leads",
        summary="Make two leads one",
        responses=problems(400, 401, 403, 404, 409),
    )
    async def merge(
        self,
        lead_id: FromPath[str],
        data: JSONBody[MergeLead],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Lead:
        """This one gets tags, fields, notes and history of the other, which is deleted; where both say something,
        this one has the last word. It can't be undone."""
        kept = await find_lead(services, principal, lead_id)
        gone = await find_lead(services, principal, data.lead_id)
        if kept.id == gone.id:
            raise refused_field("lead_id", data.lead_id, "a lead can't become one with itself; name another")
        try:
            is_there = await merging.merge(services.pool, principal, int(kept.id), int(gone.id), of_leads)
        except merging.TooMany as error:
            raise conflict(f"too-many-{error.what}", str(error)) from None
        if not is_there:
            raise not_found("lead", data.lead_id)
        return await find_lead(services, principal, lead_id)


def _send_of(row: asyncpg.Record) -> LeadSend:
    fields = dict(row)
    for name in ("id", "campaign_id", "sequence_id"):
        fields[name] = None if fields[name] is None else str(fields[name])
    return LeadSend(text=fields.pop("body"), **fields)
