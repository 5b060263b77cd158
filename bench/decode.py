"""Decode: an event of neonize to the record that is stored, on one core, and on to its row of binary COPY.

Beside it neonize's own Python protobuf classes, and the row by struct.

``python -m bench.decode [--events N] [--rounds N]``
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import report, rust
from bench.corpus import Corpus
from bench.records import copy_row, record

RUNS = 5


def ours(events: list[bytes], rounds: int) -> tuple[list[float], list[float]]:
    """Nanoseconds an event, decoded and with its row: of each of five runs the best round."""
    program = rust.build("decode")
    decoded, with_row = [], []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events"
        rust.write_events(file, events)
        for _ in range(RUNS):
            output = subprocess.check_output([program, file, str(rounds)], text=True)
            rounds_of_run = [tuple(map(float, line.split())) for line in output.splitlines()]
            decoded.append(min(first for first, _ in rounds_of_run))
            with_row.append(min(second for _, second in rounds_of_run))
    return decoded, with_row


def python(events: list[bytes], work: Callable[[bytes], object]) -> list[float]:
    """Nanoseconds an event, of five runs."""
    runs = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        for event in events:
            work(event)
        runs.append(1e9 * (time.perf_counter() - begun) / len(events))
    return runs


def main() -> None:
    """Reads the arguments, runs both, prints the table."""
    parser = report.parser(__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    begun = time.monotonic()
    if options.quick:
        options.events, options.rounds = 2_000, 2
    corpus = Corpus([1], 1000)
    events = [event for _, event in corpus.events(corpus.draw(options.events, int(time.time())))]
    decoded, with_row = ours(events, options.rounds)
    rows = [
        *_pair("record", decoded, python(events, record)),
        *_pair("COPY row", with_row, python(events, lambda event: copy_row(record(event), 1, 1, 1, 0))),
    ]
    table = report.Table(
        title=f"Decode, events of {corpus.size:,.0f} bytes",
        heads=["", "events/s a core", "ns an event", "slower than wafast"],
        rows=rows,
    )
    report.finish("decode", options, begun, [table])


def _pair(what: str, wafast: list[float], neonize: list[float]) -> list[list[report.Cell]]:
    """Two rows of the table, of nanoseconds."""
    ratio = report.middle(neonize) / report.middle(wafast)
    return [
        [f"wafast, to its {what}", 1e9 / report.middle(wafast), wafast, "1 ×"],
        [f"neonize's protobuf in Python, to its {what}", 1e9 / report.middle(neonize), neonize, f"{ratio:.1f} ×"],
    ]


if __name__ == "__main__":
    main()
