"""`wafast poison`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import typer

from wafast.cli import options
from wafast.cli.database import reachable
from wafast.cli.tables import show
from wafast.database.migrations import migrate
from wafast.devices import poison as kept
from wafast.devices.poison import Damaged, Poison

poison = typer.Typer(help="Events that could not be read or stored, and are kept.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(help="Its id, as the list shows it.", metavar="ID")]
COLUMNS = ("id", "device", "code", "received", "bytes", "reason")


def _pick(ids: list[str]) -> list[Poison]:
    found = _all()
    picked = []
    for id in ids:
        event = found.get(id)
        if event is None:
            raise typer.BadParameter(f"there is no event {id!r}; `wafast poison list` shows them")
        if isinstance(event, Damaged):
            raise typer.BadParameter(event.reason)
        picked.append(event)
    return picked


def _all() -> dict[str, Poison | Damaged]:
    """Those that can be read first."""
    folder = options.load().spool_dir
    found: list[Poison | Damaged] = [*kept.find(folder), *kept.find_damaged(folder)]
    return {event.id: event for event in found}


def _line(event: Poison | Damaged) -> tuple[object, ...]:
    if isinstance(event, Damaged):
        return event.id, None, None, None, None, event.reason
    received = datetime.fromtimestamp(event.received_at, UTC).isoformat(" ")
    return event.id, event.device_no, event.code, received, len(event.data), event.reason


@poison.command("list")
def list_events() -> None:
    """All of them, the latest first; `device` is the device's number, `code` neonize's of the event. Files that are
    damaged are the last, with nothing but the reason."""
    show(COLUMNS, map(_line, _all().values()))


@poison.command("show")
def show_event(id: Which) -> None:
    """Print one with its bytes, in hexadecimal."""
    (event,) = _pick([id])
    for name, value in zip(COLUMNS, _line(event), strict=True):
        typer.echo(f"{name:<9} {value}")
    typer.echo(f"\n{event.data.hex(' ', -32)}" if event.data else "")


@poison.command("drop")
def drop(id: Which) -> None:
    """Forget one for good, also one that is damaged."""
    event = _all().get(id)
    kept.drop(event if event is not None else _pick([id])[0])
    typer.echo("dropped")


@poison.command("replay")
def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Which ones.", metavar="ID")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are kept.")] = False,
) -> None:
    """Send events the way they once came, whether or not wafast runs; what fails again is kept again."""
    if everything == bool(ids):
        raise typer.BadParameter("name the events to replay, or give --all")
    from wafast.devices.ingest import open_ingest  # needs the built core, as no other command here does

    settings = options.load()
    wanted = kept.find(settings.spool_dir) if everything else _pick(ids or [])
    if not wanted:
        typer.echo("nothing is kept")
        return
    with reachable(settings) as uri:
        asyncio.run(migrate(uri))
        ingest = open_ingest(settings, uri, f"replay-{uuid4()}")
        try:
            again = kept.replay(ingest, wanted)
        finally:
            ingest.close()
    typer.echo(f"{len(wanted) - len(again)} stored")
    if again:
        typer.echo(f"{len(again)} set aside again: {', '.join(again)}", err=True)
        raise typer.Exit(1)
