"""Lists on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table


def show(columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> None:
    """Print a table; into a pipe as tab-separated lines, so that other programs can read it."""
    console = Console()
    if not console.is_terminal:
        for line in lines:
            print("\t".join(_text(cell) for cell in line))
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for line in lines:
        table.add_row(*(_text(cell) for cell in line))
    console.print(table)


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)
