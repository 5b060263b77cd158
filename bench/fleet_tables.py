"""The tables of the fleet bench: what was measured, a line through it, and what another program was measured at."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench.report import Cell, Table
from bench.system import IDLE_WORKERS, POSTGRESQL, WORKERS

if TYPE_CHECKING:
    from bench.fleet import Flow, Return, Run

KIB = 1024.0


def tables(runs: list[Run], flows: list[Flow], returns: list[Return], workers: int) -> list[Table]:
    """All there is to show; `runs` in ascending order, the first without a line."""
    empty, *full = runs
    found = [_starts(empty, full, workers), _processes(empty, full[-1])]
    if len(full) > 1:
        found.append(_fits(empty, full))
    if flows:
        found.append(_flows(flows, full[-1].devices))
    if returns:
        found.append(_returns(returns, full[-1].devices))
    found.append(_beside(empty, full[-1], flows, returns))
    return found


def _marginal_kib(empty: Run, run: Run) -> float:
    return (run.held[WORKERS].pss - empty.held[WORKERS].pss) * KIB / run.devices


def _all_mib(run: Run) -> float:
    return sum(held.pss for held in run.held.values())


def _each(empty: Run, run: Run, count: Callable[[Run], int]) -> float:
    return (count(run) - count(empty)) / run.devices


def _starts(empty: Run, full: list[Run], workers: int) -> Table:
    rows: list[list[Cell]] = []
    for run in [empty, *full]:
        is_empty = run is empty
        rows.append(
            [
                f"{run.devices:,}",
                "–" if is_empty else run.online_seconds,
                run.held[WORKERS].pss,
                _all_mib(run),
                "–" if is_empty else _marginal_kib(empty, run),
                "–" if is_empty else _each(empty, run, lambda run: run.held[WORKERS].threads),
                "–" if is_empty else _each(empty, run, lambda run: run.held[WORKERS].descriptors),
                run.cores[WORKERS],
                run.cores[POSTGRESQL],
                run.statements,
                run.connections,
                run.fell,
            ]
        )
    return Table(
        title=f"Real sessions on one machine, {workers} workers: from `wafast up` to all online, then idle",
        heads=[
            "lines", "all online, s", "workers, MiB", "all of wafast, MiB", "KiB a line", "threads a line",
            "descriptors a line", "idle cores, workers", "idle cores, PostgreSQL", "statements/s", "connections",
            "falls",
        ],
        rows=rows,
        note="Memory is PSS: private pages, and of shared ones the share. A line costs what the workers hold more than "
        "without any, after a restart. All of wafast is without PostgreSQL and the simulator, and with one worker of "
        "the other network, which has no line.",
    )  # fmt: skip


def _processes(empty: Run, run: Run) -> Table:
    rows: list[list[Cell]] = [
        [
            name, empty.held[name].pss, held.pss, held.private, float(held.threads), float(held.descriptors),
            run.cores[name],
        ]
        for name, held in run.held.items()
    ]  # fmt: skip
    return Table(
        title=f"Where {run.devices:,} lines are",
        heads=["", "MiB without", "MiB", "of it private", "threads", "descriptors", "idle cores"],
        rows=rows,
        note="Others when idle: "
        + ", ".join(f"{name} {run.cores[name]:.3f} cores" for name in (POSTGRESQL, "simulator"))
        + ".",
    )


def _fits(empty: Run, full: list[Run]) -> Table:
    measures: list[tuple[str, Callable[[Run], float], list[Run]]] = [
        ("workers' memory, MiB", lambda run: run.held[WORKERS].pss, [empty, *full]),
        ("idle cores of the workers", lambda run: run.cores[WORKERS], [empty, *full]),
        ("statements/s when idle", lambda run: run.statements, [empty, *full]),
        ("all online, s", lambda run: run.online_seconds, full),
    ]
    rows: list[list[Cell]] = []
    for name, measure, runs in measures:
        devices, values = [float(run.devices) for run in runs], [measure(run) for run in runs]
        slope, base = statistics.linear_regression(devices, values)
        off = max(abs(base + slope * x - y) for x, y in zip(devices, values, strict=True))
        rows.append([name, base, slope * 1000, off, base + slope * 10_000, base + slope * 100_000])
    return Table(
        title="Straight lines through it (least squares)",
        heads=["", "without a line", "a thousand lines add", "furthest off", "10,000 lines", "100,000 lines"],
        rows=rows,
        note="The last two are what the line says, not what was run: `docs/scale.md` says where it would not hold.",
    )


def _flows(flows: list[Flow], devices: int) -> Table:
    names = [name for name in flows[0].cores if name != IDLE_WORKERS]
    rows: list[list[Cell]] = [
        [flow.name, flow.rate, *(flow.cores[name] for name in names), flow.cores["all"] / flow.rate * 1e6]
        for flow in flows
    ]
    return Table(
        title=f"Messages through {devices:,} real sessions, received, decrypted and stored",
        heads=["contacts' texts", "msg/s", *(f"cores, {name}" for name in names), "µs CPU a message"],
        rows=rows,
        note="From the first order to the simulator to the last row in PostgreSQL. The first message of a chat makes a "
        "Signal session on both sides. The simulator encrypts on the same cores.",
    )


def _returns(returns: list[Return], devices: int) -> Table:
    rows: list[list[Cell]] = [
        [back.name, back.seconds, "–" if back.most_dials is None else float(back.most_dials), float(back.fell)]
        for back in returns
    ]
    return Table(
        title=f"All {devices:,} lines come back by themselves",
        heads=["", "all online after, s", "most handshakes in one second", "processes fallen"],
        rows=rows,
    )


def _came(back: Return, devices: int) -> str:
    return back.seconds if isinstance(back.seconds, str) else f"{devices:,} in {back.seconds:.1f} s"


def _beside(empty: Run, run: Run, flows: list[Flow], returns: list[Return]) -> Table:
    quoted = msgspec.json.decode((Path(__file__).parent / "quoted.json").read_bytes(), type=Table)
    figures = {str(row[0]): str(row[1]) for row in quoted.rows}
    held = run.held[WORKERS]
    ours: list[tuple[str, str]] = [
        ("memory a line", f"{_marginal_kib(empty, run):,.0f} KiB"),
        ("descriptors a line", f"{_each(empty, run, lambda run: run.held[WORKERS].descriptors):.1f}"),
        ("threads in all", f"{held.threads:,} for {run.devices:,} lines"),
        ("lines online after a start", f"{run.devices:,} in {run.online_seconds:.1f} s"),
    ]
    far = [back for back in returns if "round trips" in back.name]
    away = [back for back in returns if "away" in back.name]
    if far:
        ours.append(("lines online after a start, round trips of 50 ms", _came(far[0], run.devices)))
    if away:
        ours.append(("server away at the start", f"{_came(away[0], run.devices)} after its return"))
    if flows:
        ours.append(("messages received and stored", f"{flows[-1].rate:,.0f} msg/s"))
    return Table(
        title="Beside go-whatsapp-web-multidevice 9.2.0 (GOWA), whose figures are quoted",
        heads=["", "wafast, measured above", "GOWA, quoted"],
        rows=[[name, text, figures[name]] for name, text in ours],
    )
