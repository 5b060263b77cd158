"""Every bench runs, keeps its result, and the page shows it. How fast anything is, is not asked here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

ROWS = {
    "decode": ["wafast, to its record", "neonize's protobuf in Python, to its COPY row"],
    "spool": ["wafast's spool", "file, append and fdatasync", "SQLite, a row each", "wafast, 2 kills"],
    "ingest": ["wafast, batches of 10,000", "wafast, batches of 2,000", "raw COPY", "executemany", "8 connections"],
    "ingest-full": ["10,000", "80,000"],
    "ingest-paced": ["1,000 msg/s"],
    "latency": ["1 socket ", "20 sockets"],
    "histories": ["none", "10 histories"],
    "kills": ["2 kills of the worker"],
    "campaign-kills": ["3 kills: "],
    "search": ["rare word", "agent of 3 devices, common word", "messages indexed again a second", "nobody indexes"],
    "leads": ["wafast, a file of CSV", "asyncpg, a row at a time", "a tag nobody has", "custom fields"],
    "outbox": [
        "claimed, worded, ended",
        "a cursor, no record",
        "a queue by age",
        "delivered",
        "all at the same instant",
    ],
    "planning": ["rows put in a second", "rival: read by pages, put in one by one"],
    "browser": ["frames a second, median", "chat opens until its messages are drawn, ms, p50"],
    "pairing": ["16 at a time"],
    "sustained-inlet": ["| 2 "],
    "sustained-sessions": ["360 written", "360 in all"],
    "fleet": ["workers of network whatsapp", "statements/s when idle", "memory a line"],
}


@pytest.mark.slow
@pytest.mark.timeout(600)  # the first builds the examples of the core
@pytest.mark.parametrize("name", ROWS)
def test_a_bench_prints_its_rows_and_the_page_has_them(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", name, "--quick", "--folder", str(tmp_path)]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    page = (tmp_path / "RESULTS.md").read_text("utf-8")
    for row in ROWS[name]:
        assert row in printed
        assert row in page
    assert "| messages received and stored" in page
