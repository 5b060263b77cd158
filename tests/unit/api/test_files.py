"""Ranges, names and types of files."""

from __future__ import annotations

import pytest

from wafast.api.files import Span, span_of
from wafast.api.problems import Problem
from wafast.api.proxies import masked
from wafast.api.uploads import mime_of
from wafast.inbox.media import ending_of, hash_of


@pytest.mark.parametrize(
    ("wanted", "span"),
    [
        (None, None),
        ("bytes=0-9", Span(0, 10)),
        ("bytes=90-", Span(90, 100)),
        ("bytes=-10", Span(90, 100)),
        ("bytes=-1000", Span(0, 100)),
        ("bytes=0-1000", Span(0, 100)),
        ("bytes=0-9,20-29", None),
        ("bytes=9-0", None),
        ("bytes=-", None),
        ("lines=0-9", None),
        ("bytes=" + "9" * 30 + "-", None),
    ],
)
def test_a_range(wanted: str | None, span: Span | None) -> None:
    assert span_of(wanted, 100) == span


@pytest.mark.parametrize(("wanted", "size"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=0-0", 0)])
def test_a_range_outside_the_file(wanted: str, size: int) -> None:
    with pytest.raises(Problem) as refused:
        span_of(wanted, size)
    assert (refused.value.status, refused.value.headers["Content-Range"]) == (416, f"bytes */{size}")


@pytest.mark.parametrize(
    ("declared", "name", "mime"),
    [
        ("image/PNG; x=1", "a.txt", "image/png"),
        ("application/octet-stream", "a.pdf", "application/pdf"),
        ("text/plain", "a.unknown-ending", "text/plain"),
        ("", "a", "application/octet-stream"),
        ("text/html\r\nX: y", "a", "application/octet-stream"),
    ],
)
def test_the_type_of_an_upload(declared: str, name: str, mime: str) -> None:
    assert mime_of(declared, name) == mime


def test_endings() -> None:
    assert [ending_of(mime) for mime in ("audio/ogg; codecs=opus", "image/jpeg", "application/pdf", "odd/type")] == [
        "ogg", "jpg", "pdf", "bin",
    ]  # fmt: skip


def test_a_hash_in_either_writing() -> None:
    raw = bytes(range(32))
    assert hash_of(raw.hex()) == hash_of("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=") == raw
    assert hash_of(None) is hash_of("") is hash_of("xyz") is hash_of("AAEC") is None


def test_a_proxys_password_is_masked() -> None:
    assert masked("socks5://me:secret@host:1080") == "socks5://me:***@host:1080"
    assert masked("http://me@host:1") == "http://me@host:1"
    assert "p@ss" not in masked("http://me:p@ss@host:1")
