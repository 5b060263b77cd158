"""When a message says "no more of these": it is one of the workspace's words and nothing else."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from wafast.visible import of_word

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A longer message is no single word, whatever it says.
MOST_CHARACTERS = 200


def plain(text: str) -> str:
    """What is compared: without spaces, punctuation, symbols and emojis at the ends, without case and width, and with
    one space between words."""
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    first, last = 0, len(words)
    while first < last and not of_word(words[first]):
        first += 1
    while last > first and not of_word(words[last - 1]):
        last -= 1
    return words[first:last]


def is_opt_out(text: str, words: Iterable[str]) -> bool:
    """Whether the whole message is one of the words."""
    return len(text) <= MOST_CHARACTERS and plain(text) in {plain(word) for word in words} - {""}
