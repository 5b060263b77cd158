"""Text as search compares it, and what of it can be looked up.

A word of a script with spaces gives three letters in a row each, so that it is found by any part of at least three, and
its first two, so that it is found by these. Where words have no spaces (Chinese, Japanese, Korean, Thai, Lao, Khmer,
Burmese) and for emoji every character and every two in a row can be found.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Characters of a message that can be found: all of the longest text WhatsApp takes. Its grams are made in 13 ms,
#: and are 11,000; where a file was pasted in, in 30 ms, and 31,000.
MOST_CHARACTERS = 65_536
#: Of what is looked for, spread over it: each is a walk down the index in every four hours, and six leave little else.
MOST_GRAMS = 6
#: Bits of a hash; above them stands the bucket, in an int4.
HASH_BITS = 20
BUCKETS = 1 << (32 - HASH_BITS)
#: Seconds of one bucket: few enough messages that all of a common word are ranked in milliseconds, few enough buckets
#: that a word nobody wrote is looked for in all of a year's.
BUCKET_SECONDS = 4 * 3600

_MASK = (1 << HASH_BITS) - 1
#: Scripts without spaces, and pictures.
_DENSE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7ff\uf900-\ufaff\u2190-\u2bff\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
#: Signs that belong to the letter before them and are no letters by themselves.
_MARKS = "".join(chr(code) for code in range(0x300, 0x3100) if unicodedata.category(chr(code)).startswith("M"))
_LETTER = rf"(?:[^\W{_DENSE}]|[{_MARKS}])"
_RUNS = re.compile(rf"([{_DENSE}]+)|{_LETTER}+")
_EDGES = re.compile(rf"^(?:(?!{_LETTER})[^{_DENSE}])+|(?:(?!{_LETTER})[^{_DENSE}])+$")
#: Arabic's vowel signs, which hardly anybody types, and its stroke that only makes a word longer.
_VOWELS = (0x640, *range(0x64B, 0x653), 0x670)
#: What nobody sees: joiners, marks of direction, soft hyphens, and how an emoji is to be drawn.
_UNSEEN = dict.fromkeys(
    [0xAD, *_VOWELS, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFE0E, 0xFE0F, 0xFEFF]
)
_CLUSTER = re.compile(rf"[\s\S][{_MARKS}\u1160-\u11ff]*")


def fold(text: str) -> str:
    """Text without what makes no difference to a reader who looks for it: case, width, joined signs."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_UNSEEN)
    return unicodedata.normalize("NFKC", folded)


def grams_of(folded: str, tenant_id: int) -> set[int]:
    """Hashes of all that can be looked up in a folded text; another tenant's differ."""
    salt = _hash(f"tenant {tenant_id}")
    found: set[int] = set()
    for run in _RUNS.finditer(folded):
        text, is_dense = run[0], run[1] is not None
        # a word is met again and again; a long run is not
        found.update(_known(text, is_dense) if len(text) <= 24 else _of_run(text, is_dense))
    return {gram ^ salt for gram in found}


def device_gram(device_no: int, tenant_id: int) -> int:
    """The hash that all messages of a device have."""
    return _hash(f"device {device_no}") ^ _hash(f"tenant {tenant_id}")


def in_bucket(gram: int, bucket: int) -> int:
    """The gram of four hours, as an int4."""
    value = bucket % BUCKETS << HASH_BITS | gram
    return value - (1 << 32) if value >> 31 else value


def bucket_of(key: int) -> int:
    """Which four hours a message's key lies in."""
    return (key >> 32) // BUCKET_SECONDS


class Term(msgspec.Struct, frozen=True):
    """One of the words looked for.

    Args:
        text: folded; without spaces.
        starts_word: one or two letters are too little to look for inside words.
        is_word: one letter only counts when it stands alone, unless it begins the last of several words.
    """

    text: str
    starts_word: bool = False
    is_word: bool = False


class Wanted(msgspec.Struct, frozen=True):
    """What is looked for: all of the terms, wherever they stand.

    Args:
        terms: the words.
        grams: hashes that a text with all of them has, at most MOST_GRAMS, without the tenant's part.
        digits: the digits when it may be a phone number, without the zeros it is dialled with; else empty.
    """

    terms: tuple[Term, ...]
    grams: tuple[int, ...]
    digits: str

    def salted(self, tenant_id: int) -> list[int]:
        """The hashes as the tenant's rows have them."""
        salt = _hash(f"tenant {tenant_id}")
        return [gram ^ salt for gram in self.grams]

    def number_grams(self, tenant_id: int) -> list[int]:
        """Hashes that a number with these digits has; empty when they are too few."""
        salt = _hash(f"tenant {tenant_id}")
        return [gram ^ salt for gram in _spread(_of_query(self.digits, False, True))]

    def ranges(self, text: str) -> list[tuple[int, int]] | None:
        """Where the terms stand in a text, in code points, or None when one of them does not."""
        text = text[:MOST_CHARACTERS]
        folded = fold(text)
        # most texts are folded letter by letter; only of others it must be known what comes from where
        is_even = len(folded) == len(text) and folded == text.lower()
        folded, places = (folded, None) if is_even else _folded_with_places(text)
        found: list[tuple[int, int]] = []
        for term in self.terms:
            spans = [match.span() for match in _pattern(term).finditer(folded)]
            if not spans:
                return None
            found += spans if places is None else [(places[start][0], places[end - 1][1]) for start, end in spans]
        return _merged(found)

    def digit_ranges(self, number: str) -> list[tuple[int, int]]:
        """Where the digits stand in a number."""
        start = number.find(self.digits) if self.digits else -1
        return [] if start < 0 else [(start, start + len(self.digits))]


def wanted(query: str) -> Wanted:
    """What a person looks for who typed this."""
    terms: dict[str, Term] = {}
    grams: list[int] = []
    words = fold(query).split()
    for place, word in enumerate(words):
        text = _EDGES.sub("", word)
        runs = list(_RUNS.finditer(text))
        if not runs:
            continue
        is_single = len(runs) == 1
        short = is_single and runs[0][1] is None and len(text) < 3
        # who types a second word begins it with one letter: what the words before it find must not vanish for that
        begun = short and len(text) == 1 and place == len(words) - 1 and bool(grams)
        terms[text] = Term(text, starts_word=short, is_word=short and len(text) == 1 and not begun)
        if begun:
            continue
        for run in runs:
            # with one letter at the end a longer word may begin, and a word is known by its first two
            is_whole = len(run[0]) > 1 or run.end() < len(text)
            grams += _of_query(run[0], run[1] is not None, is_single or (run.start() > 0 and is_whole))
    # without the zeros it is dialled with; the last digits of a number may be zeros too, and three are needed to look
    digits = re.sub(r"^0+(?=\d{3})", "", re.sub(r"\D", "", query, flags=re.ASCII))
    is_number = bool(re.fullmatch(r"[\d\s()+./-]+", query.strip(), re.ASCII)) and digits.strip("0") != ""
    return Wanted(tuple(terms.values()), tuple(_spread(grams)), digits if is_number else "")


def _of_query(run: str, is_dense: bool, starts: bool) -> list[int]:
    if is_dense:
        return [_hash(one + two) for one, two in pairwise(run)] or [_hash(run)]
    if len(run) >= 3:
        return [_hash(run[place : place + 3]) for place in range(len(run) - 2)]
    return [_hash("^" + run)] if starts and run else []


def _spread(grams: list[int]) -> list[int]:
    every = list(dict.fromkeys(grams))
    count = min(len(every), MOST_GRAMS)
    return [every[place * len(every) // count] for place in range(count)]


def _of_run(run: str, is_dense: bool) -> Iterator[int]:
    if is_dense:
        yield from map(_hash, run)
        yield from (_hash(one + two) for one, two in pairwise(run))
    else:
        yield _hash("^" + run[:2])
        yield from (_hash(run[place : place + 3]) for place in range(len(run) - 2))


@lru_cache(maxsize=100_000)
def _known(run: str, is_dense: bool) -> frozenset[int]:
    return frozenset(_of_run(run, is_dense))


def _hash(gram: str) -> int:
    return zlib.crc32(gram.encode("utf-8", "surrogatepass")) & _MASK


def _pattern(term: Term) -> re.Pattern[str]:
    before = rf"(?<![^\W{_DENSE}])(?<![{_MARKS}])" if term.starts_word else ""
    after = rf"(?!{_LETTER})" if term.is_word else ""
    return re.compile(before + re.escape(term.text) + after)


def _folded_with_places(text: str) -> tuple[str, Sequence[tuple[int, int]]]:
    """The folded text, and for each of its characters the start and end of what it comes from."""
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    for cluster in _CLUSTER.finditer(text):
        folded = fold(cluster[0])
        parts.append(folded)
        places += [cluster.span()] * len(folded)
    return "".join(parts), places


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
