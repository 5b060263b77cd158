"""What the database refuses or is not there for, as a person is told."""

from __future__ import annotations

import errno

import msgspec
import pytest
from litestar.testing import RequestFactory

from wafast.api.database_errors import answer_away


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (TimeoutError(), 503, "took-too-long"),
        (TimeoutError(errno.ETIMEDOUT, "no route"), 503, "database-away"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), 503, "database-away"),
        (OSError(errno.ENOSPC, "full"), 507, "disk-full"),
    ],
    ids=["a statement's own limit", "no answer", "not there", "disk full"],
)
def test_a_slow_statement_is_no_database_that_is_away(error: Exception, status: int, kind: str) -> None:
    answer = answer_away(RequestFactory().get("/"), error)
    told = msgspec.json.decode(answer.content)
    assert (answer.status_code, told["type"]) == (status, f"urn:wafast:problem:{kind}")
