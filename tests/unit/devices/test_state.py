from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest

from wafast.devices import state
from wafast.devices.backoff import COOLDOWN_SECONDS, LONGEST_SECONDS, retry_seconds


@pytest.mark.parametrize(
    "path",
    [
        "new pairing connecting online offline online",
        "new pairing new pairing",
        "online offline connecting online",
        "online logged_out pairing connecting online",
        "online banned connecting online",
        "online replaced pairing connecting",
        "connecting outdated connecting",
        "pairing logged_out",
    ],
)
def test_a_device_may_go(path: str) -> None:
    for before, after in pairwise(path.split()):
        assert before in state.REACHED_FROM[after], f"{before} to {after}"  # type: ignore[index]


@pytest.mark.parametrize(
    ("before", "after"),
    [("new", "online"), ("new", "connecting"), ("logged_out", "online"), ("banned", "offline"), ("replaced", "online")],
)
def test_a_device_may_not_go(before: str, after: str) -> None:
    assert before not in state.REACHED_FROM[after]  # type: ignore[index]


def test_every_state_is_reached_from_somewhere() -> None:
    assert set(state.REACHED_FROM) == set(get_args(state.State))


def test_reasons_say_what_to_do() -> None:
    assert state.banned("too many messages", 90_000) == (
        "WhatsApp banned the number for 1 day: too many messages. It connects again when the ban is over"
    )
    assert state.banned("why", 0) == (
        "WhatsApp banned the number: why. Wait for the end of the ban, then connect again"
    )
    assert state.logged_out("the phone did it").endswith("Pair the device again")


def test_waits_grow_and_keep_the_cooldown() -> None:
    assert all(retry_seconds(0) == COOLDOWN_SECONDS for _ in range(50))
    late = [retry_seconds(20) for _ in range(200)]
    assert min(late) >= COOLDOWN_SECONDS
    assert max(late) <= LONGEST_SECONDS
    assert max(late) > LONGEST_SECONDS / 2
