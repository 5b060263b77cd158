"""Ids from outside: opaque strings there, numbers and UUIDs here. What is not one names nothing, so it is a 404."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from wafast.api.problems import not_found

MAX_INT8 = 2**63 - 1
MAX_INT4 = 2**31 - 1


def uuid_of(what: str, text: str) -> UUID:
    """The UUID of a device or pairing.

    Args:
        what: the kind of object, for the problem.
        text: the id as it came.

    Raises:
        Problem: 404 when it cannot be one.
    """
    try:
        return UUID(text)
    except ValueError:
        raise not_found(what, text) from None


def uuids_of(what: str, texts: Iterable[str]) -> list[UUID]:
    """The UUIDs of a list, each once.

    Raises:
        Problem: 404 when one cannot be one.
    """
    return list(dict.fromkeys(uuid_of(what, text) for text in texts))


def as_number(text: str, largest: int = MAX_INT8) -> int | None:
    """The number a text is, or None when it is none or too large."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > largest:
        return None
    return int(text)


def number_of(what: str, text: str, largest: int = MAX_INT8) -> int:
    """The number of a chat, outbox row, key or workspace.

    Raises:
        Problem: 404 when it cannot be one.
    """
    number = as_number(text, largest)
    if number is None:
        raise not_found(what, text)
    return number


def message_place(text: str) -> tuple[int, int] | None:
    """The chat and the key a message's id names, as in `Message.id`; None when it cannot be one."""
    chat, _, key = text.partition("-")
    place = as_number(chat), as_number(key)
    return None if place[0] is None or place[1] is None else (place[0], place[1])
