"""Tags: compared by equality, so they are stored as they compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def tag(text: str) -> str:
    """A tag as it is stored: trimmed and casefolded; empty when nothing is left."""
    return text.strip().casefold()


def tags(texts: Iterable[str]) -> list[str]:
    """Tags as they are stored: in order, none twice, none empty."""
    return [one for one in dict.fromkeys(map(tag, texts)) if one]
