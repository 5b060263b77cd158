"""`wafast device`."""

from __future__ import annotations

from typing import Annotated, Literal

import asyncpg
import typer

from wafast.accounts import audit
from wafast.cli.database import with_pool
from wafast.cli.people import TenantName, find_tenant
from wafast.cli.tables import show
from wafast.devices import rows
from wafast.devices.rows import DeviceRow
from wafast.settings import Network

device = typer.Typer(help="WhatsApp lines.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(help="Its id, name or phone.", metavar="DEVICE")]


async def _find(pool: asyncpg.Pool, tenant_id: int, which: str) -> DeviceRow:
    found = [d for d in await _all(pool, tenant_id) if which in (str(d.id), d.name, d.phone)]
    if len(found) == 1:
        return found[0]
    raise typer.BadParameter(
        f"there is no device {which!r}" if not found else f"{len(found)} devices are {which!r}: give the id"
    )


async def _all(pool: asyncpg.Pool, tenant_id: int) -> list[DeviceRow]:
    found: list[DeviceRow] = []
    while page := await rows.list_devices(pool, tenant_id, limit=1000, before=found[-1].no if found else None):
        found += page
    return found


@device.command("list")
def list_devices(tenant: TenantName = None) -> None:
    """Every device with its state, newest first."""

    async def work(pool: asyncpg.Pool) -> list[DeviceRow]:
        return await _all(pool, await find_tenant(pool, tenant))

    lines = [(d.id, d.name, d.network, d.phone, d.state, d.state_reason) for d in with_pool(work)]
    show(("id", "name", "network", "phone", "state", "reason"), lines)


@device.command("create")
def create_device(
    name: str,
    network: Annotated[Network | None, typer.Option(help="Else the workspace's own.")] = None,
    tenant: TenantName = None,
) -> None:
    """Make a device and print its id; it is paired in the browser or by the API."""

    async def work(pool: asyncpg.Pool) -> DeviceRow:
        tenant_id = await find_tenant(pool, tenant)
        made = await rows.create_device(pool, tenant_id, name.strip(), network)
        await audit.record(pool, tenant_id, "system", "device.create", f"device:{made.id}", name=made.name)
        return made

    if not name.strip():
        raise typer.BadParameter("a device needs a name")
    typer.echo(with_pool(work).id)


@device.command("delete")
def delete_device(which: Which, tenant: TenantName = None) -> None:
    """Delete a device with its chats, messages and open sends."""

    async def work(pool: asyncpg.Pool) -> None:
        tenant_id = await find_tenant(pool, tenant)
        found = await _find(pool, tenant_id, which)
        await rows.delete_device(pool, tenant_id, found.id)
        await audit.record(pool, tenant_id, "system", "device.delete", f"device:{found.id}", name=found.name)

    with_pool(work)
    typer.echo("deleted")


@device.command()
def connect(which: Which, tenant: TenantName = None) -> None:
    """Ask for a device to be online; its worker does it."""
    _desire(which, tenant, "connected")


@device.command()
def disconnect(which: Which, tenant: TenantName = None) -> None:
    """Ask for a device to be offline; it stays paired."""
    _desire(which, tenant, "disconnected")


@device.command()
def logout(which: Which, tenant: TenantName = None) -> None:
    """Ask for a device to be unlinked from its phone."""
    _desire(which, tenant, "logged_out")


def _desire(which: str, tenant: str | None, desired: Literal["connected", "disconnected", "logged_out"]) -> None:
    async def work(pool: asyncpg.Pool) -> None:
        tenant_id = await find_tenant(pool, tenant)
        found = await _find(pool, tenant_id, which)
        await rows.set_desired_state(pool, tenant_id, found.id, desired)
        await audit.record(pool, tenant_id, "system", f"device.{desired}", f"device:{found.id}")

    try:
        with_pool(work)
    except rows.NeverPaired:
        raise typer.BadParameter(f"{which!r} was never paired: pair it first") from None
    except rows.LoggedOut:
        raise typer.BadParameter(f"{which!r} is logged out: pair it again first") from None
    typer.echo("asked")
