"""Campaigns that run, and of which nothing can leave: no device where their people wait can send."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from wafast.campaigns.rows import CampaignRow

q = load(__file__)

WAY_OUT = (
    "Connect or link one of them, let another device take its place, or give these people another device; what waits "
    "leaves then by itself."
)
OVER_ALL = "quiet in all hours of the campaign, so that its hours or the quiet ones have to change"


class Standstill(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing of a running campaign can leave: each device where its people wait is counted once."""

    gone: Annotated[int, Meta(description="Devices without a link to a phone: logged out, banned, replaced, new.")]
    offline: Annotated[int, Meta(description="Devices that are linked, and not online.")]
    held_back: Annotated[int, Meta(description="Devices that WhatsApp holds back.")]
    never_open: Annotated[int, Meta(description="Devices whose quiet hours lie over all hours of the campaign.")]
    until: Annotated[datetime | None, Meta(description="When it lets go the first of these.")]
    has_pool: Annotated[bool, Meta(description="People without a device wait, and none they could get can send.")]
    text: Annotated[
        str, Meta(description="In words, with the way out.", examples=[f"Nothing can leave: 2 are offline. {WAY_OUT}"])
    ]


async def standstills(pool: asyncpg.Pool, found: Sequence[CampaignRow]) -> dict[int, Standstill]:
    """Those among campaigns, by their id, of which nothing can leave. One query for all."""
    running = {row.source_id: row.id for row in found if row.state == "running" and row.waiting}
    if not running:
        return {}
    records = await pool.fetch(q.standing_still, list(running))
    return {running[record["source_id"]]: _standstill(record) for record in records}


def _standstill(record: asyncpg.Record) -> Standstill:
    parts = [
        _counted(record["gone"], "without a link to its phone", "without a link to their phones"),
        _counted(record["offline"], "offline", "offline"),
        _counted(record["held_back"], "held back by WhatsApp", "held back by WhatsApp"),
        _counted(record["never_open"], OVER_ALL, OVER_ALL),
    ]
    why = ", ".join(part for part in parts if part)
    told = f"of the devices where its people wait {why}" if why else ""
    if record["has_pool"]:
        told += ("; " if told else "") + "people without a device wait, and none they could get can send"
    fields = {name: record[name] for name in ("gone", "offline", "held_back", "never_open", "until", "has_pool")}
    return Standstill(**fields, text=f"Nothing can leave: {told}. {WAY_OUT}")


def _counted(count: int, one: str, more: str) -> str:
    return "" if count == 0 else f"1 is {one}" if count == 1 else f"{count} are {more}"
