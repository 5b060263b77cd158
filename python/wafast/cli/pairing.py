"""`wafast device pair`: links a device to a phone from the terminal."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import nullcontext
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from wafast import clock, phones
from wafast.accounts import audit
from wafast.cli.choice import Which, find
from wafast.cli.database import with_pool
from wafast.cli.people import TenantName, find_tenant
from wafast.cli.qr import draw
from wafast.cli.waiting import require_workers
from wafast.devices import rows
from wafast.devices.rows import DeviceRow, PairingRow

#: How often the row is looked at: codes rotate every 20 seconds.
LOOK_SECONDS = 0.25
#: What a shell says of a command that Ctrl-C ended.
INTERRUPTED = 130


def pair(
    which: Which,
    phone: Annotated[
        str | None, typer.Option(help="Ask for a code to type on this phone instead of a QR code.", metavar="NUMBER")
    ] = None,
    tenant: TenantName = None,
) -> None:
    """Link a device to a phone: shows the QR code until it is scanned; Ctrl-C cancels.

    Into a pipe the QR code's text is written, a line each time it changes.
    """
    number = _number(phone)

    async def work(pool: asyncpg.Pool) -> PairingRow | None:
        found = await find(pool, await find_tenant(pool, tenant), which)
        await require_workers(pool, {found.network})
        pairing = await _begin(pool, found, number)
        try:
            return await _watch(pool, found, pairing)
        except BaseException:
            await rows.cancel_pairing(pool, found.tenant_id, pairing.id)
            raise

    try:
        ended = with_pool(work)
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo("cancelled", err=True)
        sys.exit(INTERRUPTED)
    if ended is None:
        sys.exit("wafast: the device was deleted")
    if ended.state != "paired":
        sys.exit(f"wafast: not paired: {ended.reason}")
    typer.echo("paired")


async def _begin(pool: asyncpg.Pool, device: DeviceRow, phone: str | None) -> PairingRow:
    try:
        pairing = await rows.create_pairing(pool, device.tenant_id, device.id, "code" if phone else "qr", phone)
    except rows.AlreadyPaired:
        raise typer.BadParameter(
            f"{device.name!r} is linked to {device.phone or 'a phone'}: `wafast device logout {device.no}` first"
        ) from None
    if pairing is None:
        raise typer.BadParameter(f"there is no device {device.name!r} any more")
    await audit.record(pool, device.tenant_id, "system", "pairing.create", f"device:{device.id}", method=pairing.method)
    return pairing


async def _watch(pool: asyncpg.Pool, device: DeviceRow, pairing: PairingRow) -> PairingRow | None:
    """Show what there is to scan or to type until the pairing ends; None when it is gone with its device."""
    _cancel_at_sigterm()
    console = Console()
    shown = None
    with Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else nullcontext() as screen:
        while True:
            found = await rows.get_pairing(pool, device.tenant_id, pairing.id)
            if found is None or found.state != "waiting":
                return found
            code = found.qr or found.code
            if screen is not None:
                screen.update(_page(device, found), refresh=True)
            elif code is not None and code != shown:
                print(code, flush=True)
            shown = code
            await asyncio.sleep(LOOK_SECONDS)


def _page(device: DeviceRow, pairing: PairingRow) -> Text:
    left = max(0, round((pairing.expires_at - clock.now()).total_seconds()))
    if pairing.code is not None:
        what = Text(f"Type this code on the phone {pairing.phone}:\n\n    {pairing.code}\n")
    elif pairing.qr is not None:
        what = draw(pairing.qr)
    else:
        what = Text("Asking WhatsApp for a code …")
    return what.append(f"\n{device.name}: WhatsApp › Linked devices › Link a device. {left} s left, Ctrl-C cancels.")


def _cancel_at_sigterm() -> None:
    """A pairing that nobody watches is cancelled, whoever ends the command; Ctrl-C is asyncio's own business."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _number(phone: str | None) -> str | None:
    try:
        return None if phone is None else phones.parse(phone)
    except phones.PhoneError as error:
        raise typer.BadParameter(str(error)) from None
