"""What can be a reaction: one emoji, whatever it is made of."""

from __future__ import annotations

import pytest

from wafast.outbox.changes import is_emoji

ONE = ["👍", "👍🏽", "❤️", "❤", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇲🇾", "1️⃣", "#️⃣", "™️", "❤️‍🔥", "🧑🏿‍🦽‍➡️", "‼️", "↔️", "〰️"]
NOT_ONE = ["", "a", "1", "#", "!", "ok 👍", "👍👎", "👍 ", "🇲🇾🇸🇬", "é", "中", "\u200d", "\ufe0f", "👍\u200d", "<b>"]


@pytest.mark.parametrize("text", ONE)
def test_one_emoji(text: str) -> None:
    assert is_emoji(text)


@pytest.mark.parametrize("text", NOT_ONE)
def test_not_one_emoji(text: str) -> None:
    assert not is_emoji(text)
