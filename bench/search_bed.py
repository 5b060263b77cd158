"""Millions of messages that read like a sales team's, with their index, for the bench of search."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import asyncpg
import msgspec

from bench.bed import q
from wafast._core import message_key
from wafast.inbox.grams import bucket_of
from wafast.inbox.search_index import CHAT_COLUMNS, MESSAGE_COLUMNS, chat_record, message_record

SPREAD = 30 * 86_400
"""Seconds over which the messages lie."""
FIRST_NUMBER = 60_110_000_000
RARE = "seruling"
"""A word that one message of RARE_EVERY has."""
RARE_EVERY = 100_000
CHUNK = 50_000
DEVICES = 3000
MESSAGE_ROWS = (
    "chat_id", "key", "created_at", "sender", "device_no", "tenant_id", "kind", "flags", "status", "message_id", "body",
)  # fmt: skip
GIVEN = (
    "Ahmad", "Aisyah", "Farid", "Siti", "Nurul", "Hafiz", "Wei Ling", "Kumar", "Priya", "小明", "美玲", "Daniel",
    "Zulkifli", "Mariam", "Azlan", "Suresh", "Mei", "Hassan", "Ravi", "Farah", "Iskandar", "Kavitha", "建国", "Jason",
)  # fmt: skip
FAMILY = (
    "Abdullah", "Rahman", "Tan", "Lim", "Subramaniam", "Ismail", "Wong", "Yusof", "Lee", "Nair", "Ibrahim", "Chong",
    "Osman", "Ng", "Krishnan", "Salleh", "Goh", "Othman", "Raj",
)  # fmt: skip
COMMON = (
    "saya nak tahu harga barang ini boleh tak ada stok lagi ya ok terima kasih selamat pagi yang untuk dan dengan "
    "kotak esok order hantar alamat bayar bank transfer resit hari sila tunggu sekejap the is it available still "
    "can you send me please price how much delivery today tomorrow thanks size colour black red free postage cod "
    "kl johor penang rm 50 100 2 5 10 "
).split()
RARER = (
    "baju kasut beg jam tangan telefon kereta rumah sewa tanah lot kedai restoran makanan minuman kopi teh susu "
    "roti kek durian manggis rambutan ubat vitamin kolagen sabun syampu krim serum tudung kurung jubah langsir "
    "perabot meja kerusi warranty invoice quotation refund exchange discount voucher promotion tracking number "
    "courier parcel damaged missing appointment booking deposit balance instalment insurance renewal policy "
    "premium agent commission meeting schedule "
).split()
CHINESE = (
    "这个 价格 是多少 请问 还有 货吗 谢谢 可以 便宜 一点 明天 送货 地址 付款 收据 颜色 红色 黑色 你好 多少钱".split()
)


class Share(msgspec.Struct, frozen=True):
    """A part of the messages that one process writes."""

    uri: str
    tenant_id: int
    devices: list[int]
    chats: int
    first: int
    last: int
    of: int
    newest: int


def words() -> tuple[list[str], list[float]]:
    """The vocabulary, and how often each word comes, summed up: as words do, the nth about n times more rarely."""
    made = [f"{one[: len(one) // 2 + 1]}{two[len(two) // 2 :]}" for one in RARER for two in RARER[::3]]
    vocabulary = list(dict.fromkeys(COMMON + RARER + made))
    return vocabulary, list(accumulate(1 / (place + 8) for place in range(len(vocabulary))))


def texts(numbers: range) -> Iterator[str]:
    """A text for each number."""
    draw = random.Random(numbers.start)
    vocabulary, weights = words()
    for number in numbers:
        if number % RARE_EVERY == 17:
            yield f"ada jual {RARE} buluh?"
        elif number % 25 == 0:
            yield "".join(draw.choices(CHINESE, k=3))
        else:
            yield " ".join(draw.choices(vocabulary, cum_weights=weights, k=draw.randint(1, 14)))


def rows(share: Share, numbers: range) -> Iterator[dict[str, Any]]:
    """Messages as the table has them, in the order they came."""
    for number, text in zip(numbers, texts(numbers), strict=True):
        chat = number * 2_654_435_761 % share.chats
        at, message_id = share.newest - SPREAD + number * SPREAD // share.of, f"3EB0{number:016X}"
        yield {
            "chat_id": chat + 1, "key": message_key(at, message_id), "message_id": message_id, "at": at, "kind": 0,
            "tenant_id": share.tenant_id, "device_no": share.devices[chat % len(share.devices)], "body": text,
        }  # fmt: skip


async def fill(uri: str, messages: int, chats: int, processes: int) -> tuple[int, list[int]]:
    """Fills a migrated database; gives the tenant and its devices."""
    newest = int(time.time()) - 60
    connection = await asyncpg.connect(uri, command_timeout=7200)
    try:
        made = await connection.fetch(q.make_devices, DEVICES)
        devices, tenant_id = [row["no"] for row in made], made[0]["tenant_id"]
        await connection.execute(q.without_triggers)
        await connection.execute(q.without_indexes)
        await connection.execute(q.search_chats, chats, tenant_id, devices, FIRST_NUMBER, GIVEN, FAMILY, newest)
        await connection.execute(q.free_chat_ids)
        names = [chat_record(row) for row in _names(chats, tenant_id, devices)]
        await connection.copy_records_to_table("chat_search", records=names, columns=CHAT_COLUMNS)
        del names
        shares = [
            Share(uri, tenant_id, devices, chats, messages * part // processes, messages * (part + 1) // processes,
                  messages, newest)
            for part in range(processes)
        ]  # fmt: skip
        running = [multiprocessing.get_context("spawn").Process(target=_write, args=(share,)) for share in shares]
        for process in running:
            process.start()
        for process in running:
            await asyncio.to_thread(process.join)
            if process.exitcode:
                raise SystemExit("a process that writes messages failed")
        await connection.execute(q.build_indexes)
        first, last = bucket_of((newest - SPREAD) << 32), bucket_of(newest << 32)
        await connection.execute(q.fill_buckets, tenant_id, first, last)
        await connection.execute(q.all_is_indexed)
        await connection.execute(q.with_triggers)
        await connection.execute(q.vacuum_search)
        await connection.execute(q.checkpoint)
        return tenant_id, devices
    finally:
        await connection.close()


def _names(chats: int, tenant_id: int, devices: list[int]) -> Iterator[dict[str, Any]]:
    for n in range(chats):
        name = f"{GIVEN[n * 2_654_435_761 % len(GIVEN)]} {FAMILY[n * 40_503 % len(FAMILY)]}"
        number = str(FIRST_NUMBER + n * 7)
        device_no = devices[n % len(devices)]
        yield {"chat_id": n + 1, "tenant_id": tenant_id, "device_no": device_no, "name": name, "number": number}


def _write(share: Share) -> None:
    asyncio.run(_copy(share))


async def _copy(share: Share) -> None:
    connection = await asyncpg.connect(share.uri, command_timeout=7200)
    try:
        await connection.execute("SET synchronous_commit = off")
        for first in range(share.first, share.last, CHUNK):
            made = list(rows(share, range(first, min(first + CHUNK, share.last))))
            await connection.copy_records_to_table("messages", records=map(_message, made), columns=MESSAGE_ROWS)
            await connection.copy_records_to_table(
                "message_search", records=map(message_record, made), columns=MESSAGE_COLUMNS
            )
    finally:
        await connection.close()


def _message(row: dict[str, Any]) -> Sequence[object]:
    at = datetime.fromtimestamp(row["at"], UTC)
    place = (row["chat_id"], row["key"], at, FIRST_NUMBER << 3, row["device_no"], row["tenant_id"])
    return (*place, 0, 0, 0, row["message_id"], row["body"])
