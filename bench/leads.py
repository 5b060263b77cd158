"""A million leads out of a file, as the web app does it, beside a statement a row; then lists, counts and the way out.

``python -m bench.leads [--rows N]``
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg

from bench import report, workbook
from bench.bed import q
from bench.folder import working_folder
from bench.paced import percentile
from wafast import logs
from wafast.accounts.principal import Principal
from wafast.database.embedded import Embedded
from wafast.database.migrations import migrate
from wafast.database.pool import open_pool
from wafast.inbox.reach import Reach
from wafast.leads import exports, imports, rows
from wafast.leads.importer import keep_importing

NAMES = ("Ahmad", "Siti", "Ravi", "Mei Ling", "Farid", "Nur", "Tan", "Lim", "Kumar", "Wong", "Aisyah", "John")
FAMILIES = ("bin Abdullah", "binti Hassan", "A/L Muthu", "Tan", "Lee", "Chong")
TAGS = ("kl", "penang", "johor", "vip", "cold")
DEVICES = 20
LOOK_SECONDS = 0.05
FILTERS: dict[str, dict[str, Any]] = {
    "every lead": {},
    "one in five, by tag": {"tags": ["kl"]},
    "one in a hundred, by tag": {"tags": ["batch 7"]},
    "a tag nobody has": {"tags": ["nobody"]},
    "a name's beginning": {"search": "ahm"},
    "two words": {"search": "ravi mut"},
    "the end of a number": {"search": "4711"},
    "a name nobody has": {"search": "zzyzx"},
    "one device": {"device": 7},
    "a tag, nobody who opted out": {"tags": ["vip"], "is_suppressed": False},
}


def main() -> None:
    """Reads the arguments, measures, prints."""
    parser = report.parser(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=40, help="lists and counts of each sort")
    options = parser.parse_args()
    begun = time.monotonic()
    if options.quick:
        options.rows, options.times = 5_000, 3
    logs.configure("warning", "bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with working_folder() as folder:
        file = folder / "leads.csv"
        write(file, options.rows)
        with file.open(newline="", encoding="utf-8") as opened:
            workbook.save(folder / "leads.xlsx", csv.reader(opened))
        server = Embedded(folder)
        try:
            tables = asyncio.run(_measure(server.uri, file, options))
        finally:
            server.stop()
    report.finish("leads", options, begun, tables)


def write(file: Path, count: int) -> None:
    """A file as a spreadsheet saves it: numbers as people write them, some wrong, one in a hundred double."""
    draw = random.Random(7)
    with file.open("w", newline="", encoding="utf-8") as out:
        lines = csv.writer(out)
        lines.writerow(["name", "phone", "niche", "target_status", "trigger", "city"])
        for number in range(count):
            # 012, 013, 016, 017 and 019: numbers there are
            rest = number * 37 % 7_900_000 + 2_000_000 if number % 100 else 2_000_037
            begin = "23679"[number % 5]
            phone = (
                f"01{begin}{rest}",
                f"+601{begin}{rest}",
                f"601{begin}{rest}",
                f"01{begin}-{str(rest)[:3]} {str(rest)[3:]}",
            )[number % 4]
            lines.writerow(
                [
                    f"{draw.choice(NAMES)} {draw.choice(FAMILIES)}",
                    phone if number % 97 else "unknown",
                    f"{draw.choice(TAGS)},batch {number * 100 // count}",
                    draw.choice(("prospect", "customer", "")),
                    "",
                    draw.choice(("Ipoh", "Kuala Lumpur", "")),
                ]
            )


async def _measure(uri: str, file: Path, options: argparse.Namespace) -> list[report.Table]:
    await migrate(uri)
    pool = await open_pool(uri, size=4, name="bench")
    importer = asyncio.create_task(keep_importing(uri))
    try:
        made = await pool.fetch(q.make_devices, DEVICES)
        principal = Principal(tenant_id=made[0]["tenant_id"], scope="admin", key_id=0)
        went = [
            ["wafast, a file of CSV", *await _imported(pool, principal, file)],
            ["wafast, the same file again", *await _imported(pool, principal, file)],
            ["asyncpg, a row at a time, ON CONFLICT", *await _one_by_one(pool, made[-1]["tenant_id"], options.rows)],
        ]
        await pool.execute("UPDATE leads SET device_no = $1 + id % $2 WHERE id % 3 = 0", made[0]["no"], DEVICES)
        await pool.execute("VACUUM ANALYZE leads")
        others = [await _asked(pool, principal, options.times), await _exported(pool, principal)]
        # last, as nothing of the above is about so many leads
        another = Principal(tenant_id=await _tenant(pool, "Workbook"), scope="admin", key_id=0)
        book = await _imported(pool, another, file.with_suffix(".xlsx"))
        went.insert(2, ["wafast, the same rows in a workbook", *book])
        return [
            report.Table(
                title=f"{options.rows:,} leads out of a file",
                heads=["how", "rows/s", "seconds", "MiB, most", "new", "not taken"],
                rows=went,
                note="From the file's arrival to its last row committed, with numbers read, doubles and mistakes told, "
                "and every index. MiB: the process that reads it. The row at a time is measured with numbers that are "
                "read already, on a part of them.",
            ),
            *others,
        ]
    finally:
        importer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await importer
        await pool.close()


async def _imported(pool: asyncpg.Pool, principal: Principal, file: Path) -> list[report.Cell]:
    async def pieces() -> AsyncIterator[bytes]:
        with file.open("rb") as opened:
            while piece := opened.read(imports.PIECE):
                yield piece

    began = time.monotonic()
    wanted = imports.Options(start=True)
    found = await imports.create(pool, principal, "leads", file.name, os.stat(file).st_size, pieces(), wanted)
    most = 0.0
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        most = max(most, _memory())
        now = await imports.get(pool, principal.tenant_id, int(found.id))
        assert now is not None, "an import is kept for a month"
        if now.state == "failed":
            raise SystemExit(f"the import failed: {now.reason}")
        if now.state == "done" and now.counts is not None and now.rows is not None:
            took = time.monotonic() - began
            return [now.rows / took, took, most, float(now.counts.new), float(now.counts.doubles + now.counts.errors)]


def _memory() -> float:
    """MiB that the process at work has held at most."""
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if b"wafast.leads.import_process" not in (status.parent / "cmdline").read_bytes():
                continue
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            if int(fields["PPid"]) == os.getpid():
                return int(fields["VmHWM"].split()[0]) / 1024
    return 0.0


async def _tenant(pool: asyncpg.Pool, name: str) -> int:
    found: int = await pool.fetchval("INSERT INTO tenants (name) VALUES ($1) RETURNING id", name)
    return found


async def _one_by_one(pool: asyncpg.Pool, tenant_id: int, count: int) -> list[report.Cell]:
    part = max(1_000, count // 50)
    other = await _tenant(pool, "Rival")
    statement = (
        "INSERT INTO leads (tenant_id, phone, name, tags, target_status, zone) VALUES ($1, $2, $3, $4, 'prospect', $5)"
        " ON CONFLICT (tenant_id, phone) DO UPDATE SET name = excluded.name, tags = excluded.tags"
    )
    began = time.monotonic()
    async with pool.acquire() as connection:
        for number in range(part):
            phone, name = f"+601{23_000_000 + number * 37}", f"{NAMES[number % 12]} {FAMILIES[number % 6]}"
            await connection.execute(statement, other, phone, name, [TAGS[number % 5]], "Asia/Kuala_Lumpur")
    took = time.monotonic() - began
    return [part / took, took * count / part, "", float(part), ""]


async def _asked(pool: asyncpg.Pool, principal: Principal, times: int) -> report.Table:
    device_id = await pool.fetchval("SELECT id::text FROM devices ORDER BY no OFFSET 7 LIMIT 1")
    reach = Reach(principal.tenant_id)
    told: list[list[report.Cell]] = []
    for name, wanted in FILTERS.items():
        filter = {key: value for key, value in wanted.items() if key != "device"}
        if "device" in wanted:
            filter["device_ids"] = [device_id]
        lists, counts, fits = [], [], 0
        for _ in range(times):
            at = time.perf_counter()
            await rows.list_leads(pool, reach, filter, before=2**63 - 1, limit=51)
            between = time.perf_counter()
            fits = await rows.count(pool, reach, filter)
            lists.append(1000 * (between - at))
            counts.append(1000 * (time.perf_counter() - between))
        cells = [percentile(sorted(took), share) for took in (lists, counts) for share in (0.5, 0.99)]
        told.append([name, float(fits), *cells])
    return report.Table(
        title="Leads by a filter",
        heads=["who", "fit", "first 50, ms p50", "p99", "counted exactly, ms p50", "p99"],
        rows=told,
    )


async def _exported(pool: asyncpg.Pool, principal: Principal) -> report.Table:
    began, size, lines = time.monotonic(), 0, -1
    async for piece in exports.leads(pool, Reach(principal.tenant_id), {}, (), with_fields=True):
        size += len(piece)
        lines += piece.count(b"\n")
    took = time.monotonic() - began
    return report.Table(
        title="Leads as CSV",
        heads=["how", "rows", "seconds", "rows/s", "MB"],
        rows=[["wafast, all of them with custom fields", float(lines), took, lines / took, size / 1e6]],
    )


if __name__ == "__main__":
    main()
