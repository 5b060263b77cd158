"""The outbox: claims a second with millions of rows waiting, also while dead rows pile up; how late sends are.

``python -m bench.outbox [--rows N]``

Beside it, in the same database: a sender with a cursor and no row for each message, and a queue as one first writes it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

from bench import report
from bench.bed import q
from bench.folder import working_folder
from bench.paced import percentile
from bench.report import Cell, Table
from tests.integration.core.events import RECEIPT, receipt
from wafast import logs
from wafast._core import Ingest
from wafast.database.embedded import Embedded
from wafast.database.migrations import migrate
from wafast.database.pool import WORKER_CONNECTIONS, open_pool
from wafast.devices.session import Sent
from wafast.loaded import leave_loaded
from wafast.outbox import claim as claims
from wafast.outbox import sources
from wafast.outbox.send import LOOKED_AT_ONCE, Sender
from wafast.outbox.sources import Message, Pace

DEVICES = 3000
SOURCES = 2
"""Campaigns that all devices send for."""
HELLO = Message("text", "{{Hi|Hello}} {name|friend}, our new price list is here: https://example.com/prices")
GAP = 20.0
"""Seconds between two messages of a device, in the measurement of lateness."""
CURSOR_BATCH = 1000


class Line:
    """A session whose server takes everything at once."""

    def __init__(self, device_no: int) -> None:
        self.device_no = device_no

    async def introduce(self, to_jid: str) -> str:
        """Everybody is called as people dial it."""
        return to_jid

    async def send(self, _to_jid: str, _content: object) -> Sent:
        """As the server would answer."""
        return Sent(uuid4().hex, int(time.time()))


class Bed:
    """The database, its worker and what waits."""

    def __init__(self, pool: asyncpg.Pool, uri: str, options: argparse.Namespace) -> None:
        self.pool, self.uri, self.options = pool, uri, options
        self.worker: UUID = uuid4()
        self.devices: list[int] = []
        self.sources: list[int] = []
        self.tenant_id = 0

    async def fill(self) -> None:
        """Devices, people, sources, and `options.rows` rows that wait."""
        options = self.options
        async with self.pool.acquire() as connection:
            made = await connection.fetch(q.make_devices, options.devices)
            self.devices, self.tenant_id = [row["no"] for row in made], made[0]["tenant_id"]
            await connection.execute(q.outbox_makers, self.worker)
            people = options.rows // SOURCES
            await connection.execute(q.outbox_people, self.tenant_id, people, timeout=3600)
            for _ in range(SOURCES):
                source_id = await sources.create(connection, self.tenant_id, HELLO, Pace(0, 0))
                await sources.set_state(connection, self.tenant_id, source_id, "running")
                self.sources.append(source_id)
            await connection.execute(q.outbox_lanes, self.tenant_id, self.sources)
            await connection.execute(q.outbox_without_triggers)
            indexes = await connection.fetch(q.outbox_indexes)
            for index in indexes:
                await connection.execute(f"DROP INDEX {index['name']}")
            filled = (self.tenant_id, people * SOURCES, people, self.devices, self.sources)
            await connection.execute(q.outbox_rows, *filled, timeout=3600)
            await connection.execute("SET maintenance_work_mem = '1GB'")
            for index in indexes:
                await connection.execute(index["definition"], timeout=3600)
            await connection.execute(q.outbox_with_triggers)
            await connection.execute(q.outbox_counts, timeout=3600)
            await connection.execute(q.outbox_vacuum, timeout=3600)

    async def claim(self, seconds: float) -> float:
        """Claims as fast as they go, words and ends included; gives how many a second."""
        done, began, first = 0, time.perf_counter(), 0
        while (took := time.perf_counter() - began) < seconds:
            at_once = range(min(LOOKED_AT_ONCE, len(self.devices)))
            looked = [self.devices[(first + n) % len(self.devices)] for n in at_once]
            first += len(looked)
            got = await claims.claim(self.pool, self.worker, [], looked)
            if not got:
                break
            ended = [one.id for one in got], [one.claim_epoch for one in got]
            await self.pool.execute(q.outbox_ended, self.worker, *ended)
            done += len(got)
        return done / took


async def measure(bed: Bed) -> list[Table]:
    """All of it."""
    options = bed.options
    seconds, runs = (0.3, 1) if options.quick else (10.0, 3)
    rows: list[list[Cell]] = []
    print("claims", flush=True)
    rows.append(["wafast: claimed, worded, ended", [await bed.claim(seconds) for _ in range(runs)], ""])
    holder = await asyncpg.connect(bed.uri)
    held = holder.transaction(isolation="repeatable_read")
    await held.start()
    await holder.fetchval("SELECT count(*) FROM workers")
    rates = [await bed.claim(seconds) for _ in range(2 * runs)]
    dead = await _dead(bed.pool, "outbox")
    rows.append(["wafast, while a snapshot is held", rates, dead])
    rows += await rivals(bed, seconds, runs)
    await held.rollback()
    await holder.close()
    receipts = await measure_receipts(bed)
    late = await measure_lateness(bed)
    claimed = Table(
        title=f"Outbox: {options.rows:,} rows waiting at {options.devices:,} devices, {SOURCES} campaigns",
        heads=["", "a second", "dead rows then"],
        rows=rows,
        note="A claim takes lease, clock and caps into account; the words are made and stored, and each end is "
        "written, each by compare-and-set. With a snapshot held nothing that is dead can be cleaned up. The cursor "
        "keeps no record of whom it has sent to: what was on its way when it is killed is lost.",
    )
    return [claimed, receipts, late]


async def rivals(bed: Bed, seconds: float, runs: int) -> list[list[Cell]]:
    """A cursor over subscribers, and a queue that is ordered by age."""
    print("rivals", flush=True)
    pool, count = bed.pool, bed.options.rows
    for step in (q.cursor_tables, q.cursor_without_checks, q.naive_table):
        await pool.execute(step)
    await pool.execute(q.cursor_people, min(count, 2_000_000), timeout=3600)
    await pool.execute(q.naive_rows, count, timeout=3600)
    await pool.execute("ANALYZE", timeout=3600)

    async def cursor() -> int:
        return len(await pool.fetch(q.cursor_next, CURSOR_BATCH))

    async def naive() -> int:
        taken = await pool.fetchval(q.naive_claim, timeout=3600)
        await pool.execute(q.naive_ended, taken)
        return 1

    rows: list[list[Cell]] = [["a cursor, no record of whom", [await _rate(cursor, seconds) for _ in range(runs)], ""]]
    rows.append(["a queue by age, no index", [await _rate(naive, seconds) for _ in range(runs)], ""])
    await pool.execute(q.naive_index, timeout=3600)
    indexed = [await _rate(naive, seconds) for _ in range(2 * runs)]
    rows.append(["a queue by age, indexed, snapshot held", indexed, await _dead(pool, "naive")])
    await pool.execute("DROP TABLE naive, cursor_lists, cursor_people, cursor_campaigns")
    return rows


async def measure_receipts(bed: Bed) -> Table:
    """Delivered, then read, of what was sent: from the inlet to the commit that moves message, chat and row."""
    print("receipts", flush=True)
    sent = await bed.pool.fetch(q.outbox_sent, 2_000 if bed.options.quick else 100_000)
    columns = [[row[name] for row in sent] for name in ("device_no", "to_jid", "message_id")]
    await bed.pool.execute(q.outbox_messages, *columns, timeout=600)
    rows: list[list[Cell]] = []
    with tempfile.TemporaryDirectory() as folder:
        ingest = Ingest(bed.uri, f"bench-{os.getpid()}", Path(folder))
        for state in ("delivered", "read"):
            told = [
                (
                    row["device_no"],
                    receipt([row["message_id"]], state.upper(), chat=row["to_jid"], sender=row["to_jid"]),
                )
                for row in sent
            ]
            began = time.perf_counter()
            for device_no, event in told:
                ingest.receive(device_no, RECEIPT, event)
            assert ingest.flush(600), "they are not applied within ten minutes"
            rows.append([state, len(sent) / (time.perf_counter() - began)])
            assert await bed.pool.fetchval(q.outbox_in_state, state) == len(sent), "each row has followed"
        ingest.close()
    return Table(title="Outbox: receipts applied, one by one at the inlet", heads=["", "receipts/s"], rows=rows)


async def measure_lateness(bed: Bed) -> Table:
    """A worker's sender whose lines take everything at once: how long after its gap a row is claimed."""
    print("lateness", flush=True)
    seconds = 3.0 if bed.options.quick else 60.0
    pool = await open_pool(bed.uri, size=WORKER_CONNECTIONS, name="worker")
    gap = seconds / 3 if bed.options.quick else GAP
    rows: list[list[Cell]] = []
    for name, query, arguments in (
        ("steady", q.outbox_steady, (gap,)),
        ("all at the same instant", q.outbox_at_once, ()),
    ):
        await bed.pool.execute(query, *arguments)
        at: datetime = await bed.pool.fetchval("SELECT clock_timestamp()")
        if not arguments:
            seconds = min(seconds, 5.0)
        await _send_for(bed, pool, seconds)
        asked, known = (q.outbox_late, (at, gap)) if arguments else (q.outbox_late_at_once, (at,))
        late = await bed.pool.fetch(asked, *known)
        found = [float(row["late"]) for row in late]
        rows.append([name, len(found), percentile(found, 0.5), percentile(found, 0.99), found[-1]])
    await pool.close()
    return Table(
        title=f"Outbox: how late {bed.options.devices:,} devices are",
        heads=["", "sends", "p50, ms", "p99, ms", "most, ms"],
        rows=rows,
        note=f"Steady: each device {gap:.0f} s after its last message. The same instant: all are due when the sender "
        "starts, and it sends, records and stores the messages of the first meanwhile.",
    )


async def _send_for(bed: Bed, pool: asyncpg.Pool, seconds: float) -> None:
    lines = {no: Line(no) for no in bed.devices}
    with tempfile.TemporaryDirectory() as folder:
        sender = Sender(pool, bed.worker, Path(folder), lambda: bed.devices, lines.get, 20)  # type: ignore[arg-type]
        running = asyncio.create_task(sender.run())
        await asyncio.sleep(seconds)
        sender.stop()
        await running
        await sender.drain()


async def _rate(step: Callable[[], Awaitable[int]], seconds: float) -> float:
    done, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        done += await step()
    return done / took


async def _dead(pool: asyncpg.Pool, table: str) -> float:
    await pool.execute("SELECT pg_stat_force_next_flush()")
    return float(await pool.fetchval("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = $1", table))


async def _run(folder: Path, options: argparse.Namespace) -> list[Table]:
    server = Embedded(folder)
    try:
        await migrate(server.uri)
        pool = await open_pool(server.uri, size=4, name="bench")
        bed = Bed(pool, server.uri, options)
        try:
            began = time.monotonic()
            await bed.fill()
            print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
            return await measure(bed)
        finally:
            await pool.close()
    finally:
        server.stop()


def main() -> None:
    """Reads the arguments, measures, prints."""
    parser = report.parser(__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="that wait")
    parser.add_argument("--devices", type=int, default=DEVICES)
    options = parser.parse_args()
    begun = time.monotonic()
    if options.quick:
        options.rows, options.devices = 20_000, 100
    logs.configure("warning", "bench")
    leave_loaded()  # as a worker does
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with working_folder() as folder:
        tables = asyncio.run(_run(folder, options))
    report.finish("outbox", options, begun, tables)


if __name__ == "__main__":
    main()
