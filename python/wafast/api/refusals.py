"""What the framework refuses of a request, in words: which member, what was sent there, and what is wanted instead."""

from __future__ import annotations

import logging
import re
import types
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from litestar.enums import RequestEncodingType
from litestar.exceptions import HTTPException, ValidationException
from litestar.utils.scope.state import ScopeState

from wafast.api.problems import (
    FieldError,
    Problem,
    answer_unexpected,
    internal_error,
    refused_fields,
    request_id_of,
    response_to,
)

if TYPE_CHECKING:
    from litestar import Request, Response

log = logging.getLogger("wafast.api")

#: Kinds of the problems that the framework finds, by status.
KINDS = {
    400: "invalid-request",
    401: "not-signed-in",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
}

#: A member whose name holds one of these may hold a secret: its value is told to nobody, and stands in no log.
SECRET = re.compile("password|secret|token|proxy|key", re.IGNORECASE)
#: As the decoder says it, and what is wanted instead.
WANTED = {
    "Invalid RFC3339 encoded datetime": "an instant is wanted, as 2027-03-01T18:00:00+08:00",
    "Invalid RFC3339 encoded date": "a day of the calendar is wanted, as 2027-03-01",
    "Invalid UUID": "an id is wanted, as 0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11",
    r"Expected `str` matching regex '\\S'": "at least one character that is seen is wanted",
    "Expected `datetime` with a timezone component": "an instant needs its zone, as 2027-03-01T18:00:00+08:00",
}
UNREADABLE = {
    "Input data was truncated": "The body ends before its JSON does.",
    "Number out of range": "The body has a number that is too large or too small.",
}
UNKNOWN = re.compile("Object contains unknown field `(.*)`", re.DOTALL)
MISSING = re.compile("Object missing required field `(.*)`", re.DOTALL)
STEP = re.compile(r"\[(\d+|\.\.\.)\]|([^.\[]+)")
#: In JSON: a whole pair of surrogates, half of one, or anything else that is escaped.
ESCAPED = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)|\\.", re.DOTALL)


class Place(NamedTuple):
    """A place in what was sent.

    Args:
        name: as the caller wrote the way there.
        kind: the type that is wanted there, as it was declared.
        value: what stands there.
    """

    name: str
    kind: Any
    value: Any


def answer_http_exception(request: Request[Any, Any, Any], exception: HTTPException) -> Response[bytes]:
    """Litestar exception handler for what the framework itself refuses: validation, routes, methods, bodies."""
    return response_to(request, _problem(request, exception))


def answer_undecodable(request: Request[Any, Any, Any], error: UnicodeDecodeError) -> Response[bytes]:
    """Litestar exception handler for a body that is not UTF-8, or a form with a part that is not; of anything else it
    is our own fault."""
    detail = _unreadable(request)
    if detail is None and request.content_type[0] == RequestEncodingType.MULTI_PART:
        detail = f"A part of the form is not UTF-8: its byte {error.start} is 0x{error.object[error.start]:02x}."
    if detail is None:
        return answer_unexpected(request, error)
    return response_to(request, Problem(400, "invalid-request", detail))


def _problem(request: Request[Any, Any, Any], exception: HTTPException) -> Problem:
    status = exception.status_code
    if status >= 500:
        log.error("request %s failed", request_id_of(request), exc_info=exception)
        return internal_error()
    if isinstance(exception, ValidationException) and isinstance(exception.extra, list):
        return _of_values(request, exception.extra)
    detail = exception.detail
    if status == 400:
        detail = _unreadable(request) or UNREADABLE.get(detail.partition(" - at ")[0], detail)
    elif status == 404:
        detail = f"Nothing is at {request.url.path}."
    elif status == 405:
        detail = f"{request.method} is not possible at {request.url.path}."
    elif status == 413:
        detail = f"The body of {request.method} {request.url.path} is too large. {detail}"
    return Problem(status, KINDS.get(status, f"http-{status}"), detail, headers=exception.headers)


def _of_values(request: Request[Any, Any, Any], found: list[Mapping[str, Any]]) -> Problem:
    """Values that have not the type, or not the bounds, that the route wants.

    Args:
        found: of each the handler's parameter and the way from there as `key`, and the decoder's `message`.
    """
    if any(item.get("key") == "data" and item["message"] == "'data'" for item in found):
        return Problem(400, "invalid-request", "The request has no body; JSON is wanted.")
    return refused_fields([_refused(request, str(item.get("key", "data")), str(item["message"])) for item in found])


def _unreadable(request: Request[Any, Any, Any]) -> str | None:
    """What is wrong with a body that can't be decoded, where the decoder does not say it."""
    body = ScopeState.from_scope(request.scope).body
    if not isinstance(body, bytes):
        return None
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return f"The body is not UTF-8: byte {error.start} is 0x{body[error.start]:02x}."
    half = next((one for one in ESCAPED.finditer(body) if one[1]), None)
    if half is not None:
        return (
            f"The JSON has {half[1].decode(errors='replace')} at byte {half.start()}, which is half of a surrogate "
            "pair and no character: write both halves, or the character itself."
        )
    return None


def refused_json(field: str, kind: type, text: str, error: msgspec.ValidationError) -> Problem:
    """The problem with JSON that is not of the type wanted, in a part of a form.

    Args:
        field: name of the part.
        kind: the type.
        text: the part.
        error: of decoding it.
    """
    message, _, key = str(error).partition(" - at `$")
    place = _within(Place(field, kind, msgspec.json.decode(text)), key.rstrip("`"))
    return refused_fields([_told(place, message)])


def _refused(request: Request[Any, Any, Any], key: str, message: str) -> FieldError:
    return _told(_place(request, key), message)


def _told(place: Place, message: str) -> FieldError:
    options = list(_options(place.kind))
    for told, said in ((UNKNOWN, "there is no such member here; known are: {}"), (MISSING, "it is missing")):
        member = told.fullmatch(message)
        if member is not None:
            inside = f"{place.name}.{member[1]}" if place.name else member[1]
            known = ", ".join(name for one in options for name in _members(one))
            return FieldError(field=_cut(inside), message=said.format(known))
    if message.startswith("Invalid enum value"):
        known = ", ".join(str(value) for one in options if get_origin(one) is Literal for value in get_args(one))
        message = f"one of these is wanted: {known}"
    elif (
        message not in WANTED
        and "matching regex" in message
        and (example := next(_examples(place.kind), None)) is not None
    ):
        message = f"it has to look like {example}"
    value = place.value
    if isinstance(value, list | dict) or SECRET.search(place.name):
        value = None  # of what is inside, the message names what is wrong
    return FieldError(field=_cut(place.name) or "body", message=WANTED.get(message, message), value=value)


def _place(request: Request[Any, Any, Any], key: str) -> Place:
    """Where a key of the decoder leads: into the body, or to a parameter of the query or path."""
    parameters = request.route_handler.parsed_fn_signature.parameters
    if key in parameters and key != "data":
        name = getattr(parameters[key].kwarg_definition, "name", None) or key
        given = request.path_params.get(key, request.query_params.get(name, request.headers.get(name)))
        return Place(name, parameters[key].raw, given)
    sent = ScopeState.from_scope(request.scope).json
    body = Place("", parameters["data"].annotation if "data" in parameters else Any, sent)
    return _within(body, "" if key == "data" else key)


def _within(place: Place, path: str) -> Place:
    for step in STEP.finditer(path):
        place = _inside(place, step[1] or step[2])
    return place


def _inside(place: Place, step: str) -> Place:
    """One step on. The decoder leaves out a key that callers choose: it is the first whose value is refused."""
    kind = next((inner for one in _options(place.kind) for inner in _steps(one, step)), Any)
    if isinstance(place.value, list):
        number = int(step)
        return Place(f"{place.name}[{step}]", kind, place.value[number] if number < len(place.value) else None)
    held = place.value if isinstance(place.value, dict) else {}
    if step == "...":
        step = next((name for name, value in held.items() if not _fits(value, kind)), step)
    return Place(f"{place.name}.{step}" if place.name else step, kind, held.get(step))


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        return False
    return True


def _options(kind: Any) -> Iterator[Any]:
    """What a type may be, without what is said about it."""
    if get_origin(kind) is Annotated:
        yield from _options(get_args(kind)[0])
    elif get_origin(kind) in (Union, types.UnionType):
        for one in get_args(kind):
            yield from _options(one)
    else:
        yield kind


def _steps(kind: Any, step: str) -> Iterator[Any]:
    """The type of what is one step inside."""
    inner = get_args(kind)
    if step in (members := _members(kind)):
        yield members[step]
    elif inner and get_origin(kind) is not Literal:
        yield inner[-1]  # of a list's items, or a dict's values


def _members(kind: Any) -> dict[str, Any]:
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return {}
    return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}


def _examples(kind: Any) -> Iterator[Any]:
    if get_origin(kind) is Annotated:
        for one in get_args(kind)[1:]:
            yield from getattr(one, "examples", None) or []
        yield from _examples(get_args(kind)[0])
    elif get_origin(kind) in (Union, types.UnionType):
        for one in get_args(kind):
            yield from _examples(one)


def _cut(name: str) -> str:
    return name if len(name) <= 200 else name[:200] + "…"
