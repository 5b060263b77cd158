"""Texts that show something, and texts that do not."""

from __future__ import annotations

import pytest

from wafast.visible import is_visible, one_line


@pytest.mark.parametrize("text", ["a", " 1 ", "👍", "👨‍👩‍👧", "வணக்கம்", "مرحبا", "你好", "1️⃣", "©", "\u200b.\u200b"])
def test_something_is_seen(text: str) -> None:
    assert is_visible(text)


@pytest.mark.parametrize(
    "text", ["", " \n\t", "\u200b\u200d\ufeff", "\u2060\u00ad", "\u3164", "\u2800", "\u0301", "\ufe0f"]
)
def test_nothing_is_seen(text: str) -> None:
    assert not is_visible(text)


def test_a_name_is_one_line_that_shows_something() -> None:
    assert one_line(" Sales\nKL\x01 1\u2028") == "Sales KL  1"
    assert one_line("👨\u200d👩\u200d👧") == "👨\u200d👩\u200d👧"
    assert one_line("\u200b\n\u3164") == ""
