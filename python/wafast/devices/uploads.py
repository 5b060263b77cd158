"""Where WhatsApp keeps what devices have uploaded, for whoever holds them next: a worker that is started anew uploads
nothing a second time."""

from __future__ import annotations

import contextlib

import asyncpg

from wafast.database.away import DATABASE_AWAY
from wafast.database.queries import load
from wafast.devices.session import Media

q = load(__file__)

#: WhatsApp keeps an upload for weeks; what is fetched from it late must be there still. What is found late is in a
#: session's memory for as long again.
KEPT_SECONDS = 24 * 3600.0


class Uploads:
    """Those of all devices. While the database is away nothing is found and nothing kept: a file is uploaded then."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def find(self, device_no: int, media: Media) -> bytes | None:
        """What WhatsApp answered when this device uploaded this file as this kind, not too long ago."""
        with contextlib.suppress(*DATABASE_AWAY):
            asked = device_no, media.sha256, media.kind, KEPT_SECONDS
            answer: bytes | None = await self._pool.fetchval(q.find_upload, *asked)
            return answer
        return None

    async def keep(self, device_no: int, media: Media, answer: bytes) -> None:
        """Note what it answered."""
        with contextlib.suppress(*DATABASE_AWAY):
            await self._pool.execute(q.keep_upload, device_no, media.sha256, media.kind, KEPT_SECONDS, answer)
