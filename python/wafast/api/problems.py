"""Every error of the API as RFC 9457 problem details: what was wrong, with which value, and the way out."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from litestar import Request, Response
from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

log = logging.getLogger("wafast.api")

MEDIA_TYPE = "application/problem+json"
#: Characters of a value that was sent, as it is told.
LONGEST_SHOWN = 100


class FieldError(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field of a request that was refused."""

    field: Annotated[str, Meta(description="Name of the field, dotted when nested.", examples=["pacing.min_seconds"])]
    message: Annotated[str, Meta(description="What is wrong with it.", examples=["Expected `float` >= 0.0"])]
    value: Annotated[Any, Meta(description="What was sent; left out when nothing was.")] = None


class ProblemDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every answer with status 400 and above."""

    type: Annotated[str, Meta(description="Stable name of the problem.", examples=["urn:wafast:problem:not-found"])]
    title: Annotated[str, Meta(description="The problem in a few words.", examples=["Not found"])]
    status: Annotated[int, Meta(description="The HTTP status again.", examples=[404])]
    detail: Annotated[str, Meta(description="What happened and the way out.", examples=["No such chat: 17."])]
    request_id: Annotated[str, Meta(description="Finds this request in the log.", examples=["9f1c2ab4"])] = ""
    errors: Annotated[list[FieldError], Meta(description="The refused fields.")] = []


class Problem(Exception):
    """An error the client is told about.

    Args:
        status: HTTP status, 400 to 599.
        kind: last part of the problem's ``type``, kebab-case and stable.
        detail: one sentence that names the value and the way out.
        errors: refused fields, if any.
        headers: further response headers, e.g. ``Retry-After``.
        title: a few words; the status' own phrase when left out.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: list[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
        title: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = errors or []
        self.headers = dict(headers or {})
        self.title = title or HTTPStatus(status).phrase

    def body(self, request_id: str) -> bytes:
        """The problem document as JSON."""
        return msgspec.json.encode(
            ProblemDetails(
                type=f"urn:wafast:problem:{self.kind}",
                title=self.title,
                status=self.status,
                detail=self.detail,
                request_id=request_id,
                errors=self.errors,
            )
        )


def not_found(what: str, key: object) -> Problem:
    """404 for an object that does not exist or belongs to somebody else: the two look the same on purpose."""
    return Problem(404, "not-found", f"No such {what}: {key}.")


def refused_field(field: str, value: object, message: str, *, status: int = 400) -> Problem:
    """A request whose one field cannot be accepted."""
    return refused_fields([FieldError(field=field, message=message, value=value)], status=status)


def refused_fields(errors: list[FieldError], *, status: int = 400) -> Problem:
    """A request with fields that cannot be accepted; long values are cut."""
    shown = [msgspec.structs.replace(error, value=_shown(error.value)) for error in errors]
    told = (f"{error.field}{'' if error.value is None else f' {error.value!r}'}: {error.message}" for error in shown)
    return Problem(status, "invalid-request", "; ".join(told), errors=shown)


@contextmanager
def refusals_of(member: str) -> Iterator[None]:
    """What is refused within lies below this member of the body, as ``steps[0]``, and is told so."""
    try:
        yield
    except Problem as problem:
        if not problem.errors:
            raise
        below = [msgspec.structs.replace(error, field=f"{member}.{error.field}") for error in problem.errors]
        raise refused_fields(below, status=problem.status) from None


def _shown(value: object) -> str | int | float | bool | None:
    if not isinstance(value, str) and isinstance(value, int | float | bool | None):
        return value
    text = str(value)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


def conflict(kind: str, detail: str) -> Problem:
    """409: the request is fine, the state of the thing is not."""
    return Problem(409, kind, detail)


def name_taken(what: str, name: str | None) -> Problem:
    """409 for a name that another one of the workspace has."""
    return conflict("name-taken", f"There is a {what} {name!r} already; choose another name.")


def request_id_of(request: Request[Any, Any, Any]) -> str:
    """The id the envelope gave this request, for the log and the problem document."""
    return str(request.scope.get("state", {}).get("request_id", ""))


def response_to(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """The HTTP answer for a problem."""
    return Response(
        problem.body(request_id_of(request)),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


def answer_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """Litestar exception handler for our own problems."""
    return response_to(request, problem)


def answer_too_deep(request: Request[Any, Any, Any], exception: RecursionError) -> Response[bytes]:
    """Litestar exception handler for what the JSON decoder gives up on; nothing of ours recurses."""
    return response_to(request, Problem(400, "invalid-request", "The body is nested too deeply."))


def answer_unexpected(request: Request[Any, Any, Any], exception: Exception) -> Response[bytes]:
    """Litestar exception handler for everything else: logged with its trace, told without internals."""
    log.error("request %s %s %s failed", request_id_of(request), request.method, request.url.path, exc_info=exception)
    return response_to(request, internal_error())


def internal_error() -> Problem:
    """500 without a word about our insides; the request id leads to the log."""
    return Problem(500, "internal-error", "The server failed on this request; its log has the reason by request_id.")
