"""Leads that a request names and that it does nothing with: each is told, and holds up no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from wafast.api.authentication import reach_of
from wafast.api.ids import as_number
from wafast.leads import bulk
from wafast.leads.rows import MOST_TAGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from wafast.accounts.principal import Principal

Reason = Literal["not_found", "too_many_tags"]
WHY: dict[Reason, str] = {
    "not_found": "No such lead.",
    "too_many_tags": f"It would have more than {MOST_TAGS} tags.",
}


class SkippedLead(msgspec.Struct, frozen=True):
    """A lead that nothing was done with."""

    lead_id: Annotated[str, Meta(examples=["4712"])]
    reason: Annotated[Reason, Meta(examples=["not_found"])]
    detail: Annotated[str, Meta(examples=[WHY["not_found"]])]


async def named_leads(
    pool: asyncpg.Pool, principal: Principal, ids: Sequence[str]
) -> tuple[list[int], list[SkippedLead]]:
    """The leads of these ids that the caller sees, newest first, and those ids that are no lead's or out of reach."""
    numbers = {text: as_number(text) for text in dict.fromkeys(ids)}
    found = await bulk.seen(pool, reach_of(principal), [number for number in numbers.values() if number is not None])
    there = set(found)
    return found, [_skipped(text, "not_found") for text, number in numbers.items() if number not in there]


def overfull(lead_ids: Sequence[int]) -> list[SkippedLead]:
    """Those that would have too many tags."""
    return [_skipped(str(one), "too_many_tags") for one in lead_ids]


def _skipped(lead_id: str, reason: Reason) -> SkippedLead:
    return SkippedLead(lead_id, reason, WHY[reason])
