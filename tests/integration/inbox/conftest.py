"""A database with workspaces, and their files."""

from __future__ import annotations

import asyncio
import io
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest_asyncio

from tests.database import Database, pool_of
from wafast.inbox.media_quota import sweep
from wafast.inbox.media_store import MediaStore

_numbers = itertools.count(1)


class Shelf:
    """A store of files, two workspaces, and short words for what tests do with them."""

    def __init__(self, pool: asyncpg.Pool, folder: Path, store: MediaStore, tenants: list[int], device_no: int) -> None:
        self.pool, self.folder, self.store = pool, folder, store
        self.tenant, self.other = tenants
        self.device_no = device_no

    async def put(self, content: bytes, *, viewed_hours_ago: int = 0, tenant_id: int | None = None) -> bytes:
        """A file of the first workspace, or another; gives its hash."""
        tenant_id = tenant_id or self.tenant
        stored = await self.store.keep(tenant_id, io.BytesIO(content), "text/plain")
        await self.pool.execute(
            "UPDATE media SET viewed_at = now() - make_interval(hours => $3) WHERE tenant_id = $1 AND sha256 = $2",
            tenant_id, stored.sha256, viewed_hours_ago,
        )  # fmt: skip
        return stored.sha256

    async def send(self, sha256: bytes, state: str = "queued") -> int:
        """An outbox row of the first workspace with the file."""
        found: int = await self.pool.fetchval(
            "INSERT INTO outbox (tenant_id, device_no, to_jid, kind, media_sha256, state, created_by, claim_worker,"
            " claim_epoch, claimed_at) VALUES ($1, $2, '1@s.whatsapp.net', 'document', $3, $4, 'test',"
            " gen_random_uuid(), 1, now()) RETURNING id",
            self.tenant, self.device_no, sha256, state,
        )  # fmt: skip
        return found

    async def sweep(self, quota: int) -> int:
        """Sweeps down to so many bytes."""
        return await sweep(self.pool, self.store, quota)

    def path(self, sha256: bytes) -> Path:
        """Where a file lies."""
        return self.folder / sha256.hex()[:2] / sha256.hex()

    def files(self) -> set[str]:
        """The names of all files, half-written ones too."""
        return {path.name for path in self.folder.rglob("*") if path.is_file()}

    async def rows(self, sha256: bytes) -> int:
        """How many workspaces have a file."""
        found: int = await self.pool.fetchval("SELECT count(*) FROM media WHERE sha256 = $1", sha256)
        return found

    async def until_somebody_waits_for_a_lock(self) -> None:
        """Returns when a statement in this database cannot go on."""
        waits = (
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted"
        )
        for _ in range(3000):
            if await self.pool.fetchval(waits):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("nobody waits for a lock")


@pytest_asyncio.fixture
async def shelf(database: Database, tmp_path: Path) -> AsyncIterator[Shelf]:
    async with pool_of(database.uri, size=5) as pool:
        tenants = [
            await pool.fetchval("INSERT INTO tenants (name) VALUES ($1) RETURNING id", f"Workspace {next(_numbers)}")
            for _ in range(2)
        ]
        device_no = await pool.fetchval(
            "INSERT INTO devices (tenant_id, name, network, jid) VALUES ($1, 'Shop', 'loopback', '60@s.whatsapp.net')"
            " RETURNING no",
            tenants[0],
        )
        folder = tmp_path / "media"
        yield Shelf(pool, folder, MediaStore(pool, folder), tenants, device_no)
