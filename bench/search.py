"""Search over millions of messages, beside `ILIKE`; what the index weighs, how fast it is made, what it costs ingest.

``python -m bench.search [--rows N]``
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from bench import report
from bench.bed import prepared, q
from bench.corpus import Corpus
from bench.folder import working_folder
from bench.ingest import Feeder
from bench.paced import percentile
from bench.search_bed import DEVICES, FIRST_NUMBER, RARE, RARER, fill
from tests.integration.api.world import Tenant, World, running
from wafast import logs
from wafast.database.embedded import Embedded
from wafast.database.migrations import migrate
from wafast.database.pool import connect, open_pool
from wafast.events import bus
from wafast.inbox import search
from wafast.inbox.chat_order import place_moved
from wafast.inbox.grams import wanted
from wafast.inbox.reach import Reach
from wafast.inbox.search_index import STEP, index_messages, keep_indexed

INDEXED = 20_000
"""Messages of the measurement of the index's own rate."""
FED, THERE, CHATS, BATCH = 400_000, 300_000, 30_000, 2_000
"""Of ingest with and without: messages fed, and there before, chats, rows a batch."""


def main() -> None:
    """Reads the arguments, measures, prints."""
    parser = report.parser(__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000, help="messages; chats are 3 for 20 of them")
    parser.add_argument("--times", type=int, default=200, help="searches of each sort")
    parser.add_argument("--rivals", type=int, default=3, help="of each sort by ILIKE")
    parser.add_argument("--keep", type=Path, help="a folder for the database, used again when it is there")
    options = parser.parse_args()
    begun = time.monotonic()
    if options.quick:
        options.rows, options.times, options.rivals = 4_000, 5, 1
    logs.configure("warning", "bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with working_folder(options.keep) as folder:
        tables = _with_database(folder, options)
    tables.append(beside_ingest(options))
    report.finish("search", options, begun, tables)


def _with_database(folder: Path, options: argparse.Namespace) -> list[report.Table]:
    made = folder / "made"
    server = Embedded(folder)
    try:
        asyncio.run(migrate(server.uri))  # a kept one may be of an earlier day
        filled = asyncio.run(_tidy(server.uri)) if made.exists() else asyncio.run(_fill(server.uri, options.rows))
        made.touch()
        with running(server.uri, folder / "api") as world:
            searches = measure_searches(world, options)
        return [searches, asyncio.run(_measure_index(server.uri, filled, options))]
    finally:
        server.stop()


async def _fill(uri: str, rows: int) -> float:
    began = time.monotonic()
    await fill(uri, rows, rows * 3 // 20, 2)
    connection = await connect(uri, "bench")
    try:
        await connection.execute(q.queue_all)
        await place_moved(connection)
    finally:
        await connection.close()
    return time.monotonic() - began


async def _tidy(uri: str) -> float:
    """A kept one has the dead rows of earlier measurements in its newest hours."""
    connection = await connect(uri, "bench")
    try:
        await connection.execute(q.vacuum_search)
    finally:
        await connection.close()
    return 0.0


async def _measure_index(uri: str, filled: float, options: argparse.Namespace) -> report.Table:
    pool = await open_pool(uri, size=4, name="bench")
    try:
        tenant_id = await pool.fetchval("SELECT id FROM tenants")
        return await measure_index(pool, uri, tenant_id, filled, options)
    finally:
        await pool.close()


def measure_searches(world: World, options: argparse.Namespace) -> report.Table:
    """Searches of each sort as whole requests, chats and the first page of messages, and all of them together."""
    draw, chats = random.Random(7), options.rows * 3 // 20
    tenant = Tenant(world, world.sql("SELECT id FROM tenants"), "Bench")
    three = draw.sample(world.sql("SELECT array_agg(id ORDER BY no) FROM devices"), 3)
    numbers = world.sql("SELECT array_agg(no) FROM devices WHERE id = ANY ($1)", three)
    everyone, agent = (tenant.client("read"), None), (tenant.client("read", three), numbers)
    sorts: dict[str, tuple[tuple[httpx.Client, list[int] | None], list[str]]] = {
        "rare word": (everyone, [RARE]),
        "common word": (everyone, ["harga", "price", "stok", "selamat"]),
        "half a word": (everyone, ["ransfe", "vaila", "arang", "amba"]),
        "two words": (everyone, ["harga durian", "refund parcel", "baju black"]),
        "two letters": (everyone, ["rm", "ok", "du", "zz"]),
        "any of many words": (everyone, RARER),
        "name": (everyone, ["kumar nair", "priya", "ahm", "美玲"]),
        "number": (everyone, [f"0{str(FIRST_NUMBER + 7 * draw.randrange(chats))[2:]}" for _ in range(20)]),
        "part of a number": (everyone, [str(FIRST_NUMBER + 7 * draw.randrange(chats))[-6:] for _ in range(20)]),
        "Chinese": (everyone, ["价格", "付款收", "红"]),
        "no hit": (everyone, ["zqxwvk", "seruncing", "hargaan stokan", "xylophone"]),
        "common letters, no hit": (everyone, ["sayang", "transtock", "availability"]),
        "agent of 3 devices, common word": (agent, ["harga", "price"]),
        "agent of 3 devices, rare word": (agent, [RARE, "kolagen", "zqxwvk"]),
    }
    rows: list[list[report.Cell]] = []
    every: list[float] = []
    for name, ((client, devices), queries) in sorts.items():
        first = [_ask(client, query)[0] for query in queries]
        took, hits, cut = [], 0, 0
        for number in range(options.times):
            duration, found = _ask(client, queries[number % len(queries)])
            took.append(duration)
            hits += len(found["messages"]["items"]) + len(found["chats"])
            is_full = len(found["messages"]["items"]) == 50 and (len(found["chats"]) == 20 or not found["chats_next"])
            cut += not is_full and bool(found["messages"]["next"] or found["chats_next"])
        every += took
        asked = [queries[one % len(queries)] for one in range(options.rivals)]
        rivals = [world.background.run(_rival(world.pool, tenant.id, devices, query)) for query in asked]
        took.sort()
        row: list[report.Cell] = [
            name, percentile(took, 0.5), percentile(took, 0.99), took[-1], first, hits / options.times,
            cut / options.times, rivals,
        ]  # fmt: skip
        print(*map(report.show, row), flush=True)
        rows.append(row)
    every.sort()
    rows.append(["all", percentile(every, 0.5), percentile(every, 0.99), every[-1], "", "", "", ""])
    return report.Table(
        title=f"Search: {options.rows:,} messages, {chats:,} chats, {DEVICES:,} devices",
        heads=["", "p50, ms", "p99, ms", "most, ms", "first asked, ms", "found", "cut short", "ILIKE, ms"],
        rows=rows,
        note="GET /search by HTTP, a request after the other: 20 chats and the first 50 messages. First asked: each of "
        "these words once before it is measured, of a server just started, whose caches know nothing of it. Cut short: "
        f"the share of searches that gave what they had after {1000 * search.BUDGET_SECONDS:.0f} ms, and where to go "
        "on. ILIKE: the same words in the tables, the newest 50 and 20; 60,000 is where it was stopped.",
    )


def _ask(client: httpx.Client, query: str) -> tuple[float, dict[str, Any]]:
    """Milliseconds of a search, and what it found."""
    at = time.perf_counter()
    answer = client.get("/api/v1/search", params={"q": query})
    return 1000 * (time.perf_counter() - at), answer.raise_for_status().json()


async def _rival(pool: asyncpg.Pool, tenant_id: int, devices: list[int] | None, query: str) -> float:
    async with pool.acquire() as connection:
        await connection.execute(q.patience)
        at = time.perf_counter()
        try:
            await connection.fetch(q.ilike_names, tenant_id, f"%{query.lstrip('0')}%", timeout=70)
            await connection.fetch(q.ilike, tenant_id, f"%{query}%", devices, timeout=70)
        except asyncpg.QueryCanceledError:
            return 60_000
        finally:
            await connection.execute("RESET statement_timeout")
        return 1000 * (time.perf_counter() - at)


async def measure_index(
    pool: asyncpg.Pool, uri: str, tenant_id: int, filled: float, options: argparse.Namespace
) -> report.Table:
    """What the index weighs, how fast new messages get into it, and when one can be found."""
    sizes = await pool.fetchrow(q.search_sizes)
    assert sizes is not None
    places = [(row["chat_id"], row["key"]) for row in await pool.fetch(q.newest_places, min(INDEXED, options.rows))]
    connection = await connect(uri, "bench")
    at = time.perf_counter()
    try:
        for first in range(0, len(places), STEP):
            async with connection.transaction():
                await index_messages(connection, places[first : first + STEP])
    finally:
        await connection.close()
    rate = len(places) / (time.perf_counter() - at)
    waits = await _found_after(pool, uri, tenant_id, 5 if options.quick else 30)
    weight = float(sizes["rows"] + sizes["grams"] + sizes["places"])
    rows: list[list[report.Cell]] = [
        ["messages with their indexes, MiB", float(sizes["messages"])],
        ["rows of the index, MiB", float(sizes["rows"])],
        ["index of grams, MiB", float(sizes["grams"])],
        ["index of places, MiB", float(sizes["places"])],
        ["names and numbers, MiB", float(sizes["chats"])],
        ["bytes of the index a message", weight * 2**20 / options.rows],
        ["messages indexed again a second", rate],
        ["from the commit until it is found, p50, ms", percentile(waits, 0.5)],
        ["from the commit until it is found, most, ms", waits[-1]],
        ["making it all, s", filled],
    ]
    return report.Table(title="The index of search", heads=["", ""], rows=rows)


async def _found_after(pool: asyncpg.Pool, uri: str, tenant_id: int, times: int) -> list[float]:
    indexer = asyncio.create_task(keep_indexed(uri))
    scope, waits = search.Scope(Reach(tenant_id), None), []
    chats = await pool.fetch(q.some_chats, times)
    await asyncio.sleep(2)
    for number, chat in enumerate(chats):
        word, at = f"kilauan{number}x{time.time_ns()}", time.time()
        key = int(at) << 32 | number
        await pool.execute(q.insert_said, chat["id"], key, chat["device_no"], tenant_id, f"S{number}", word)
        event: dict[str, Any] = {"k": "message", "t": tenant_id, "d": chat["device_no"], "c": chat["id"], "m": [key]}
        await bus.publish(pool, [event])
        found = False
        while not found:
            found = bool((await search.find_messages(pool, scope, wanted(word), limit=1)).items)
        waits.append(1000 * (time.time() - at))
    indexer.cancel()
    await asyncio.gather(indexer, return_exceptions=True)
    return sorted(waits)


def beside_ingest(options: argparse.Namespace) -> report.Table:
    """Ingest as fast as it goes, alone and with a process that indexes."""
    fed, there, chats = (2_000, 5_000, 500) if options.quick else (FED, THERE, CHATS)
    rows: list[list[report.Cell]] = []
    with prepared(devices=DEVICES, chats=chats, before=there) as bed:
        feeder = Feeder(bed, Corpus(bed.devices, chats), BATCH)
        feeder.meet_chats()
        for name in ("nobody indexes", "another process indexes"):
            indexer = multiprocessing.get_context("spawn").Process(target=_index, args=(bed.uri,))
            if rows:
                indexer.start()
                time.sleep(3)
            runs = [feeder.run(fed // 4) for _ in range(4)]
            if rows:
                indexer.terminate()
                indexer.join(10)
            rows.append([name, [run.rate for run in runs], [run.own for run in runs], [run.postgres for run in runs]])
            print(*map(report.show, rows[-1]), flush=True)
        feeder.close()
    return report.Table(
        title=f"Ingest beside the indexer: {fed:,} messages in batches of {BATCH:,}, as fast as it goes",
        heads=["", "msg/s", "µs CPU a message, own", "PostgreSQL's"],
        rows=rows,
        note="PostgreSQL's CPU has the indexer's statements; both cores are busy without it too.",
    )


def _index(uri: str) -> None:
    asyncio.run(keep_indexed(uri))


if __name__ == "__main__":
    main()
