"""What a socket does when its caller is looked up again."""

from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock, Mock

import asyncpg
import pytest

from wafast.accounts.principal import Principal
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
    assert await live._check(anything, anything, anything, anything) == (live.NOT_SIGNED_IN, "signed out")
    assert authenticate.await_count == 2


async def test_who_may_now_do_or_see_something_else_is_told_to_fetch_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Principal(tenant_id=1, scope="send", user_id=7)
    after = Principal(tenant_id=1, scope="read", user_id=7, device_ids=frozenset())
    monkeypatch.setattr(live, "authenticate", AsyncMock(side_effect=[before, after, after, SIGNED_OUT]))
    monkeypatch.setattr(live, "CHECK_SECONDS", 0.0)
    viewer, services, subscription = live.Viewer(before), Mock(), Mock()
    anything: Any = Mock()
    await live._check(anything, services, viewer, subscription)
    assert viewer.principal == after
    services.hub.resync.assert_called_once_with(subscription, "what you may do or see was changed")
