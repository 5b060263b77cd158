"""Leads and suppressions as CSV."""

from __future__ import annotations

import codecs
from collections.abc import AsyncIterator
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Stream

from wafast.accounts.principal import Principal
from wafast.api.authentication import reach_of, require_whole_tenant
from wafast.api.lead_filters import FilterParameter, TagParameter, wanted_of
from wafast.api.parameters import ForExcel, Search
from wafast.api.policy import Policy
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.leads import exports, suppressions
from wafast.sequences import rows as sequences

CSV = "text/csv; charset=utf-8"

WithFields = Annotated[
    bool, QueryParameter(name="fields", required=False, description="Custom fields too, a column each.")
]


class LeadExportController(Controller):
    """What can be taken along."""

    path = "/leads"
    tags = ["Leads"]

    @get(
        "/export.csv",
        opt={"policy": Policy.READ},
        operation_id="export_leads",
        summary="Leads as CSV",
        media_type=CSV,
        responses=problems(400, 401),
    )
    async def export(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        filter: FilterParameter = None,
        search: Search = None,
        tag: TagParameter = None,
        fields: WithFields = False,
        excel: ForExcel = False,
    ) -> Stream:
        """Columns `name, phone, niche, target_status, trigger`: tags stand under `niche`, those that begin a sequence
        under `trigger`. What a spreadsheet would take for a formula has a quotation mark before it."""
        wanted = await wanted_of(services.pool, principal, filter, search, tag)
        triggers = await sequences.triggers(services.pool, principal.tenant_id)
        pieces = exports.leads(services.pool, reach_of(principal), wanted, triggers, with_fields=fields)
        return await download(pieces, "leads.csv", excel=excel)


class SuppressionExportController(Controller):
    """The list of numbers that campaigns leave alone."""

    path = "/suppressions"
    tags = ["Leads"]

    @get(
        "/export.csv",
        opt={"policy": Policy.READ},
        operation_id="export_suppressions",
        summary="Numbers to leave alone as CSV",
        media_type=CSV,
        responses=problems(401, 403),
    )
    async def export(
        self, principal: NamedDependency[Principal], services: NamedDependency[Services], excel: ForExcel = False
    ) -> Stream:
        """Columns `phone, reason, created_by, created_at`."""
        require_whole_tenant(principal)
        pieces = suppressions.export(services.pool, principal.tenant_id)
        return await download(pieces, "suppressions.csv", excel=excel)


async def download(pieces: AsyncIterator[bytes], name: str, *, excel: bool) -> Stream:
    """CSV that is saved as a file of this name, as it is made; `excel`: marked as UTF-8 for Excel. Its first piece is
    there before the answer begins: what can't be had is refused, and no file of half the rows."""
    first = (codecs.BOM_UTF8 if excel else b"") + await anext(pieces)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Stream(_all(first, pieces), media_type=CSV, headers=headers)


async def _all(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in others:
        yield piece
