"""Planning a campaign of a million people, and one of ten meanwhile; its report, its file, its end.

``python -m bench.planning [--people N]``

Beside it, in the same database: people read a page at a time and put in one by one, as an application first does it.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import signal
import sys
import time
from collections.abc import Awaitable
from typing import Any
from uuid import uuid4

import asyncpg

from bench import report
from bench.bed import q
from bench.folder import working_folder
from bench.paced import percentile
from bench.report import Cell, Table
from wafast import clock, logs
from wafast.accounts import tenants
from wafast.campaigns import estimate, rows
from wafast.campaigns import report as reports
from wafast.campaigns.planner import keep_planned
from wafast.campaigns.rows import CampaignRow, Plan
from wafast.database.embedded import Embedded
from wafast.database.migrations import migrate
from wafast.database.pool import open_pool
from wafast.inbox.reach import Reach
from wafast.outbox import claim as claims
from wafast.outbox.sources import Message, Pace

LINES = 200
FEW = 10
"""People of the small campaigns."""
SMALL = 10
"""Small campaigns that are started one after the other."""
NAIVE_PAGE = 1000
HELLO = Message("text", "Hi {name|friend}")


def main() -> None:
    """Reads the arguments, measures, prints."""
    parser = report.parser(__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    options = parser.parse_args()
    begun = time.monotonic()
    if options.quick:
        options.people = 2_000
    logs.configure("warning", "bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with working_folder() as folder:
        server = Embedded(folder)
        try:
            tables = asyncio.run(_measure(server.uri, options))
        finally:
            server.stop()
    report.finish("planning", options, begun, tables)


class Bed:
    """A workspace with people and lines, and a planner that runs."""

    def __init__(self, pool: asyncpg.Pool, tenant_id: int, lines: list[int], worker: Any) -> None:
        self.pool, self.tenant_id, self.lines, self.worker = pool, tenant_id, lines, worker

    async def campaign(self, tag: str) -> CampaignRow:
        """A draft to everybody with a tag."""
        plan = Plan(name=tag, audience={"tags": [tag]}, message=HELLO, pace=Pace(0.0, 0.0))
        return await rows.create(self.pool, self.tenant_id, "bench", plan, None)

    async def until(self, campaign: CampaignRow, state: str) -> CampaignRow:
        """The campaign once it is in a state."""
        while True:
            found = await rows.get(self.pool, self.tenant_id, campaign.id)
            assert found is not None
            if found.state == state:
                return found
            await asyncio.sleep(0.01)

    async def first_claim(self) -> float:
        """Starts a small campaign; milliseconds until its first message can be sent."""
        campaign = await self.campaign("few")
        began = time.perf_counter()
        await rows.start(self.pool, self.tenant_id, campaign.id)
        while True:
            if await claims.claim(self.pool, self.worker, [], self.lines):
                break
            await asyncio.sleep(0.002)
        took = (time.perf_counter() - began) * 1000
        await rows.cancel(self.pool, self.tenant_id, campaign.id)
        return took


async def _measure(uri: str, options: argparse.Namespace) -> list[Table]:
    await migrate(uri)
    pool = await open_pool(uri, size=8, name="bench")
    tenant_id = await tenants.create_tenant(pool, "Bench", "loopback")
    worker = uuid4()
    await pool.execute(q.campaign_worker, worker)
    lines = await pool.fetchval(q.campaign_lines, tenant_id, LINES, worker)
    step = 100_000
    for first in range(0, options.people, step):
        last = min(first + step, options.people) - 1
        await pool.execute(q.campaign_people, tenant_id, first, last, lines, timeout=600)
    await pool.execute(q.campaign_people_few, tenant_id, FEW)
    await pool.execute("ANALYZE leads")
    bed = Bed(pool, tenant_id, lines, worker)
    planner = asyncio.create_task(keep_planned(uri, pool))
    try:
        table = await _campaigns(bed, options.people)
    finally:
        planner.cancel()
        await asyncio.gather(planner, return_exceptions=True)
    rival = await _naive(bed, min(options.people, 50_000))
    await pool.close()
    table.rows.append(["rival: read by pages, put in one by one, rows/s", rival])
    return [table]


async def _campaigns(bed: Bed, people: int) -> Table:
    alone = [await bed.first_claim() for _ in range(SMALL)]
    counted, preview = await _timed(
        estimate.of_audience(bed.pool, bed.tenant_id, {"tags": ["all"]}, Pace(), None, clock.now(), "Asia/Kuala_Lumpur")
    )
    before = _memory()
    campaign = await bed.campaign("all")
    began = time.perf_counter()
    await rows.start(bed.pool, bed.tenant_id, campaign.id)
    await bed.until(campaign, "planning")
    beside = await bed.first_claim()
    campaign = await bed.until(campaign, "running")
    planned = time.perf_counter() - began
    assert campaign.planned == campaign.total == preview.rows == people, "what was previewed is what is planned"
    grown = _memory() - before
    reported, _ = await _timed(reports.report(bed.pool, bed.tenant_id, campaign.id, "Asia/Kuala_Lumpur"))
    written, _ = await _timed(_file(bed, campaign))
    cancelled, _ = await _timed(rows.cancel(bed.pool, bed.tenant_id, campaign.id))
    measured: list[list[Cell]] = [
        ["people of the campaign", float(people)],
        ["start → first claim of ten people, ms, p50", percentile(sorted(alone), 0.5)],
        ["start → first claim of ten people, ms, most", max(alone)],
        ["the same while the large one is planned, ms", beside],
        ["preview with the estimate of its end, s", counted],
        ["start → all rows put in and running, s", planned],
        ["rows put in a second", people / planned],
        ["memory the planning process grew by, MiB", grown],
        ["report, s", reported],
        ["file of recipients, rows a second", people / written],
        ["cancel → all shown as cancelled, ms", cancelled * 1000],
    ]
    return Table(title="Planning a campaign", heads=["what", "wafast"], rows=measured)


async def _timed(work: Awaitable[Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    found = await work
    return time.perf_counter() - began, found


async def _file(bed: Bed, campaign: CampaignRow) -> None:
    lines = 0
    async for part in reports.csv_lines(bed.pool, Reach(bed.tenant_id), campaign):
        lines += part.count(b"\r\n")
    assert lines == campaign.total + 1


async def _naive(bed: Bed, people: int) -> float:
    campaign = await bed.campaign("naive")
    began, after, done = time.perf_counter(), 0, 0
    while done < people:
        page = await bed.pool.fetch(q.naive_page, bed.tenant_id, after, NAIVE_PAGE)
        for row in page:
            jid = f"{row['phone'][1:]}@s.whatsapp.net"
            await bed.pool.execute(q.naive_insert, bed.tenant_id, row["device_no"], campaign.source_id, row["id"], jid)
        after, done = page[-1]["id"], done + len(page)
        if time.perf_counter() - began > 20:
            break
    return done / (time.perf_counter() - began)


def _memory() -> float:
    """The most this process ever had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
