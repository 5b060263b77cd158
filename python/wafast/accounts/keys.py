"""API keys: `wf_<prefix>_<secret>`, shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from wafast.accounts.principal import Principal, Scope
from wafast.database.queries import load

q = load(__file__)


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its secret."""

    id: int
    name: str
    prefix: str
    scope: Scope
    device_ids: list[UUID] | None
    created_at: datetime
    last_used_at: datetime | None


class UnknownDevice(Exception):
    """A key was to be limited to a device that is not there; `device_id` names it."""

    def __init__(self, device_id: UUID) -> None:
        super().__init__(f"there is no device {device_id}")
        self.device_id = device_id


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


async def create_key(
    pool: asyncpg.Pool, tenant_id: int, name: str, scope: Scope, device_ids: list[UUID] | None = None
) -> tuple[str, Key]:
    """Make a key; returns its text, which is stored nowhere, and the key. Raises UnknownDevice."""
    if device_ids is not None:
        known = {row["id"] for row in await pool.fetch(q.devices_among, tenant_id, device_ids)}
        for device_id in device_ids:
            if device_id not in known:
                raise UnknownDevice(device_id)
    prefix = f"wf_{secrets.token_hex(4)}"
    text = f"{prefix}_{secrets.token_urlsafe(32)}"
    row = await pool.fetchrow(q.create_key, tenant_id, name, prefix, _digest(text), scope, device_ids)
    assert row is not None
    return text, msgspec.convert(dict(row), Key)


async def list_keys(pool: asyncpg.Pool, tenant_id: int, limit: int = 50, before: int | None = None) -> list[Key]:
    """Keys in use, newest first, at most `limit`, with ids below `before`."""
    rows = await pool.fetch(q.list_keys, tenant_id, limit, before)
    return [msgspec.convert(dict(row), Key) for row in rows]


async def revoke_key(pool: asyncpg.Pool, tenant_id: int, key_id: int) -> bool:
    """Stop a key; False when there is no such key in use."""
    return await pool.fetchval(q.revoke_key, tenant_id, key_id) is not None


async def authenticate_key(pool: asyncpg.Pool, key: str) -> Principal | None:
    """Who holds this key; None when it is unknown or revoked."""
    row = await pool.fetchrow(q.principal_of_key, _digest(key))
    if row is None:
        return None
    devices: list[UUID] | None = row["device_ids"]
    return Principal(
        tenant_id=row["tenant_id"],
        scope=row["scope"],
        key_id=row["id"],
        device_ids=None if devices is None else frozenset(devices),
    )
