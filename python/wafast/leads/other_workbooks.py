"""Workbooks that are not Excel's zipped XML (.xls, .xlsb, .ods): calamine reads a sheet as a whole."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from wafast.leads.xlsx import number_text


class Workbook:
    """As `xlsx.Workbook`. Raises ValueError when it is none that can be read."""

    def __init__(self, path: Path) -> None:
        with _refusal():
            self._book = CalamineWorkbook.from_path(path)
        tables = [one for one in self._book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
        self.sheets = [one.name for one in tables]
        self.seen = [one.name for one in tables if one.visible == SheetVisibleEnum.Visible]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._book.close()

    def rows(self, sheet: str) -> Iterator[tuple[int, list[str]]]:
        """Rows with their numbers from 1, as a person sees them."""
        with _refusal():
            table = self._book.get_sheet_by_name(sheet)
        for line, row in enumerate(table.iter_rows(), 1):
            yield line, [_text(cell) for cell in row]


@contextlib.contextmanager
def _refusal() -> Iterator[None]:
    try:
        yield
    except (CalamineError, OSError, IndexError, KeyError) as error:
        raise ValueError(str(error)) from None


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):  # whole numbers too
        return number_text(cell)
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return cell.isoformat(sep=" ") if isinstance(cell, datetime.datetime) else cell.isoformat()
    return str(cell).replace("\0", "").strip()
