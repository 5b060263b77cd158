"""Who has the turn of a kind of job keeps it for as long as its connection lives, and no longer."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from tests.database import Database
from wafast.database import turn

LOCK = 1


class Wire:
    """A way to the database by TCP that can go dead as a machine that was cut off does: nothing passes, nobody is
    told."""

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        query = parse_qs(parts.query)
        self._socket = f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}"
        self._database = parts.path
        self._dead = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> str:
        """The database's address at this end."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return f"postgresql://postgres@127.0.0.1:{port}{self._database}?sslmode=disable"

    def die(self) -> None:
        """What is open now is dead; whoever connects anew gets through."""
        self._dead.set()
        self._dead = asyncio.Event()

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_unix_connection(self._socket)
        dead = self._dead
        both = [self._one_way(reader, to_writer, dead), self._one_way(to_reader, writer, dead)]
        self._tasks += [asyncio.ensure_future(way) for way in both]

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dead: asyncio.Event) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                if not dead.is_set():
                    writer.write(data)
        writer.close()


async def test_a_connection_that_went_dead_without_a_word_gives_its_turn_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "ASK_SECONDS", 0.05)
    wire = Wire(database.uri)
    uri = await wire.open()
    turns: asyncio.Queue[int] = asyncio.Queue()

    async def work(connection: asyncpg.Connection) -> None:
        turns.put_nowait(connection.get_server_pid())
        await asyncio.Event().wait()

    keeping = asyncio.create_task(turn.keep_at(uri, "test", LOCK, work))
    async with asyncio.timeout(60):
        first = await turns.get()
        monkeypatch.setattr(turn, "ANSWER_SECONDS", 0.5)
        wire.die()
        assert await turns.get() != first
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await wire.close()


async def test_whoever_works_for_long_keeps_the_turn(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "ASK_SECONDS", 0.01)
    begun: list[int] = []
    ended = asyncio.Event()

    async def work(connection: asyncpg.Connection) -> None:
        begun.append(connection.get_server_pid())
        async with connection.transaction():
            await connection.execute("SELECT pg_sleep(0.3)")
        ended.set()
        await asyncio.Event().wait()

    keeping = asyncio.create_task(turn.keep_at(database.uri, "test", LOCK, work))
    async with asyncio.timeout(60):
        await ended.wait()
    assert len(begun) == 1
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_of_two_one_works_and_the_other_does_nothing_until_its_turn(database: Database) -> None:
    """SPEC section 10, invariant 2."""
    turns: asyncio.Queue[int] = asyncio.Queue()

    async def work(connection: asyncpg.Connection) -> None:
        turns.put_nowait(connection.get_server_pid())
        await asyncio.Event().wait()

    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = $1"
    waits += " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
    other = await asyncpg.connect(database.uri)
    both = [asyncio.create_task(turn.keep_at(database.uri, "test", LOCK, work)) for _ in range(2)]
    async with asyncio.timeout(60):
        first = await turns.get()
        while not await other.fetchval(waits, LOCK):
            assert turns.empty(), "both work"
            await asyncio.sleep(0.01)
        await other.execute("SELECT pg_terminate_backend($1)", first)
        assert await turns.get() != first
    assert turns.empty()
    for task in both:
        task.cancel()
    await asyncio.gather(*both, return_exceptions=True)
    await other.close()


async def test_a_turn_is_over_when_its_connection_is_cut(database: Database) -> None:
    turns: asyncio.Queue[int] = asyncio.Queue()

    async def work(connection: asyncpg.Connection) -> None:
        turns.put_nowait(connection.get_server_pid())
        await asyncio.Event().wait()

    keeping = asyncio.create_task(turn.keep_at(database.uri, "test", LOCK, work))
    async with asyncio.timeout(60):
        first = await turns.get()
        other = await asyncpg.connect(database.uri)
        await other.execute("SELECT pg_terminate_backend($1)", first)
        assert await turns.get() != first
        await other.close()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
