"""Who holds which device: one heartbeat row a worker, and a lease row a device whose epoch only ever grows."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Container, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from wafast import logs
from wafast.crashes import Mark
from wafast.database.away import DATABASE_AWAY
from wafast.database.queries import load
from wafast.devices.home import Home
from wafast.devices.node import process, this_node
from wafast.devices.state import HOME_AWAY, ON_REQUEST
from wafast.events import bus

q = load(__file__)
log = logs.get("devices.lease")

#: A worker that has not beaten for so long is dead, unless its process is seen to live on this node. Its devices are
#: free when the next one looks for the dead, and all are told: 14 seconds after the last heartbeat, of the 15 that are
#: promised.
EXPIRY_SECONDS = 12.0
BEAT_SECONDS = 3.0
BURY_SECONDS = 2.0
#: A process is gone a moment before whoever started it has noted how it ended.
NOTE_SECONDS = 0.5
#: A device that has been online for so long is not what a worker died of.
SETTLED_SECONDS = 10.0
#: Workers that may die of a device before it is quarantined.
CRASHES = 3
#: So long suspected devices wait for a worker that tries them, where there is a supervisor to start one.
TRIAL_PATIENCE_SECONDS = 60.0

#: Workers of a home are away for so long before those of others say so: a restart is soon over.
HOME_PATIENCE_SECONDS = 60.0

#: No device has this number: wakes workers that are to take whatever is free.
NO_DEVICE = 0

# What people read.
WORKER_DIED = "The process that held the device ended unexpectedly; connecting again"
QUARANTINED = (
    f"Quarantined: the process that held it died {CRASHES} times in a row while this device was coming online. "
    "Its session may be damaged. Connect it to try once more, or log it out and pair it again"
)


class Lease(msgspec.Struct, frozen=True):
    """A device held now; every write for it carries the epoch."""

    device_no: int
    tenant_id: int
    epoch: int


class Burial:
    """Frees what dead workers held, and says that it is not online: whoever comes by may do this. Not while the
    database may not have heard the living: after it was away, or stood still, they have EXPIRY_SECONDS to be heard."""

    def __init__(self, pool: asyncpg.Pool, crashes: Container[Mark] = ()) -> None:
        """`crashes`: processes that ended by themselves, where a device may be to blame (`crashes.Crashes`)."""
        self._pool, self._crashes = pool, crashes
        self._not_before = 0.0
        self._offset: float | None = None  # of the database's clock from the monotonic one

    def wait(self) -> None:
        """The database was away, or its clock was set."""
        self._not_before = time.monotonic() + EXPIRY_SECONDS

    async def attempt(self) -> None:
        """Do it, if it is certain who lives."""
        began = time.monotonic()
        try:
            living = await self.mark_the_gone()
            instant = await self._pool.fetchval(q.instant)
        except DATABASE_AWAY:
            self.wait()
            raise
        if time.monotonic() - began > BEAT_SECONDS or self._is_set(instant):
            self.wait()
        if time.monotonic() < self._not_before:
            return
        rows = await self._pool.fetch(
            q.bury, SETTLED_SECONDS, CRASHES, WORKER_DIED, QUARANTINED, EXPIRY_SECONDS, instant, living
        )
        for row in rows:
            if row["is_quarantined"]:
                log.error("device is quarantined", device=row["no"])
        await bus.publish(self._pool, [{"k": "device", "t": row["tenant_id"], "d": row["no"]} for row in rows])
        await bus.wake_each(
            self._pool, "device", [(network, NO_DEVICE) for network in {row["network"] for row in rows}]
        )

    def _is_set(self, instant: datetime) -> bool:
        """Whether the database's clock was set since this was asked last: heartbeats of before say nothing then."""
        before, self._offset = self._offset, instant.timestamp() - time.monotonic()
        return before is not None and abs(self._offset - before) > BEAT_SECONDS

    async def mark_the_gone(self) -> list[UUID]:
        """End the heartbeat of workers of this node whose process is gone: their devices are free at once. Gives those
        whose process lives, though the database may not hear them: their sessions go on."""
        gone, living = [], []
        for row in await self._pool.fetch(q.neighbours, this_node()):
            found = process(row["pid"])
            if found is None or row["process_start"] not in (None, found.began):
                gone.append(row)
            elif not found.is_over:
                living.append(row["id"])
        if gone:
            await asyncio.sleep(NOTE_SECONDS)
            crashed = [row["id"] for row in gone if (row["pid"], row["process_start"]) in self._crashes]
            await self._pool.execute(q.bury_workers, [row["id"] for row in gone], crashed)
        return living


class Leases:
    """One worker's leases."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        worker_id: UUID,
        network: str,
        *,
        is_trial: bool = False,
        is_supervised: bool = False,
        expected: int = 1,
        beats: asyncpg.Pool | None = None,
        crashes: Container[Mark] = (),
        home: Home | None = None,
    ) -> None:
        """`is_trial`: it only tries devices that are suspected of taking workers down; where this one `is_supervised`
        there can be such a worker, and it is waited for. `expected` is how many workers of the network are to be here,
        so that the first one to start does not take everything. `beats` has a connection for the heartbeat alone,
        which must not wait behind anything; `crashes` is as for `Burial`. `home` has the session files."""
        self._beats, self._home = beats or pool, home
        self._pool, self.worker_id, self.network, self.is_trial = pool, worker_id, network, is_trial
        self._patience = TRIAL_PATIENCE_SECONDS if is_supervised else 0.0
        self._expected, self._alone_until = expected, time.monotonic() + EXPIRY_SECONDS
        self._beaten = time.monotonic()
        self._burial = Burial(pool, crashes)

    async def beat(self, figures: dict[str, Any] | None = None) -> bool:
        """Live on for EXPIRY_SECONDS: one statement, however many devices there are. It carries what the worker has
        counted since it started (`ingest.figures`), so that nobody has to ask; None leaves what it said before. Gives
        False when it came so late that devices may be others' by now."""
        before = self._beaten
        pid = os.getpid()
        me = process(pid)
        await self._beats.execute(
            q.beat, self.worker_id, self.network, this_node(), pid, me and me.began, EXPIRY_SECONDS, figures,
            self.is_trial, self._home and self._home.name, timeout=EXPIRY_SECONDS / 2,
        )  # fmt: skip
        self._beaten = time.monotonic()
        silent = self._beaten - before
        if silent > EXPIRY_SECONDS / 2:
            self._burial.wait()
        return silent < EXPIRY_SECONDS

    async def bury_others(self) -> None:
        """Free what dead workers held; not while this one is not heard itself."""
        if time.monotonic() - self._beaten <= 2 * BEAT_SECONDS:
            await self._burial.attempt()

    async def acquire(self) -> list[Lease]:
        """Take what is free and needs a worker, up to a fair share."""
        expected = self._expected if time.monotonic() < self._alone_until else 1
        if self._home is not None:
            await self._take_homeless(self._home.sessions)
        rows = await self._pool.fetch(
            q.acquire_leases, self.worker_id, self.network, self.is_trial, expected, self._patience, ON_REQUEST,
            HOME_AWAY, HOME_PATIENCE_SECONDS,
        )  # fmt: skip
        return [Lease(row["device_no"], row["tenant_id"], row["epoch"]) for row in rows]

    async def _take_homeless(self, folder: Path) -> None:
        """Lines of which nobody has said yet where their session files are, and that have them here."""
        rows = await self._pool.fetch(q.homeless, self.network)
        if here := [row["no"] for row in rows if (folder / row["store"]).is_file()]:
            await self._pool.execute(q.take_home, self.worker_id, here)

    async def surplus(self, most: int) -> list[int]:
        """Up to `most` devices to hand over, because others hold fewer."""
        if self.is_trial:
            return []
        return [row["device_no"] for row in await self._pool.fetch(q.surplus, self.worker_id, self.network, most)]

    async def wants_trial(self) -> bool:
        """Whether suspected devices wait for a worker that tries them, and there is none."""
        wants: bool = await self._pool.fetchval(q.wants_trial, self.network, self.worker_id)
        return wants

    async def acquit(self, device_nos: Sequence[int]) -> None:
        """These are suspected no more: they were online for SETTLED_SECONDS, and the worker still lives."""
        await self._pool.execute(q.acquit, self.worker_id, list(device_nos))

    async def release(self, device_nos: Sequence[int]) -> None:
        """Give devices back."""
        if device_nos:
            await self._pool.execute(q.release_leases, self.worker_id, list(device_nos))

    async def resign(self) -> None:
        """Give all back and end: others pick them up at once."""
        await self._pool.execute(q.release_all_leases, self.worker_id)
        await self._pool.execute(q.remove_worker, self.worker_id)
        await bus.wake(self._pool, "device", self.network, NO_DEVICE)

    async def bury_dead_neighbours(self) -> None:
        """As `Burial.mark_the_gone`; and remove rows of workers long gone."""
        await self._burial.mark_the_gone()
        await self._pool.execute(q.forget_workers)
