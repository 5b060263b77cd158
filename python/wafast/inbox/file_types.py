"""Whether a file is what its name or its sender says: its first bytes tell."""

from __future__ import annotations

from typing import BinaryIO

#: Bytes looked at; a PDF may begin with something else before its mark.
HEAD = 1024
ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OFFICE = "application/vnd.openxmlformats-officedocument."
#: What files of a type begin with, for the types people send; of others nothing is known.
MARKS: dict[str, tuple[bytes, ...]] = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
    "application/zip": (ZIP, b"PK\x05\x06"),
    "application/msword": (OLE,),
    "application/vnd.ms-excel": (OLE,),
    "application/vnd.ms-powerpoint": (OLE,),
    f"{OFFICE}wordprocessingml.document": (ZIP,),
    f"{OFFICE}spreadsheetml.sheet": (ZIP,),
    f"{OFFICE}presentationml.presentation": (ZIP,),
}
#: MP4, 3GP and M4A say what they are behind the length of their first box.
BOXED = frozenset({"video/mp4", "video/3gpp", "video/quicktime", "audio/mp4"})
#: What phones play; others show such a file as a document at best.
VIDEOS = frozenset({"video/mp4", "video/3gpp"})


def is_what_it_says(source: BinaryIO, mime: str) -> bool:
    """Whether a file begins as files of this type do; True for types of which nothing is known. Leaves `source` at its
    beginning."""
    source.seek(0)
    head = source.read(HEAD)
    source.seek(0)
    if mime in BOXED:
        return head[4:8] == b"ftyp"
    if mime == "application/pdf":
        return b"%PDF-" in head
    marks = MARKS.get(mime)
    return marks is None or head.startswith(marks)
