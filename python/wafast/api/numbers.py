"""Which phone numbers are on WhatsApp, as one of the workspace's devices sees it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.api.calls import ask
from wafast.api.devices import find_device
from wafast.api.parameters import phone_of
from wafast.api.policy import Policy
from wafast.api.problems import Problem
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.devices import number_checks

#: WhatsApp is asked once for all of them.
SECONDS = 20.0


class CheckNumbers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers to look up."""

    phones: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=40)]],
        Meta(min_length=1, max_length=50, description="In any usual form.", examples=[["012-345 6789"]]),
    ]
    fresh: Annotated[bool, Meta(description="Ask WhatsApp also about numbers that were found out within 30 days.")] = (
        False
    )


class CheckedNumber(msgspec.Struct, frozen=True):
    """One number."""

    phone: Annotated[str, Meta(description="E.164.", examples=["+60123456789"])]
    jid: Annotated[str | None, Meta(description="Null when it is not on WhatsApp.")]


class CheckedNumbers(msgspec.Struct, frozen=True):
    """The numbers asked for, each once."""

    items: list[CheckedNumber]


class NumberController(Controller):
    """Looking numbers up."""

    tags = ["Devices"]

    @post(
        "/devices/{device_id:str}/check-numbers",
        opt={"policy": Policy.SEND},
        status_code=200,
        operation_id="check_numbers",
        summary="Are these numbers on WhatsApp",
        responses=problems(400, 401, 403, 404, 409, 429, 502, 504),
    )
    async def check(
        self,
        device_id: FromPath[str],
        data: JSONBody[CheckNumbers],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> CheckedNumbers:
        """Asks WhatsApp through the device, which must be online for that. What was found out within 30 days, here or
        by a send, is known without asking. A device asks about 50 numbers at once, and then about 10 a minute."""
        device = await find_device(services.pool, principal, device_id)
        numbers = [
            await phone_of(services.pool, principal.tenant_id, text, f"phones[{index}]")
            for index, text in enumerate(data.phones)
        ]
        wanted = list(dict.fromkeys(numbers))
        known = await found_out(services, device.no, wanted, fresh=data.fresh)
        return CheckedNumbers([CheckedNumber(phone, known.get(phone)) for phone in wanted])


async def found_out(
    services: Services, device_no: int, phones: list[str], *, fresh: bool = False
) -> dict[str, str | None]:
    """The JID of each number (E.164), None where it is not on WhatsApp; known, or asked through the device.

    Args:
        device_no: the device's inner number.
        fresh: ask also what is known.

    Raises:
        Problem: as `ask`.
    """
    known = {} if fresh else await number_checks.known(services.pool, device_no, phones)
    unknown = [phone for phone in phones if phone not in known]
    if unknown:
        answer = await ask(services.caller, device_no, "is_on_whatsapp", {"phones": unknown}, SECONDS)
        found = {one.phone: one.jid for one in _found(answer)}
        await number_checks.note(services.pool, device_no, found)
        known |= found
    return known


def _found(answer: dict[str, Any]) -> list[CheckedNumber]:
    try:
        return msgspec.convert(answer.get("items"), list[CheckedNumber])
    except msgspec.ValidationError:
        raise Problem(502, "device-failed", "The device gave an answer that makes no sense.") from None
