"""Whether a file is what it says."""

from __future__ import annotations

import io

import pytest

from wafast.inbox.file_types import is_what_it_says


@pytest.mark.parametrize(
    ("mime", "head", "is_it"),
    [
        ("image/png", b"\x89PNG\r\n\x1a\n", True),
        ("image/png", b"GIF89a", False),
        ("image/webp", b"RIFF\x24\0\0\0WEBPVP8 ", True),
        ("image/webp", b"RIFF\x24\0\0\0WAVEfmt ", False),
        ("image/webp", b"RIFF\x24\0\0\0AVI LIST", False),
        ("video/mp4", b"\0\0\0\x18ftypmp42", True),
        ("video/mp4", b"\0\0\0\nftypisom", True),
        ("video/3gpp", b"\0\0\0\x18ftyp3gp4", True),
        ("video/mp4", b"\0\0\0\x18ftypheic", False),
        ("video/mp4", b"\0\0\0\x18ftypavif", False),
        ("video/mp4", b"\0\0\0\x18ftypM4A ", False),
        ("video/mp4", b"\0\0\0\x18ftypqt  ", False),
        ("video/mp4", b"\x1aE\xdf\xa3", False),
        ("video/quicktime", b"\0\0\0\x18ftypqt  ", True),
        ("audio/mp4", b"\0\0\0\x18ftypM4A ", True),
        ("audio/mp4", b"\0\0\0\x18ftypheic", False),
        ("audio/mpeg", b"ID3\x04", True),
        ("audio/mpeg", b"\xff\xfb\x90", True),
        ("audio/mpeg", b"\xff\xf1\x50", False),  # AAC
        ("audio/mpeg", b"OggS", False),
        ("audio/ogg", b"OggS", True),
        ("audio/ogg", b"ID3\x04", False),
        ("application/pdf", b"\n\n%PDF-1.7", True),
        ("application/pdf", b"PK\x03\x04", False),
        ("application/x-odd", b"anything", True),
    ],
)
def test_the_first_bytes_tell(mime: str, head: bytes, is_it: bool) -> None:
    file = io.BytesIO(head)
    assert is_what_it_says(file, mime) is is_it
    assert file.tell() == 0
