"""Messages at a steady rate over 3,000 devices for ten minutes: what is lost, how late they are, what grows.

``python -m bench.sustained [--sessions] [--rate N] [--minutes N]``: events fed at the inlet with a browser's socket at
the other end, or with ``--sessions`` through as many real neonize sessions.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from bench import latency, paced, report
from bench.bed import Bed, prepared
from bench.corpus import MESSAGE, Corpus
from bench.fleet import Fleet, Running, say
from bench.machine import Meter
from bench.processes import Cores, Group, Held
from bench.system import POSTGRESQL, WORKERS, simulator
from wafast import logs
from wafast._core import Ingest

MINUTE = 60
#: Messages made at a time, so that what this script holds itself stays the same.
MADE_SECONDS = 5
#: What is on its way when the last was given is there by then.
LATE_SECONDS = 60.0


def main() -> None:
    """Reads the arguments, feeds, prints the table."""
    parser = report.parser(__doc__)
    parser.add_argument("--sessions", action="store_true", help="real sessions instead of the inlet alone")
    parser.add_argument("--rate", type=int, help="messages a second; 1,000, and 400 through sessions")
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--devices", type=int, default=3000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--connect-rate", type=float, default=50.0, help="devices a second that may begin to connect")
    options = parser.parse_args()
    options.seconds = MINUTE
    if options.quick:
        options.rate, options.minutes, options.seconds, options.devices, options.workers = 60, 2, 3, 6, 1
    options.rate = options.rate or (400 if options.sessions else 1000)
    begun = time.monotonic()
    table = _through_sessions(options) if options.sessions else _at_inlet(options)
    report.finish("sustained", options, begun, [table], "sessions" if options.sessions else "inlet")


def _at_inlet(options: argparse.Namespace) -> report.Table:
    size = {"devices": options.devices, "chats": 10 * options.devices, "before": 100 * options.devices}
    with prepared(**size) as bed, latency.api(bed) as server:
        ingest = Ingest(bed.uri, f"bench-{os.getpid()}", bed.folder / "spool")
        try:
            rows = list(_minutes_at_inlet(bed, server, ingest, options))
        finally:
            ingest.close()
    return report.Table(
        title=f"{options.rate:,} msg/s at the inlet over {options.devices:,} devices for {options.minutes} minutes",
        heads=[
            "minute", "msg/s", "stored", "frames missed", "p50, ms", "p99, ms", "most, ms", "MiB, inlet", "MiB, API",
            "MiB, spool", "cores, inlet", "cores, PostgreSQL", "cores, API",
        ],
        rows=rows,
        note="Milliseconds are from the inlet to the frame at one WebSocket that gets them all. The inlet's process is "
        "this script's, which also makes the events: its memory and cores are with that.",
    )  # fmt: skip


def _minutes_at_inlet(
    bed: Bed, server: latency.Server, ingest: Ingest, options: argparse.Namespace
) -> Iterator[list[report.Cell]]:
    corpus = Corpus(bed.devices, 10 * options.devices)
    each = options.rate * options.seconds
    watcher = Watcher(server, options.minutes * each)
    given = array("q", bytes(8 * (options.minutes * each + 1)))
    measured: list[list[report.Cell]] = []
    before = ingest.stats()["stored"]
    for minute in range(options.minutes):
        with bed.meter(server.pid) as meter:
            _feed(ingest, corpus, bed, given, minute * each, each, options.rate)
        stats = ingest.stats()
        memory = [Group([pid], alone=True).held().pss for pid in (os.getpid(), server.pid)]
        measured.append([each / meter.seconds, *memory, stats["spool_bytes"] / 2**20, *_cores(meter)])
        say(f"minute {minute + 1}: {stats['stored'] - before:,} stored")
    assert ingest.flush(LATE_SECONDS), "what came is not committed"
    stored = ingest.stats()["stored"] - before
    seen = watcher.stop()
    for minute, (rate, *rest) in enumerate(measured):
        span = range(minute * each + 1, (minute + 1) * each + 1)
        took = sorted((seen[n] - given[n]) / 1e6 for n in span if seen[n])
        p50, p99 = paced.percentile(took, 0.5), paced.percentile(took, 0.99)
        last = float(stored) if minute == options.minutes - 1 else "–"
        yield [str(minute + 1), rate, last, float(each - len(took)), p50, p99, took[-1], *rest]


def _cores(meter: Meter) -> list[float]:
    return [spent / meter.seconds for spent in (meter.own, *meter.others)]


def _feed(ingest: Ingest, corpus: Corpus, bed: Bed, given: array[int], first: int, count: int, rate: int) -> None:
    """Gives the inlet the next messages at that rate; notes when, by the message's number (nanoseconds)."""
    begun = time.monotonic()
    for start in range(0, count, rate * MADE_SECONDS):
        for place, drawn in enumerate(corpus.draw(min(rate * MADE_SECONDS, count - start), bed.at), start):
            event = corpus.event(drawn)
            early = begun + place / rate - time.monotonic()
            if early > 0:
                time.sleep(early)
            assert drawn.number == first + place + 1
            given[drawn.number] = time.monotonic_ns()
            ingest.receive(corpus.device(drawn), MESSAGE, event)


class Watcher:
    """A process with a socket that notes when it first sees each message."""

    def __init__(self, server: latency.Server, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_watch, args=(server.port, server.key, count, theirs), daemon=True)
        self._process.start()
        self._ours.recv()

    def stop(self) -> array[int]:
        """Ends it when it has seen all or a minute has passed; when it saw each by its number, 0 for never."""
        self._ours.send(None)
        seen: array[int] = self._ours.recv()
        self._process.join()
        return seen


def _watch(port: int, key: str, count: int, parent: Connection) -> None:
    parent.send(asyncio.run(_see(port, key, count, parent)))


async def _see(port: int, key: str, count: int, parent: Connection) -> array[int]:
    seen = Seen(count)
    watcher = latency.Watcher(port, key, seen)
    await asyncio.get_running_loop().create_connection(partial(_itself, watcher), "127.0.0.1", port)
    await watcher.is_open
    parent.send(None)
    await asyncio.to_thread(parent.recv)
    await paced.wait_until(lambda: watcher.is_cut or not seen.left)
    return seen.at


def _itself(watcher: latency.Watcher) -> latency.Watcher:
    return watcher


class Seen:
    """When messages were seen, eight bytes each: the numbers of the corpus count from 1."""

    def __init__(self, count: int) -> None:
        self.at = array("q", bytes(8 * (count + 1)))
        self.left = count

    def setdefault(self, id: bytes, now: int) -> None:
        """Notes the first time."""
        number = int(id[4:], 16)
        if not self.at[number]:
            self.at[number] = now
            self.left -= 1


def _through_sessions(options: argparse.Namespace) -> report.Table:
    logs.configure("warning", "bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a bench that is stopped leaves no server behind
    with tempfile.TemporaryDirectory(prefix="wafast-sustained-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server may run as another user
        with simulator(folder / "loopback") as (profile, pid):
            # All messages stay, so that their rows can be counted.
            fleet = Fleet(folder, profile, pid, options, WAFAST_MESSAGES_PER_CHAT="0")
            return asyncio.run(_run_sessions(fleet, options))


async def _run_sessions(fleet: Fleet, options: argparse.Namespace) -> report.Table:
    await fleet.load(options.devices)
    async with fleet.running(options.devices) as running:
        await running.all_online(running.system.began)
        await running.receive("the first of each chat", 1, None)
        return await _minutes_of_sessions(running, options)


async def _minutes_of_sessions(running: Running, options: argparse.Namespace) -> report.Table:
    each = options.rate * options.seconds // options.devices
    before, begun = await running.stored(), time.monotonic()
    writing: list[asyncio.Task[None]] = []
    rows: list[list[report.Cell]] = []
    count = before
    for minute in range(options.minutes):
        writing.append(asyncio.create_task(running.write(each, options.seconds * 1000 // each)))
        groups = await running.groups()
        cores, started = Cores(groups), time.monotonic()
        await asyncio.sleep(begun + (minute + 1) * options.seconds - started)
        used, held = cores.now(), {name: group.held() for name, group in groups.items()}
        now = await running.stored()
        rows.append([str(minute + 1), (now - count) / (time.monotonic() - started), *_figures(used, held)])
        say(f"minute {minute + 1}: {now - before:,} stored")
        count = now
    await asyncio.gather(*writing)
    total = each * options.devices * options.minutes
    await running.all_stored(before + total)
    after = await running.stored() - before
    rows.append([f"{total:,} written", f"{after:,.0f} in all", *["–"] * (len(rows[0]) - 2)])
    return report.Table(
        title=f"{options.rate:,} msg/s through {options.devices:,} real sessions for {options.minutes} minutes",
        heads=["minute", "msg/s stored", *(f"cores, {name}" for name in CORES), *(f"MiB, {name}" for name in MEMORY)],
        rows=rows,
        note="Each message is encrypted by a contact of the simulator, decrypted by whatsmeow, stored and announced, "
        "all on these cores. Memory is PSS.",
    )


CORES = (WORKERS, POSTGRESQL, "API", "simulator", "all")
MEMORY = (WORKERS, "API")


def _figures(cores: dict[str, float], held: dict[str, Held]) -> Sequence[float]:
    return [*(cores[name] for name in CORES), *(held[name].pss for name in MEMORY)]


if __name__ == "__main__":
    main()
