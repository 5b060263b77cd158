"""Whether a text shows anything, and what of it can be a name."""

from __future__ import annotations

import unicodedata

#: Letters and signs that are drawn as nothing: fillers of Hangul, and the empty pattern of Braille.
BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
#: Spaces, controls, formats (zero-width ones among them), halves of pairs; marks, which stand on something.
UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Mn", "Mc", "Me"})

#: Controls, and what breaks lines.
CONTROLS = frozenset({"Cc", "Zl", "Zp"})


def one_line(text: str) -> str:
    """A name as lists show it: nothing around it, and no line breaks or other controls in it but U+0000, which is
    refused where it would be stored. Empty when there would be nothing to see."""
    name = "".join(" " if unicodedata.category(one) in CONTROLS and one != "\0" else one for one in text).strip()
    return name if is_visible(name) else ""


def is_visible(text: str) -> bool:
    """Whether at least one character can be seen."""
    return any(unicodedata.category(one) not in UNSEEN and one not in BLANKS for one in text)


def of_word(character: str) -> bool:
    """Whether it is part of a word: a letter, a digit, or a mark of one."""
    category = unicodedata.category(character)
    # the combining keycap and the selector of an emoji's form are marks as well, and so are vowels of Tamil and Hindi
    return category[0] in "LN" or (category[0] == "M" and category != "Me" and not "\ufe00" <= character <= "\ufe0f")
