"""docs/operations.md speaks of what there is."""

from __future__ import annotations

import re
from pathlib import Path

from wafast import logs
from wafast.api import metrics
from wafast.api.metrics import Metrics, WorkerFigures
from wafast.doctor import machine
from wafast.events.bus import Event
from wafast.events.frames import Draft
from wafast.events.hub import Hub

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8")


async def nothing(events: list[Event]) -> list[Draft]:
    return []


def test_every_figure_it_names_is_served() -> None:
    process = Metrics()
    process.watch(Hub(nothing))
    said = dict.fromkeys([*metrics.COUNTERS, *metrics.GAUGES], 1)
    histograms = dict.fromkeys(metrics.HISTOGRAMS, ([(1.0, 1)], 1, 1.0))
    figures = {**said, "moves": [["offline", "online", 1]], "histograms": histograms}
    worker = WorkerFigures("w", "loopback", figures, is_alive=True)
    served = process.text([(name, "loopback", "x", 1) for name in metrics.SYSTEM], [worker]).decode()
    families = set(re.findall(r"^# TYPE (\w+) ", served, re.M))
    named = set(re.findall(r"`(wafast_\w+)", PAGE)) - {"wafast_api_"}
    assert len(named) > 20
    assert {name for name in named if name not in families and name.removesuffix("_total") not in families} == set()


def test_its_numbers_are_the_doctors() -> None:
    assert machine.FILES_A_DEVICE == 7 and f"1,500 × 7 + {machine.FILES_BESIDE}" in PAGE
    assert machine.THREADS_A_DEVICE == 1 and f"3,000 + {machine.THREADS_BESIDE}" in PAGE
    assert f"1,500 × {machine.MAPPINGS_A_DEVICE} + {machine.MAPPINGS_BESIDE:,}" in PAGE


def test_the_level_it_shows_can_be_set() -> None:
    [shown] = set(re.findall(r"WAFAST_LOG=(\S+)`", PAGE))
    assert logs.read(shown).form == "json"
