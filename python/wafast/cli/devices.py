"""`wafast device`."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import msgspec
import typer

from wafast import clock
from wafast.accounts import audit
from wafast.cli import options
from wafast.cli.choice import (
    Everything,
    InState,
    Names,
    Which,
    WithTag,
    Yes,
    all_devices,
    by_state,
    choose,
    confirm,
    counted,
    find,
    step_by_step,
)  # fmt: skip
from wafast.cli.database import with_pool
from wafast.cli.pairing import pair
from wafast.cli.people import TenantName, find_tenant
from wafast.cli.tables import show
from wafast.cli.waiting import Desired, require_workers, wait_for
from wafast.database.queries import load
from wafast.devices import rows
from wafast.devices.rows import DeviceRow
from wafast.settings import Network, without_password

q = load(__file__)
device = typer.Typer(help="WhatsApp lines.", no_args_is_help=True)
device.command("pair")(pair)

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Wait = Annotated[bool, typer.Option("--wait", help="Until it is so, or can't be.")]
Patience = Annotated[float, typer.Option("--timeout", help="How many seconds to wait.", min=0)]
PATIENCE = 120.0


@device.command("list")
def list_devices(
    state: InState = None,
    tag: WithTag = None,
    search: Annotated[str | None, typer.Option(help="In name and phone, or a whole tag.", metavar="TEXT")] = None,
    as_json: AsJson = False,
    tenant: TenantName = None,
) -> None:
    """Every device with its state, newest first; how many are in which state is said at the end, on stderr."""

    async def work(pool: asyncpg.Pool) -> list[DeviceRow]:
        return await all_devices(pool, await find_tenant(pool, tenant), state=state, tag=tag, search=search)

    found = with_pool(work)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode([_plain(d) for d in found])))
        return
    show(
        ("id", "name", "network", "phone", "state", "reason", "no", "tags", "for"),
        [
            (d.id, d.name, d.network, d.phone, d.state, d.state_reason, d.no, ", ".join(d.tags), _since(d))
            for d in found
        ],
    )
    typer.echo(by_state(found), err=True)


@device.command("show")
def show_device(which: Which, as_json: AsJson = False, tenant: TenantName = None) -> None:
    """Everything about a device but its secrets."""

    async def work(pool: asyncpg.Pool) -> dict[str, Any]:
        found = await find(pool, await find_tenant(pool, tenant), which)
        detail = dict(await pool.fetchrow(q.device_detail, found.no) or {})
        return _plain(found) | detail | _session_file(found, detail.get("store"))

    told = with_pool(work)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(told)))
        return
    for name, value in told.items():
        if value is None or value in ([], {}):
            continue
        if name == "asked":
            value = "; ".join(f"{asked['action']} by {asked['actor']} at {asked['at'][:19]}" for asked in value)
        elif isinstance(value, dict):
            value = ", ".join(f"{key} {part}" for key, part in value.items() if part is not None)
        elif isinstance(value, list):
            value = ", ".join(value)
        typer.echo(f"{name.replace('_', ' '):<16} {value}")


@device.command("create")
def create_device(
    name: str,
    network: Annotated[Network | None, typer.Option(help="Else the workspace's own.")] = None,
    tenant: TenantName = None,
) -> None:
    """Make a device and print its id; `wafast device pair`, the browser or the API links it to a phone."""

    async def work(pool: asyncpg.Pool) -> DeviceRow:
        tenant_id = await find_tenant(pool, tenant)
        made = await rows.create_device(pool, tenant_id, _name(name), network)
        await audit.record(pool, tenant_id, "system", "device.create", f"device:{made.id}", name=made.name)
        return made

    _name(name)
    typer.echo(with_pool(work).id)


@device.command("rename")
def rename_device(which: Which, name: str, tenant: TenantName = None) -> None:
    """Give a device another name."""

    async def work(pool: asyncpg.Pool) -> None:
        found = await find(pool, await find_tenant(pool, tenant), which)
        await _change(pool, found, {"name": _name(name)})

    _name(name)
    with_pool(work)
    typer.echo("renamed")


@device.command("tag")
def tag_devices(
    names: Names = None,
    add: Annotated[list[str] | None, typer.Option("--add", help="A tag to give.", metavar="TAG")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help="A tag to take away.", metavar="TAG")] = None,
    everything: Everything = False,
    state: InState = None,
    tag: WithTag = None,
    yes: Yes = False,
    tenant: TenantName = None,
) -> None:
    """Give devices tags, or take tags away."""
    given = list(dict.fromkeys(text.strip() for text in add or () if text.strip()))
    taken = {text.strip().casefold() for text in remove or ()}
    if not given and not taken:
        raise typer.BadParameter("say what to do: --add TAG, --remove TAG")

    async def change(pool: asyncpg.Pool, device: DeviceRow) -> None:
        kept = [own for own in device.tags if own.strip().casefold() not in taken]
        have = {own.strip().casefold() for own in kept}
        tags = kept + [text for text in given if text.casefold() not in have]
        if tags != device.tags:
            await _change(pool, device, {"tags": tags})

    async def work(pool: asyncpg.Pool) -> int:
        chosen = await _chosen(pool, tenant, names, everything, state, tag)
        if not names:
            confirm("tag", chosen, yes=yes)
        await _each(pool, chosen, "tagging", change)
        return len(chosen)

    typer.echo(f"tagged {counted(with_pool(work))}")


@device.command("delete")
def delete_devices(
    names: Names = None,
    everything: Everything = False,
    state: InState = None,
    tag: WithTag = None,
    yes: Yes = False,
    tenant: TenantName = None,
) -> None:
    """Delete devices with their chats, messages and open sends."""

    async def delete(pool: asyncpg.Pool, device: DeviceRow) -> None:
        if await rows.delete_device(pool, device.tenant_id, device.id):
            subject = f"device:{device.id}"
            await audit.record(pool, device.tenant_id, "system", "device.delete", subject, name=device.name)

    async def work(pool: asyncpg.Pool) -> int:
        chosen = await _chosen(pool, tenant, names, everything, state, tag)
        confirm("delete", chosen, yes=yes)
        await _each(pool, chosen, "deleting", delete)
        return len(chosen)

    typer.echo(f"deleted {counted(with_pool(work))}")


@device.command()
def connect(
    names: Names = None,
    everything: Everything = False,
    state: InState = None,
    tag: WithTag = None,
    yes: Yes = False,
    wait: Wait = False,
    timeout: Patience = PATIENCE,
    tenant: TenantName = None,
) -> None:
    """Ask for devices to be online; their workers do it."""
    _desire("connected", names, everything, state, tag, yes or bool(names), wait, timeout, tenant)


@device.command()
def disconnect(
    names: Names = None,
    everything: Everything = False,
    state: InState = None,
    tag: WithTag = None,
    yes: Yes = False,
    wait: Wait = False,
    timeout: Patience = PATIENCE,
    tenant: TenantName = None,
) -> None:
    """Ask for devices to be offline; they stay paired."""
    _desire("disconnected", names, everything, state, tag, yes or bool(names), wait, timeout, tenant)


@device.command()
def logout(
    names: Names = None,
    everything: Everything = False,
    state: InState = None,
    tag: WithTag = None,
    yes: Yes = False,
    wait: Wait = False,
    timeout: Patience = PATIENCE,
    tenant: TenantName = None,
) -> None:
    """Ask for devices to be unlinked from their phones; a person has to pair them again."""
    _desire("logged_out", names, everything, state, tag, yes, wait, timeout, tenant)


DOING: dict[Desired, str] = {"connected": "connect", "disconnected": "disconnect", "logged_out": "log out"}


def _desire(
    desired: Desired,
    names: list[str] | None,
    everything: bool,
    state: InState,
    tag: str | None,
    yes: bool,
    wait: bool,
    timeout: float,
    tenant: str | None,
) -> None:
    """Ask, then say of each device why it can't be or did not come to be so; exit code 1 when there is one."""
    failed: dict[int, str] = {}

    async def ask(pool: asyncpg.Pool, device: DeviceRow) -> None:
        try:
            await rows.set_desired_state(pool, device.tenant_id, device.id, desired)
        except rows.NeverPaired:
            failed[device.no] = "it was never paired: `wafast device pair` first"
        except rows.LoggedOut:
            failed[device.no] = "it is logged out: `wafast device pair` it again first"
        else:
            await audit.record(pool, device.tenant_id, "system", f"device.{desired}", f"device:{device.id}")

    async def work(pool: asyncpg.Pool) -> list[DeviceRow]:
        chosen = await _chosen(pool, tenant, names, everything, state, tag)
        if wait:
            await require_workers(pool, {device.network for device in chosen})
        confirm(DOING[desired], chosen, yes=yes)
        since = await pool.fetchval(q.now)
        await _each(pool, chosen, "asking", ask)
        if wait:
            asked = [device for device in chosen if device.no not in failed]
            failed.update(await wait_for(pool, asked, desired, since, timeout))
        return chosen

    chosen = with_pool(work)
    for found in chosen:
        if found.no in failed:
            typer.echo(f"{found.name}: {failed[found.no]}", err=True)
    done = counted(len(chosen) - len(failed))
    typer.echo(f"{desired.replace('_', ' ')} {done}" if wait else f"asked {done} to {DOING[desired]}")
    if failed:
        sys.exit(1)


async def _chosen(
    pool: asyncpg.Pool, tenant: str | None, names: list[str] | None, everything: bool, state: InState, tag: str | None
) -> list[DeviceRow]:
    tenant_id = await find_tenant(pool, tenant)
    return await choose(pool, tenant_id, names, everything=everything, state=state, tag=tag)


async def _each(
    pool: asyncpg.Pool,
    devices: list[DeviceRow],
    doing: str,
    work: Callable[[asyncpg.Pool, DeviceRow], Awaitable[None]],
) -> None:
    for found in step_by_step(devices, doing):
        await work(pool, found)


async def _change(pool: asyncpg.Pool, device: DeviceRow, changes: dict[str, Any]) -> None:
    await rows.change_device(pool, device.tenant_id, device.id, changes)
    await audit.record(pool, device.tenant_id, "system", "device.change", f"device:{device.id}", **changes)


def _name(text: str) -> str:
    if not text.strip():
        raise typer.BadParameter("a device needs a name")
    return text.strip()


def _plain(device: DeviceRow) -> dict[str, Any]:
    """The device's row; of its proxy the password is not shown."""
    row = msgspec.structs.asdict(device)
    return row | {"proxy": without_password(device.proxy) if device.proxy else None}


def _session_file(device: DeviceRow, store: str | None) -> dict[str, Any]:
    """Where the session's keys lie on this machine, and how large that is with its journal."""
    if store is None:
        return {}
    path = options.load().sessions_dir / device.network / store
    parts = [part for part in (path, path.with_name(path.name + "-wal")) if part.is_file()]
    return {"session_file": str(path), "session_bytes": _size(parts)}


def _size(parts: list[Path]) -> int | None:
    return sum(part.stat().st_size for part in parts) if parts else None


def _since(device: DeviceRow) -> str:
    seconds = max(0, int((clock.now() - device.state_at).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
