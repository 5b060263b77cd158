"""What a bench has measured: printed as a table, kept as JSON, and rendered into RESULTS.md from there."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench import machine

LOAD = os.getloadavg()[0]
RESULTS = Path(__file__).parent / "results"

#: Text, one number, or one number a run.
Cell = str | float | list[float]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of measurements; the first cell of a row names it."""

    title: str
    heads: list[str]
    rows: list[list[Cell]]
    note: str = ""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a script."""

    bench: str
    command: str
    date: str
    machine: str
    load: float
    """The machine's load average when it began: near 0 on a quiet one."""
    seconds: float
    tables: list[Table]


def parser(about: str | None) -> argparse.ArgumentParser:
    """The arguments every script takes."""
    arguments = argparse.ArgumentParser(description=(about or "").split("\n")[0])
    arguments.add_argument("--quick", action="store_true", help="at most 20 s; shows that it works, not how fast")
    arguments.add_argument("--save", type=Path, metavar="FOLDER", help=f"also keep the result as JSON, as in {RESULTS}")
    return arguments


def finish(bench: str, options: argparse.Namespace, begun: float, tables: Sequence[Table], part: str = "") -> None:
    """Print the tables, and keep them where `--save` says.

    Args:
        begun: `time.monotonic()` at the start.
        part: which of the script's several measurements it was; each is kept by itself.
    """
    result = Result(
        bench=bench,
        command=" ".join([f"python -m bench.{bench}", *_given(sys.argv[1:])]),
        date=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        machine=machine.describe(),
        load=LOAD,
        seconds=round(time.monotonic() - begun),
        tables=list(tables),
    )
    print(render(result), flush=True)
    if options.save is not None:
        options.save.mkdir(parents=True, exist_ok=True)
        name = (f"{bench}-{part}" if part else bench).replace("_", "-")
        text = msgspec.json.format(msgspec.json.encode(_rounded(result)), indent=1)
        (options.save / f"{name}.json").write_bytes(text + b"\n")


def _given(arguments: list[str]) -> list[str]:
    """Arguments without where the result is kept."""
    if "--save" not in arguments:
        return arguments
    place = arguments.index("--save")
    return arguments[:place] + arguments[place + 2 :]


def read(path: Path) -> Result:
    """A kept result."""
    return msgspec.json.decode(path.read_bytes(), type=Result)


def render(result: Result) -> str:
    """The tables of a result as Markdown."""
    parts = [markdown(table) for table in result.tables]
    how = f"`{result.command}` · {result.date} · {result.seconds:.0f} s, load before {result.load:.1f}"
    return "\n".join([*parts, f"{how} · {result.machine}", ""])


def markdown(table: Table) -> str:
    """A table whose columns also line up on a terminal."""
    lines = [table.heads, *([show(cell) for cell in row] for row in table.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.heads))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cells[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)),
        ]
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (width + 1) + (":" if column else "-") for column, width in enumerate(widths)) + "|"
    note = [table.note, ""] if table.note else []
    return "\n".join([f"## {table.title}", "", line(lines[0]), rule, *map(line, lines[1:]), "", *note])


def show(cell: Cell) -> str:
    """A cell as text; of several runs the median, with least and most."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, list):
        middle = _number(statistics.median(cell))
        return middle if len(cell) == 1 else f"{middle} ({_number(min(cell))}–{_number(max(cell))})"
    return _number(cell)


def middle(cell: Cell) -> float:
    """The median of a cell's runs."""
    if isinstance(cell, str):
        raise TypeError(f"{cell!r} is no measurement")
    return statistics.median(cell) if isinstance(cell, list) else cell


def _number(value: float) -> str:
    if value == int(value):
        return f"{value:,.0f}"
    size = abs(value)
    return f"{value:,.{0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3}f}"


def _rounded(result: Result) -> Result:
    def short(cell: Cell) -> Cell:
        if isinstance(cell, list):
            return [float(f"{value:.5g}") for value in cell]
        return cell if isinstance(cell, str) else float(f"{cell:.5g}")

    tables = [
        msgspec.structs.replace(table, rows=[[short(cell) for cell in row] for row in table.rows])
        for table in result.tables
    ]
    return msgspec.structs.replace(result, tables=tables)
