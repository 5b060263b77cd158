"""Serving a file: ranges, ETags, and headers that keep a browser from running what somebody sent."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from litestar import Response
from litestar.background_tasks import BackgroundTask
from litestar.response import Stream

from wafast.api.problems import Problem
from wafast.inbox.media import OCTETS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import BinaryIO

    from litestar.datastructures import Headers

    from wafast.inbox.media_store import OpenFile

CHUNK = 1 << 18  # bytes read at once
#: What a browser may show by itself; everything else is downloaded.
SHOWN = re.compile(r"image/(jpeg|png|gif|webp)|(audio|video)/[a-z0-9.+-]+|application/pdf")
#: Content of one address never changes; only its owner's browser may keep it.
CACHED = "private, max-age=31536000, immutable"
#: A file that is opened as a page of its own runs nothing and loads nothing.
LOCKED = "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; sandbox"


class Span(msgspec.Struct, frozen=True):
    """Bytes of a file: from ``start`` up to ``end``, which is not in it."""

    start: int
    end: int


def span_of(wanted: str | None, size: int) -> Span | None:
    """The bytes a Range header asks for; None for the whole file, also when several parts are wanted.

    Raises:
        Problem: 416 when the range lies outside the file.
    """
    found = re.fullmatch(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", wanted or "")
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first == "":
        span = Span(max(0, size - int(last)), size)
    else:
        span = Span(int(first), min(size, int(last) + 1) if last else size)
        if last and int(last) < int(first):
            return None
    if span.start >= span.end:
        raise Problem(
            416,
            "range-outside",
            f"Range {wanted!r} lies outside the file of {size} bytes.",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return span


def serve(file: OpenFile, headers: Headers, name: str | None = None) -> Response[Any]:
    """The answer to a request for a file, which is closed when that was given.

    Args:
        file: to be read.
        headers: of the request.
        name: what a download is called.

    Raises:
        Problem: 416.
    """
    etag = f'"{file.sha256.hex()}"'
    answer = _headers(file.mime, etag, name)
    closing = BackgroundTask(file.file.close)
    if _holds(headers.get("if-none-match"), etag):
        return Response(b"", status_code=304, headers=answer, media_type=answer["Content-Type"], background=closing)
    wanted = headers.get("range")
    if headers.get("if-range", etag) != etag:
        wanted = None
    try:
        span = span_of(wanted, file.size)
    except Problem:
        file.file.close()
        raise
    if span is None:
        status, span = 200, Span(0, file.size)
    else:
        status = 206
        answer["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{file.size}"
    answer["Content-Length"] = str(span.end - span.start)
    return Stream(
        _read(file.file, span),
        status_code=status,
        headers=answer,
        media_type=answer["Content-Type"],
        background=closing,
    )


def serve_bytes(content: bytes, mime: str, etag: str, headers: Headers) -> Response[bytes]:
    """The answer to a request for something small that is not a file on disk, as a thumbnail."""
    answer = _headers(mime, etag, None)
    if _holds(headers.get("if-none-match"), etag):
        return Response(b"", status_code=304, headers=answer, media_type=answer["Content-Type"])
    return Response(content, headers=answer, media_type=answer["Content-Type"])


def _headers(mime: str, etag: str, name: str | None) -> dict[str, str]:
    kind = mime.partition(";")[0].strip().lower()
    shown = SHOWN.fullmatch(kind) is not None
    headers = {
        "Content-Type": kind if re.fullmatch(r"[a-z0-9.+-]+/[a-z0-9.+-]+", kind) else OCTETS,
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": CACHED,
        "Content-Security-Policy": LOCKED,
        "X-Content-Type-Options": "nosniff",
    }
    if not shown or name is not None:
        called = f"; filename*=UTF-8''{quote(name, safe='')}" if name else ""
        headers["Content-Disposition"] = f"{'inline' if shown else 'attachment'}{called}"
    return headers


def _holds(given: str | None, etag: str) -> bool:
    known = [one.strip().removeprefix("W/") for one in (given or "").split(",")]
    return etag in known or known == ["*"]


async def _read(file: BinaryIO, span: Span) -> AsyncIterator[bytes]:
    with file:  # also when the browser goes away in the middle
        await asyncio.to_thread(file.seek, span.start)
        left = span.end - span.start
        while left > 0:
            chunk = await asyncio.to_thread(file.read, min(CHUNK, left))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk
