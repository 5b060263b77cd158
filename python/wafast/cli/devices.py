"""`wafast device`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import asyncpg
import msgspec
import typer

from wafast import clock
from wafast.accounts import audit
from wafast.cli import options
from wafast.cli.choice import InState, Which, WithTag, all_devices, by_state, find
from wafast.cli.database import with_pool
from wafast.cli.device_actions import adopt, change_device, connect, delete_devices, disconnect, logout, tag_devices
from wafast.cli.pairing import pair
from wafast.cli.people import TenantName, find_tenant
from wafast.cli.tables import show
from wafast.database.queries import load
from wafast.devices import changes, home, rows
from wafast.devices.rows import DeviceRow
from wafast.settings import Network, without_password
from wafast.visible import one_line

q = load(__file__)
device = typer.Typer(help="WhatsApp lines.", no_args_is_help=True)
#: How many of a device's last changes of state are shown.
SHOWN_CHANGES = 10
LONGEST_NAME = 100
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


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
        moves = await changes.list_changes(pool, found.tenant_id, found.no, limit=SHOWN_CHANGES)
        return _plain(found) | detail | _session_file(found, detail) | {"changes": moves}

    told = with_pool(work)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(told)))
        return
    for name, value in told.items():
        if value is None or value in ([], {}):
            continue
        if name == "changes":
            lines = [f"{move.at:%Y-%m-%d %H:%M:%S} {move.state} {move.reason or ''}".rstrip() for move in value]
            value = f"\n{'':<17}".join(lines)
        elif name == "asked":
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
        await change_device(pool, found, {"name": _name(name)})

    _name(name)
    with_pool(work)
    typer.echo("renamed")


def _name(text: str) -> str:
    name = one_line(text)
    if not 0 < len(name) <= LONGEST_NAME:
        raise typer.BadParameter(f"a device needs a name of at most {LONGEST_NAME} characters, one of them visible")
    return name


def _plain(device: DeviceRow) -> dict[str, Any]:
    """The device's row; of its proxy the password is not shown."""
    row = msgspec.structs.asdict(device)
    return row | {"proxy": without_password(device.proxy) if device.proxy else None}


def _session_file(device: DeviceRow, detail: dict[str, Any]) -> dict[str, Any]:
    """Where the session's keys lie, and how large that is with its journal, if it is here."""
    store, settings = detail.get("store"), options.load()
    if store is None:
        return {}
    if detail["home"] not in (None, home.name_of(settings.data_dir)):
        return {"session_file": f"{store} in another data folder; moved here, `wafast device adopt` makes it ours"}
    path = settings.sessions_dir / device.network / store
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


for name, command in (
    ("pair", pair), ("connect", connect), ("disconnect", disconnect), ("logout", logout), ("tag", tag_devices),
    ("delete", delete_devices), ("adopt", adopt),
):  # fmt: skip
    device.command(name)(command)
