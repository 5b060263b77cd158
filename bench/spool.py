"""The spool: what a message costs, how fast all comes back, and that a kill loses nothing; beside it files and SQLite.

``python -m bench.spool [--events N] [--kills N]``
"""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import report, rust
from bench.corpus import Corpus
from wafast.database.queries import load

q = load(__file__)

SMALL = 430
"""Bytes of a short text's event."""
NAMES = {
    "clock": "(reading the clock twice, in each below)",
    "spool": "wafast's spool",
    "append": "file, append",
    "fsync": "file, append and fdatasync",
}


def main() -> None:
    """Reads the arguments, measures, prints the tables."""
    parser = report.parser(__doc__)
    parser.add_argument("--events", type=int, default=300_000, help="of each measurement")
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    begun = time.monotonic()
    if options.quick:
        options.events, options.kills = 5_000, 2
    program = rust.build("spool")
    corpus = Corpus([1], 1000)
    mixed = [event for _, event in corpus.events(corpus.draw(2_000, int(time.time())))]
    small = sorted(mixed, key=lambda event: abs(len(event) - SMALL))[:200]
    with tempfile.TemporaryDirectory(prefix="wafast-spool-") as folder:
        tables = [cost(program, Path(folder), events, options.events) for events in (small, mixed)]
        tables.append(kills(program, Path(folder), mixed, options.kills, options.events))
    report.finish("spool", options, begun, tables)


def cost(program: Path, folder: Path, events: list[bytes], count: int) -> report.Table:
    """Microseconds a message until it survives the process."""
    file = folder / "events"
    rust.write_events(file, events)
    output = subprocess.check_output([program, "time", folder, file, str(count)], text=True)
    rows: list[list[report.Cell]] = []
    for line in output.splitlines():
        name, number, *nanoseconds = line.split()
        rows.append([NAMES[name], float(number), *(float(value) / 1000 for value in nanoseconds)])
    rows.append(sqlite(folder / "rival.sqlite", events, count // 10))
    size = sum(map(len, events)) / len(events)
    heads = ["", "messages", "p50, µs", "p99, µs", "mean, µs"]
    return report.Table(title=f"To survive the process: events of {size:,.0f} bytes", heads=heads, rows=rows)


def sqlite(path: Path, events: Sequence[bytes], count: int) -> list[report.Cell]:
    """One INSERT, one transaction, as a table in WAL mode takes them without syncing each."""
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(q.make_spool)
    took = []
    for number in range(count):
        event = events[number % len(events)]
        begun = time.perf_counter()
        database.execute(q.spool_event, (event,))
        took.append(1e6 * (time.perf_counter() - begun))
    database.close()
    took.sort()
    name = "SQLite, a row each (WAL, synchronous = NORMAL)"
    return [name, float(count), took[count // 2], took[count * 99 // 100], statistics.mean(took)]


def kills(program: Path, folder: Path, events: list[bytes], times: int, longest: int) -> report.Table:
    """Kills a process that takes messages at full speed; counts what it acknowledged that the spool does not have."""
    file, spool, counter = folder / "events", folder / "killed", folder / "acknowledged"
    rust.write_events(file, events)
    chance = random.Random(7)
    acknowledged, lost, unacknowledged, rates = 0, 0, 0, []
    for _ in range(times):
        told = _feed_and_kill([program, "feed", spool, file, counter], counter, chance.randint(1, longest))
        whole, nanoseconds = subprocess.check_output([program, "replay", spool, file], text=True).split()
        acknowledged += told
        lost += max(told - int(whole), 0)
        unacknowledged += max(int(whole) - told, 0)
        rates.append(1e9 / float(nanoseconds))
        shutil.rmtree(spool)
    row: list[report.Cell] = [
        f"wafast, {times} kills", float(acknowledged), float(lost), float(unacknowledged), rates
    ]  # fmt: skip
    heads = ["", "acknowledged", "of them lost", "there but not acknowledged", "replayed and decoded, events/s"]
    return report.Table(title="`kill -9` of a process that spools at full speed", heads=heads, rows=[row])


def _feed_and_kill(command: list[str | Path], counter: Path, after: int) -> int:
    """How many were acknowledged when it died, `after` at least."""
    counter.write_bytes(bytes(8))
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while int.from_bytes(counter.read_bytes(), "little") < after:
        if child.poll() is not None:
            raise SystemExit(f"the feeding process ended by itself with code {child.returncode}")
        time.sleep(0.001)
    child.send_signal(signal.SIGKILL)
    child.wait()
    return int.from_bytes(counter.read_bytes(), "little")


if __name__ == "__main__":
    main()
