"""The filter of leads as query parameters give it."""

from __future__ import annotations

from typing import Annotated, Any

import asyncpg
import msgspec
from litestar.params import QueryParameter
from msgspec import UnsetType

from wafast.accounts.principal import Principal
from wafast.api.chosen_devices import chosen_devices
from wafast.api.problems import Problem, refused_field
from wafast.leads import rows
from wafast.leads.filters import SEEN, LeadFilter, stored

FilterParameter = Annotated[
    str | None,
    QueryParameter(
        name="filter",
        required=False,
        max_length=20_000,
        description='A `LeadFilter` as JSON: `{"tags":["kl"],"target_status":"customer"}`.',
    ),
]
TagParameter = Annotated[
    str | None,
    QueryParameter(
        name="tag", required=False, max_length=100, pattern=SEEN, description="Has this tag, besides `filter`."
    ),
]


async def wanted_of(
    pool: asyncpg.Pool, principal: Principal, text: str | None, search: str | None, tag: str | None
) -> dict[str, Any]:
    """The filter as the database reads it.

    Raises:
        Problem: 400.
    """
    region, _ = await rows.region(pool, principal.tenant_id)
    wanted = LeadFilter() if text is None else _read(text)
    if search:
        wanted = msgspec.structs.replace(wanted, search=search)
    members = stored(wanted, region)
    if tag:
        members["tags"] = [*members.get("tags", []), *stored(LeadFilter(tags=[tag]), region).get("tags", [])]
    return members


async def acted_on(pool: asyncpg.Pool, principal: Principal, wanted: LeadFilter) -> dict[str, Any]:
    """The filter of those whom something is done with, or that is kept, as the database reads it.

    Raises:
        Problem: 404 for a device that is not there, or out of the caller's reach: it would be nobody's filter.
    """
    if not isinstance(wanted.device_ids, UnsetType):
        await chosen_devices(pool, principal, wanted.device_ids)
    region, _ = await rows.region(pool, principal.tenant_id)
    return stored(wanted, region)


def _read(text: str) -> LeadFilter:
    try:
        return msgspec.json.decode(text, type=LeadFilter)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refused_filter(text, str(error)) from None


def refused_filter(text: str, why: str) -> Problem:
    """400 for a filter that is none."""
    return refused_field("filter", text[:200], f"{why}; a JSON object as the schema LeadFilter says is wanted")
