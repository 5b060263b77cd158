"""Browsers hear of what was committed, also when the core never heard that it was."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from tests.integration.core import events
from tests.integration.core.conftest import World
from tests.integration.core.events import MESSAGE, NOW, SITI, SITI_LID, UNDECRYPTABLE

COMMIT = b"Q\0\0\0\x0bCOMMIT\0"


class Wire:
    """A way to the database that can lose the answer to one COMMIT."""

    def __init__(self, server: str) -> None:
        self._server = server
        self.is_armed = Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        address = urlsplit(server)
        self.uri = f"postgresql://postgres@127.0.0.1:{self._listener.getsockname()[1]}{address.path}"
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                ours, _ = self._listener.accept()
                theirs = self._connect()
                is_cut = Event()
                for work in (self._ask, self._answer):
                    Thread(target=work, args=(ours, theirs, is_cut), daemon=True).start()

    def _connect(self) -> socket.socket:
        address = urlsplit(self._server)
        folder = parse_qs(address.query).get("host", [""])[0]
        if folder.startswith("/"):
            theirs = socket.socket(socket.AF_UNIX)
            theirs.connect(f"{folder}/.s.PGSQL.{address.port or 5432}")
            return theirs
        return socket.create_connection((address.hostname or "127.0.0.1", address.port or 5432))

    def _ask(self, ours: socket.socket, theirs: socket.socket, is_cut: Event) -> None:
        with suppress(OSError):
            while data := ours.recv(65536):
                if COMMIT in data and self.is_armed.is_set():
                    self.is_armed.clear()
                    is_cut.set()
                theirs.sendall(data)
        theirs.close()

    def _answer(self, ours: socket.socket, theirs: socket.socket, is_cut: Event) -> None:
        with suppress(OSError):
            while data := theirs.recv(65536):
                if is_cut.is_set():
                    break  # committed, and nobody here will know
                ours.sendall(data)
        for side in (ours, theirs):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()


@pytest.fixture
def wire(world: World) -> Iterator[Wire]:
    """The core's way to the database."""
    wire = Wire(world.uri)
    yield wire
    wire.close()


async def heard(uri: str, work: Callable[[], None]) -> list[dict[str, Any]]:
    """Events that were told while `work` ran and just after."""
    told: list[dict[str, Any]] = []
    connection = await asyncpg.connect(uri)
    is_over = asyncio.Event()

    def receive(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        told.extend(json.loads(str(payload)))
        if any(event["k"] == "over" for event in told):
            is_over.set()

    try:
        await connection.add_listener("wafast_event", receive)
        await asyncio.to_thread(work)
        async with asyncio.timeout(60):
            await is_over.wait()
    finally:
        await connection.close()
    return told


def test_changes_whose_commit_was_never_answered_make_browsers_fetch_again(world: World, wire: Wire) -> None:
    direct, world.uri = world.uri, wire.uri
    ingest = world.start()
    world.uri = direct
    world.feed((MESSAGE, events.message("A1", "satu")))

    def react_and_lose_the_answer() -> None:
        wire.is_armed.set()
        world.feed((MESSAGE, events.message("R1", events.reaction("A1", "👍"))))
        # By the same announcer, so that nothing told before it is missed.
        world.close()
        world.value("SELECT pg_notify('wafast_event', '[{\"k\": \"over\"}]')")

    told = asyncio.run(heard(direct, react_and_lose_the_answer))
    assert ingest.stats()["retries"] == 1
    assert world.messages()[0]["reactions"] is not None and world.chats()[0]["chat_jid"] == SITI
    tenant = world.value("SELECT tenant_id FROM devices")
    assert {"k": "gone", "t": tenant, "d": world.device_no} in told


def test_chats_that_became_one_and_what_was_no_message_are_told_by_name(world: World) -> None:
    world.feed((MESSAGE, events.message("A1", "by lid", chat=SITI_LID, sender=SITI_LID)))
    world.feed((MESSAGE, events.message("A2", "by number")), (UNDECRYPTABLE, events.undecryptable("U1")))
    chats = {chat["chat_jid"]: chat["chat_id"] for chat in world.chats()}
    key = world.value("SELECT key FROM messages WHERE message_id = 'U1'")

    def learn() -> None:
        both = events.message("A3", "both", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI, at=NOW + 1)
        world.feed((MESSAGE, both), (MESSAGE, events.message("U1", events.reaction("A2", "👍"), at=NOW + 2)))
        world.close()
        world.value("SELECT pg_notify('wafast_event', '[{\"k\": \"over\"}]')")

    told = asyncio.run(heard(world.uri, learn))
    where = {"t": world.value("SELECT tenant_id FROM devices"), "d": world.device_no}
    assert {"k": "merged", **where, "c": chats[SITI_LID], "b": chats[SITI]} in told
    assert {"k": "removed", **where, "c": chats[SITI], "m": [key]} in told
    assert "gone" not in {event["k"] for event in told}
