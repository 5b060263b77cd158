"""Who of the team has which chat open, and types in it: so that two people don't answer one customer.

A browser says so over its socket, and again every 20 seconds; its API process tells the others by the bus: kind
`viewing` with `s` the socket, `u` and `n` the person's id and name, `c` the chat or null, `y` whether the person types.
What is not said again ends by itself, so a browser, a process or a network that is gone leaves nobody standing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Callable

    from wafast.events.bus import Event

LASTS_SECONDS = 45.0  # a browser says it every 20 s: one may be lost


class Viewer(msgspec.Struct, frozen=True):
    """A person who has a chat open."""

    user_id: Annotated[str, Meta(examples=["7"])]
    name: Annotated[str, Meta(examples=["Aina"])]
    is_typing: bool


class _Seat(msgspec.Struct, frozen=True):
    """What one socket looks at."""

    tenant_id: int
    device_no: int
    chat_id: int
    viewer: Viewer
    timer: asyncio.TimerHandle


class Viewing:
    """What every socket of every process looks at.

    Args:
        ended: is told the event of a chat that somebody no longer looks at, as nothing was said of it for too long.
    """

    def __init__(self, ended: Callable[[Event], None]) -> None:
        self._ended = ended
        self._seats: dict[str, _Seat] = {}
        self._of_chat: dict[int, set[str]] = {}

    def viewers(self, chat_id: int) -> list[Viewer]:
        """People who have a chat open, each once, in the order of their names."""
        found: dict[str, Viewer] = {}
        for socket in self._of_chat.get(chat_id, ()):
            viewer = self._seats[socket].viewer
            if viewer.user_id not in found or viewer.is_typing:
                found[viewer.user_id] = viewer
        return sorted(found.values(), key=lambda viewer: (viewer.name, viewer.user_id))

    def note(self, event: Event) -> list[Event]:
        """Takes what a socket says; gives an event for each chat that now looks different."""
        socket = event["s"]
        before = self._seats.get(socket)
        concerned = {seat.chat_id: seat for seat in (before, self._seat(event)) if seat is not None}
        shown = {chat_id: self.viewers(chat_id) for chat_id in concerned}
        if before is not None:
            self._leave(socket)
        if event["c"] is not None:
            self._seats[socket] = concerned[event["c"]]
            self._of_chat.setdefault(event["c"], set()).add(socket)
        return [_changed(seat) for chat_id, seat in concerned.items() if self.viewers(chat_id) != shown[chat_id]]

    def _seat(self, event: Event) -> _Seat | None:
        if event["c"] is None:
            return None
        timer = asyncio.get_running_loop().call_later(LASTS_SECONDS, self._expire, event["s"])
        viewer = Viewer(str(event["u"]), event["n"], event["y"])
        return _Seat(event["t"], event["d"], event["c"], viewer, timer)

    def _leave(self, socket: str) -> _Seat:
        seat = self._seats.pop(socket)
        seat.timer.cancel()
        sockets = self._of_chat[seat.chat_id]
        sockets.discard(socket)
        if not sockets:
            del self._of_chat[seat.chat_id]
        return seat

    def _expire(self, socket: str) -> None:
        self._ended(_changed(self._leave(socket)))


def _changed(seat: _Seat) -> Event:
    return {"k": "chat", "t": seat.tenant_id, "d": seat.device_no, "c": [seat.chat_id]}
