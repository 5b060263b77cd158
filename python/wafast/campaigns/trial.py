"""A message before it goes to everybody: as one person would get it, on the screen and on a phone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from wafast import clock
from wafast.campaigns.rows import CampaignRow, NotPossible, require_words
from wafast.database.queries import load
from wafast.devices import rows as devices
from wafast.inbox.reach import Reach
from wafast.leads import rows as leads
from wafast.leads.filters import within
from wafast.outbox import render
from wafast.outbox import rows as outbox
from wafast.outbox.rows import OutboxRow

if TYPE_CHECKING:
    from collections.abc import Mapping

q = load(__file__)
LONGEST = render.LONGEST
check = render.check
fault = render.fault


class Person(msgspec.Struct, frozen=True):
    """For whom a message is shown; `lead_id` None: somebody made up, as nobody is there."""

    lead_id: int | None
    name: str
    phone: str
    fields: dict[str, str]
    zone: str

    @property
    def known(self) -> Mapping[str, str]:
        """What a template can name."""
        return {**self.fields, "name": self.name, "phone": self.phone}


async def person(pool: asyncpg.Pool, reach: Reach, audience: dict[str, Any], lead_id: int | None) -> Person:
    """The lead asked for, else the newest of the audience, of those the caller sees; else somebody made up."""
    if lead_id is None:
        async with leads.matching(pool) as connection:
            lead_id = await connection.fetchval(q.newest_of_audience, reach.tenant_id, within(audience, reach))
    lead = None if lead_id is None else await leads.get(pool, reach, lead_id)
    if lead is None:
        return Person(None, "Aina", "+60123456789", {}, await pool.fetchval(q.zone_of_tenant, reach.tenant_id))
    return Person(lead_id, lead.name, lead.phone, lead.fields, lead.zone)


def words(template: str, reader: Person, now: datetime | None = None) -> str:
    """What that person would get now."""
    hour = (now or clock.now()).astimezone(ZoneInfo(reader.zone)).hour
    seed = render.seed_of(template, reader.lead_id or 0)
    return render.render(template, reader.known, seed=seed, local_hour=hour)


async def send(
    pool: asyncpg.Pool, campaign: CampaignRow, jid: str, lead_id: int | None, device_id: UUID | None, actor: str
) -> OutboxRow | None:
    """Sends it to one number, from that device or the first that is online; None when the tenant has no such device.

    Raises:
        NotPossible: it has no words, the person wants no more of them, the device was never linked to a phone, or none
            is online, or the file is gone.
    """
    require_words(campaign)
    if await pool.fetchval(q.wants_no_more, campaign.tenant_id, jid):
        raise NotPossible("This number wants no more of these messages: take it off the list of those, or use another.")
    if device_id is None:
        online = await devices.list_devices(pool, campaign.tenant_id, state="online", limit=1)
        if not online:
            raise NotPossible("No device is online to send it from.")
        device_id = online[0].id
    reader = await person(pool, Reach(campaign.tenant_id), campaign.audience, lead_id)
    message = campaign.message
    body = words(message.template, reader)
    if (why := fault(body, is_text=message.kind == "text")) is not None:
        raise NotPossible(f"It can't be sent: {why}.")
    trial = outbox.Send(
        device_id=device_id,
        to_jid=jid,
        kind=message.kind,
        body=body,
        media_sha256=message.media_sha256,
        file_name=message.file_name,
    )
    try:
        return await outbox.enqueue(pool, campaign.tenant_id, trial, created_by=actor)
    except outbox.NotPaired:
        raise NotPossible("That device was never linked to a phone: pair it, or choose another.") from None
    except outbox.UnknownMedia:
        raise NotPossible("The file of its message is not there any more: upload it again.") from None
