"""Sessions of the floor's devices that keep what leaves through them, and a sender for them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from tests.integration.outbox.floor import Floor
from wafast.devices.session import Change, Content, Sent
from wafast.outbox.send import Sender

PATIENCE = 60.0
_ids = itertools.count(1)

Send = Callable[[str, Content | Change], Awaitable[Sent]]


async def take(_to_jid: str, _content: Content | Change) -> Sent:
    """A server that takes everything at once."""
    return Sent(f"LINE{next(_ids)}", int(time.time()))


async def nothing() -> None:
    """Happens mostly."""


class Line:
    """One device's session, with a server behind it that does what a test wants."""

    def __init__(self, device_no: int) -> None:
        self.device_no = device_no
        self.server: Send = take
        #: what happens while it is asked who has a number, while it uploads, and while it shows that somebody types
        self.introducing: Callable[[], Awaitable[object]] = nothing
        self.uploading: Callable[[], Awaitable[object]] = nothing
        self.meanwhile: Callable[[], Awaitable[object]] = nothing
        #: whom it wrote to
        self.sent: list[str] = []
        #: how WhatsApp names those it names otherwise than people dial them
        self.names: dict[str, str] = {}
        #: whom it showed that somebody types
        self.typed: list[str] = []

    async def introduce(self, to_jid: str) -> str:
        """As `names` says."""
        await self.introducing()
        return self.names.get(to_jid, to_jid)

    async def prepare(self, _content: Content | Change) -> None:
        """Nothing is uploaded."""
        await self.uploading()

    async def send(self, to_jid: str, content: Content | Change) -> Sent:
        """As the server answers."""
        answer = await self.server(to_jid, content)
        self.sent.append(to_jid)
        return answer

    async def show_typing(self, to_jid: str, _state: str) -> None:
        """Nobody sees it."""
        self.typed.append(to_jid)
        await self.meanwhile()


@contextlib.asynccontextmanager
async def sending(floor: Floor, lines: Sequence[Line], folder: Path) -> AsyncIterator[Sender]:
    """A worker's sender for these devices, with files in a folder."""
    by_no = {line.device_no: line for line in lines}
    sender = Sender(floor.pool, floor.worker, folder, lambda: list(by_no), by_no.get, 20)  # type: ignore[arg-type]
    running = asyncio.create_task(sender.run())
    try:
        yield sender
    finally:
        sender.stop()
        await running
        await sender.drain()


async def until(ask: Callable[[], Awaitable[object]], what: str) -> None:
    """Return once it is so."""
    deadline = time.monotonic() + PATIENCE
    while not await ask():
        assert time.monotonic() < deadline, f"not within {PATIENCE:.0f} s: {what}"
        await asyncio.sleep(0.01)


async def until_state(floor: Floor, outbox_id: int, state: str) -> None:
    """Return once a row is in a state."""

    async def ask() -> bool:
        return (await floor.state(outbox_id))[0] == state

    await until(ask, f"row {outbox_id} is {state}")
