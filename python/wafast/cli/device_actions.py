"""What `wafast device` does to many devices at once: tag, delete, connect, disconnect, log out."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import typer

from wafast.accounts import audit
from wafast.cli import options
from wafast.cli.choice import Everything, InState, Names, WithTag, Yes, choose, confirm, counted, step_by_step
from wafast.cli.database import with_pool
from wafast.cli.people import TenantName, find_tenant
from wafast.cli.waiting import require_workers, wait_for
from wafast.database.queries import load
from wafast.devices import bulk, home, rows
from wafast.devices.bulk import Desired
from wafast.devices.rows import DeviceRow
from wafast.distribution import choices
from wafast.events import bus

q = load(__file__)

Wait = Annotated[bool, typer.Option("--wait", help="Until it is so, or can't be.")]
Patience = Annotated[float, typer.Option("--timeout", help="How many seconds to wait.", min=0)]
PATIENCE = 120.0
#: A bar that moves is worth a statement more for every so many.
AT_ONCE = bulk.DELETE_AT_ONCE
LONGEST_TAG = 100
DOING: dict[Desired, str] = {"connected": "connect", "disconnected": "disconnect", "logged_out": "log out"}
ACTION: dict[Desired, bulk.Action] = {"connected": "connect", "disconnected": "disconnect", "logged_out": "logout"}
WHY: dict[bulk.Reason, str] = {
    "not_found": "it was deleted",
    "never_paired": "it was never paired: `wafast device pair` first",
    "logged_out": "it is logged out: `wafast device pair` it again first",
    "too_many_tags": f"it would have more than {bulk.MOST_TAGS} tags",
}


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
    given, taken = _tags(add), _tags(remove)
    if not given and not taken:
        raise typer.BadParameter("say what to do: --add TAG, --remove TAG")

    async def work(pool: asyncpg.Pool) -> tuple[list[DeviceRow], dict[int, str]]:
        chosen = await _chosen(pool, tenant, names, everything, state, tag)
        if not names:
            confirm("tag", chosen, yes=yes)
        failed: dict[int, str] = {}
        changes: tuple[tuple[list[str], bulk.Action], ...] = ((taken, "remove_tags"), (given, "add_tags"))
        for tags, action in changes:
            if tags:
                failed |= await _part_by_part(chosen, "tagging", partial(_act, pool, action, tags=tags))
        return chosen, failed

    chosen, failed = with_pool(work)
    _tell(f"tagged {counted(len(chosen) - len(failed))}", chosen, failed)


def _tags(texts: list[str] | None) -> list[str]:
    """Each once, whatever its case."""
    tags = {text.strip().casefold(): text.strip() for text in reversed(texts or []) if text.strip()}
    for tag in tags.values():
        if len(tag) > LONGEST_TAG:
            raise typer.BadParameter(f"{tag[:20]}… has {len(tag)} characters; a tag has {LONGEST_TAG} at most")
    return list(reversed(tags.values()))


def delete_devices(
    names: Names = None,
    everything: Everything = False,
    state: InState = None,
    tag: WithTag = None,
    yes: Yes = False,
    tenant: TenantName = None,
) -> None:
    """Delete devices with their chats, messages and open sends."""

    async def work(pool: asyncpg.Pool) -> tuple[list[DeviceRow], dict[int, str]]:
        chosen = await _chosen(pool, tenant, names, everything, state, tag)
        confirm("delete", chosen, yes=yes)
        return chosen, await _part_by_part(chosen, "deleting", partial(_act, pool, "delete"))

    chosen, failed = with_pool(work)
    _tell(f"deleted {counted(len(chosen) - len(failed))}", chosen, failed)


def adopt(
    names: Names = None,
    everything: Everything = False,
    state: InState = None,
    tag: WithTag = None,
    yes: Yes = False,
    tenant: TenantName = None,
) -> None:
    """Take over devices whose session files were moved into this data folder: from now on they connect here."""
    settings = options.load()

    async def work(pool: asyncpg.Pool) -> tuple[list[DeviceRow], dict[int, str]]:
        chosen = await _chosen(pool, tenant, names, everything, state, tag)
        confirm("take over", chosen, yes=yes or bool(names))
        failed: dict[int, str] = {}
        for part in step_by_step(_parts(chosen), "taking over"):
            failed |= await home.adopt(pool, settings.data_dir, settings.sessions_dir, [device.no for device in part])
        await bus.wake_each(pool, "device", [(device.network, device.no) for device in chosen])
        return chosen, failed

    chosen, failed = with_pool(work)
    _tell(f"took over {counted(len(chosen) - len(failed))}", chosen, failed)


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

    async def work(pool: asyncpg.Pool) -> list[DeviceRow]:
        chosen = await _chosen(pool, tenant, names, everything, state, tag)
        if wait:
            await require_workers(pool, {device.network for device in chosen})
        confirm(DOING[desired], chosen, yes=yes)
        since = await pool.fetchval(q.now)
        failed.update(await _part_by_part(chosen, "asking", partial(_act, pool, ACTION[desired])))
        if wait:
            asked = [device for device in chosen if device.no not in failed]
            failed.update(await wait_for(pool, asked, desired, since, timeout))
        return chosen

    chosen = with_pool(work)
    done = counted(len(chosen) - len(failed))
    _tell(f"{desired.replace('_', ' ')} {done}" if wait else f"asked {done} to {DOING[desired]}", chosen, failed)


def _tell(done: str, chosen: list[DeviceRow], failed: dict[int, str]) -> None:
    """Say what was done, and of each device it was not done to why not; exit code 1 when there is one."""
    for found in chosen:
        if found.no in failed:
            typer.echo(f"{found.name}: {failed[found.no]}", err=True)
    typer.echo(done)
    if failed:
        sys.exit(1)


async def _chosen(
    pool: asyncpg.Pool, tenant: str | None, names: list[str] | None, everything: bool, state: InState, tag: str | None
) -> list[DeviceRow]:
    tenant_id = await find_tenant(pool, tenant)
    return await choose(pool, tenant_id, names, everything=everything, state=state, tag=tag)


async def _act(
    pool: asyncpg.Pool, action: bulk.Action, tenant_id: int, ids: list[UUID], tags: list[str] | None = None
) -> bulk.Outcome:
    return await bulk.act(pool, tenant_id, "system", action, ids, sends=choices, tags=tags or ())


async def _part_by_part(
    devices: list[DeviceRow], doing: str, work: Callable[[int, list[UUID]], Awaitable[bulk.Outcome]]
) -> dict[int, str]:
    """Do it to all, some at once, with a bar on the terminal; gives, by number, why it could not be done to some."""
    skipped: dict[UUID, bulk.Reason] = {}
    for part in step_by_step(_parts(devices), doing):
        skipped |= (await work(part[0].tenant_id, [device.id for device in part])).skipped
    return {device.no: WHY[skipped[device.id]] for device in devices if device.id in skipped}


def _parts(devices: list[DeviceRow]) -> list[list[DeviceRow]]:
    return [devices[start : start + AT_ONCE] for start in range(0, len(devices), AT_ONCE)]


async def change_device(pool: asyncpg.Pool, device: DeviceRow, changes: dict[str, Any]) -> None:
    """Change columns of a device (`rows.change_device`) and note that it was done."""
    await rows.change_device(pool, device.tenant_id, device.id, changes)
    await audit.record(pool, device.tenant_id, "system", "device.change", f"device:{device.id}", **changes)
