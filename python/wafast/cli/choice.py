"""Which devices a command is about: named one by one, or all, those in a state, those with a tag."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, TypeVar

import asyncpg
import typer
from rich.console import Console
from rich.progress import track

from wafast.devices import rows
from wafast.devices.rows import DeviceRow
from wafast.devices.state import State

T = TypeVar("T")
PAGE = 1000

Which = Annotated[str, typer.Argument(help="Its id, number (`no`), name or phone.", metavar="DEVICE")]
Names = Annotated[
    list[str] | None, typer.Argument(help="Each by id, number (`no`), name or phone.", metavar="[DEVICE]...")
]
Everything = Annotated[bool, typer.Option("--all", help="Every device of the workspace.")]
InState = Annotated[State | None, typer.Option("--state", help="Those in this state.")]
WithTag = Annotated[str | None, typer.Option("--tag", help="Those with this tag.", metavar="TAG")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask first.")]


async def all_devices(
    pool: asyncpg.Pool,
    tenant_id: int,
    *,
    state: State | None = None,
    tag: str | None = None,
    search: str | None = None,
) -> list[DeviceRow]:
    """Every device of a workspace that fits, newest first."""
    found: list[DeviceRow] = []
    while page := await rows.list_devices(
        pool,
        tenant_id,
        search=search,
        state=state,
        tag=tag and tag.strip(),
        limit=PAGE,
        before=found[-1].no if found else None,
    ):
        found += page
    return found


async def find(pool: asyncpg.Pool, tenant_id: int, which: str) -> DeviceRow:
    """The one device of this id, number, name or phone."""
    return _one(await all_devices(pool, tenant_id), which)


async def choose(
    pool: asyncpg.Pool,
    tenant_id: int,
    names: Sequence[str] | None,
    *,
    everything: bool,
    state: State | None,
    tag: str | None,
) -> list[DeviceRow]:
    """Those that are named, or all that fit `state` and `tag`; not both ways at once, and not none."""
    by_rule = everything or state is not None or tag is not None
    if by_rule == bool(names):
        raise typer.BadParameter("name the devices, or say which: --all, --state STATE, --tag TAG")
    if by_rule:
        return await all_devices(pool, tenant_id, state=state, tag=tag)
    known = await all_devices(pool, tenant_id)
    return list({device.no: device for device in (_one(known, name) for name in names or ())}.values())


def confirm(doing: str, devices: Sequence[DeviceRow], *, yes: bool) -> None:
    """Ask a person whether that is meant. Exits when not, or when there is nobody to ask."""
    if yes or not devices:
        return
    shown = ", ".join(device.name for device in devices[:3]) + (", …" if len(devices) > 3 else "")
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"{doing} {counted(len(devices))} ({shown}) needs a --yes where nobody can be asked")
    typer.confirm(f"{doing} {counted(len(devices))} ({shown})?", abort=True, err=True)


def step_by_step(items: Sequence[T], doing: str) -> Iterable[T]:
    """The items one after the other, with a bar on the terminal while it takes longer than a blink."""
    console = Console(stderr=True)
    hidden = not console.is_terminal or len(items) < 20
    return track(items, doing, console=console, transient=True, disable=hidden)


def counted(count: int) -> str:
    """`1 device`, `3 devices`."""
    return f"{count} device{'' if count == 1 else 's'}"


def by_state(devices: Iterable[DeviceRow]) -> str:
    """`3 devices: 2 online, 1 offline`."""
    counts = Counter(device.state for device in devices)
    parts: Iterator[str] = (f"{count} {state}" for state, count in counts.most_common())
    return f"{counted(counts.total())}{': ' if counts else ''}{', '.join(parts)}"


def _one(known: Sequence[DeviceRow], which: str) -> DeviceRow:
    found = [d for d in known if which in (str(d.id), str(d.no), d.name, d.phone) or f"+{which}" == d.phone]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(str(device.id) for device in found[:5])
        raise typer.BadParameter(f"{len(found)} devices are {which!r}: give the id, one of {ids}")
    raise typer.BadParameter(f"there is no device {which!r}; `wafast device list` shows them")
