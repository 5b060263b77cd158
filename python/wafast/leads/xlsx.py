"""Workbooks of Excel, zipped XML: their rows one after the other, in memory that a million of them do not fill."""

from __future__ import annotations

import datetime
import functools
import os
import posixpath
import re
import tempfile
import zipfile
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Self
from xml.parsers import expat

WORKBOOK = "xl/workbook.xml"
#: Bytes of XML that are parsed at a time, and the cells in it held.
PIECE = 1 << 16
#: Of Excel; and of LibreOffice, which has more of these.
MOST_COLUMNS = 16_384
MOST_ROWS = 1 << 24
#: Texts kept in memory of those on disk: words that come again and again.
TEXTS_AT_HAND = 1_000
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
#: Formats of dates and times that have a number only, and the one of hours beyond a day.
DATES = frozenset((*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)))
ELAPSED = 46
#: In a format: what it shows as it stands or is of its look, hours beyond a day, or a part of a date.
IN_FORMAT = re.compile(r'"[^"]*"|\\.|_.|\*.|(\[(?:h+|m+|s+)\])|\[[^\]]*\]|([dmyhs])', re.IGNORECASE)


class Broken(ValueError):
    """The workbook is not as one must be; the text says where."""


class Workbook:
    """An open workbook. Raises ValueError, KeyError, zipfile.BadZipFile and expat.ExpatError when it is none that can
    be read, here and in `rows`.

    Attributes:
        seen: the names of its sheets of cells, those that are hidden not.
        sheets: all of them.
    """

    def __init__(self, path: Path) -> None:
        self._folder, self._zip = path.parent, zipfile.ZipFile(path)
        self._names = {name.lower(): name for name in self._zip.namelist()}
        self._texts: _Texts | None = None
        self._parts: dict[str, str] = {}
        self.seen: list[str] = []
        try:
            self._read_workbook()
        except BaseException:
            self._zip.close()
            raise

    @property
    def sheets(self) -> list[str]:
        """All of its sheets of cells."""
        return list(self._parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()
        if self._texts is not None:
            self._texts.close()

    def rows(self, sheet: str) -> Iterator[tuple[int, list[str]]]:
        """Rows that are in the file, with their numbers from 1, as a person sees them; each ends with its last cell."""
        if self._texts is None:
            self._texts = self._read_texts()
        found = _Rows(self._texts, self._formats, self._since_1904)
        with self._open(self._parts[sheet]) as part:
            for _ in _pieces(part, found.parser):
                yield from found.take()

    def _open(self, part: str) -> IO[bytes]:
        return self._zip.open(self._names[part.lower()])

    def _elements(self, part: str) -> Iterator[tuple[str, str, dict[str, str]]]:
        """What a part begins: the element around it, its own name, its attributes."""
        around, found = [""], list[tuple[str, str, dict[str, str]]]()

        def start(tag: str, attributes: dict[str, str]) -> None:
            found.append((around[-1], _local(tag), attributes))
            around.append(_local(tag))

        parser = _parser()
        parser.StartElementHandler = start
        parser.EndElementHandler = lambda _: around.pop()
        with self._open(part) as opened:
            for _ in _pieces(opened, parser):
                yield from found
                found.clear()

    def _read_workbook(self) -> None:
        known = {
            one["Id"]: one for _, tag, one in self._elements("xl/_rels/workbook.xml.rels") if tag == "Relationship"
        }
        by_kind = {one["Type"].rpartition("/")[2]: _place(one["Target"]) for one in known.values()}
        there = {kind: part for kind, part in by_kind.items() if part.lower() in self._names}
        self._strings, styles = there.get("sharedStrings"), there.get("styles")
        self._since_1904 = False
        for around, tag, one in self._elements(WORKBOOK):
            if tag == "workbookPr":
                self._since_1904 = one.get("date1904") in ("1", "true")
            elif tag == "sheet" and around == "sheets":
                target = known[next(value for name, value in one.items() if _local(name) == "id")]
                if target["Type"].endswith("/worksheet"):
                    self._parts[one["name"]] = _place(target["Target"])
                    if one.get("state", "visible") == "visible":
                        self.seen.append(one["name"])
        self._formats = [] if styles is None else self._read_formats(styles)

    def _read_formats(self, part: str) -> list[str]:
        """Of each style whether its cells are a `date`, an `elapsed` time, or neither."""
        own: dict[int, str] = {}
        used: list[int] = []
        for around, tag, one in self._elements(part):
            if tag == "numFmt" and around == "numFmts":
                own[int(one["numFmtId"])] = _kind_of_format(one["formatCode"])
            elif tag == "xf" and around == "cellXfs":
                used.append(int(one.get("numFmtId", "0")))
        return [own.get(one) or ("date" if one in DATES else "elapsed" if one == ELAPSED else "") for one in used]

    def _read_texts(self) -> _Texts:
        texts = _Texts(self._folder)
        if self._strings is not None:
            with self._open(self._strings) as part:
                for _ in _pieces(part, texts.parser):
                    texts.flush()
        return texts


class _Part:
    """What the parser finds in a part with texts: an element's beginning and end are a method each, or nothing."""

    def __init__(self) -> None:
        self._text = ""
        self._is_sound = False
        self._written: list[str] = []
        self._begins = _ByName(v=self._begin_text, t=self._begin_text, rPh=self._begin_sound)
        self._ends = _ByName(v=self._end_text, t=self._end_text, rPh=self._end_sound)
        self.parser = _parser()
        self.parser.CharacterDataHandler = self._written.append
        self.parser.StartElementHandler = lambda tag, attributes: self._begins[tag](attributes)
        self.parser.EndElementHandler = lambda tag: self._ends[tag](None)

    def _begin_text(self, _: object) -> None:
        self._written.clear()

    def _end_text(self, _: object) -> None:
        if not self._is_sound:
            self._text += "".join(self._written)

    def _begin_sound(self, _: object) -> None:  # how a text is spoken
        self._is_sound = True

    def _end_sound(self, _: object) -> None:
        self._is_sound = False


class _ByName(dict[str, Callable[[Any], None]]):
    """By elements' names, which some writers give a prefix; of all others nothing is wanted."""

    def __missing__(self, tag: str) -> Callable[[Any], None]:
        found = self[tag] = self.get(_local(tag), _nothing)
        return found


def _nothing(_: object) -> None:
    pass


class _Texts(_Part):
    """Texts that cells name by their numbers: on disk, and in memory where each of them ends."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with the workbook
        self._places = array("I", [0])
        self._at_hand, self._from = b"", 0
        self._begins["si"], self._ends["si"] = self._begin, self._end
        self.at = functools.lru_cache(TEXTS_AT_HAND)(self._at)

    def close(self) -> None:
        """Ends with its file."""
        self._file.close()

    def flush(self) -> None:
        """Puts on disk what was read."""
        self._file.flush()

    def _begin(self, _: object) -> None:
        self._text = ""

    def _end(self, _: object) -> None:
        text = _plain(self._text).encode()
        self._file.write(text)
        self._places.append(self._places[-1] + len(text))

    def _at(self, number: int) -> str:
        if not 0 <= number < len(self._places) - 1:
            raise Broken(f"a cell names the text {number + 1} of {len(self._places) - 1}")
        begin, end = self._places[number], self._places[number + 1]
        # most are named in their order
        if begin < self._from or end > self._from + len(self._at_hand):
            self._at_hand, self._from = os.pread(self._file.fileno(), max(PIECE, end - begin), begin), begin
        return self._at_hand[begin - self._from : end - self._from].decode()


class _Rows(_Part):
    """The rows of a sheet."""

    def __init__(self, texts: _Texts, formats: list[str], since_1904: bool) -> None:
        super().__init__()
        self._texts, self._formats, self._since_1904 = texts, formats, since_1904
        self._rows: list[tuple[int, list[str]]] = []
        self._line, self._row, self._column = 0, list[str](), 0
        self._kind, self._style = "n", ""
        self._begins["row"], self._ends["row"] = self._begin_row, self._end_row
        self._begins["c"], self._ends["c"] = self._begin_cell, self._end_cell

    def take(self) -> list[tuple[int, list[str]]]:
        """The rows since the last time."""
        rows, self._rows = self._rows, []
        return rows

    def _begin_row(self, attributes: dict[str, str]) -> None:
        line = int(attributes.get("r", self._line + 1))
        if not self._line < line <= MOST_ROWS:
            raise Broken(f"row {line} stands below row {self._line}")
        self._line, self._row, self._column = line, [], 0

    def _end_row(self, _: object) -> None:
        self._rows.append((self._line, self._row))

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        self._column = self._column + 1 if place is None else _column(place.rstrip("0123456789"))
        if self._column > MOST_COLUMNS:
            raise Broken(f"row {self._line} has more than {MOST_COLUMNS} cells")
        self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
        self._text = ""

    def _end_cell(self, _: object) -> None:
        if self._text and (text := self._shown(self._text)):
            row = self._row
            while len(row) < self._column:
                row.append("")
            row[self._column - 1] = text

    def _shown(self, written: str) -> str:
        """What a person sees of a cell; an error is nothing."""
        kind = self._kind
        if kind == "s":
            return self._texts.at(int(written))
        if kind in ("str", "inlineStr"):
            return _plain(written)
        if kind == "n":
            return self._number(written)
        if kind == "b":
            return "false" if written.strip() == "0" else "true"
        if kind == "d":
            return written.strip().replace("T", " ", 1)
        if kind == "e":
            return ""
        raise Broken(f"row {self._line} has a cell of an unknown kind, {kind!r}")

    def _number(self, written: str) -> str:
        try:
            number = float(written)
        except ValueError:
            return _plain(written)
        kind = self._formats[int(self._style)] if self._style and self._formats else ""
        if kind:
            try:
                return _date(number, self._since_1904) if kind == "date" else str(_elapsed(number))
            except (OverflowError, ValueError):
                pass  # a number that no calendar has
        return number_text(number)


def is_workbook(path: Path) -> bool:
    """Whether the file is such a workbook."""
    try:
        with zipfile.ZipFile(path) as parts:
            return any(name.lower() == WORKBOOK for name in parts.namelist())
    except (zipfile.BadZipFile, ValueError):
        return False


def number_text(number: float) -> str:
    """A number as a person sees it: a whole one without a decimal."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e17 else repr(number)


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.EntityDeclHandler = _refuse_entity
    return parser


def _refuse_entity(*declared: object) -> None:
    raise Broken("it declares entities, which no workbook has")


def _pieces(part: IO[bytes], parser: expat.XMLParserType) -> Iterator[None]:
    """Parses a part, and stops after each piece of it."""
    while piece := part.read(PIECE):
        parser.Parse(piece, False)
        yield
    parser.Parse(b"", True)
    yield


def _local(tag: str) -> str:
    """A name without the prefix that some writers give it."""
    return tag[tag.find(":") + 1 :]


def _place(target: str) -> str:
    """Of a part that the workbook names."""
    return posixpath.normpath(posixpath.join("/xl", target.replace("\\", "/"))).lstrip("/")


@functools.lru_cache(MOST_COLUMNS)
def _column(letters: str) -> int:
    """The number of a column, from 1. Raises ValueError."""
    if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
        raise Broken(f"there is no column {letters[:20]!r}")
    return functools.reduce(lambda found, letter: found * 26 + ord(letter) - 64, letters.upper(), 0)


def _plain(text: str) -> str:
    if "_x" in text:
        text = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # two may be one character
    return text.replace("\0", "").strip()


def _kind_of_format(code: str) -> str:
    for elapsed, part in IN_FORMAT.findall(code):
        if elapsed or part:
            return "elapsed" if elapsed else "date"
    return ""


def _elapsed(number: float) -> datetime.timedelta:
    return datetime.timedelta(milliseconds=round(number * 86_400_000))


def _date(number: float, since_1904: bool) -> str:
    """The day, the time of one, or both. Raises OverflowError and ValueError."""
    # Excel's 1900 had a 29th of February; before it every day is one earlier
    shift = 1462 if since_1904 else number < 60
    at = datetime.datetime(1899, 12, 30) + _elapsed(number + shift)
    if number < 1:
        return at.time().isoformat()
    return at.date().isoformat() if number.is_integer() else at.isoformat(sep=" ")
