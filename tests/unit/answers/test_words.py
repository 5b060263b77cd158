"""What says "no more" and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wafast.answers.words import is_opt_out, plain

WORDS = ["stop", "berhenti", "unsubscribe", "jangan hantar", "நிறுத்து", "停止"]


@pytest.mark.parametrize(
    "text",
    ["stop", "STOP", " Stop. ", "stop!!!", "“STOP”", "*stop*", "STOP\n", "STOP 🛑", "🙏🏽 stop 🙏🏽", "ＳＴＯＰ",
     "Berhenti", "…unsubscribe…", "Jangan   hantar!", "நிறுத்து", "停止。"],
)  # fmt: skip
def test_a_word_alone_says_it_in_every_shape(text: str) -> None:
    assert is_opt_out(text, WORDS)


@pytest.mark.parametrize(
    "text",
    ["", " ", "🛑", "please stop", "stop it", "non-stop", "stops", "st op", "bus stop?", "don't stop", "stop " * 100,
     "நிறுத்த", "0stop", "stop1"],
)  # fmt: skip
def test_a_word_among_others_does_not(text: str) -> None:
    assert not is_opt_out(text, WORDS)


def test_without_words_nobody_says_it() -> None:
    assert not is_opt_out("", [""])
    assert not is_opt_out("stop", [])


@given(st.text(max_size=60))
def test_what_is_compared_stays_what_it_is(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert plain(f" {text}!\n") == plain(text)
