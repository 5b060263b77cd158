"""What a socket does when its caller cannot be looked up."""

from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock, Mock

import asyncpg
import pytest

from wafast.api import live
from wafast.api.problems import Problem

SIGNED_OUT = Problem(401, "not-signed-in", "Sign in.")


@pytest.mark.parametrize(
    "away",
    [
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
        ConnectionRefusedError(),
    ],
)
async def test_a_database_that_is_away_closes_no_socket(away: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    authenticate = AsyncMock(side_effect=[away, SIGNED_OUT])
    monkeypatch.setattr(live, "authenticate", authenticate)
    monkeypatch.setattr(live, "CHECK_SECONDS", 0.0)
    anything: Any = Mock()
    assert await live._check(anything, anything, anything) == (live.NOT_SIGNED_IN, "signed out")
    assert authenticate.await_count == 2
