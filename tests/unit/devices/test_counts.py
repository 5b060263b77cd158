"""What a worker counts of its lines."""

from __future__ import annotations

from wafast.devices.counts import Counts


def test_only_a_change_of_state_is_one() -> None:
    counts = Counts()
    counts.state_changed("offline", "connecting")
    counts.state_changed("connecting", "online")
    counts.state_changed("online", "online")
    counts.state_changed("offline", "connecting")
    assert counts.figures()["moves"] == [["offline", "connecting", 2], ["connecting", "online", 1]]


def test_dials_reconnects_and_those_held_back_are_counted_apart() -> None:
    counts = Counts()
    counts.dial(again=False)
    counts.dial(again=True)
    counts.reconnect_held_back()
    figures = counts.figures()
    assert (figures["dials"], figures["reconnects"], figures["held_back"]) == (2, 1, 1)


def test_what_waits_is_asked_when_figures_are_wanted() -> None:
    counts, queue = Counts(), [1, 2]
    assert counts.figures()["connect_queue"] == 0
    counts.watch(connecting=lambda: 50, connect_queue=lambda: len(queue))
    queue.append(3)
    assert (counts.figures()["connecting"], counts.figures()["connect_queue"]) == (50, 3)
