"""Ingest: wire bytes → committed rows with spool, decode, dedupe, chat update and trim; beside it what others would do.

``python -m bench.ingest [--messages N] [--batch 2000,10000] [--before N] [--chats N]``
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

import asyncpg

from bench import machine
from bench.corpus import MESSAGE, Corpus
from wafast._core import Ingest
from wafast.database.embedded import Embedded
from wafast.database.migrations import migrate

DEVICES = 3000
CHUNK = 200_000
"""Events made at once, outside the measured time."""


async def prepare(uri: str) -> list[int]:
    """Tables and devices."""
    await migrate(uri)
    connection = await asyncpg.connect(uri)
    try:
        await connection.execute("INSERT INTO tenants (name) VALUES ('bench')")
        rows = await connection.fetch(
            "INSERT INTO devices (tenant_id, name, network, jid) SELECT t.id, 'line ' || n, 'loopback', "
            "(60190000000 + n) || '@s.whatsapp.net' FROM tenants t, generate_series(1, $1) n RETURNING no",
            DEVICES,
        )
        return [row["no"] for row in rows]
    finally:
        await connection.close()


def ours(uri: str, postmaster: int, corpus: Corpus, messages: int, batch: int, spool: Path, at: int) -> list[str]:
    """Feeds messages and waits for each chunk's commit; gives the row of the table."""
    ingest = Ingest(uri, f"bench-{os.getpid()}", spool, batch_rows=batch)
    rates, cpu_own, cpu_postgres, done = [], 0.0, 0.0, 0
    try:
        while done < messages:
            events = corpus.events(min(CHUNK, messages - done), at, duplicates=0.05)
            own, theirs = time.process_time(), machine.cpu_seconds(machine.children(postmaster))
            begun = time.perf_counter()
            receive = ingest.receive
            for device_no, event in events:
                receive(device_no, MESSAGE, event)
            assert ingest.flush(600)
            rates.append(len(events) / (time.perf_counter() - begun))
            cpu_own += time.process_time() - own
            cpu_postgres += machine.cpu_seconds(machine.children(postmaster)) - theirs
            done += len(events)
        stats = ingest.stats()
    finally:
        ingest.close()
    assert stats["stored"] + stats["duplicates"] + stats["trimmed"] == done, stats
    median, least, most = machine.spread(rates)
    return [
        f"wafast, batch {batch:,}", f"{median:,.0f}", f"{least:,.0f}–{most:,.0f}",
        f"{1e6 * cpu_own / done:.1f}", f"{1e6 * cpu_postgres / done:.1f}",
    ]  # fmt: skip


def main() -> None:
    """Reads the arguments, runs all, prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--before", type=int, default=1_000_000, help="messages that are there already")
    parser.add_argument("--chats", type=int, default=150_000)
    parser.add_argument("--batch", default="10000,2000")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wafast-bench-") as folder:
        data = Path(folder)
        data.chmod(0o755)
        server = Embedded(data)
        try:
            postmaster = int((data / "postgres/postmaster.pid").read_text().splitlines()[0])
            corpus = Corpus(asyncio.run(prepare(server.uri)), options.chats)
            at = int(time.time()) - 20 * 86_400
            ours(server.uri, postmaster, corpus, options.before, 10_000, data / "spool", at)
            rows = []
            for batch in map(int, options.batch.split(",")):
                rows.append(ours(server.uri, postmaster, corpus, options.messages, batch, data / "spool", at))
                print(rows[-1], flush=True)
        finally:
            server.stop()
    heads = ["", "msg/s", "least–most", "µs CPU, own", "µs CPU, PostgreSQL"]
    print(machine.table("Ingest: bytes → committed", heads, rows))


if __name__ == "__main__":
    main()
