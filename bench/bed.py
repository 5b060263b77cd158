"""The bed a bench lies on: an embedded PostgreSQL with devices, chats and messages, thrown away after it."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.corpus import EACH_SECOND, FIRST_NUMBER, weights
from bench.folder import working_folder
from bench.machine import Meter
from wafast import logs
from wafast.database.embedded import Embedded
from wafast.database.migrations import migrate
from wafast.database.queries import load

q = load(__file__)
DAY = 86_400
MOST = 29
"""Messages kept of a chat, on average of those that have many."""


@dataclass(frozen=True)
class Bed:
    """A prepared database."""

    uri: str
    folder: Path
    postmaster: int
    tenant_id: int
    devices: list[int]
    at: int
    """Unix time of the newest message there: what is fed is to begin here."""

    def meter(self, *others: int) -> Meter:
        """Measures own CPU and, as `others`, first PostgreSQL's."""
        return Meter(self.postmaster, *others)

    def fetch(self, query: str) -> asyncpg.Record:
        """The one row of a query."""
        return asyncio.run(_fetch(self.uri, query))


@contextmanager
def prepared(*, devices: int, chats: int, before: int, rivals: bool = False) -> Iterator[Bed]:
    """A database as long as the block lasts.

    Args:
        before: messages that are there already: as a long life leaves them that trims each chat to its newest.
        rivals: the tables a second time, for those who do it another way.
    """
    if before > MOST * chats:
        raise SystemExit(f"--before is {before:,}: {chats:,} chats keep {MOST * chats:,} messages at most")
    logs.configure("warning", "bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a bench that is stopped leaves no server behind
    with working_folder() as folder:
        server = Embedded(folder)
        try:
            postmaster = int((folder / "postgres/postmaster.pid").read_text().splitlines()[0])
            at = int(time.time()) - 20 * DAY
            numbers, tenant_id = asyncio.run(_fill(server.uri, devices, chats, before, at, rivals))
            yield Bed(server.uri, folder, postmaster, tenant_id, numbers, at)
        finally:
            server.stop()


async def _fill(uri: str, devices: int, chats: int, before: int, at: int, rivals: bool) -> tuple[list[int], int]:
    await migrate(uri)
    connection = await asyncpg.connect(uri, command_timeout=600)
    try:
        made = await connection.fetch(q.make_devices, devices)
        numbers, tenant_id = [row["no"] for row in made], made[0]["tenant_id"]
        history = (sum(weights(chats)), _ever(chats, before), at - 1, EACH_SECOND)
        await connection.execute(q.make_messages, chats, *history, tenant_id, numbers, FIRST_NUMBER)
        await connection.execute(q.make_chats, chats, tenant_id, numbers, FIRST_NUMBER)
        await connection.execute(q.free_chat_ids)
        if rivals:
            await connection.execute(q.copy_tables)
        await connection.execute(q.vacuum)
        await connection.execute(q.checkpoint)
        return numbers, tenant_id
    finally:
        await connection.close()


def _ever(chats: int, before: int) -> int:
    """How many messages must have come for `before` to be left, by the rule of `make_messages`."""
    total = sum(weights(chats))
    shares = [(20 + chat * 7919 % 20, weight / total) for chat, weight in enumerate(weights(chats))]
    least, most = before, 1_000 * before
    while most - least > least // 100:
        middle = (least + most) // 2
        left = sum(min(kept, round(middle * share)) for kept, share in shares)
        least, most = (middle, most) if left < before else (least, middle)
    return least


async def _fetch(uri: str, query: str) -> asyncpg.Record:
    connection = await asyncpg.connect(uri, command_timeout=600)
    try:
        row = await connection.fetchrow(query)
        assert row is not None
        return row
    finally:
        await connection.close()
