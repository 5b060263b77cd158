"""``/ws``: frames as they happen, to a caller who is asked again who he is when something was taken from somebody, and
every half minute."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect, WebSocketException
from litestar.params import QueryParameter

from wafast.accounts.principal import Principal
from wafast.api.authentication import authenticate
from wafast.api.policy import Policy
from wafast.api.problems import Problem
from wafast.api.viewing import Seat
from wafast.database.away import DATABASE_AWAY

if TYPE_CHECKING:
    from uuid import UUID

    from litestar.types import Send

    from wafast.api.metrics import Metrics
    from wafast.api.services import Services
    from wafast.events.hub import Subscription

LONGEST = 200  # characters of what the other end says
PING = "ping"  # a browser can't see the protocol's own pings
PAUSE_SECONDS = 0.1  # between two things it says
CHECK_SECONDS = 30.0  # how long a login that has run out still gets frames
AWAY_SECONDS = 1.0  # until a database that was away is asked again
SEND_SECONDS = 30.0  # a reader that takes longer for what goes in one go is gone or far too slow

GOING_AWAY, NOT_SIGNED_IN, TOO_SLOW, NOT_UNDERSTOOD = 1001, 4401, 4008, 4400
LEFT = GOING_AWAY, "left"
SLOW = TOO_SLOW, "too slow: come back with ?after="
UNCLEAR = NOT_UNDERSTOOD, 'say {"chat_id": "4711" or null, "is_typing": false}'


class Viewer:
    """Who is at the other end of a socket, as far as is known now.

    Args:
        principal: as the gate let it in.
    """

    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    def sees(self, device_id: UUID) -> bool:
        """Whether it may have a device's frames."""
        return self.principal.sees(device_id)


@websocket("/ws", opt={"policy": Policy.READ})
async def live(
    socket: WebSocket[Any, Any, Any],
    after: Annotated[str | None, QueryParameter(name="after", required=False)] = None,
) -> None:
    """Accepts a socket and serves it until either end closes."""
    services: Services = socket.app.state.services
    viewer = Viewer(socket.scope["user"])
    tenant_id = viewer.principal.tenant_id
    # before the other end knows that it is let in: from then on it may count on getting all that happens
    subscription = services.hub.attach(tenant_id, viewer.sees, after)
    # what was taken since the gate let it in was told to nobody here
    subscription.doubt()
    seat = Seat(services)
    try:
        await socket.accept()
        code, reason = await _serve(socket, services, viewer, subscription, seat)
    finally:
        services.hub.detach(tenant_id, subscription)
        services.in_background(seat.leave())
    if code == TOO_SLOW:
        services.metrics.socket_cut_off()
    # the other end may be gone already
    with contextlib.suppress(RuntimeError, WebSocketException, OSError, TimeoutError):
        await asyncio.wait_for(socket.close(code, reason), SEND_SECONDS)


async def _serve(
    socket: WebSocket[Any, Any, Any], services: Services, viewer: Viewer, subscription: Subscription, seat: Seat
) -> tuple[int, str]:
    """Runs the socket's parts until the first ends, and tells with which code the socket is to be closed."""
    parts = [
        asyncio.create_task(part)
        for part in (
            _send(socket.scope["state"]["hand_over"], services.metrics, subscription),
            _receive(socket, services, viewer, subscription, seat),
            _check(socket, services, viewer, subscription),
            _cut(subscription),
        )
    ]
    try:
        done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()
    finally:
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, return_exceptions=True)


async def _send(hand_over: Send, metrics: Metrics, subscription: Subscription) -> tuple[int, str]:
    """Granian's own ``hand_over`` takes a frame when it is called, and writes those of a socket in that order: only the
    last of those that go together is waited for (8 µs of CPU a frame; 26 with a wait and a deadline for each)."""
    while True:
        frames = await subscription.next()
        taken: list[Any] = []
        try:
            async with asyncio.timeout(SEND_SECONDS):
                taken = [hand_over({"type": "websocket.send", "bytes": None, "text": frame}) for frame in frames]
                await taken[-1]
        except TimeoutError:
            return SLOW
        except (RuntimeError, OSError):
            return LEFT
        finally:
            # what a reader does not take would hold the socket against its closing
            for one in filter(asyncio.isfuture, taken):
                one.cancel()
        metrics.frames_sent(len(frames))


async def _receive(
    socket: WebSocket[Any, Any, Any], services: Services, viewer: Viewer, subscription: Subscription, seat: Seat
) -> tuple[int, str]:
    """The other end says what it looks at, asks whether it is heard, and leaves."""
    while True:
        try:
            text = await socket.receive_text()
        except (WebSocketDisconnect, RuntimeError, OSError, KeyError):
            return LEFT
        try:
            if len(text) > LONGEST:
                return UNCLEAR
            if text == PING:
                services.hub.answer(subscription)
            else:
                await seat.say(viewer.principal, text)
        except msgspec.DecodeError:
            return UNCLEAR
        await asyncio.sleep(PAUSE_SECONDS)


async def _check(
    socket: WebSocket[Any, Any, Any], services: Services, viewer: Viewer, subscription: Subscription
) -> tuple[int, str]:
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(subscription.doubted.wait(), CHECK_SECONDS)
        subscription.doubted.clear()
        try:
            principal = await authenticate(services.pool, socket.headers)
        except Problem:
            return NOT_SIGNED_IN, "signed out"
        except DATABASE_AWAY:
            # nothing new can be known, and no frames come either
            await asyncio.sleep(AWAY_SECONDS)
            subscription.doubted.set()
            continue
        if principal.tenant_id != viewer.principal.tenant_id:
            return NOT_SIGNED_IN, "another workspace was chosen"
        if principal != viewer.principal:
            viewer.principal = principal
            services.hub.resync(subscription, "what you may do or see was changed")
        subscription.trust()


async def _cut(subscription: Subscription) -> tuple[int, str]:
    await subscription.cut.wait()
    return SLOW
