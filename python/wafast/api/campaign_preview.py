"""What a campaign would be: whom it reaches, when it is done, and its words."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast import clock
from wafast.accounts.principal import Principal
from wafast.api.authentication import reach_of, require_whole_tenant
from wafast.api.campaigns import (
    OTHER_DEVICES,
    CampaignSchedule,
    DeviceIds,
    attempt,
    find_campaign,
    stored_devices,
    stored_schedule,
)
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import uuid_of
from wafast.api.lead_filters import acted_on
from wafast.api.leads import find_lead
from wafast.api.outbox import Outbox, outbox_of
from wafast.api.parameters import IdempotencyKey, jid_of
from wafast.api.policy import Policy
from wafast.api.problems import not_found
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.api.sources import SourcePace, stored_pace
from wafast.campaigns import estimate, rows, trial
from wafast.leads.filters import LeadFilter, within
from wafast.outbox.render import DoubtKind


class PreviewAudience(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a campaign would be."""

    audience: LeadFilter = LeadFilter()
    pace: SourcePace = SourcePace()
    device_ids: DeviceIds | None = None
    schedule: CampaignSchedule | None = None


class DeviceLoad(msgspec.Struct, frozen=True, kw_only=True):
    """What a device has of it; id and name null: people for whom no device is there now; only the id null: all devices
    that the caller doesn't reach."""

    device_id: str | None
    device_name: str | None
    state: str | None
    recipients: int
    ahead: Annotated[int, Meta(description="Messages of others that go in between.")]
    finishes_at: Annotated[datetime | None, Meta(description="null: nobody can say.")]
    holds: Annotated[str | None, Meta(description="Why nothing leaves now.", examples=["the device is offline"])]
    holds_cause: Annotated[
        estimate.HoldsCause | None, Meta(description="What kind of reason that is.", examples=["not_online"])
    ]


class CampaignEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """How many are written to, from where, and when it is done."""

    recipients: Annotated[int, Meta(description="Exactly as many are put in when it begins.", examples=[5000])]
    without_device: int
    opted_out: Annotated[
        int,
        Meta(
            description="Who fits and has opted out: none of `recipients`. Counted before it begins.",
            examples=[12],
        ),
    ]
    finishes_at: datetime | None
    is_partial: Annotated[bool, Meta(description="Some devices can't send, so nobody can say when their part is done.")]
    devices: list[DeviceLoad]


class RenderMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A template, and whom to show it for: a lead, or the newest of an audience."""

    text: Annotated[str, Meta(max_length=65_536, examples=["Hi {name|friend}!"])]
    lead_id: Annotated[str | None, Meta(examples=["7"])] = None
    audience: LeadFilter = LeadFilter()


class RenderDoubt(msgspec.Struct, frozen=True):
    """One of the problems of a template, for programs."""

    kind: Annotated[DoubtKind | Literal["message_long"], Meta(description="What kind it is.", examples=["no_fallback"])]
    values: Annotated[dict[str, str], Meta(description="What it names.", examples=[{"field": "city"}])]


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """The words one person gets."""

    text: Annotated[str, Meta(examples=["Hi Aina!"])]
    problems: Annotated[list[str], Meta(description="What of the template is likely not meant so.", examples=[[]])]
    doubts: Annotated[list[RenderDoubt], Meta(description="The same for programs, one for each.", examples=[[]])]
    lead_id: str | None
    lead_name: str | None
    phone: str | None


class TestCampaign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to send it to, and from which line: the first that is online when left out."""

    to: Annotated[str, Meta(min_length=1, max_length=100, examples=["012-345 6789"])]
    device_id: str | None = None
    lead_id: Annotated[str | None, Meta(description="For whom it is rendered; the newest of the audience.")] = None


class CampaignPreviewController(Controller):
    """It is looked at and tried, and nothing of that is counted."""

    path = "/campaigns"
    tags = ["Campaigns"]

    @post(
        "/preview",
        opt={"policy": Policy.READ},
        status_code=200,
        operation_id="preview_campaign",
        summary="Whom a campaign would reach",
        responses=problems(400, 401, 404),
    )
    async def preview(
        self,
        data: JSONBody[PreviewAudience],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> CampaignEstimate:
        """How many, from which devices, and when it would be done. People who opted out are left out. Who reaches only
        some devices counts leads of these, and of none."""
        schedule = None if data.schedule is None else stored_schedule(data.schedule)
        zone = await rows.zone_of_tenant(services.pool, principal.tenant_id)
        start = clock.now() if schedule is None else max(clock.now(), schedule.instant)
        found = await estimate.of_audience(
            services.pool,
            principal.tenant_id,
            within(await acted_on(services.pool, principal, data.audience), reach_of(principal)),
            stored_pace(data.pace),
            await stored_devices(services.pool, principal, data.device_ids),
            start,
            zone,
        )
        return _estimate_of(found, principal)

    @post(
        "/render",
        opt={"policy": Policy.READ},
        status_code=200,
        operation_id="render_message",
        summary="A message as one person gets it",
        responses=problems(400, 401, 404),
    )
    async def render(
        self,
        data: JSONBody[RenderMessage],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Rendered:
        """Byte for byte what would be sent now; of choices one is taken. Without anybody in the audience, for a person
        of whom only the name is known."""
        lead_id = await _asked(services, principal, data.lead_id)
        audience = await acted_on(services.pool, principal, data.audience)
        person = await trial.person(services.pool, reach_of(principal), audience, lead_id)
        words = trial.words(data.text, person)
        why = trial.fault(words, is_text=False)
        found = trial.check(data.text)
        doubts = [RenderDoubt(one.kind, one.values) for one in found]
        long = RenderDoubt("message_long", {"n": str(len(words)), "most": str(trial.LONGEST)})
        return Rendered(
            text=words,
            problems=[one.words for one in found] + ([] if why is None else [f"It can't be sent: {why}."]),
            doubts=doubts + ([] if why is None else [long]),
            lead_id=None if person.lead_id is None else str(person.lead_id),
            lead_name=person.name,
            phone=person.phone,
        )

    @get(
        "/{campaign_id:str}/estimate",
        opt={"policy": Policy.READ},
        operation_id="estimate_campaign",
        summary="When a campaign will be done",
        responses=problems(401, 404),
    )
    async def estimated(
        self, campaign_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> CampaignEstimate:
        """Before it begins as `POST /campaigns/preview` says it; then of what still waits."""
        row = await find_campaign(services.pool, principal, campaign_id)
        zone = await rows.zone_of_tenant(services.pool, principal.tenant_id)
        if row.planned_at is not None:
            found = await estimate.of_running(
                services.pool, principal.tenant_id, row.source_id, row.pace, row.device_ids, zone
            )
        else:
            start = max(clock.now(), row.starts_at or clock.now())
            found = await estimate.of_audience(
                services.pool, principal.tenant_id, row.audience, row.pace, row.device_ids, start, zone, row.source_id
            )
        return _estimate_of(found, principal)

    @post(
        "/{campaign_id:str}/test",
        opt={"policy": Policy.ADMIN, "idempotent": IN_ONE},
        status_code=202,
        operation_id="test_campaign",
        summary="Send a campaign's message to one number",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def test(
        self,
        campaign_id: FromPath[str],
        data: JSONBody[TestCampaign],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Outbox:
        """At once, and not counted."""
        require_whole_tenant(principal)
        row = await find_campaign(services.pool, principal, campaign_id)
        lead_id = await _asked(services, principal, data.lead_id)
        device_id = None if data.device_id is None else uuid_of("device", data.device_id)
        jid = await jid_of(services.pool, principal.tenant_id, data.to)
        sent = await attempt(trial.send(services.pool, row, jid, lead_id, device_id, principal.actor))
        if sent is None:
            raise not_found("device", data.device_id)
        return outbox_of(sent)


async def _asked(services: Services, principal: Principal, lead_id: str | None) -> int | None:
    """The lead a message is to be shown for, if one is named. Raises Problem 404."""
    return None if lead_id is None else int((await find_lead(services, principal, lead_id)).id)


def _estimate_of(found: estimate.Estimate, principal: Principal) -> CampaignEstimate:
    seen = [load for load in found.loads if load.line is None or principal.sees(load.line.id)]
    others = [load for load in found.loads if load not in seen]
    return CampaignEstimate(
        recipients=found.rows,
        without_device=found.without_device,
        opted_out=found.opted_out,
        finishes_at=found.finishes_at,
        is_partial=found.is_partial,
        devices=[_load_of(load) for load in seen] + ([_folded(others)] if others else []),
    )


def _load_of(load: estimate.Load) -> DeviceLoad:
    return DeviceLoad(
        device_id=None if load.line is None else str(load.line.id),
        device_name=None if load.line is None else load.line.name,
        state=None if load.line is None else load.line.state,
        recipients=load.rows,
        ahead=load.ahead,
        finishes_at=load.finishes_at,
        holds=load.holds,
        holds_cause=load.holds_cause,
    )


def _folded(others: list[estimate.Load]) -> DeviceLoad:
    ends = [load.finishes_at for load in others]
    return DeviceLoad(
        device_id=None,
        device_name=OTHER_DEVICES,
        state=None,
        recipients=sum(load.rows for load in others),
        ahead=0,
        finishes_at=None if None in ends else max(end for end in ends if end is not None),
        holds=None,
        holds_cause=None,
    )
