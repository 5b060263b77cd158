"""The lead beside a conversation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.answers import chat_lead
from wafast.answers.chat_lead import InCampaign, InSequence, Person
from wafast.api.authentication import reach_of
from wafast.api.chats import find_chat
from wafast.api.policy import Policy
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.leads import rows as leads
from wafast.leads.rows import Lead
from wafast.sequences.enrolments import Reason, State


class OptedOut(msgspec.Struct, frozen=True, kw_only=True):
    """Why a person gets nothing of campaigns and sequences."""

    reason: Annotated[str, Meta(examples=["replied STOP"])]
    created_by: Annotated[str, Meta(examples=["lead"])]
    created_at: datetime


class LeadSequence(msgspec.Struct, frozen=True, kw_only=True):
    """A sequence the lead is or was in."""

    enrolment_id: str
    sequence_id: str
    name: Annotated[str, Meta(examples=["Welcome"])]
    state: State
    reason: Annotated[Reason | None, Meta(description="Why it was stopped.")]
    position: Annotated[int | None, Meta(description="Of the step it waits for or got last.")]
    due_at: Annotated[datetime | None, Meta(description="When that step may leave.")]
    started_at: datetime


class LeadCampaign(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that wrote or will write to the lead."""

    campaign_id: str
    name: Annotated[str, Meta(examples=["Raya offer"])]
    bucket: Annotated[str, Meta(description="As in the campaign's report.", examples=["read"])]
    reason: str | None
    sent_at: datetime | None


class ChatLead(msgspec.Struct, frozen=True, kw_only=True):
    """Who writes in a chat, as a lead."""

    phone: Annotated[str | None, Meta(description="Null where it is not known, and of a group.")]
    lead: Annotated[Lead | None, Meta(description="Null: nobody has made one; `POST /leads` does.")]
    opted_out: OptedOut | None
    sequences: list[LeadSequence]
    campaigns: list[LeadCampaign]


class ChatLeadController(Controller):
    """What is known of the person of a chat."""

    path = "/chats/{chat_id:str}/lead"
    tags = ["Leads"]

    @get(
        opt={"policy": Policy.READ},
        operation_id="get_chat_lead",
        summary="The lead of a chat",
        responses=problems(401, 404),
    )
    async def show(
        self, chat_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> ChatLead:
        """With its last sequences and campaigns. A lead of a device the caller does not reach is told as none."""
        await find_chat(services.pool, principal, chat_id)
        pool, tenant_id = services.pool, principal.tenant_id
        person = await chat_lead.person(pool, tenant_id, int(chat_id)) or Person(None, None, None, None, None)
        lead = None if person.lead_id is None else await leads.get(pool, reach_of(principal), person.lead_id)
        sequences = [] if lead is None else await chat_lead.sequences_of(pool, tenant_id, int(lead.id))
        campaigns = [] if lead is None else await chat_lead.campaigns_of(pool, tenant_id, int(lead.id))
        return ChatLead(
            phone=person.phone,
            lead=lead,
            opted_out=_opted_out(person),
            sequences=[_sequence(one) for one in sequences],
            campaigns=[_campaign(one) for one in campaigns],
        )


def _opted_out(person: Person) -> OptedOut | None:
    if person.reason is None or person.created_by is None or person.created_at is None:
        return None
    return OptedOut(reason=person.reason, created_by=person.created_by, created_at=person.created_at)


def _sequence(row: InSequence) -> LeadSequence:
    return LeadSequence(
        enrolment_id=str(row.id),
        sequence_id=str(row.sequence_id),
        name=row.name,
        state=row.state,
        reason=row.reason,
        position=row.position or None,
        due_at=row.due_at,
        started_at=row.started_at,
    )


def _campaign(row: InCampaign) -> LeadCampaign:
    return LeadCampaign(
        campaign_id=str(row.campaign_id), name=row.name, bucket=row.bucket, reason=row.reason, sent_at=row.sent_at
    )
