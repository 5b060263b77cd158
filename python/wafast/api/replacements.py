"""One device takes another's place."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.api.devices import find_device
from wafast.api.policy import Policy
from wafast.api.problems import conflict, not_found
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.distribution import replace


class ReplaceDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes the place."""

    by: Annotated[str, Meta(description="A device that can send.", examples=["5f3c9a52-41f4-4a57-9c0e-3b1f0c9a7d20"])]


class ReplacedDevice(msgspec.Struct, frozen=True):
    """What went over."""

    device_id: Annotated[str, Meta(examples=["0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"])]
    by: Annotated[str, Meta(examples=["5f3c9a52-41f4-4a57-9c0e-3b1f0c9a7d20"])]
    chats: Annotated[int, Meta(description="Chats with persons.", examples=[412])]
    leads: Annotated[int, Meta(description="People whose device it is now.", examples=[1_250])]
    sends: Annotated[int, Meta(description="What campaigns and sequences have waiting there now.", examples=[96])]


class ReplacementController(Controller):
    """A number that is banned or lost is replaced."""

    tags = ["Devices"]

    @post(
        "/devices/{device_id:str}/replace",
        opt={"policy": Policy.ADMIN},
        status_code=200,
        operation_id="replace_device",
        summary="Let another device take a device's place",
        responses=problems(400, 401, 403, 404, 409),
    )
    async def create(
        self,
        device_id: FromPath[str],
        data: JSONBody[ReplaceDevice],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> ReplacedDevice:
        """For a number that is banned, logged out or disconnected. Leads, waiting sends of campaigns and sequences and
        chats with persons go over; groups stay. Old messages can be read, quoted and forwarded there; WhatsApp knows
        nothing of them on the new line, so they can't be reacted to, edited or deleted."""
        old = await find_device(services.pool, principal, device_id)
        new = await find_device(services.pool, principal, data.by)
        try:
            done = await replace.replace(services.pool, principal, old.id, new.id)
        except replace.NotReplaceable as refusal:
            raise conflict(refusal.code, str(refusal)) from None
        if done is None:
            raise not_found("device", device_id)
        return ReplacedDevice(str(old.id), str(new.id), done.chats, done.leads, done.sends)
