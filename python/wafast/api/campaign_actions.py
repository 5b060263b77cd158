"""What people decide about a campaign: when it begins, that it waits or goes on, that it ends."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import asyncpg
import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.api.authentication import require_whole_tenant
from wafast.api.campaigns import (
    Campaign,
    CampaignSchedule,
    attempt,
    find_campaign,
    present,
    record,
    show_campaign,
    stored_schedule,
)
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import number_of
from wafast.api.opt_outs import require_hearing
from wafast.api.outbox import Resolve
from wafast.api.parameters import IdempotencyKey
from wafast.api.policy import Policy
from wafast.api.problems import conflict, not_found
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.campaigns import estimate, rows
from wafast.campaigns.rows import CampaignRow


class Resolved(msgspec.Struct, frozen=True):
    """How many sends that were unknown are settled."""

    rows: Annotated[int, Meta(examples=[3])]
    campaign: Campaign


class Retried(msgspec.Struct, frozen=True):
    """How many failed messages wait again."""

    rows: Annotated[int, Meta(examples=[12])]
    campaign: Campaign


def decision(word: str, summary: str) -> post:
    """The route by which a person decides about a campaign, with nothing to say but that; the campaign comes back."""
    return post(
        f"/{word}",
        opt={"policy": Policy.ADMIN},
        status_code=200,
        operation_id=f"{word}_campaign",
        summary=summary,
        responses=problems(401, 403, 404, 409),
    )


class CampaignActionController(Controller):
    """Administrators decide; nothing is sent twice, whatever they decide."""

    path = "/campaigns/{campaign_id:str}"
    tags = ["Campaigns"]

    @post(
        "/schedule",
        opt={"policy": Policy.ADMIN, "idempotent": IN_ONE},
        status_code=200,
        operation_id="schedule_campaign",
        summary="Let a campaign begin by itself",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def schedule(
        self,
        campaign_id: FromPath[str],
        data: JSONBody[CampaignSchedule],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Campaign:
        """At a day and time on the clock of a place, whatever clocks do until then."""
        require_whole_tenant(principal)
        require_hearing(services)
        number, wanted = number_of("campaign", campaign_id), stored_schedule(data)

        def schedule(pool: asyncpg.Pool) -> Coroutine[Any, Any, CampaignRow | None]:
            return rows.schedule(pool, principal.tenant_id, number, wanted)

        return await present(services, principal, "schedule", campaign_id, schedule)

    @post(
        "/start",
        opt={"policy": Policy.ADMIN, "idempotent": IN_ONE},
        status_code=200,
        operation_id="start_campaign",
        summary="Send now",
        responses=problems(401, 403, 404, 409, 422),
    )
    async def start(
        self,
        campaign_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Campaign:
        """Its audience is put in at once, and it runs."""
        require_whole_tenant(principal)
        require_hearing(services)
        row = await find_campaign(services.pool, principal, campaign_id)
        if row.state in rows.NOT_STARTED and not await estimate.is_anybody(services.pool, row.tenant_id, row.audience):
            raise conflict("empty-audience", "Nobody is in the audience, or all have opted out: choose other people.")
        return await _decide(services, principal, campaign_id, "start", rows.start)

    @decision("pause", "Pause")
    async def pause(
        self, campaign_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Campaign:
        """Nothing more leaves, but for what is on its way this second."""
        return await _decide(services, principal, campaign_id, "pause", rows.pause)

    @decision("resume", "Go on")
    async def resume(
        self, campaign_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Campaign:
        """From where it was."""
        require_hearing(services)
        return await _decide(services, principal, campaign_id, "resume", rows.resume)

    @decision("cancel", "Cancel")
    async def cancel(
        self, campaign_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Campaign:
        """What has not left does not leave; there is no way back."""
        return await _decide(services, principal, campaign_id, "cancel", rows.cancel)

    @post(
        "/retry-failed",
        opt={"policy": Policy.ADMIN, "idempotent": True},
        status_code=200,
        operation_id="retry_campaign",
        summary="Try failed messages once more",
        responses=problems(401, 403, 404, 409, 422),
    )
    async def retry_failed(
        self,
        campaign_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Retried:
        """All that failed, but for people who opted out."""
        require_whole_tenant(principal)
        require_hearing(services)
        number = number_of("campaign", campaign_id)
        again = await attempt(rows.retry_failed(services.pool, principal.tenant_id, number))
        if again is None:
            raise not_found("campaign", campaign_id)
        row = await find_campaign(services.pool, principal, campaign_id)
        await record(services.pool, principal, "retry_failed", row)
        return Retried(again, await show_campaign(services.pool, row))

    @post(
        "/resolve-unknown",
        opt={"policy": Policy.ADMIN, "idempotent": True},
        status_code=200,
        operation_id="resolve_campaign",
        summary="Say whether what is unknown arrived",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def resolve_unknown(
        self,
        campaign_id: FromPath[str],
        data: JSONBody[Resolve],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Resolved:
        """All at once, as `POST /outbox/{outbox_id}/resolve` does one."""
        require_whole_tenant(principal)
        row = await find_campaign(services.pool, principal, campaign_id)
        keep = services.settings.messages_per_chat
        count = await rows.resolve_unknown(services.pool, principal, row, arrived=data.arrived, keep=keep)
        await record(services.pool, principal, "resolve", row)
        row = await find_campaign(services.pool, principal, campaign_id)
        return Resolved(count, await show_campaign(services.pool, row))


async def _decide(
    services: Services,
    principal: Principal,
    campaign_id: str,
    action: str,
    decided: Callable[[asyncpg.Pool, int, int], Coroutine[Any, Any, CampaignRow | None]],
) -> Campaign:
    require_whole_tenant(principal)
    number = number_of("campaign", campaign_id)
    return await present(
        services, principal, action, campaign_id, lambda pool: decided(pool, principal.tenant_id, number)
    )
