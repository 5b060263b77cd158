"""What `wafast device` does to many devices at once: tag, delete, connect, disconnect, log out."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import asyncpg
import typer

from wafast.accounts import audit
from wafast.cli.choice import Everything, InState, Names, WithTag, Yes, choose, confirm, counted, step_by_step
from wafast.cli.database import with_pool
from wafast.cli.people import TenantName, find_tenant
from wafast.cli.waiting import Desired, require_workers, wait_for
from wafast.database.queries import load
from wafast.devices import rows
from wafast.devices.rows import DeviceRow

q = load(__file__)

Wait = Annotated[bool, typer.Option("--wait", help="Until it is so, or can't be.")]
Patience = Annotated[float, typer.Option("--timeout", help="How many seconds to wait.", min=0)]
PATIENCE = 120.0
DOING: dict[Desired, str] = {"connected": "connect", "disconnected": "disconnect", "logged_out": "log out"}


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
            await change_device(pool, device, {"tags": tags})

    async def work(pool: asyncpg.Pool) -> int:
        chosen = await _chosen(pool, tenant, names, everything, state, tag)
        if not names:
            confirm("tag", chosen, yes=yes)
        await _each(pool, chosen, "tagging", change)
        return len(chosen)

    typer.echo(f"tagged {counted(with_pool(work))}")


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


async def change_device(pool: asyncpg.Pool, device: DeviceRow, changes: dict[str, Any]) -> None:
    """Change columns of a device (`rows.change_device`) and note that it was done."""
    await rows.change_device(pool, device.tenant_id, device.id, changes)
    await audit.record(pool, device.tenant_id, "system", "device.change", f"device:{device.id}", **changes)
