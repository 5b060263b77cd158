"""Waits until devices are what they were asked to be, and says why one is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime

import asyncpg
import typer
from rich.console import Console
from rich.progress import Progress

from wafast.cli.choice import counted
from wafast.database.queries import load
from wafast.devices.bulk import Desired
from wafast.devices.rows import DeviceRow
from wafast.devices.state import TERMINAL

q = load(__file__)

#: What a device that does as it was asked comes to.
REACHED: dict[Desired, frozenset[str]] = {
    "connected": frozenset({"online"}),
    "disconnected": frozenset({"new", "offline", *TERMINAL}),
    "logged_out": frozenset({"new", "logged_out"}),
}
#: One query a look, however many devices are waited for.
LOOK_SECONDS = 0.5


async def require_workers(pool: asyncpg.Pool, networks: set[str]) -> None:
    """Exit when nobody would do what is asked."""
    served = {row["network"] for row in await pool.fetch(q.networks_served)}
    if missing := sorted(networks - served):
        raise typer.BadParameter(f"no worker of network {' and '.join(missing)} runs: start wafast (`wafast up`) first")


async def wait_for(
    pool: asyncpg.Pool, devices: Sequence[DeviceRow], desired: Desired, since: datetime, seconds: float
) -> dict[int, str]:
    """Wait until every device is what it was asked to be at the instant `since` (the database's), or can't become it.

    Gives why by the number of each that is not: what stopped it since, or what it still was after so many seconds.
    """
    missing = {device.no for device in devices}
    stopped: dict[int, str] = {}
    deadline = time.monotonic() + seconds
    with Progress(console=Console(stderr=True), transient=True, disable=not Console(stderr=True).is_terminal) as bar:
        task = bar.add_task(f"waiting for {counted(len(missing))}", total=len(missing))
        while True:
            found = {row["no"]: row for row in await pool.fetch(q.states_of, list(missing))}
            for no in list(missing):
                row = found.get(no)
                if row is None:
                    stopped[no] = "it was deleted"
                elif row["state"] in TERMINAL and row["state"] not in REACHED[desired] and row["state_at"] >= since:
                    stopped[no] = _is(row)
                elif row["state"] not in REACHED[desired]:
                    continue
                missing.discard(no)
            bar.update(task, completed=len(devices) - len(missing))
            if not missing or time.monotonic() > deadline:
                late = {no: f"{_is(found[no])} after {seconds:g} s; it goes on by itself" for no in missing}
                return stopped | late
            await asyncio.sleep(LOOK_SECONDS)


def _is(row: asyncpg.Record) -> str:
    return f"it is {row['state']}" + (f" ({row['state_reason']})" if row["state_reason"] else "")
