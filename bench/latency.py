"""From the inlet to a browser: messages one by one of 3,000 devices, and their frames at sockets of an API process.

``python -m bench.latency [--rate N] [--seconds N] [--sockets 1,20]``
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import multiprocessing
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import Protocol

from bench import paced, report
from bench.bed import Bed, prepared
from bench.corpus import Corpus
from tests.system import free_port
from wafast._core import Ingest
from wafast.accounts import keys
from wafast.database.pool import open_pool

DEVICES, CHATS, BEFORE = 3000, 30_000, 300_000
READY_SECONDS = 60.0
MESSAGE_ID = re.compile(rb'"message_id":"(3EB0[0-9A-F]{16})"')
LONGEST_PART = 40
"""Bytes of a `MESSAGE_ID` that may stand at the end of what was read, at most."""


def main() -> None:
    """Reads the arguments, measures, prints the table."""
    parser = report.parser(__doc__)
    parser.add_argument("--rate", type=int, default=1000, help="messages a second")
    parser.add_argument("--seconds", type=float, default=60, help="of each measurement")
    parser.add_argument("--sockets", default="1,20", help="how many, for each measurement")
    options = parser.parse_args()
    begun = time.monotonic()
    chats, before = CHATS, BEFORE
    if options.quick:
        options.seconds, options.rate, chats, before = 1, 100, 500, 5_000
    with prepared(devices=DEVICES, chats=chats, before=before) as bed, api(bed) as server:
        corpus = Corpus(bed.devices, chats)
        ingest = Ingest(bed.uri, f"bench-{os.getpid()}", bed.folder / "spool")
        try:
            rows = [measure(bed, server, ingest, corpus, int(count), options) for count in options.sockets.split(",")]
        finally:
            ingest.close()
    cores = ["cores, ingest", "cores, PostgreSQL", "cores, API"]
    table = report.Table(
        title=f"Inlet → WebSocket frame: {options.rate:,} msg/s over {DEVICES:,} devices for {options.seconds:.0f} s",
        heads=["", "msg/s reached", "p50, ms", "p99, ms", "most, ms", "frames missed", *cores],
        rows=rows,
        note="Every socket gets every message; a millisecond figure is of one message at one socket. "
        "A socket that falls 4,096 frames behind is cut off, as a browser's would be; here it does not come back.",
    )
    report.finish("latency", options, begun, [table])


class Server:
    """An API process and a key to it."""

    def __init__(self, pid: int, port: int, key: str) -> None:
        self.pid, self.port, self.key = pid, port, key


@contextmanager
def api(bed: Bed) -> Iterator[Server]:
    """`wafast api` on the bed's database, as long as the block lasts."""
    port = free_port()
    ours = {name: value for name, value in os.environ.items() if not name.startswith("WAFAST_")}
    ours |= {"DB_URI": bed.uri, "WAFAST_DATA_DIR": str(bed.folder / "api"), "WAFAST_LOG": "warning"}
    command = [sys.executable, "-m", "wafast", "api", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, env=ours, cwd=bed.folder)
    try:
        _wait_ready(process, port)
        yield Server(process.pid, port, asyncio.run(_key(bed)))
    finally:
        process.terminate()
        process.wait(30)


def _wait_ready(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise SystemExit(f"`wafast api` was not ready after {READY_SECONDS:.0f} s")


async def _key(bed: Bed) -> str:
    pool = await open_pool(bed.uri, size=1, name="bench")
    try:
        text, _ = await keys.create_key(pool, bed.tenant_id, "bench", "read")
        return text
    finally:
        await pool.close()


def measure(
    bed: Bed, server: Server, ingest: Ingest, corpus: Corpus, sockets: int, options: argparse.Namespace
) -> list[report.Cell]:
    """A row of the table."""
    watchers = Watchers(server, sockets)
    paced.feed(ingest, paced.messages(corpus, bed, options.rate), options.rate)  # what is loaded on first touch
    messages = paced.messages(corpus, bed, int(options.rate * options.seconds))
    with bed.meter(server.pid) as meter:
        given = paced.feed(ingest, messages, options.rate)
    began = {drawn.id.encode(): at for drawn, at in given}
    took = sorted(one for seen in watchers.stop(set(began)) for one in paced.milliseconds(began, seen))
    missed = float(sockets * len(began) - len(took))
    cores = [spent / meter.seconds for spent in (meter.own, *meter.others)]
    name = f"{sockets} socket{'s' if sockets > 1 else ''}"
    # Sockets that were all cut off before the first message saw none.
    figures: list[report.Cell] = ["–"] * 3
    if took:
        figures = [paced.percentile(took, 0.5), paced.percentile(took, 0.99), took[-1]]
    return [name, len(given) / meter.seconds, *figures, missed, *cores]


class Watchers:
    """A process with sockets that note when they first see each message's id."""

    def __init__(self, server: Server, sockets: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_watch, args=(server.port, server.key, sockets, theirs), daemon=True)
        self._process.start()
        self._ours.recv()

    def stop(self, wanted: set[bytes]) -> list[dict[bytes, int]]:
        """Ends it when all that are left have seen these; of each socket when it saw a message, by its id."""
        self._ours.send(wanted)
        seen: list[dict[bytes, int]] = self._ours.recv()
        self._process.join()
        return seen


def _watch(port: int, key: str, sockets: int, parent: Connection) -> None:
    parent.send(asyncio.run(_see(port, key, sockets, parent)))


async def _see(port: int, key: str, sockets: int, parent: Connection) -> list[dict[bytes, int]]:
    loop = asyncio.get_running_loop()
    seen: list[dict[bytes, int]] = [{} for _ in range(sockets)]
    watchers = [Watcher(port, key, one) for one in seen]
    for watcher in watchers:
        await loop.create_connection(partial(_itself, watcher), "127.0.0.1", port)
        await watcher.is_open
    parent.send(None)
    wanted: set[bytes] = await asyncio.to_thread(parent.recv)
    await paced.wait_until(
        lambda: all(watcher.is_cut or wanted <= one.keys() for watcher, one in zip(watchers, seen, strict=True))
    )
    return seen


def _itself(watcher: Watcher) -> Watcher:
    return watcher


class Noted(Protocol):
    """Where it is noted when a message was first seen, by its id: a dict is one."""

    def setdefault(self, id: bytes, now: int, /) -> object:
        """Notes it, unless it is there."""


class Watcher(asyncio.Protocol):
    """A WebSocket that looks for ids in what comes and reads nothing else: 20 of them must not need a core."""

    def __init__(self, port: int, key: str, seen: Noted) -> None:
        self._seen = seen
        self.is_cut = False
        self.is_open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rest = b""
        self._request = (
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: d2FmYXN0IGJlbmNoIGtleQ==\r\n"
            f"Authorization: Bearer {key}\r\n\r\n"
        ).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for the socket."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def connection_lost(self, _reason: Exception | None) -> None:
        """The other end found it too slow."""
        self.is_cut = True

    def data_received(self, data: bytes) -> None:
        """Notes new ids."""
        now = time.monotonic_ns()
        if not self.is_open.done():
            if not data.startswith(b"HTTP/1.1 101"):
                self.is_open.set_exception(ConnectionError(data[:200]))
                return
            self.is_open.set_result(None)
        data = self._rest + data
        end = 0
        for found in MESSAGE_ID.finditer(data):
            self._seen.setdefault(found[1], now)
            end = found.end()
        self._rest = data[max(end, len(data) - LONGEST_PART) :]


if __name__ == "__main__":
    main()
