"""Routes that take no body say so to whoever sends one: it would be taken for a wish that was granted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from wafast.api.problems import FieldError, Problem

if TYPE_CHECKING:
    from litestar import Request

TOLD = "this route takes no body: leave it out"


async def refuse_unread(request: Request[Any, Any, Any]) -> None:
    """Before a handler: whether it reads what came with the request, if anything did.

    Raises:
        Problem: 400 with the first member of a body that nothing reads.
    """
    parameters = request.route_handler.parsed_fn_signature.parameters
    takes_form = "request" in parameters and request.content_type[0].startswith("multipart/")
    if "data" in parameters or takes_form:
        return
    body = (await request.body()).strip()
    if not body:
        return
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = body
    if said in ({}, None):
        return
    field = next(iter(said)) if isinstance(said, dict) else "body"
    raise Problem(400, "invalid-request", f"{field}: {TOLD}", errors=[FieldError(field=field, message=TOLD)])
