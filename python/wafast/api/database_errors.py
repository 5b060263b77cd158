"""What the database refuses or is not there for, as problems."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import asyncpg

from wafast.api.problems import Problem, answer_unexpected, response_to

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


def answer_away(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """503 while the database cannot be reached."""
    if isinstance(error, asyncpg.InterfaceError) and "pool is closing" not in str(error) and not _is_cut(error):
        return answer_unexpected(request, error)
    log.warning("the database is away: %s", error)
    problem = Problem(
        503, "database-away", "The database cannot be reached: try again in a moment.", headers={"Retry-After": "2"}
    )
    return response_to(request, problem)


def _is_cut(error: Exception) -> bool:
    return "connection" in str(error) and ("closed" in str(error) or "lost" in str(error))
