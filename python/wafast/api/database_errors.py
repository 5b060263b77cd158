"""What the database refuses or is not there for, as problems."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import asyncpg

from wafast.api.problems import Problem, answer_unexpected, request_id_of, response_to
from wafast.database.away import is_full

if TYPE_CHECKING:
    from litestar import Request, Response

log = logging.getLogger("wafast.api")

#: SQLSTATEs of a text that PostgreSQL cannot hold: U+0000, in text and in jsonb.
UNSTORABLE = ("22021", "22P05")


def answer_refused_text(request: Request[Any, Any, Any], error: asyncpg.DataError) -> Response[bytes]:
    """400 for a text with U+0000 in it; any other refusal is our own fault."""
    if error.sqlstate not in UNSTORABLE:
        return answer_unexpected(request, error)
    detail = "A text holds the character U+0000, which cannot be stored: leave it out."
    return response_to(request, Problem(400, "invalid-request", detail))


def answer_held(
    request: Request[Any, Any, Any], error: asyncpg.LockNotAvailableError | asyncpg.DeadlockDetectedError
) -> Response[bytes]:
    """409 for rows that something else holds for longer than a request may wait, or while it waits for this one."""
    log.warning("request %s: waited in vain for a lock: %s", request_id_of(request), error)
    detail = "Something else, an import perhaps, is at work on the same data: try again in a moment."
    return response_to(request, Problem(409, "busy", detail, headers={"Retry-After": "2"}))


def answer_gone(request: Request[Any, Any, Any], error: asyncpg.ForeignKeyViolationError) -> Response[bytes]:
    """409 for something that was there when the request was looked at, and not when it was to be done."""
    log.warning("request %s: %s", request_id_of(request), error)
    detail = "Something that this request names was deleted in this moment: look at it again."
    return response_to(request, Problem(409, "gone", detail))


def answer_away(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """503 while the database is away (`database.away`) or takes too long, 507 when the disk is full."""
    if is_full(error):
        log.error("request %s: the disk is full", request_id_of(request))
        return response_to(request, Problem(507, "disk-full", "The server's disk is full: nothing can be stored now."))
    if isinstance(error, TimeoutError) and error.errno is None:
        return _answer_took_long(request)
    log.warning("request %s: the database is away: %s", request_id_of(request), error)
    problem = Problem(
        503, "database-away", "The database cannot be reached: try again in a moment.", headers={"Retry-After": "2"}
    )
    return response_to(request, problem)


def _answer_took_long(request: Request[Any, Any, Any]) -> Response[bytes]:
    # it is there, but a statement ran into the pool's limit of a minute: trying the same again is no help by itself
    log.warning("request %s: a statement took too long", request_id_of(request))
    detail = "The database took too long for this: ask for less at once, or try again when less is going on."
    return response_to(request, Problem(503, "took-too-long", detail, headers={"Retry-After": "60"}))
