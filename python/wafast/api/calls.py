"""Asking a device from a handler: each way it can fail as the problem the client gets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from wafast.api.problems import Problem, conflict
from wafast.events.calls import CallFailed, DeadlinePassed, NoLease

if TYPE_CHECKING:
    from wafast.events.calls import Caller

#: A browser may keep a 410, which this one is not for ever.
NOT_KEPT = {"Cache-Control": "no-store"}


async def ask(caller: Caller, device_no: int, verb: str, args: dict[str, Any], seconds: float = 10.0) -> dict[str, Any]:
    """Calls the worker that holds a device.

    Args:
        caller: of this process.
        device_no: the device's inner number.
        verb: what it should do.
        args: of the verb.
        seconds: how long to wait for the answer.

    Raises:
        Problem: 409 when the device is not online, 410 when WhatsApp no longer has what was asked for, 429 when it was
            asked too much, 507 when the disk does not take it, 504 when the device does not answer in time, 502 when it
            cannot.
    """
    try:
        return await caller.call(device_no, verb, args, seconds)
    except NoLease as error:
        raise _offline(_sentence(str(error))) from None
    except DeadlinePassed as error:
        raise Problem(
            504, "device-silent", f"{_sentence(str(error))} Try again.", headers={"Retry-After": "5"}
        ) from None
    except CallFailed as error:
        raise _told(error) from None


def _told(error: CallFailed) -> Problem:
    if error.code == "offline":
        return _offline(f"{_sentence(str(error))} It must be online for this.")
    if error.code == "expired":
        return media_expired(str(error))
    if error.code == "not_stored":
        return not_stored(str(error))
    if error.code == "too_fast":
        headers = {"Retry-After": str(math.ceil(error.again_seconds or 1.0))}
        return Problem(429, "too-many-numbers", _sentence(str(error)), headers=headers)
    return Problem(502, "device-failed", _sentence(str(error)))


def media_expired(reason: str) -> Problem:
    """410: a file WhatsApp does not keep any more. Only a phone can help."""
    return Problem(410, "media-expired", f"{_sentence(reason)} Open the message on the phone.", headers=NOT_KEPT)


def not_stored(reason: str) -> Problem:
    """507: the disk does not take a file."""
    return Problem(507, "not-stored", _sentence(reason))


def _offline(detail: str) -> Problem:
    return conflict("device-offline", detail)


def _sentence(reason: str) -> str:
    """A reason as a sentence."""
    text = reason.strip() or "the device could not do it"
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
