"""Every bench runs, keeps its result, and the page shows it. How fast anything is, is not asked here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import beside, report

ROOT = Path(__file__).parents[3]

ROWS = {
    "decode": ["wafast, to its record", "neonize's protobuf in Python, to its COPY row"],
    "spool": ["wafast's spool", "file, append and fdatasync", "SQLite, a row each", "wafast, 2 kills"],
    "ingest": ["wafast, batches of 10,000", "wafast, batches of 2,000", "raw COPY", "executemany", "8 connections"],
    "ingest-full": ["10,000", "80,000"],
    "ingest-paced": ["1,000 msg/s"],
    "latency": ["1 socket ", "20 sockets"],
    "histories": ["none", "2 histories", "one line, one event, chats of 20"],
    "kills": ["2 kills of the worker"],
    "campaign-kills": ["1 kills: "],
    "search": ["rare word", "agent of 3 devices, common word", "messages indexed again a second", "nobody indexes"],
    "inbox": ["of somebody with very many", "closed, of somebody with few", "around a quoted message"],
    "leads": [
        "wafast, a file of CSV",
        "rows in a workbook",
        "asyncpg, a row at a time",
        "a tag nobody has",
        "custom fields",
    ],
    "outbox": [
        "claimed, worded, ended",
        "a cursor, no record",
        "a queue by age",
        "delivered",
        "all at the same instant",
    ],
    "planning": ["rows put in a second", "rival: read by pages, put in one by one"],
    "broadcast": ["people skipped", "ten a second at one line", "of them there in the end"],
    "first-message": ["campaigns of 10"],
    "browser": ["frames a second, median", "chat opens, from the click until its messages are drawn, ms, p50"],
    "pairing": ["16 at a time"],
    "sustained-inlet": ["| 2 "],
    "sustained-sessions": ["360 written", "360 in all"],
    "drills": ["PostgreSQL killed", "the disk full for", "WhatsApp away for 3 s"],
    "fleet": ["workers of network whatsapp", "statements/s when idle", "memory a line"],
}


@pytest.mark.slow
@pytest.mark.timeout(1800)  # the first builds the examples of the core
@pytest.mark.parametrize("name", ROWS)
def test_a_bench_prints_its_rows_and_the_page_has_them(name: str, tmp_path: Path) -> None:
    if name == "drills" and not _may_mount(tmp_path):
        pytest.skip("a disk of its own needs the right to mount one")
    command = [sys.executable, "-m", "bench", name, "--quick", "--folder", str(tmp_path)]
    printed = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    page = (tmp_path / "RESULTS.md").read_text("utf-8")
    for row in ROWS[name]:
        assert row in printed
        assert row in page
    assert "| messages received and stored" in page
    assert "| SIGTERM in a campaign of 5,000, people skipped" in page


def test_what_is_kept_stands_beside_listmonks_figures() -> None:
    kept = {path.stem: report.read(path) for path in (ROOT / "bench" / "results").glob("*.json")}
    wanted = [one for _, _, figures in beside.LINES for one in figures if one[0] in kept]
    assert {bench for bench, _, _ in wanted} >= {"outbox", "leads", "campaign-kills"}
    assert [one for one in wanted if beside.figure(kept, *one) == beside.NONE] == []


def _may_mount(folder: Path) -> bool:
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], check=False, capture_output=True).returncode:
        return False
    subprocess.run(["umount", str(folder)], check=True)
    return True
