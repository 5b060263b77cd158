"""Pages of lists, and cursors: the place of a page's last item, opaque to the client."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, TypeVar

import msgspec

from wafast.api.problems import Problem, refused_field
from wafast.api.responses import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LARGEST = 2**63 - 1
Row = TypeVar("Row")
Item = TypeVar("Item")


def cursor(*place: int) -> str:
    """The cursor for a place in a list."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_of(after: str | None, numbers: int, largest: int = LARGEST) -> tuple[int, ...] | None:
    """The place a cursor stands for; None without a cursor.

    Args:
        after: what the client sent.
        numbers: how many numbers the list's places have.
        largest: none of them can be farther from zero.

    Raises:
        Problem: 400 when it is not a cursor of such a list.
    """
    if after is None:
        return None
    try:
        raw = base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True)
        found = msgspec.json.decode(raw, type=tuple[int, ...])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise _bad_cursor(after) from None
    if len(found) != numbers or any(abs(number) > largest for number in found):
        raise _bad_cursor(after)
    return found


def before_of(after: str | None, largest: int = LARGEST) -> int | None:
    """The number a list ordered by one number goes on below; None without a cursor.

    Raises:
        Problem: 400 when it is not a cursor of such a list.
    """
    place = place_of(after, 1, largest)
    return place[0] if place is not None else None


def below_of(after: str | None) -> int:
    """As `before_of`; above every number without a cursor."""
    before = before_of(after)
    return LARGEST if before is None else before


def page_of(rows: Sequence[Row], limit: int, shown: Callable[[Row], Item], number: Callable[[Row], int]) -> Page[Item]:
    """A page of rows fetched with one more than the limit, so that the last page is known.

    Args:
        rows: at most ``limit + 1``.
        limit: items of a page.
        shown: the item of a row.
        number: what the list is ordered by.
    """
    page = rows[:limit]
    following = cursor(number(page[-1])) if len(rows) > limit else None
    return Page([shown(row) for row in page], following)


def _bad_cursor(after: str) -> Problem:
    return refused_field("after", after[:100], "not a cursor of this list; take `next` of the page before")
