"""Asking a device from a handler: each way it can fail as the problem the client gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wafast.api.problems import Problem, conflict
from wafast.events.calls import CallFailed, DeadlinePassed, NoLease

if TYPE_CHECKING:
    from wafast.events.calls import Caller


async def ask(caller: Caller, device_no: int, verb: str, args: dict[str, Any], seconds: float = 10.0) -> dict[str, Any]:
    """Calls the worker that holds a device.

    Args:
        caller: of this process.
        device_no: the device's inner number.
        verb: what it should do.
        args: of the verb.
        seconds: how long to wait for the answer.

    Raises:
        Problem: 409 when the device is not online, 404 when WhatsApp no longer has what was asked for, 504 when it
            does not answer in time, 502 when it cannot.
    """
    try:
        return await caller.call(device_no, verb, args, seconds)
    except NoLease:
        raise _offline("No worker holds this device now: connect it and try again.") from None
    except DeadlinePassed as error:
        raise Problem(504, "device-silent", f"{_sentence(error)} Try again.", headers={"Retry-After": "5"}) from None
    except CallFailed as error:
        raise _told(error) from None


def _told(error: CallFailed) -> Problem:
    if error.code == "offline":
        return _offline(f"{_sentence(error)} It must be online for this.")
    if error.code == "expired":
        return Problem(404, "media-gone", f"{_sentence(error)} WhatsApp keeps files for some weeks only.")
    return Problem(502, "device-failed", _sentence(error))


def _offline(detail: str) -> Problem:
    return conflict("device-offline", detail)


def _sentence(error: Exception) -> str:
    text = str(error).strip() or "the device could not do it"
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
