"""Devices and pairings as rows: what the API and the command line read and ask for. Workers do the rest."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec

from wafast.database.queries import load
from wafast.devices import bulk, pacing
from wafast.devices.pacing import PacingRow
from wafast.devices.sends import Sends
from wafast.devices.state import TERMINAL
from wafast.events import bus
from wafast.settings import Network

q = load(__file__)

#: A pairing that shows no code ends by itself after this long, one that does after `pairing.CODES_SECONDS`.
PAIRING_SECONDS = 180

#: What kind of reason WhatsApp holds a device back for.
PauseCause = Literal["banned", "reach_out", "refused_often", "not_now"]


class DeviceRow(PacingRow, frozen=True, kw_only=True):
    """A device as stored."""

    id: UUID
    no: int
    tenant_id: int
    name: str
    network: Network
    tags: list[str]
    proxy: str | None
    state: str
    state_reason: str | None
    state_at: datetime
    desired_state: str
    phone: str | None
    jid: str | None
    lid: str | None
    push_name: str | None
    paired_at: datetime | None
    online_at: datetime | None
    paused_until: datetime | None
    pause_reason: str | None
    pause_cause: PauseCause | None
    created_at: datetime
    unread_count: int


class PairingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A pairing attempt as stored."""

    id: UUID
    device_id: UUID
    device_no: int
    network: Network
    method: Literal["qr", "code"]
    phone: str | None
    state: Literal["waiting", "paired", "failed", "expired"]
    reason: str | None
    qr: str | None
    code: str | None
    created_at: datetime
    expires_at: datetime


class AlreadyPaired(Exception):
    """The device is linked to a phone; it must be logged out before it can be paired again."""


class LoggedOut(Exception):
    """The link to the phone is over; the device must be paired again first."""


class NeverPaired(Exception):
    """The device was never linked to a phone; it must be paired first."""


def _device(row: asyncpg.Record | None) -> DeviceRow:
    assert row is not None, "a statement that always gives its row gave none"
    return msgspec.convert(dict(row), DeviceRow)


def _pairing(row: asyncpg.Record | None) -> PairingRow:
    assert row is not None, "a statement that always gives its row gave none"
    return msgspec.convert(dict(row), PairingRow)


async def create_device(pool: asyncpg.Pool, tenant_id: int, name: str, network: Network | None) -> DeviceRow:
    """A new device in state `new`; `network` None takes the tenant's default, and so does the pace."""
    row = await pool.fetchrow(q.create_device, tenant_id, name, network)
    device = _device(row)
    await bus.publish(pool, [{"k": "device", "t": tenant_id, "d": device.no}])
    return device


async def list_devices(
    pool: asyncpg.Pool,
    tenant_id: int,
    *,
    device_ids: frozenset[UUID] | None = None,
    search: str | None = None,
    state: str | None = None,
    desired_state: str | None = None,
    tag: str | None = None,
    limit: int = 50,
    before: int | None = None,
) -> list[DeviceRow]:
    """Newest first, with `no` below `before`; `search` looks at name, phone and tags; `device_ids` limits to those."""
    only = None if device_ids is None else list(device_ids)
    rows = await pool.fetch(q.list_devices, tenant_id, only, search, state, limit, before, desired_state, tag)
    return [_device(row) for row in rows]


async def get_device(pool: asyncpg.Pool, tenant_id: int, device_id: UUID) -> DeviceRow | None:
    """One device of the tenant."""
    row = await pool.fetchrow(q.get_device, tenant_id, device_id)
    return None if row is None else _device(row)


async def ids_of_tenant(pool: asyncpg.Pool, tenant_id: int, device_ids: list[UUID]) -> set[UUID]:
    """Those of `device_ids` that are the tenant's."""
    return {row["id"] for row in await pool.fetch(q.ids_of_tenant, tenant_id, device_ids)}


async def get_devices_by_no(pool: asyncpg.Pool, numbers: list[int]) -> list[DeviceRow]:
    """Devices of any tenant by number, for the live frames."""
    return [_device(row) for row in await pool.fetch(q.get_devices_by_no, numbers)]


async def change_device(
    pool: asyncpg.Pool, tenant_id: int, device_id: UUID, changes: dict[str, Any], check: pacing.Check = lambda _: None
) -> DeviceRow | None:
    """Change name, tags, proxy and pacing columns; what is not in `changes` stays. None: there is no such device.
    `check` sees the pace before.

    Raises ValueError for a column that is not among them.
    """
    allowed = {"name", "tags", "proxy", *PacingRow.__struct_fields__}
    unknown = changes.keys() - allowed
    if unknown:
        raise ValueError(f"{sorted(unknown)} can't be changed; {sorted(allowed)} can")
    async with pool.acquire() as connection, connection.transaction():
        pace = await pacing.hold(connection, tenant_id, device_id)
        if pace is None:
            return None
        check(pace)
        device = _device(await connection.fetchrow(q.change_device, tenant_id, device_id, changes))
    await bus.publish(pool, [{"k": "device", "t": tenant_id, "d": device.no}])
    if "proxy" in changes:
        await bus.wake(pool, "device", device.network, device.no)
    if changes.keys() & set(PacingRow.__struct_fields__):
        await bus.wake(pool, "outbox", device.network, device.no)  # what a cap or the hours held may leave now
    return device


async def summarise_devices(
    pool: asyncpg.Pool, tenant_id: int, device_ids: frozenset[UUID] | None = None
) -> dict[str, Any]:
    """How many devices there are, by state, by desired state (both hold only what occurs) and by tag."""
    only = None if device_ids is None else list(device_ids)
    row = await pool.fetchrow(q.summarise_devices, tenant_id, only)
    assert row is not None, "a statement that always gives its row gave none"
    return dict(row)


async def delete_device(pool: asyncpg.Pool, tenant_id: int, device_id: UUID, sends: Sends) -> bool:
    """As bulk.delete, of one."""
    return device_id in (await bulk.delete(pool, tenant_id, [device_id], sends)).changed


async def set_desired_state(
    pool: asyncpg.Pool, tenant_id: int, device_id: UUID, desired: bulk.Desired
) -> DeviceRow | None:
    """Say what a device should be; its worker does it. None when there is no such device.

    A person's `connected` also ends the wait of a backoff. Raises LoggedOut, NeverPaired.
    """
    skipped = (await bulk.steer(pool, tenant_id, [device_id], desired)).skipped.get(device_id)
    if skipped == "never_paired":
        raise NeverPaired
    if skipped == "logged_out":
        raise LoggedOut
    return await get_device(pool, tenant_id, device_id)


async def networks_in_use(connection: asyncpg.Connection) -> set[str]:
    """Networks, of any tenant, that have devices."""
    return {row["network"] for row in await connection.fetch(q.networks_in_use)}


async def create_pairing(
    pool: asyncpg.Pool, tenant_id: int, device_id: UUID, method: Literal["qr", "code"], phone: str | None
) -> PairingRow | None:
    """Start a pairing attempt; one that still waits on this device ends as failed. `phone` is E.164, for `code`.

    None when there is no such device. Raises AlreadyPaired.
    """
    async with pool.acquire() as connection, connection.transaction():
        device = await connection.fetchrow(q.lock_device, tenant_id, device_id)
        if device is None:
            return None
        if device["jid"] is not None and device["state"] not in TERMINAL:
            raise AlreadyPaired
        await connection.execute(q.supersede_pairing, device["no"])
        pairing_id = await connection.fetchval(
            q.create_pairing, tenant_id, device["no"], method, phone, PAIRING_SECONDS
        )
        pairing = _pairing(await connection.fetchrow(q.get_pairing, tenant_id, pairing_id))
        await bus.wake(connection, "pairing", device["network"], device["no"])
        await bus.publish(connection, [{"k": "pairing", "t": tenant_id, "d": device["no"], "p": str(pairing_id)}])
    return pairing


async def get_pairing(pool: asyncpg.Pool, tenant_id: int, pairing_id: UUID) -> PairingRow | None:
    """One pairing of the tenant. One past its time shows as expired even before its worker says so."""
    row = await pool.fetchrow(q.get_pairing, tenant_id, pairing_id)
    return None if row is None else _pairing(row)


async def cancel_pairing(pool: asyncpg.Pool, tenant_id: int, pairing_id: UUID) -> PairingRow | None:
    """End a waiting pairing; one that has ended stays as it ended. None when there is no such pairing."""
    cancelled = await pool.fetchrow(q.cancel_pairing, tenant_id, pairing_id)
    pairing = await get_pairing(pool, tenant_id, pairing_id)
    if pairing is not None and cancelled is not None:
        await bus.wake(pool, "pairing", pairing.network, pairing.device_no)
        await bus.publish(pool, [{"k": "pairing", "t": tenant_id, "d": pairing.device_no, "p": str(pairing_id)}])
    return pairing
