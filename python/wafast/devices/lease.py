"""Who holds which device: one heartbeat row a worker, and a lease row a device whose epoch only ever grows."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from wafast.database.queries import load

q = load(__file__)

#: A worker that has not beaten for so long is dead, and its devices are free.
EXPIRY_SECONDS = 15.0
BEAT_SECONDS = 4.0


class Lease(msgspec.Struct, frozen=True):
    """A device held now; every write for it carries the epoch."""

    device_no: int
    tenant_id: int
    epoch: int


class Leases:
    """One worker's leases."""

    def __init__(self, pool: asyncpg.Pool, worker_id: UUID, network: str) -> None:
        self._pool, self.worker_id, self._network = pool, worker_id, network

    async def beat(self, figures: dict[str, Any] | None = None) -> None:
        """Live on for EXPIRY_SECONDS: one statement, however many devices there are. It carries what the worker has
        counted since it started (`ingest.figures`), so that nobody has to ask."""
        await self._pool.execute(
            q.beat, self.worker_id, self._network, socket.gethostname(), os.getpid(), EXPIRY_SECONDS, figures or {}
        )

    async def held(self) -> dict[int, int]:
        """Epoch by device, as the database has it."""
        return {row["device_no"]: row["epoch"] for row in await self._pool.fetch(q.held_leases, self.worker_id)}

    async def acquire(self) -> list[Lease]:
        """Take what is free and needs a worker, up to a fair share."""
        rows = await self._pool.fetch(q.acquire_leases, self.worker_id, self._network)
        return [Lease(row["device_no"], row["tenant_id"], row["epoch"]) for row in rows]

    async def release(self, device_nos: Sequence[int]) -> None:
        """Give devices back."""
        if device_nos:
            await self._pool.execute(q.release_leases, self.worker_id, list(device_nos))

    async def resign(self) -> None:
        """Give all back and end: others pick them up at once."""
        await self._pool.execute(q.release_all_leases, self.worker_id)
        await self._pool.execute(q.remove_worker, self.worker_id)

    async def bury_dead_neighbours(self) -> None:
        """End the heartbeat of workers of this machine whose process is gone, so that their devices are free at once;
        remove rows of those long gone."""
        neighbours = await self._pool.fetch(q.neighbours, socket.gethostname())
        dead = [row["id"] for row in neighbours if not _runs(row["pid"])]
        if dead:
            await self._pool.execute(q.bury_workers, dead)
        await self._pool.execute(q.forget_workers)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
