"""Files of rows, CSV or a workbook, whatever wrote them: how they are read, and their rows as texts."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args
from xml.parsers.expat import ExpatError

import msgspec
from msgspec import Meta

from wafast.leads import xlsx
from wafast.leads.causes import FileKind
from wafast.leads.other_files import OLE, TO_DO, ZIP, is_binary, other_than_table
from wafast.refusal import Refusal

if TYPE_CHECKING:
    from wafast.leads import other_workbooks

#: What of a file is looked at to tell how it is written.
HEAD_BYTES = 1 << 16
HEAD_ROWS = 50
EXAMPLES = 3
DELIMITERS = (",", ";", "\t", "|")
#: What Excel takes for no row, but for the word of the file's author on what stands between cells.
SEPARATOR = re.compile(r'"?sep=([^"\r\n])"?\s*', re.IGNORECASE)
#: Characters of a cell. Python would give up a file at 131,072; a cell above this, of 64 MB, is a quotation mark that
#: was never closed.
LONGEST_CELL = 1 << 24
MOST_COLUMNS = 200
#: Bytes of a workbook once it is unpacked: a million rows of ten columns are less than 1 GB, which a file of 2 MB can
#: be too, and takes 9 s to read. What says it is smaller than it is, is refused by who reads it.
MOST_UNPACKED = 4 << 30
#: What reading a broken workbook raises; RuntimeError: its parts are locked, or packed in a way that few know.
BROKEN = (ValueError, KeyError, IndexError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error, ExpatError)
#: What the libraries say of it tells of their insides.
DAMAGED = (
    "the workbook can't be read: it is damaged, or only a part of it came; open it in the program that made it, and "
    "save it again, or as CSV"
)
BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
#: The 3,755 usual characters of GB 2312.
USUAL_CHINESE = re.compile(rb"(?:[\xb0-\xd7][\xa1-\xfe])+")
#: In what Excel saves CSV, by the language of its Windows. Which it was the file does not say, and of a few names
#: nobody can tell (what guesses takes Thai for Japanese, and French for Czech): a person says it.
Encoding = Literal["cp1252", "gb18030", "cp950", "cp932", "cp949", "cp1256", "cp1251", "cp874"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class NotReadable(Refusal[FileKind]):
    """The file has no rows that could be read; the text says why."""


class Column(msgspec.Struct, frozen=True):
    """A column of a file."""

    name: Annotated[str, Meta(description="From the first row, or `Column 3`.", examples=["Phone number"])]
    examples: Annotated[list[str], Meta(description="What stands in it first.", examples=[["012-345 6789"]])]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is read."""

    format: Literal["csv", "workbook"]
    encoding: Annotated[str, Meta(description="Of CSV.", examples=["utf-8"])] = ""
    encodings: Annotated[
        list[Encoding], Meta(description="Of CSV that does not say its own: those that can be.", examples=[[]])
    ] = []
    delimiter: Annotated[str, Meta(description="Of CSV.", examples=[","])] = ""
    sheet: Annotated[str, Meta(description="Of a workbook: the one that is read.", examples=["People"])] = ""
    sheets: Annotated[
        list[str], Meta(description="Of a workbook: those that can be read.", examples=[["People", "Prices"]])
    ] = []
    begins: Annotated[
        int, Meta(description="The row in which the table begins: a title above it is left out.", examples=[1])
    ] = 1
    left: Annotated[int, Meta(description="Empty columns of a workbook before the first.", examples=[0])] = 0
    header: Annotated[bool, Meta(description="The table's first row has the names of the columns.")]
    columns: list[Column]


def look(path: Path, sheet: str = "", encoding: str = "") -> Shape:
    """How the file is read: by what is in it, and never by its name. Raises NotReadable.

    Args:
        path: of the file.
        sheet: of a workbook that is to be read; empty: the first with a table.
        encoding: of CSV that does not say its own; empty: what it may be.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head.strip(b"\x00 \r\n\t"):
        raise NotReadable("file_empty", "the file is empty")
    if (other := other_than_table(path, head)) is not None:
        raise NotReadable(other.kind, f"the file is {other.words}, and no table that can be read: {TO_DO}")
    if head.startswith((ZIP, OLE)):
        kind: dict[str, Any] = {"format": "workbook", **_sheet(path, sheet)}
    else:
        told = _told_encoding(path, head)
        if (told is None or told.startswith("utf-8")) and is_binary(head):
            raise NotReadable("is_binary", f"the file is no text, and of no kind that can be read: {TO_DO}")
        kind = {"format": "csv", "encoding": told} if told else _untold(path, head, encoding)
        kind["delimiter"] = _delimiter(head, kind["encoding"])
    bare = Shape(**kind, header=False, columns=[])
    begins, first = _table(list(islice(rows(path, bare), HEAD_ROWS)))
    if bare.format == "workbook":
        bare = msgspec.structs.replace(bare, left=min(_first_filled(row) for row in first))
        first = [row[bare.left :] for row in first]
    header = not any(_looks_like_number(cell) for cell in first[0])
    widths = [len(row) for row in first[1:] or first]
    # in CSV a row that is longer than most is a mistake of its own; in a workbook a row ends with its last cell
    usual = max(widths) if bare.format == "workbook" else Counter(widths).most_common(1)[0][0]
    width = max(usual, len(first[0]))
    if width > MOST_COLUMNS:
        raise NotReadable(
            "file_wide",
            f"the file has {width} columns; at most {MOST_COLUMNS} can be read",
            columns=width,
            most=MOST_COLUMNS,
        )
    names = first[0] if header else []
    below = first[1:] if header else first
    if not below:
        raise NotReadable("no_rows_below", "the file has the names of its columns, and no rows below them")
    columns = [
        Column(
            (names[place].strip() if place < len(names) else "")[:100] or f"Column {place + 1}",
            list(dict.fromkeys(row[place][:100] for row in below if place < len(row) and row[place]))[:EXAMPLES],
        )
        for place in range(width)
    ]
    return msgspec.structs.replace(bare, begins=begins, header=header, columns=columns)


def rows(path: Path, shape: Shape) -> Iterator[tuple[int, list[str]]]:
    """Each row of the table that is not empty with its number in the file, from 1; a header is none of them. Raises
    NotReadable."""
    found = _rows_of_csv(path, shape) if shape.format == "csv" else _rows_of_workbook(path, shape)
    first = shape.begins + shape.header
    for line, row in found:
        if any(row) and line >= first:
            yield line, row


def _table(found: list[tuple[int, list[str]]]) -> tuple[int, list[list[str]]]:
    """The row in which the table begins, and its rows. What stands above it, a title or a remark, is one cell a row and
    no number, or merged cells over the names of the columns."""
    if not found:
        raise NotReadable("no_rows", "the file has no rows")
    begins = 0
    for place, (_, row) in enumerate(found):
        if sum(map(bool, row)) > 1:
            begins = place
        if _is_of_table(row):
            break
    while begins + 1 < len(found) and _stands_over(found[begins][1], found[begins + 1][1]):
        begins += 1
    return found[begins][0], [row for _, row in found[begins:]]


def _is_of_table(row: list[str]) -> bool:
    """Whether it is no title or remark, which is one cell, and no number."""
    filled = [cell for cell in row if cell]
    return len(filled) > 1 or any(map(_looks_like_number, filled))


def _stands_over(row: list[str], below: list[str]) -> bool:
    """Whether it groups the names below: of merged cells only the first is filled."""
    filled = [place for place, cell in enumerate(row) if cell]
    merged = set(range(filled[0], filled[-1])).difference(filled)
    return (
        any(below[place] for place in merged if place < len(below))
        and sum(map(bool, below)) > len(filled)
        and not any(map(_looks_like_number, [*row, *below]))
    )


def _first_filled(row: list[str]) -> int:
    return next(place for place, cell in enumerate(row) if cell)


def _rows_of_csv(path: Path, shape: Shape) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(LONGEST_CELL)
    with path.open("r", encoding=shape.encoding, errors="replace", newline="") as file:
        first = file.readline()
        told = chain([] if SEPARATOR.fullmatch(first) else [first], file)
        # PostgreSQL takes no U+0000; behind them all it is a row of its own, unless a quotation mark was never closed
        lines = chain((line.replace("\0", "") for line in told), ["\0"])
        line = 0
        try:
            for line, row in enumerate(csv.reader(lines, delimiter=shape.delimiter), 1):
                if row == ["\0"]:
                    return
                if row and row[-1].endswith("\0"):
                    break
                yield line, [cell.strip() for cell in row]
        except csv.Error as error:
            raise NotReadable(
                "row_unreadable",
                f"row {line + 1} can't be read ({error}); is there a quotation mark too many before it?",
                row=line + 1,
            ) from None
    raise NotReadable(
        "quote_open",
        f"row {line} goes on to the end of the file; is there a quotation mark too many in it?",
        row=line,
    )


def _rows_of_workbook(path: Path, shape: Shape) -> Iterator[tuple[int, list[str]]]:
    with _opened(path) as book:
        # those that were looked at before a sheet could be chosen are of the first
        for line, row in book.rows(shape.sheet or book.sheets[0]):
            yield line, row[shape.left : shape.left + len(shape.columns)] if shape.columns else row


def _sheet(path: Path, wanted: str) -> dict[str, Any]:
    """Which sheet of a workbook is read, and which could be: those a person sees, unless there are no others."""
    with _opened(path) as book:
        names = book.seen or book.sheets
        found = wanted or _sheet_with_rows(book, names)
    if found not in names:
        known = ", ".join(map(repr, names))
        raise NotReadable("no_sheet", f"the workbook has no sheet {found!r}; it has {known}", sheet=found, sheets=known)
    return {"sheet": found, "sheets": names}


def _sheet_with_rows(book: xlsx.Workbook | other_workbooks.Workbook, names: list[str]) -> str:
    """The first of these sheets with a table, as what is read first may be a cover: a remark in one cell of each row;
    or else with rows, or the first."""
    if len(names) < 2:  # to look at a sheet may take as long as to read it
        return "".join(names)
    with_rows = (name for name in names if any(any(row) for _, row in book.rows(name)))
    with_table = (name for name in names if any(map(_is_of_table, (row for _, row in book.rows(name)))))
    return next(with_table, None) or next(with_rows, names[0])


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[xlsx.Workbook | other_workbooks.Workbook]:
    size = _unpacked(path)
    if size > MOST_UNPACKED:
        raise NotReadable(
            "workbook_large",
            f"the workbook is {size / (1 << 30):.1f} GB when it is unpacked, and at most {MOST_UNPACKED >> 30} GB can "
            "be read: save it as CSV, or delete what stands far from its rows",
            size=f"{size / (1 << 30):.1f}",
            most=MOST_UNPACKED >> 30,
        )
    try:
        with _workbook(path) as book:
            yield book
    except xlsx.Broken as error:
        raise NotReadable("workbook_damaged", f"the workbook can't be read: {error}") from None
    except BROKEN as error:
        raise NotReadable("workbook_damaged", DAMAGED) from error


def _workbook(path: Path) -> xlsx.Workbook | other_workbooks.Workbook:
    if xlsx.is_workbook(path):
        return xlsx.Workbook(path)
    from wafast.leads import other_workbooks  # 5 MB that others do not need

    return other_workbooks.Workbook(path)


def _unpacked(path: Path) -> int:
    """Bytes of a workbook's parts; the older format is not packed."""
    try:
        with zipfile.ZipFile(path) as parts:
            return sum(part.file_size for part in parts.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return path.stat().st_size


def _told_encoding(path: Path, head: bytes) -> str | None:
    """What a file says of itself; None where it may be of any language."""
    for mark, name in BOMS:
        if head.startswith(mark):
            return name
    text = head.rstrip(b"\0")
    if text[1::2].count(0) > len(text) // 4:
        return "utf-16-le"
    if text[::2].count(0) > len(text) // 4:
        return "utf-16-be"
    return "utf-8" if _is_in(path, "utf-8") else None


def _untold(path: Path, head: bytes, wanted: str) -> dict[str, Any]:
    """How else it is read, and how it could be: as a person says, or as most here save it."""
    found = [one for one in ENCODINGS if _begins_in(head, one)]
    if wanted and wanted not in found:
        raise NotReadable(
            "other_encoding",
            f"the file is not in {wanted!r}; it can be read in {', '.join(found) or 'none there is'}",
            encoding=wanted,
        )
    usual = "gb18030" if _is_mostly_chinese(path) and _is_in(path, "gb18030") else "cp1252"
    return {"format": "csv", "encoding": wanted or usual, "encodings": found}


def _begins_in(head: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _is_in(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_mostly_chinese(path: Path) -> bool:
    """Whether most of what is beyond ASCII would be usual Chinese, as Excel on a Chinese Windows writes it: an accent
    of another language stands alone, and where two meet they are a rare character."""
    usual = others = 0
    with path.open("rb") as file:
        for line in file:
            runs = [USUAL_CHINESE.fullmatch(run) is not None for run in BEYOND_ASCII.findall(line)]
            usual += sum(runs)
            others += len(runs) - sum(runs)
    return usual > others


def _delimiter(head: bytes, encoding: str) -> str:
    """That which the first line names, or which gives most rows the same number of cells, more than one."""
    text = io.TextIOWrapper(io.BytesIO(head), encoding, errors="replace", newline="").read().replace("\0", "")
    named = SEPARATOR.fullmatch(io.StringIO(text, newline="").readline())
    if named is not None:
        return named[1]

    def worth(delimiter: str) -> tuple[int, int]:
        try:
            widths = [
                len(row) for row in islice(csv.reader(io.StringIO(text, ""), delimiter=delimiter), HEAD_ROWS) if row
            ]
        except csv.Error:
            return 0, 0
        usual = max(set(widths), key=widths.count, default=1)
        return (widths.count(usual), usual) if usual > 1 else (0, 0)

    return max(DELIMITERS, key=worth)


def _looks_like_number(cell: str) -> bool:
    digits = sum(letter.isdigit() for letter in cell)
    return digits >= 7 and digits * 2 > len(cell)
