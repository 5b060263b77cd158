"""Workspaces and people: the first start, and what the command line does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from wafast.accounts import audit, passwords
from wafast.accounts.principal import Role
from wafast.database.queries import load

q = load(__file__)

#: Name of the workspace the first start makes.
FIRST_TENANT = "Main"


class AlreadyThere(Exception):
    """The name or e-mail is taken; the text says which."""


async def bootstrap(pool: asyncpg.Pool, email: str, password: str | None) -> str | None:
    """Make the first workspace and its administrator, once, whoever of several starters comes first.

    Returns the password when it was made up here and now, so that it can be printed once; else None.
    """
    if await pool.fetchval(q.has_users):
        return None
    chosen = password or passwords.random_password()
    stored = await passwords.hash_password(chosen)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(q.lock_bootstrap)
        if await connection.fetchval(q.has_users):
            return None
        tenant_id = await connection.fetchval(q.create_tenant, FIRST_TENANT, "whatsapp")
        await connection.execute(q.create_member, email, "Administrator", stored, tenant_id, "admin", None)
    return None if password else chosen


async def create_tenant(pool: asyncpg.Pool, name: str, default_network: str = "whatsapp") -> int:
    """A new workspace's id. Every administrator of the first workspace becomes one of it. Raises AlreadyThere."""
    async with pool.acquire() as connection, connection.transaction():
        tenant_id: int | None = await connection.fetchval(q.create_tenant, name, default_network)
        if tenant_id is None:
            raise AlreadyThere(f"there is a workspace {name!r} already")
        await connection.execute(q.join_administrators, tenant_id)
    return tenant_id


async def find_tenant(pool: asyncpg.Pool, name: str | None) -> int | None:
    """The id of the workspace of this name; of the first one when name is None."""
    found: int | None = await pool.fetchval(q.find_tenant, name)
    return found


class UnknownZone(Exception):
    """The database has no time zone of this name."""


class Place(msgspec.Struct, frozen=True):
    """Where a workspace is: `region` of numbers without a country code, `time_zone` an IANA name."""

    name: str
    region: str
    time_zone: str


async def get_place(pool: asyncpg.Pool, tenant_id: int) -> Place:
    """Where a workspace is."""
    return msgspec.convert(dict(await pool.fetchrow(q.get_place, tenant_id) or {}), Place)


async def change_place(
    pool: asyncpg.Pool, tenant_id: int, actor: str, region: str | None, time_zone: str | None
) -> Place:
    """Changes what is not None. Raises UnknownZone where the database has no such zone."""
    async with pool.acquire() as connection, connection.transaction():
        try:
            row = await connection.fetchrow(q.change_place, tenant_id, region, time_zone)
        except asyncpg.InvalidParameterValueError:
            raise UnknownZone from None
        place = msgspec.convert(dict(row or {}), Place)
        told = {"country": place.region, "time_zone": place.time_zone}
        await audit.record(connection, tenant_id, actor, "workspace.change", f"tenant:{tenant_id}", **told)
    return place


async def list_tenants(pool: asyncpg.Pool) -> list[dict[str, Any]]:
    """id, name, default_network, devices and members of every workspace."""
    return [dict(row) for row in await pool.fetch(q.list_tenants)]


class Created(msgspec.Struct, frozen=True):
    """What `create_user` did: `password` when it was made up, `known` when the person was there and keeps his own."""

    user_id: int
    password: str | None
    known: bool


async def create_user(
    pool: asyncpg.Pool,
    tenant_id: int,
    email: str,
    name: str,
    role: Role,
    password: str | None,
    device_ids: Sequence[UUID] | None = None,
) -> Created:
    """A person in a workspace, who sees all its devices or some; one who is in another already keeps name and password.

    Raises AlreadyThere when he is in this one.
    """
    email = email.strip().lower()
    if await pool.fetchval(q.has_user, email):
        joined = await pool.fetchval(q.join_tenant, tenant_id, email, role, device_ids)
        if joined is None:
            raise AlreadyThere(f"{email!r} belongs to this workspace already")
        return Created(joined, None, known=True)
    chosen = password or passwords.random_password()
    stored = await passwords.hash_password(chosen)
    created = await pool.fetchval(q.create_member, email, name, stored, tenant_id, role, device_ids)
    if created is None:
        raise AlreadyThere(f"{email!r} was created a moment ago by somebody else")
    return Created(created, None if password else chosen, known=False)


async def list_users(pool: asyncpg.Pool) -> list[dict[str, Any]]:
    """email, name, workspace, role of every membership."""
    return [dict(row) for row in await pool.fetch(q.list_users)]


async def reset_password(pool: asyncpg.Pool, email: str, password: str | None) -> str | None:
    """Set a password from the command line; every login of the person ends.

    Returns the new password when it was made up, and raises KeyError when there is no such person.
    """
    chosen = password or passwords.random_password()
    stored = await passwords.hash_password(chosen)
    if await pool.fetchval(q.reset_password, email.strip().lower(), stored) is None:
        raise KeyError(email)
    return None if password else chosen
