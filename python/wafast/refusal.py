"""What is refused says why twice: as a sentence, and as a word with what it names, which pages say in any language."""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K", bound=str)
#: Characters of one thing that is named.
LONGEST_VALUE = 300


class Refusal(ValueError, Generic[K]):
    """Something that can't be taken as it is.

    Args:
        kind: of reason it is, a word that stays.
        sentence: the same in English, with the way out.
        values: what the sentence names, cut where it is long.
    """

    def __init__(self, kind: K, sentence: str, **values: object) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.values = {name: str(value)[:LONGEST_VALUE] for name, value in values.items()}
