"""People of a workspace: who they are, what they may do, which devices they see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import msgspec

from wafast.accounts import passwords
from wafast.accounts.keys import UnknownDevice
from wafast.accounts.principal import Principal, Role
from wafast.database.queries import load

if TYPE_CHECKING:
    from wafast.events.bus import Executor

q = load(__file__)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a workspace."""

    id: int
    name: str
    email: str
    role: Role
    device_ids: list[UUID] | None
    created_at: datetime
    seen_at: datetime | None


class LastAdministrator(Exception):
    """Without this person nobody would administer the workspace."""


class ElsewhereToo(Exception):
    """The person belongs to a workspace the caller doesn't administer: name and password are not his to change."""


class SeesEverything(Exception):
    """An administrator can't be limited to devices."""


async def list_people(pool: asyncpg.Pool, tenant_id: int, limit: int, before: int | None) -> list[Person]:
    """Members, the last added first, at most `limit`, with ids below `before`."""
    return [_person(row) for row in await pool.fetch(q.list_people, tenant_id, limit, before)]


async def get_person(pool: asyncpg.Pool, tenant_id: int, user_id: int) -> Person | None:
    """A member, or None."""
    row = await pool.fetchrow(q.get_person, tenant_id, user_id)
    return None if row is None else _person(row)


async def change_person(
    pool: asyncpg.Pool,
    principal: Principal,
    person: Person,
    *,
    name: str,
    role: Role,
    device_ids: Sequence[UUID] | None,
) -> None:
    """Gives a member another name, role or reach; what he has is given again.

    Raises:
        LastAdministrator, ElsewhereToo, SeesEverything, UnknownDevice: nothing was changed.
    """
    await require_devices(pool, principal.tenant_id, role, device_ids)
    async with pool.acquire() as connection, connection.transaction():
        if person.role == "admin" != role:
            await _require_another(connection, principal.tenant_id, person.id)
        if name != person.name:
            await _require_under(connection, principal, person.id)
            await connection.execute(q.rename_person, principal.tenant_id, person.id, name)
        await connection.execute(q.change_member, principal.tenant_id, person.id, role, device_ids)


async def remove_person(pool: asyncpg.Pool, tenant_id: int, user_id: int) -> None:
    """Takes a member out of the workspace; his logins there end. Raises LastAdministrator."""
    async with pool.acquire() as connection, connection.transaction():
        await _require_another(connection, tenant_id, user_id)
        await connection.execute(q.end_logins_here, tenant_id, user_id)
        await connection.execute(q.remove_member, tenant_id, user_id)


async def give_password(pool: asyncpg.Pool, principal: Principal, user_id: int) -> str:
    """A new random password of a member, shown once; all his logins end. Raises ElsewhereToo."""
    password = passwords.random_password()
    stored = await passwords.hash_password(password)
    async with pool.acquire() as connection, connection.transaction():
        await _require_under(connection, principal, user_id)
        await connection.execute(q.new_password, principal.tenant_id, user_id, stored)
    return password


async def require_devices(pool: asyncpg.Pool, tenant_id: int, role: Role, device_ids: Sequence[UUID] | None) -> None:
    """Raises SeesEverything for an administrator with devices, UnknownDevice for a device that is not the tenant's."""
    if device_ids is None:
        return
    if role == "admin":
        raise SeesEverything
    known = {row["id"] for row in await pool.fetch(q.devices_among, tenant_id, list(device_ids))}
    for device_id in device_ids:
        if device_id not in known:
            raise UnknownDevice(device_id)


async def _require_another(connection: Executor, tenant_id: int, user_id: int) -> None:
    administrators = {row["user_id"] for row in await connection.fetch(q.lock_administrators, tenant_id)}
    if administrators == {user_id}:
        raise LastAdministrator


async def _require_under(connection: Executor, principal: Principal, user_id: int) -> None:
    if user_id != principal.user_id and not await connection.fetchval(
        q.is_under, principal.tenant_id, user_id, principal.user_id
    ):
        raise ElsewhereToo


def _person(row: asyncpg.Record) -> Person:
    return msgspec.convert(dict(row), Person)
