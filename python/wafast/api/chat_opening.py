"""The chat a line has with somebody, to write to who has not written before."""

from __future__ import annotations

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from wafast import phones
from wafast.accounts.principal import Principal
from wafast.api.chats import chat_with, find_chat
from wafast.api.devices import find_device
from wafast.api.numbers import found_out
from wafast.api.parameters import IdempotencyKey, Receiver, jid_of
from wafast.api.policy import Policy
from wafast.api.problems import FieldError, Problem
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.inbox import chats
from wafast.inbox.chats import Chat


class OpenChat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to write to."""

    to: Receiver


class ChatOpeningController(Controller):
    """Conversations one begins."""

    tags = ["Chats"]

    @post(
        "/devices/{device_id:str}/chats",
        opt={"policy": Policy.SEND, "idempotent": True},
        status_code=200,
        operation_id="open_chat",
        summary="The chat with a number",
        responses=problems(400, 401, 403, 404, 422),
    )
    async def open(
        self,
        device_id: FromPath[str],
        data: JSONBody[OpenChat],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Chat:
        """The one there is, or a new one, which is in no list before its first message. While the device is online a
        number that is not on WhatsApp is refused."""
        device = await find_device(services.pool, principal, device_id)
        jid = await jid_of(services.pool, principal.tenant_id, data.to)
        phone = phones.of_jid(jid)
        if phone is not None:
            jid = await _on_whatsapp(services, device.no, phone, jid, data.to)
        chat_id = await chats.begin_chat(services.pool, principal.tenant_id, device.no, jid)
        return await chat_with(services, await find_chat(services.pool, principal, str(chat_id)))


async def _on_whatsapp(services: Services, device_no: int, phone: str, jid: str, said: str) -> str:
    """The number's JID as WhatsApp writes it; as it was said where WhatsApp can't be asked now.

    Raises:
        Problem: 422 when nobody is there.
    """
    try:
        found = (await found_out(services, device_no, [phone])).get(phone, jid)
    except Problem:  # a send would find out later
        return jid
    if found is None:
        mistake = FieldError(field="to", message="this number is not on WhatsApp", value=said)
        raise Problem(422, "not-on-whatsapp", f"{said} is not on WhatsApp.", errors=[mistake])
    return found
