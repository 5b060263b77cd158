"""Ingest: wire bytes → committed rows with spool, decode, dedupe, chat update and trim; beside it what others would do.

``python -m bench.ingest`` compares, ``--full`` shows that a long run stays flat, ``--paced 1000`` how long a message
takes from the inlet to its commit when they come one by one.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterable

import msgspec

from bench import paced, report, rivals
from bench.bed import Bed, prepared
from bench.corpus import MESSAGE, Corpus, Drawn
from bench.machine import rss_mib
from wafast._core import Ingest, message_key
from wafast.database.queries import load

q = load(__file__)

DEVICES = 3000
DUPLICATES = 0.05
PARTS, COPIED_PARTS = 8, 5
"""Of `--full`: millions, each a row of the table; and how many of them raw COPY gets."""
OPEN, STEP = 60_000, 2_000
"""Events under way at once, as sessions would have at full speed, and how many are given before looking again."""
PRESENCE = 20
"""neonize's code of an event that stores nothing: what is left of `receive` is the call."""


def main() -> None:
    """Reads the arguments, measures, prints."""
    parser = report.parser(__doc__)
    parser.add_argument("--full", action="store_true", help="8 million in one run; raw COPY of 5 million")
    parser.add_argument("--paced", type=int, metavar="RATE", help="messages a second, one by one")
    parser.add_argument("--seconds", type=float, default=60, help="of --paced")
    parser.add_argument("--messages", type=int, help="of each measurement; else 1 million, 8 with --full")
    parser.add_argument("--before", type=int, default=3_000_000, help="messages that are there already")
    parser.add_argument("--chats", type=int, default=150_000)
    parser.add_argument("--chunk", type=int, default=200_000, help="messages a run; more runs show the spread")
    options = parser.parse_args()
    begun = time.monotonic()
    options.messages = options.messages or (8_000_000 if options.full else 1_000_000)
    if options.quick:
        options.messages = 80_000 if options.full else 20_000
        options.before, options.chats, options.chunk = 60_000, 3_000, 10_000
        options.seconds = min(options.seconds, 3)
    with prepared(devices=DEVICES, chats=options.chats, before=options.before, rivals=not options.paced) as bed:
        if options.paced:
            report.finish("ingest", options, begun, [measure_paced(bed, options)], "paced")
        elif options.full:
            report.finish("ingest", options, begun, [measure_long(bed, options)], "full")
        else:
            report.finish("ingest", options, begun, [compare(bed, options)])


def compare(bed: Bed, options: argparse.Namespace) -> report.Table:
    """Ours at two sizes of batch, then the rivals on the same tables."""
    corpus = Corpus(bed.devices, options.chats)
    ours: list[list[report.Cell]] = []
    firsts: list[list[report.Cell]] = []
    for batch in (10_000, 2_000):
        feeder = Feeder(bed, corpus, batch)
        firsts.append(_row(f"each chat's first after a start, {batch:,}", [feeder.meet_chats()]))
        runs = [feeder.run(options.chunk) for _ in range(options.messages // options.chunk)]
        ours.append(_row(f"wafast, batches of {batch:,}", runs))
        call_cost = feeder.call_cost()
        feeder.close()
    others = rivals.measure(bed, corpus, copied=options.chunk, copies=3, seconds=1 if options.quick else 5)
    share = call_cost / report.middle(ours[0][2])
    there = f"{options.before:,} messages there, {options.chats:,} chats, {DUPLICATES:.0%} duplicates"
    return report.Table(
        title=f"Ingest: bytes → committed; {there}, events of {corpus.size:,.0f} bytes",
        heads=["", "msg/s", "µs CPU a message", "PostgreSQL's", "wafast (10,000) / this", "wafast (2,000) / this"],
        rows=[[*row, *(_ratio(mine, row) for mine in ours)] for row in [*ours, *firsts, *others]],
        note=f"Of wafast's own CPU {call_cost:.2f} µs ({share:.0%}) are Python's call of `receive`, which a live line "
        "does not make.",
    )


def measure_long(bed: Bed, options: argparse.Namespace) -> report.Table:
    """One run, million by million."""
    corpus = Corpus(bed.devices, options.chats)
    feeder = Feeder(bed, corpus, 10_000)
    feeder.meet_chats()
    rows: list[list[report.Cell]] = []
    rates: list[float] = []
    before = bed.fetch(q.state_of_messages)
    chunks = max(options.messages // PARTS // options.chunk, 1)
    part = chunks * options.chunk
    for number in range(PARTS):
        runs = [feeder.run(options.chunk) for _ in range(chunks)]
        rates += [run.rate for run in runs]
        after = bed.fetch(q.state_of_messages)
        row = _row(f"{(number + 1) * part:,}", runs)
        size, dead = after["table_bytes"], after["dead"]
        row += [(after["wal_bytes"] - before["wal_bytes"]) / part, size / 2**20, size / max(after["live"], 1), dead]
        rows.append([*row, after["vacuums"] - before["vacuums"], rss_mib(os.getpid())])
        before = after
    feeder.close()
    copy = rivals.raw_copy(bed, rivals.Rows(bed, corpus), options.chunk, chunks * COPIED_PARTS)
    copied = report.middle(copy[1])
    heads = [
        "messages so far", "msg/s", "µs CPU, own", "µs CPU, PostgreSQL", "WAL bytes a message", "table MiB",
        "table bytes a row", "dead rows", "autovacuums", "own RSS, MiB",
    ]  # fmt: skip
    return report.Table(
        title=f"A long ingest: {PARTS * part:,} messages in batches of 10,000, {options.before:,} there before",
        heads=heads,
        rows=rows,
        note=f"{copy[0]}: {report.show(copy[1])} rows/s; wafast {statistics.median(rates) / copied:.2f} × that.",
    )


def measure_paced(bed: Bed, options: argparse.Namespace) -> report.Table:
    """Messages one by one."""
    corpus = Corpus(bed.devices, options.chats)
    feeder = Feeder(bed, corpus, 10_000)
    paced.feed(
        feeder.ingest, paced.messages(corpus, bed, options.paced), options.paced
    )  # what is loaded on first touch
    feeder.ingest.flush(60)
    listener = paced.Listener(bed.uri)
    messages = paced.messages(corpus, bed, int(options.paced * options.seconds))
    with bed.meter() as meter:
        given = paced.feed(feeder.ingest, messages, options.paced)
    began = {message_key(drawn.at, drawn.id): at for drawn, at in given}
    took = paced.milliseconds(began, listener.stop(set(began)))
    feeder.ingest.close()
    if len(took) < len(began):
        raise SystemExit(f"{len(began) - len(took):,} of {len(began):,} messages were never announced")
    row: list[report.Cell] = [
        f"{options.paced:,} msg/s", len(given) / meter.seconds, paced.percentile(took, 0.5),
        paced.percentile(took, 0.99), took[-1], meter.own / meter.seconds, meter.others[0] / meter.seconds,
    ]  # fmt: skip
    return report.Table(
        title=f"Inlet → commit, {DEVICES:,} devices, {options.seconds:.0f} s",
        heads=["", "msg/s reached", "p50, ms", "p99, ms", "most, ms", "cores, own", "cores, PostgreSQL"],
        rows=[row],
        note="A commit is seen by the announcement after it on another connection. Own cores: with the feeding loop's.",
    )


def _row(name: str, runs: list[Run]) -> list[report.Cell]:
    row: list[report.Cell] = [name, *map(list, zip(*map(msgspec.structs.astuple, runs), strict=True))]
    print(*map(report.show, row), flush=True)
    return row


def _ratio(mine: list[report.Cell], other: list[report.Cell]) -> str:
    return f"{report.middle(mine[1]) / report.middle(other[1]):.2f} ×"


class Run(msgspec.Struct, frozen=True):
    """One chunk, fed and committed: messages a second; microseconds of CPU a message."""

    rate: float
    own: float
    postgres: float


class Feeder:
    """Our own way, fed from Python in chunks that are made outside the measured time."""

    def __init__(self, bed: Bed, corpus: Corpus, batch: int) -> None:
        self._bed, self._corpus = bed, corpus
        self._fed = 0
        self.ingest = Ingest(bed.uri, f"bench-{os.getpid()}-{batch}", bed.folder / "spool", batch_rows=batch)

    def meet_chats(self) -> Run:
        """A message in every chat: each is loaded, as in a worker that has run for long. Gives what that took."""
        return self._feed(self._corpus.each_chat(self._bed.at))

    def run(self, messages: int) -> Run:
        """Feeds messages and waits until the last is committed."""
        return self._feed(self._corpus.draw(messages, self._bed.at, duplicates=DUPLICATES))

    def _feed(self, messages: Iterable[Drawn]) -> Run:
        events = self._corpus.events(messages)
        receive = self.ingest.receive
        with self._bed.meter() as meter:
            for first in range(0, len(events), STEP):
                while self.ingest.stats()["open"] > OPEN:
                    time.sleep(0.002)
                for device_no, event in events[first : first + STEP]:
                    receive(device_no, MESSAGE, event)
            if not self.ingest.flush(600):
                raise SystemExit(f"not committed after ten minutes: {self.ingest.stats()}")
        fed = len(events)
        self._fed += fed
        return Run(fed / meter.seconds, 1e6 * meter.own / fed, 1e6 * meter.others[0] / fed)

    def close(self) -> None:
        """Ends it; what was fed must be all there."""
        stats = self.ingest.stats()
        self.ingest.close()
        if stats["stored"] + stats["duplicates"] + stats["trimmed"] != self._fed:
            raise SystemExit(f"{self._fed:,} messages were fed, but the counters say {stats}")

    def call_cost(self) -> float:
        """Microseconds of a call of `receive` from Python that has next to nothing to do."""
        times, receive, device_no = 200_000, self.ingest.receive, self._bed.devices[0]
        begun = time.perf_counter()
        for _ in range(times):
            receive(device_no, PRESENCE, b"")
        return 1e6 * (time.perf_counter() - begun) / times


if __name__ == "__main__":
    main()
