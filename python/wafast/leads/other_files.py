"""Files that are no tables, whatever their names say: by what is in them."""

from __future__ import annotations

import mmap
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

from wafast.leads.causes import OtherKind

ZIP = b"PK\x03\x04"
#: The older Office's container, of one file of any kind.
OLE = b"\xd0\xcf\x11\xe0"
TO_DO = "save it as CSV or as an Excel workbook"


class Other(NamedTuple):
    """What a file is that is no table."""

    kind: OtherKind
    words: str


#: What files begin with, and what they are then.
MARKS = tuple(
    (re.compile(rb"\s*(?:%b)" % mark, re.IGNORECASE | re.DOTALL), what)
    for mark, what in (
        (rb"%PDF-", Other("is_pdf", "a PDF")),
        (
            rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP|.{4}ftyp(?:hei|hev|mif1|avif)",
            Other("is_picture", "a picture"),
        ),
        (rb"\{\\rtf", Other("is_document", "a text of a word processor")),
        (rb"\x1f\x8b|Rar!|7z\xbc\xaf|BZh[1-9]|\xfd7zXZ|PK\x05\x06", Other("is_archive", "a compressed archive")),
        (rb"BEGIN:VCARD", Other("is_address_book", "an address book (vCard)")),
        (rb"<(?:!doctype|html|head|body|meta|table|\?xml)", Other("is_web_page", "a web page or XML")),
        (rb"\{\s*\"|\[\s*\{", Other("is_data", "JSON")),
        (rb"SQLite format 3", Other("is_data", "a database")),
    )
)
#: Parts of a ZIP, and what it is then; None: a workbook.
PARTS: dict[str, Other | None] = {
    "xl/workbook.xml": None,
    "xl/workbook.bin": None,
    "word/document.xml": Other("is_document", "a Word document"),
    "ppt/presentation.xml": Other("is_presentation", "a presentation"),
    "index/document.iwa": Other("is_apple", "a file of Apple's Numbers, Pages or Keynote"),
}
OPEN_SPREADSHEET = b"application/vnd.oasis.opendocument.spreadsheet"
#: Names in the older container.
STREAMS = {
    "EncryptedPackage": Other("is_locked", "a workbook locked with a password"),
    "WordDocument": Other("is_document", "a Word document"),
    "PowerPoint Document": Other("is_presentation", "a presentation"),
    "__substg1.0_": Other("is_other", "an e-mail"),
}
#: What no text has, of an encoding that has a byte for each character.
CONTROLS = bytes({*range(32)} - {*b"\t\n\v\f\r\x1a\x1b"})


def other_than_table(path: Path, head: bytes) -> Other | None:
    """What a file is that holds no table; None when it may hold one.

    Args:
        path: of the file.
        head: its first bytes.
    """
    if head.startswith(ZIP):
        return _of_zip(path)
    if head.startswith(OLE):
        return _of_ole(path)
    return next((what for mark, what in MARKS if mark.match(head)), None)


def is_binary(head: bytes) -> bool:
    """Whether bytes that would be text are none."""
    text = head.rstrip(b"\0")
    controls = len(text) - len(text.translate(None, CONTROLS))
    return controls > max(3, len(text) // 50)


def _of_zip(path: Path) -> Other | None:
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
    return Other("is_other", "a document of another kind") if kind else Other("is_archive", "a ZIP archive")


def _of_ole(path: Path) -> Other | None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return next((what for name, what in STREAMS.items() if content.find(name.encode("utf-16-le")) >= 0), None)
