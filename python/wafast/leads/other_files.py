"""Files that are no tables, whatever their names say: by what is in them."""

from __future__ import annotations

import mmap
import re
import zipfile
from pathlib import Path

ZIP = b"PK\x03\x04"
#: The older Office's container, of one file of any kind.
OLE = b"\xd0\xcf\x11\xe0"
TO_DO = "save it as CSV or as an Excel workbook"
#: What files begin with, and what they are then.
MARKS = tuple(
    (re.compile(rb"\s*(?:%b)" % mark, re.IGNORECASE | re.DOTALL), what)
    for mark, what in (
        (rb"%PDF-", "a PDF"),
        (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP|.{4}ftyp(?:hei|hev|mif1|avif)", "a picture"),
        (rb"\{\\rtf", "a text of a word processor"),
        (rb"\x1f\x8b|Rar!|7z\xbc\xaf|BZh[1-9]|\xfd7zXZ|PK\x05\x06", "a compressed archive"),
        (rb"BEGIN:VCARD", "an address book (vCard)"),
        (rb"<(?:!doctype|html|head|body|meta|table|\?xml)", "a web page or XML"),
        (rb"\{\s*\"|\[\s*\{", "JSON"),
        (rb"SQLite format 3", "a database"),
    )
)
#: Parts of a ZIP, and what it is then; None: a workbook.
PARTS: dict[str, str | None] = {
    "xl/workbook.xml": None,
    "xl/workbook.bin": None,
    "word/document.xml": "a Word document",
    "ppt/presentation.xml": "a presentation",
    "index/document.iwa": "a file of Apple's Numbers, Pages or Keynote",
}
OPEN_SPREADSHEET = b"application/vnd.oasis.opendocument.spreadsheet"
#: Names in the older container.
STREAMS = {
    "EncryptedPackage": "a workbook locked with a password",
    "WordDocument": "a Word document",
    "PowerPoint Document": "a presentation",
    "__substg1.0_": "an e-mail",
}
#: What no text has, of an encoding that has a byte for each character.
CONTROLS = bytes({*range(32)} - {*b"\t\n\v\f\r\x1a\x1b"})


def other_than_table(path: Path, head: bytes) -> str | None:
    """Why a file holds no table, and what to do; None when it may hold one.

    Args:
        path: of the file.
        head: its first bytes.
    """
    what = next((what for mark, what in MARKS if mark.match(head)), None)
    if head.startswith(ZIP):
        what = _of_zip(path)
    elif head.startswith(OLE):
        what = _of_ole(path)
    return None if what is None else f"the file is {what}, and no table that can be read: {TO_DO}"


def refuse_binary(head: bytes) -> str | None:
    """The same of bytes that would be text, and are none."""
    text = head.rstrip(b"\0")
    controls = len(text) - len(text.translate(None, CONTROLS))
    if controls > max(3, len(text) // 50):
        return f"the file is no text, and of no kind that can be read: {TO_DO}"
    return None


def _of_zip(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as parts:
            names = {name.lower() for name in parts.namelist()}
            kind = (
                parts.read("mimetype") if "mimetype" in names else OPEN_SPREADSHEET if "content.xml" in names else b""
            )
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError, RuntimeError, OSError):
        return None  # it is damaged, as who reads it says
    found = next((part for part in PARTS if part in names), None)
    if found is not None:
        return PARTS[found]
    if kind.startswith(OPEN_SPREADSHEET):
        return None
    return "a document of another kind" if kind else "a ZIP archive"


def _of_ole(path: Path) -> str | None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return next((what for name, what in STREAMS.items() if content.find(name.encode("utf-16-le")) >= 0), None)
