"""A device that says `online` has heard WhatsApp within the last minute, and no request of it waits for minutes."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from wafast.devices.health import SILENT_SECONDS, UNANSWERED_SECONDS, Health
from wafast.devices.held import CHECK_SECONDS, Held
from wafast.devices.session import ControlEvent, Silent, Stuck


class Session:
    """What a session knows of its line, as seconds ago."""

    def __init__(self, *, heard: float | None, waiting: float | None = None) -> None:
        self._heard, self._waiting = heard, waiting

    def heard_at(self) -> float | None:
        return None if self._heard is None else time.monotonic() - self._heard

    def waiting_since(self) -> float | None:
        return None if self._waiting is None else time.monotonic() - self._waiting


class Fleet:
    """Devices, and what is told of them."""

    def __init__(self, *held: Held) -> None:
        self.held = {one.device_no: one for one in held}
        self.told: list[tuple[int, ControlEvent]] = []

    def hear(self, device_no: int, event: ControlEvent) -> None:
        self.told.append((device_no, event))


def device(number: int, session: Session | None, state: str = "online") -> Held:
    one = Held(number, 1, (uuid4(), 1))
    one.session, one.state = session, state  # type: ignore[assignment]
    return one


@pytest.mark.parametrize(
    ("session", "told"),
    [
        (Session(heard=1), []),
        (Session(heard=SILENT_SECONDS - 1, waiting=UNANSWERED_SECONDS - 1), []),
        (Session(heard=SILENT_SECONDS + 1), [Silent()]),
        (Session(heard=None), [Silent()]),
        (Session(heard=1, waiting=UNANSWERED_SECONDS + 1), [Stuck()]),
    ],
    ids=["well", "just well", "silent", "without a connection", "stuck"],
)
def test_what_is_told_of_an_online_device(session: Session, told: list[ControlEvent]) -> None:
    fleet = Fleet(device(7, session))
    Health(fleet).look(time.monotonic() + CHECK_SECONDS)  # type: ignore[arg-type]
    assert [event for _, event in fleet.told] == told


def test_a_device_that_is_not_online_says_no_lie() -> None:
    silent = Session(heard=None)
    fleet = Fleet(device(1, silent, "offline"), device(2, silent, "connecting"), device(3, None))
    Health(fleet).look(time.monotonic() + CHECK_SECONDS)  # type: ignore[arg-type]
    assert fleet.told == []


def test_it_is_looked_at_every_half_minute_and_sooner_when_a_minute_of_silence_ends_sooner() -> None:
    quiet, lively = device(1, Session(heard=SILENT_SECONDS - 5)), device(2, Session(heard=0))
    now = time.monotonic() + CHECK_SECONDS
    Health(Fleet(quiet, lively)).look(now)  # type: ignore[arg-type]
    assert quiet.check_at < lively.check_at
    assert 0.8 * CHECK_SECONDS <= lively.check_at - now <= 1.2 * CHECK_SECONDS


def test_devices_are_not_all_looked_at_at_once() -> None:
    instants = {round(device(n, None).check_at, 3) for n in range(100)}
    assert len(instants) > 90
