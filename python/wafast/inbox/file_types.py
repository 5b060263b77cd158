"""Whether a file is what its name or its sender says: its first bytes tell."""

from __future__ import annotations

import re
from typing import BinaryIO

#: Bytes looked at; a PDF may begin with something else before its mark.
HEAD = 1024
ZIP = rb"PK\x03\x04"
OLE = rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OFFICE = "application/vnd.openxmlformats-officedocument."
#: MP4, 3GP and M4A say behind the length of their first box that they are of one family, and then which of it: pictures
#: of phones and songs are of it too.
BOX = rb".{4}ftyp"
PICTURE = rb"hei[cmsx]|hev[cx]|mif1|msf1|avi[fs]|crx "
SONG = rb"M4[ABP] |F4[AB] "
VIDEO = rb"%b(?!%b|%b|qt  )" % (BOX, PICTURE, SONG)
#: What files of a type begin with, for the types people send; of others nothing is known.
MARKS = {
    mime: re.compile(mark, re.DOTALL)
    for mime, mark in {
        "image/jpeg": rb"\xff\xd8\xff",
        "image/png": rb"\x89PNG\r\n\x1a\n",
        "image/gif": rb"GIF8[79]a",
        "image/webp": rb"RIFF.{4}WEBP",
        "video/mp4": VIDEO,
        "video/3gpp": VIDEO,
        "video/quicktime": BOX,
        "audio/mp4": rb"%b(?!%b)" % (BOX, PICTURE),
        "audio/mpeg": rb"ID3|\xff[\xe2-\xe7\xea-\xef\xf2-\xf7\xfa-\xff]",
        "audio/ogg": rb"OggS",
        "application/pdf": rb".*%PDF-",
        "application/zip": rb"PK(\x03\x04|\x05\x06)",
        "application/msword": OLE,
        "application/vnd.ms-excel": OLE,
        "application/vnd.ms-powerpoint": OLE,
        f"{OFFICE}wordprocessingml.document": ZIP,
        f"{OFFICE}spreadsheetml.sheet": ZIP,
        f"{OFFICE}presentationml.presentation": ZIP,
    }.items()
}
#: What phones play; others show such a file as a document at best.
VIDEOS = frozenset({"video/mp4", "video/3gpp"})


def is_what_it_says(source: BinaryIO, mime: str) -> bool:
    """Whether a file begins as files of this type do; True for types of which nothing is known. Leaves `source` at its
    beginning."""
    source.seek(0)
    head = source.read(HEAD)
    source.seek(0)
    mark = MARKS.get(mime)
    return mark is None or mark.match(head) is not None
