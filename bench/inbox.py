"""The list of all chats with every filter, and a conversation: the API beside millions of chats and messages.

``python -m bench.inbox [--rows N]``
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from bench import report
from bench.folder import working_folder
from bench.paced import percentile
from bench.search_bed import DEVICES, fill
from tests.integration.api.world import Tenant, World, running
from wafast import logs
from wafast.database.embedded import Embedded
from wafast.database.migrations import migrate
from wafast.database.pool import connect
from wafast.database.queries import load
from wafast.inbox.chat_order import place_moved

q = load(__file__)
FEW_CHATS, FEW_LABELLED = 10_000, 500
"""Chats of one person, and with one label; the others have hundreds of thousands."""
PAGES = 20
"""A list is read so far, then from its top again."""


def main() -> None:
    """Reads the arguments, measures, prints."""
    parser = report.parser(__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000, help="messages; chats are 3 for 20 of them")
    parser.add_argument("--times", type=int, default=400, help="requests of each sort")
    parser.add_argument("--keep", type=Path, help="a folder for the database, used again when it is there")
    options = parser.parse_args()
    begun = time.monotonic()
    if options.quick:
        options.rows, options.times = 4_000, 3
    logs.configure("warning", "bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with working_folder(options.keep) as folder:
        tables = _with_database(folder, options)
    report.finish("inbox", options, begun, tables)


def _with_database(folder: Path, options: argparse.Namespace) -> list[report.Table]:
    made = folder / "made-inbox"
    server = Embedded(folder)
    try:
        asyncio.run(migrate(server.uri))  # a kept one may be of an earlier day
        if not made.exists():
            asyncio.run(_fill(server.uri, options.rows))
        made.touch()
        with running(server.uri, folder / "api") as world:
            return measure(world, options)
    finally:
        server.stop()


async def _fill(uri: str, rows: int) -> None:
    chats = rows * 3 // 20
    tenant_id, _ = await fill(uri, rows, chats, 2)
    connection = await connect(uri, "bench")
    try:
        people = [row["id"] for row in await connection.fetch(q.add_people)]
        labels = [row["id"] for row in await connection.fetch(q.add_labels, tenant_id)]
        await connection.execute(q.stop_triggers)
        await connection.execute(q.use_chats)
        await connection.execute(q.give_work, *people, max(2, chats // FEW_CHATS))
        await connection.execute(q.label_many, *labels, max(2, chats // FEW_LABELLED))
        await connection.execute(q.start_triggers)
        await connection.execute(q.queue_all)
        await place_moved(connection)
        await connection.execute(q.all_is_told)
        await connection.execute(q.settle)
    finally:
        await connection.close()


def measure(world: World, options: argparse.Namespace) -> list[report.Table]:
    """Every filter and the usual pairs of them, then the routes of one conversation."""
    tenant = Tenant(world, world.sql("SELECT id FROM tenants"), "Bench")
    devices = world.sql(q.some_devices, 3)
    everyone, agent = tenant.client("read"), tenant.client("read", devices)
    few, many = world.sql(q.person, "Few"), world.sql(q.person, "Many")
    rare, common = world.sql(q.label, "Few"), world.sql(q.label, "Many")
    lists: dict[str, tuple[httpx.Client, dict[str, Any]]] = {
        "all": (everyone, {}),
        "unread": (everyone, {"unread": True}),
        "groups": (everyone, {"is_group": True}),
        "archived": (everyone, {"archived": True}),
        "one device": (everyone, {"device_id": str(devices[0])}),
        "agent of 3 devices": (agent, {}),
        "agent of 3 devices, unread": (agent, {"unread": True}),
        "of somebody with few": (everyone, {"assignee": str(few)}),
        "of somebody with few, unread": (everyone, {"assignee": str(few), "unread": True}),
        "of somebody with very many": (everyone, {"assignee": str(many)}),
        "of nobody": (everyone, {"assignee": "none"}),
        "label of few": (everyone, {"label_id": str(rare)}),
        "label of very many": (everyone, {"label_id": str(common)}),
        "label of very many, unread": (everyone, {"label_id": str(common), "unread": True}),
        "open": (everyone, {"is_open": True}),
        "closed": (everyone, {"is_open": False}),
        "closed, of somebody with few": (everyone, {"is_open": False, "assignee": str(few)}),
    }
    rows: list[list[report.Cell]] = []
    for name, (client, filters) in lists.items():
        rows.append(_row(name, _list_pages(client, filters), options.times))
    chats = options.rows * 3 // 20
    asked = [_row(name, one, options.times) for name, one in _conversations(everyone, options.rows, chats).items()]
    there = f"{options.rows:,} messages, {chats:,} chats, {DEVICES:,} devices"
    heads = ["", "p50, ms", "p99, ms", "most, ms", "items"]
    note = f"A request after the other, by HTTP, 100 chats a page, {PAGES} pages and then from the top."
    return [
        report.Table(title=f"GET /chats: {there}", heads=heads, rows=rows, note=note),
        report.Table(title=f"Routes of one conversation: {there}", heads=heads, rows=asked, note="Chats by chance."),
    ]


def _row(name: str, requests: Iterator[tuple[float, int]], times: int) -> list[report.Cell]:
    measured = list(islice(requests, times + 1))[1:]  # the first one plans
    took = sorted(milliseconds for milliseconds, _ in measured)
    items = sum(count for _, count in measured) / len(measured)
    row: list[report.Cell] = [name, percentile(took, 0.5), percentile(took, 0.99), took[-1], items]
    print(*map(report.show, row), flush=True)
    return row


def _list_pages(client: httpx.Client, filters: dict[str, Any]) -> Iterator[tuple[float, int]]:
    """Milliseconds of each page, and how many chats it has."""
    while True:
        after = None
        for _ in range(PAGES):
            params = filters | {"limit": 100} | ({} if after is None else {"after": after})
            began = time.perf_counter()
            answer = client.get("/api/v1/chats", params=params)
            took = 1000 * (time.perf_counter() - began)
            page = answer.raise_for_status().json()
            yield took, len(page["items"])
            after = page["next"]
            if after is None:
                break


def _conversations(client: httpx.Client, messages: int, chats: int) -> dict[str, Iterator[tuple[float, int]]]:
    draw = random.Random(7)

    def asks(path: str) -> Iterator[tuple[float, int]]:
        while True:
            number = draw.randrange(messages)
            chat = number * 2_654_435_761 % chats + 1
            asked = path.format(chat=chat, message=f"3EB0{number:016X}")
            began = time.perf_counter()
            answer = client.get(f"/api/v1/chats/{chat}{asked}")
            took = 1000 * (time.perf_counter() - began)
            yield took, len(answer.raise_for_status().json().get("items", "1"))

    return {
        "the chat": asks(""),
        "newest messages": asks("/messages?limit=50"),
        "around a quoted message": asks("/messages?limit=50&around={message}"),
        "what has not left": asks("/outbox"),
        "facts": asks("/facts"),
        "the lead": asks("/lead"),
    }


if __name__ == "__main__":
    main()
