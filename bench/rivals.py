"""What others would do with the same messages on the same tables: raw COPY, and asyncpg with INSERT … ON CONFLICT.

They begin with records that are decoded already, and trim nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import asyncpg

from bench import records
from bench.bed import Bed
from bench.corpus import FIRST_NUMBER, Corpus, Drawn
from bench.report import Cell
from wafast.database.queries import load

q = load(__file__)
DUPLICATES = 0.05
MANY = 10_000
"""Rows of one executemany."""
COLUMNS = (
    "chat_id", "key", "created_at", "sender", "device_no", "tenant_id", "kind", "flags", "status", "message_id",
    "sender_name", "body", "media", "quoted", "poll", "quote",
)  # fmt: skip

Message = tuple[Any, ...]
Chat = tuple[Any, ...]


class Rows:
    """The corpus' messages as rows."""

    def __init__(self, bed: Bed, corpus: Corpus) -> None:
        self._bed, self._corpus = bed, corpus
        self._records = [records.record(event) for event in corpus.contents]

    def binary(self, count: int) -> bytes:
        """New messages as a stream of binary COPY."""
        now = time.time_ns() // 1000
        rows = (
            records.copy_row(
                self._record(drawn), drawn.chat + 1, self._corpus.device(drawn), self._bed.tenant_id, now + place
            )
            for place, drawn in enumerate(self._corpus.draw(count, self._bed.at))
        )
        return b"".join((records.SIGNATURE, *rows, records.END))

    def values(self, count: int) -> list[tuple[Message, Chat]]:
        """Messages, some of them twice, as arguments of `insert_message` and `update_chat`."""
        return list(self._values(count))

    def _values(self, count: int) -> Iterator[tuple[Message, Chat]]:
        now, tenant_id = datetime.now(UTC), self._bed.tenant_id
        for drawn in self._corpus.draw(count, self._bed.at, duplicates=DUPLICATES):
            found, device_no = self._record(drawn), self._corpus.device(drawn)
            media = None if found.media is None else records.described(found.media).decode()
            message = (
                drawn.chat + 1, found.key, now, found.packed_sender, device_no, tenant_id, found.kind, 0, 0, found.id,
                found.name, found.body, media, found.quoted,
            )  # fmt: skip
            yield message, (tenant_id, device_no, found.chat, found.name, found.key, found.kind, found.body[:200])

    def _record(self, drawn: Drawn) -> records.Record:
        found = self._records[drawn.content]
        found.chat = found.sender = f"{FIRST_NUMBER + drawn.chat}@s.whatsapp.net"
        found.id, found.at, found.name = drawn.id, drawn.at, f"Pelanggan {drawn.chat:06}"
        return found


def measure(bed: Bed, corpus: Corpus, *, copied: int, copies: int, seconds: float) -> list[list[Cell]]:
    """Rows for the table of `bench.ingest`.

    Args:
        copied: rows of one raw COPY.
        copies: how many of them.
        seconds: how long each of the others runs.
    """
    rows = Rows(bed, corpus)
    found = [raw_copy(bed, rows, copied, copies)]
    for name, work, enough in [
        ("asyncpg executemany, 10,000 rows a call", _executemany, 40_000 * seconds),
        ("asyncpg, a transaction a message, 8 connections", _eight, 12_000 * seconds),
        ("asyncpg, a transaction a message", _one, 6_000 * seconds),
    ]:
        values = rows.values(int(enough))
        with bed.meter() as meter:
            done = asyncio.run(work(bed.uri, values, time.monotonic() + seconds))
        found.append([name, [done / meter.seconds], [1e6 * meter.own / done], [1e6 * meter.others[0] / done]])
        print(f"{done / meter.seconds:,.0f}", name, flush=True)
    return found


def raw_copy(bed: Bed, rows: Rows, copied: int, copies: int) -> list[Cell]:
    """Binary COPY of rows made beforehand, into the table and nothing else."""
    rates, own, postgres = [], [], []
    for _ in range(copies):
        stream = rows.binary(copied)
        with bed.meter() as meter:
            asyncio.run(_copy(bed.uri, stream))
        rates.append(copied / meter.seconds)
        own.append(1e6 * meter.own / copied)
        postgres.append(1e6 * meter.others[0] / copied)
    name = f"raw COPY, {copied * copies:,} rows, no duplicates, no chats"
    print(f"{rates[len(rates) // 2]:,.0f}", name, flush=True)
    return [name, rates, own, postgres]


async def _copy(uri: str, stream: bytes) -> None:
    connection = await asyncpg.connect(uri)
    try:
        await connection.copy_to_table("rival_messages", source=BytesIO(stream), columns=COLUMNS, format="binary")
    finally:
        await connection.close()


async def _one(uri: str, values: list[tuple[Message, Chat]], until: float) -> int:
    connection = await asyncpg.connect(uri)
    done = 0
    try:
        for message, chat in values:
            async with connection.transaction():
                await connection.execute(q.insert_message, *message)
                await connection.execute(q.update_chat, *chat)
            done += 1
            if time.monotonic() > until:
                break
    finally:
        await connection.close()
    return done


async def _eight(uri: str, values: list[tuple[Message, Chat]], until: float) -> int:
    return sum(await asyncio.gather(*(_one(uri, values[part::8], until) for part in range(8))))


async def _executemany(uri: str, values: list[tuple[Message, Chat]], until: float) -> int:
    connection = await asyncpg.connect(uri)
    done = 0
    try:
        for begin in range(0, len(values), MANY):
            part = values[begin : begin + MANY]
            async with connection.transaction():
                await connection.executemany(q.insert_message, [message for message, _ in part])
                await connection.executemany(q.update_chat, [chat for _, chat in part])
            done += len(part)
            if time.monotonic() > until:
                break
    finally:
        await connection.close()
    return done
