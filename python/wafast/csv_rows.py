"""Rows as CSV, a piece at a time."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

#: A spreadsheet takes what begins with these for a formula, which could send its reader's data away.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def pieces(header: Sequence[str], pages: AsyncIterator[Iterable[Sequence[str]]]) -> AsyncIterator[bytes]:
    """Pages of rows as CSV. The header comes with the first of them: who has a piece knows that all is well."""
    begin = [header]
    async for page in pages:
        yield lines([*begin, *page])
        begin = []
    if begin:
        yield lines(begin)


def guarded(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def lines(rows: Iterable[Iterable[str]]) -> bytes:
    """Rows as CSV in UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
