"""Cursors: the place of a page's last item, opaque to the client."""

from __future__ import annotations

import base64
import binascii

import msgspec

from wafast.api.problems import Problem, refused_field

INT8 = range(-(2**63), 2**63)


def cursor(*place: int) -> str:
    """The cursor for a place in a list."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_of(after: str | None, numbers: int) -> tuple[int, ...] | None:
    """The place a cursor stands for; None without a cursor.

    Args:
        after: what the client sent.
        numbers: how many numbers the list's places have.

    Raises:
        Problem: 400 when it is not a cursor of such a list.
    """
    if after is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4))
        found = msgspec.json.decode(raw, type=tuple[int, ...])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise _bad_cursor(after) from None
    if len(found) != numbers or not all(number in INT8 for number in found):
        raise _bad_cursor(after)
    return found


def _bad_cursor(after: str) -> Problem:
    return refused_field("after", after[:100], "not a cursor of this list; take `next` of the page before")
