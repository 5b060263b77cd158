"""What a socket does with the frames that wait, and when its caller is looked up again."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock, Mock

import asyncpg
import pytest

from wafast.accounts.principal import Principal
from wafast.api import live
from wafast.api.problems import Problem
from wafast.events.frames import Frame
from wafast.events.hub import Subscription

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
    monkeypatch.setattr(live, "AWAY_SECONDS", 0.0)
    anything: Any = Mock()
    subscription = Subscription(lambda _: True)
    subscription.doubt()
    assert await live._check(anything, anything, anything, subscription) == (live.NOT_SIGNED_IN, "signed out")
    assert authenticate.await_count == 2


async def test_who_may_now_do_or_see_something_else_is_told_to_fetch_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Principal(tenant_id=1, scope="send", user_id=7)
    after = Principal(tenant_id=1, scope="read", user_id=7, device_ids=frozenset())
    monkeypatch.setattr(live, "authenticate", AsyncMock(side_effect=[before, after, after, SIGNED_OUT]))
    monkeypatch.setattr(live, "CHECK_SECONDS", 0.0)
    viewer, services, subscription = live.Viewer(before), Mock(), _waiting(0)
    anything: Any = Mock()
    await live._check(anything, services, viewer, subscription)
    assert viewer.principal == after
    services.hub.resync.assert_called_once_with(subscription, "what you may do or see was changed")


async def test_nothing_goes_out_while_it_is_asked_who_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Principal(tenant_id=1, scope="read", user_id=7)
    subscription = _waiting(1)
    monkeypatch.setattr(live, "CHECK_SECONDS", 3600.0)
    asked: asyncio.Queue[asyncio.Future[Principal]] = asyncio.Queue()

    async def authenticate(*_: object) -> Principal:
        answer = asyncio.get_running_loop().create_future()
        asked.put_nowait(answer)
        principal: Principal = await answer
        return principal

    monkeypatch.setattr(live, "authenticate", authenticate)
    subscription.doubt()
    sending = asyncio.create_task(subscription.next())
    checking = asyncio.create_task(live._check(Mock(), Mock(), live.Viewer(caller), subscription))
    async with asyncio.timeout(60):
        first = await asked.get()
        subscription.doubt()
        first.set_result(caller)
        second = await asked.get()
        assert not sending.done(), "what the first answer says may be older than the second doubt"
        second.set_result(caller)
        assert await sending == ["0"]
    checking.cancel()


class Transport:
    """Takes every frame; who looks at them says when each is written."""

    def __init__(self) -> None:
        self.handed: asyncio.Queue[tuple[str, asyncio.Future[None]]] = asyncio.Queue()

    def __call__(self, message: Any) -> asyncio.Future[None]:
        written = asyncio.get_running_loop().create_future()
        self.handed.put_nowait((message["text"], written))
        return written


def _waiting(count: int) -> Subscription:
    subscription = Subscription(lambda _: True)
    for number in range(count):
        subscription.offer(Frame(number, None, str(number)))
    return subscription


async def test_frames_that_wait_go_together_and_in_order_each_a_message_of_its_own() -> None:
    transport, metrics = Transport(), Mock()
    sent: asyncio.Queue[int] = asyncio.Queue()
    metrics.frames_sent = sent.put_nowait
    sending = asyncio.create_task(live._send(transport, metrics, _waiting(43)))
    async with asyncio.timeout(60):
        first = [await transport.handed.get() for _ in range(32)]
        assert transport.handed.empty(), "the rest waits until these are written"
        first[-1][1].set_result(None)
        assert await sent.get() == 32
        rest = [await transport.handed.get() for _ in range(11)]
        rest[-1][1].set_result(None)
        assert await sent.get() == 11
    assert [text for text, _ in first + rest] == [str(number) for number in range(43)]
    sending.cancel()


async def test_what_a_slow_reader_did_not_take_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SEND_SECONDS", 0.0)
    transport, metrics = Transport(), Mock()
    assert await live._send(transport, metrics, _waiting(3)) == live.SLOW
    assert [transport.handed.get_nowait()[1].cancelled() for _ in range(3)] == [True] * 3
    metrics.frames_sent.assert_not_called()
