"""The audit log, for the workspace's administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import asyncpg
import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Meta

from wafast.accounts import audit
from wafast.accounts.principal import Principal
from wafast.api.authentication import require_whole_tenant
from wafast.api.instants import instant_of
from wafast.api.paging import below_of, page_of
from wafast.api.parameters import After, Limit
from wafast.api.policy import Policy
from wafast.api.responses import Page, problems
from wafast.api.services import Services


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody did."""

    id: Annotated[str, Meta(examples=["4711"])]
    at: datetime
    actor: Annotated[
        str, Meta(description="`user:` or `key:` with an id; `system`: the command line.", examples=["user:7"])
    ]
    actor_name: Annotated[str | None, Meta(description="Of the person or key, as it is now.", examples=["Aina"])]
    action: Annotated[str, Meta(examples=["campaign.start"])]
    subject: Annotated[str, Meta(description="What it was done to.", examples=["campaign:12"])]
    subject_name: Annotated[str | None, Meta(description="Its name, as far as it is known.", examples=["Hari Raya"])]
    detail: Annotated[dict[str, Any], Meta(description="More of it; no secrets.", examples=[{"name": "Hari Raya"}])]


class AuditController(Controller):
    """Who did what."""

    path = "/audit"
    tags = ["People"]

    @get(
        opt={"policy": Policy.ADMIN},
        operation_id="list_audit",
        summary="Who did what",
        responses=problems(400, 401, 403),
    )
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        actor: Annotated[
            str | None, QueryParameter(name="actor", required=False, description="Only this one's, as `user:7`.")
        ] = None,
        action: Annotated[
            str | None,
            QueryParameter(
                name="action", required=False, description="Only this, as `campaign.start`, or all of `campaign`."
            ),
        ] = None,
        subject: Annotated[
            str | None, QueryParameter(name="subject", required=False, description="Only to this, as `campaign:12`.")
        ] = None,
        begin: Annotated[
            datetime | None, QueryParameter(name="from", required=False, description="Done from then on.")
        ] = None,
        end: Annotated[datetime | None, QueryParameter(name="to", required=False, description="And before.")] = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Page[AuditLine]:
        """Newest first."""
        require_whole_tenant(principal)
        for name, instant in (("from", begin), ("to", end)):
            if instant is not None:
                instant_of(name, instant)
        wanted = audit.Wanted(actor=actor, action=action, subject=subject, begin=begin, end=end)
        place = below_of(after)
        rows = await audit.list_lines(services.pool, principal.tenant_id, wanted, before=place, limit=limit + 1)
        return page_of(rows, limit, _line, lambda row: row["id"])


def _line(row: asyncpg.Record) -> AuditLine:
    return AuditLine(**dict(row) | {"id": str(row["id"])})
