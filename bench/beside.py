"""wafast beside listmonk 6.2.0, line by line: ours out of the kept results, listmonk's out of quoted.json."""

from __future__ import annotations

from bench import broadcast, report
from bench.report import Cell, Result, Table

NONE = "–"
#: What wafast is compared by: the row of quoted.json, and for each figure of ours the result it stands in, its row and
#: its column, as words with a place for it.
LINES: list[tuple[str, str, list[tuple[str, str, int]]]] = [
    (
        "messages a second",
        "{}, each with a row of its own; {} claimed and ended with 10,000,000 waiting",
        [("broadcast", broadcast.RATE, 1), ("outbox", "wafast: claimed, worded, ended", 1)],
    ),
    ("start → first message", "{} ms", [("broadcast", broadcast.BEGIN, 1)]),
    (
        "1,000,000 rows imported",
        "{} s, {} MiB",
        [("leads", "wafast, a file of CSV", 2), ("leads", "wafast, a file of CSV", 3)],
    ),
    (
        "SIGKILL in a campaign of 5,000, people skipped",
        "{}, and {} said to be unknown; at real lines {} in 20 kills",
        [
            ("broadcast", broadcast.SKIPPED.format("SIGKILL"), 1),
            ("broadcast", broadcast.UNKNOWN.format("SIGKILL"), 1),
            ("campaign-kills", "", 5),
        ],
    ),
    ("SIGTERM in a campaign of 5,000, people skipped", "{}", [("broadcast", broadcast.SKIPPED.format("SIGTERM"), 1)]),
    (
        "killed in a campaign of 100,000 at 2,000/s, people skipped",
        "{} of 5,000 at {} a second",
        [("broadcast", broadcast.SKIPPED.format("SIGKILL"), 1), ("broadcast", broadcast.RATE, 1)],
    ),
    ("ten a second, gaps near 100 ms", "{} %", [("broadcast", broadcast.EVEN, 1)]),
    ("a second campaign begins after", "{} ms", [("broadcast", broadcast.NEXT, 1)]),
    (
        "posts that failed and were tried again",
        "{} of {} there",
        [("broadcast", broadcast.AGAIN, 1), ("broadcast", broadcast.FAILED, 1)],
    ),
    ("`sent` counter at speed", "behind by {} at most", [("broadcast", broadcast.LAG, 1)]),
    ("`sent` counter after a kill", "off by {}", [("broadcast", broadcast.OFF.format("SIGKILL"), 1)]),
]


def table(results: dict[str, Result], quoted: Table) -> Table:
    """All of it; a figure whose bench has not run is a dash.

    Args:
        results: those that are kept, by their names.
        quoted: what others' figures are.
    """
    theirs = {str(row[0]): str(row[1]) for row in quoted.rows}
    rows: list[list[Cell]] = []
    for name, words, figures in LINES:
        rows.append([name, words.format(*(figure(results, *one) for one in figures)), theirs[f"listmonk: {name}"]])
    return Table(
        title="Campaigns beside listmonk 6.2.0", heads=["", "wafast, measured above", "listmonk, quoted"], rows=rows
    )


def figure(results: dict[str, Result], bench: str, row: str, column: int) -> str:
    """A kept figure as text: of a bench, by the beginning of its row and its column."""
    if bench not in results:
        return NONE
    found = [line for table in results[bench].tables for line in table.rows if str(line[0]).startswith(row)]
    return report.show(found[0][column]) if found else NONE
