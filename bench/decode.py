"""Decode: an event of neonize to the record that is stored, on one core, and on to its row of binary COPY.

Beside it neonize's own Python protobuf classes, and the row by struct.

``python -m bench.decode [--events N] [--rounds N]``
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import report, rust
from bench.corpus import Corpus
from bench.records import copy_row, record

RUNS = 5


def ours(program: Path, file: Path, rounds: int) -> tuple[float, float]:
    """Nanoseconds of CPU an event, decoded and with its row: the median of the rounds."""
    output = subprocess.check_output([program, file, str(rounds)], text=True)
    decoded, with_row = zip(*(map(float, line.split()) for line in output.splitlines()), strict=True)
    return statistics.median(decoded), statistics.median(with_row)


def python(events: list[bytes], work: Callable[[bytes], object]) -> float:
    """Nanoseconds of CPU an event."""
    begun = time.thread_time()
    for event in events:
        work(event)
    return 1e9 * (time.thread_time() - begun) / len(events)


def row_of(event: bytes) -> bytes:
    """An event's row by neonize's protobuf classes and struct."""
    return copy_row(record(event), 1, 1, 1, 0)


def main() -> None:
    """Reads the arguments, runs both, prints the table."""
    parser = report.parser(__doc__)
    # So many fit the processor's cache, where the spool has just put them in the real thing.
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    begun = time.monotonic()
    if options.quick:
        options.events, options.rounds = 2_000, 2
    corpus = Corpus([1], 1000)
    events = [event for _, event in corpus.events(corpus.draw(options.events, int(time.time())))]
    program = rust.build("decode")
    decoded, with_row, decoded_in_python, with_row_in_python = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events"
        rust.write_events(file, events)
        # In turn, so that whatever else the machine does meets both.
        for _ in range(RUNS):
            to_record, to_row = ours(program, file, options.rounds)
            decoded.append(to_record)
            with_row.append(to_row)
            decoded_in_python.append(python(events, record))
            with_row_in_python.append(python(events, row_of))
    table = report.Table(
        title=f"Decode, events of {corpus.size:,.0f} bytes",
        heads=["", "events/s a core", "ns of CPU an event", "slower than wafast"],
        rows=[*_pair("record", decoded, decoded_in_python), *_pair("COPY row", with_row, with_row_in_python)],
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
