"""How soon a campaign's first message arrives after "start": over the API, the planner, a worker, a real session and
the wire, with the pace and the typing of a line that nobody has changed.

``python -m bench.first_message [--campaigns N] [--lines N]``
"""

from __future__ import annotations

import asyncio
import time

import asyncpg

from bench import report
from bench.contacts import Lines, running
from bench.folder import working_folder
from bench.paced import percentile
from bench.report import Cell, Table
from wafast import logs
from wafast.database.embedded import running_uri
from wafast.database.queries import load

q = load(__file__)

FIRST_PERSON = 60_150_000_000
#: People of each campaign.
PEOPLE = 10
#: A message that has not arrived by then never will.
PATIENCE = 60.0


def main() -> None:
    """Reads the arguments, starts campaigns, prints the table."""
    parser = report.parser(__doc__)
    parser.add_argument("--campaigns", type=int, default=20, help="one after the other")
    parser.add_argument("--lines", type=int, default=4)
    options = parser.parse_args()
    begun = time.monotonic()
    if options.quick:
        options.campaigns, options.lines = 3, 2
    logs.configure("warning", "bench")
    with working_folder() as folder, running(folder, options.lines) as lines:
        waits = sorted(first_message(lines, number) for number in range(options.campaigns))
    row: list[Cell] = [f"campaigns of {PEOPLE}", percentile(waits, 0.5), waits[-1]]
    table = Table(
        title=f'From "start" to the first message at the WhatsApp side, {options.lines} lines',
        heads=["", "ms, p50", "ms, most"],
        rows=[row],
        note="Each line types, with its default pace, and rests before each campaign.",
    )
    report.finish("first_message", options, begun, [table])


def first_message(lines: Lines, number: int) -> float:
    """Milliseconds from the order to start a campaign until its first message arrives; its rest is cancelled."""
    tag = f"first-{number}"
    asyncio.run(_prepare(lines, tag, FIRST_PERSON + number * PEOPLE))
    seen = max((message.seq for message in lines.simulator.inbox()), default=0)
    with lines.client() as client:
        body = {
            "name": tag,
            "audience": {"tags": [tag]},
            "message": {"text": "Hello {name|friend}, how are you today?"},
        }
        made = client.post("/campaigns", json=body).raise_for_status().json()
        began = time.perf_counter()
        client.post(f"/campaigns/{made['id']}/start").raise_for_status()
        if not lines.simulator.inbox(after=seen, wait=PATIENCE):
            raise SystemExit(f"nothing has arrived within {PATIENCE:.0f} s")
        took = (time.perf_counter() - began) * 1000
        client.post(f"/campaigns/{made['id']}/cancel").raise_for_status()
    return took


async def _prepare(lines: Lines, tag: str, first: int) -> None:
    connection = await asyncpg.connect(running_uri(lines.system.data_dir))
    try:
        await connection.execute(q.rest)
        await connection.execute(q.people_of_tag, first, PEOPLE, tag)
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
