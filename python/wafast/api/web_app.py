"""The built web app, served beside the API: every address that is not a file of it is a page of it."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import mimetypes
import os
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get

from wafast.api.policy import Policy
from wafast.api.problems import not_found

WEB_DIR = Path(__file__).parent.parent / "web"
#: What the app needs and nothing else: no inline script, no foreign address, no frame around it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
#: First parts of addresses that are never a page.
NOT_PAGES = frozenset({"api", "assets", "docs-assets", "docs", "healthz", "media", "metrics", "readyz", "ws"})
#: Voice notes are recorded here and nowhere else; nothing else of the machine is asked for.
PERMISSIONS = "microphone=(self), camera=(), geolocation=(), payment=(), usb=()"
COMPRESSED = (".js", ".css", ".html", ".svg", ".txt", ".json", ".webmanifest")
#: Chromium asks for the page's icon once more whenever the address changes: with each chat that is opened.
ICONS = (".svg", ".png")
#: Bytes of a file's name; a longer address is a page's, and is not looked for on the disk, which refuses to look.
LONGEST = 255
NOT_BUILT = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>wafast</title>
<h1>wafast</h1><p>The web app is not built here: run <code>make build</code>. The API is at <a href="/docs">/docs</a>.
</html>"""


class Asset(msgspec.Struct, frozen=True):
    """A file of the web app, as it was when it was read.

    Args:
        changed: its time of change, nanoseconds.
        content: its bytes.
        gzipped: the same, compressed; None when that saves nothing.
        mime: its type.
        etag: of its content.
    """

    changed: int
    content: bytes
    gzipped: bytes | None
    mime: str
    etag: str


class Assets:
    """Files of a built web app, read once and kept: there are a few dozen, of some hundred kilobytes.

    Args:
        folder: where the build lies.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._known: dict[str, Asset] = {}

    def find(self, name: str) -> Asset | None:
        """The file of this name, or None when the build has none."""
        if "\0" in name or len(os.fsencode(name)) > LONGEST:
            return None
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            return None
        changed = path.stat().st_mtime_ns
        known = self._known.get(name)
        if known is None or known.changed != changed:
            known = self._known[name] = _read(path, changed)
        return known


def _read(path: Path, changed: int) -> Asset:
    content = path.read_bytes()
    mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    small = gzip.compress(content, 6, mtime=0) if path.suffix in COMPRESSED else None
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return Asset(changed, content, small if small and len(small) < len(content) else None, mime, etag)


ASSETS = Assets(WEB_DIR)


@get(["/", "/{path:path}"], opt={"policy": Policy.PUBLIC}, include_in_schema=False)
async def web_app(request: Request[Any, Any, Any]) -> Response[bytes]:
    """A file of the web app, or its one page."""
    name = request.scope["path"].strip("/")
    if "\0" in name:
        raise not_found("page", name)
    asset = await asyncio.to_thread(ASSETS.find, name) if name else None
    lasts = "no-cache"
    if asset is not None and name.startswith("assets/"):
        lasts = "public, max-age=31536000, immutable"
    elif asset is not None and name.endswith(ICONS):
        lasts = "public, max-age=86400"
    if asset is None:
        if name.partition("/")[0] in NOT_PAGES:
            raise not_found("page", f"/{name}")
        asset = await asyncio.to_thread(ASSETS.find, "index.html")
    if asset is None:
        return Response(NOT_BUILT, media_type="text/html", headers={"Cache-Control": "no-cache"})
    headers = {
        "Cache-Control": lasts,
        "ETag": asset.etag,
        "Content-Security-Policy": POLICY,
        "Permissions-Policy": PERMISSIONS,
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match") == asset.etag:
        return Response(b"", status_code=304, headers=headers, media_type=asset.mime)
    if asset.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.gzipped, headers=headers, media_type=asset.mime)
    return Response(asset.content, headers=headers, media_type=asset.mime)
