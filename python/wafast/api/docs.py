"""The reference at ``/docs``: a page that draws the OpenAPI document, without anything from the internet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Router
from litestar.enums import MediaType
from litestar.openapi.plugins import OpenAPIRenderPlugin

from wafast.api.openapi import complete
from wafast.api.policy import Policy
from wafast.api.web_app import WEB_DIR

if TYPE_CHECKING:
    from pathlib import Path

    from litestar import Request

#: RapiDoc styles itself inline; nothing else may come from anywhere but here.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>wafast API</title><meta name="viewport" content="width=device-width"></head>
<body>{body}</body>
</html>
"""

DRAWN = """<rapi-doc spec-url="/docs/openapi.json" load-fonts="false" render-style="read" show-header="false"
allow-authentication="true" allow-server-selection="false" schema-style="table" persist-auth="false"></rapi-doc>
<script type="module" src="{script}"></script>"""

PLAIN = """<h1>wafast API</h1><p>The OpenAPI 3.1 document is <a href="/docs/openapi.json">/docs/openapi.json</a>.
The page that draws it is part of the web app, which is not built here: run <code>make build</code>.</p>"""


def rapidoc_script(web: Path) -> str | None:
    """Address of the RapiDoc script inside the built web app, or None when it is not there."""
    found = sorted(web.glob("**/rapidoc-min*.js"))
    return f"/{found[0].relative_to(web).as_posix()}" if found else None


class DocumentFile(OpenAPIRenderPlugin):
    """``/docs/openapi.json``."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=MediaType.JSON)
        self._encoded: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The completed document; drawn once a process."""
        if self._encoded is None:
            self._encoded = msgspec.json.encode(complete(request.app))
        return self._encoded


class DocumentPage(OpenAPIRenderPlugin):
    """``/docs``."""

    def __init__(self) -> None:
        super().__init__(path="/", media_type=MediaType.HTML)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page; plain when the web app is not built."""
        script = rapidoc_script(WEB_DIR)
        return PAGE.format(body=DRAWN.format(script=script) if script else PLAIN).encode()


def docs_router() -> Router:
    """Where the document and its page live."""
    headers = {"Content-Security-Policy": POLICY}
    return Router(
        "/docs", route_handlers=[], include_in_schema=False, opt={"policy": Policy.PUBLIC}, response_headers=headers
    )
