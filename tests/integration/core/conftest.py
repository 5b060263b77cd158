"""A database with one device, and the core that writes into it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.database import Database
from wafast._core import Ingest

OWN = "60199999999@s.whatsapp.net"


class World:
    """A device, its core, and its tables."""

    def __init__(self, uri: str, spool: Path) -> None:
        self.uri, self.spool = uri, spool
        self.device_no: int = self.value(
            "WITH t AS (INSERT INTO tenants (name) VALUES ('T') RETURNING id) "
            "INSERT INTO devices (tenant_id, name, network, jid, lid, phone, store) "
            f"SELECT id, 'Line', 'loopback', '{OWN}', '77@lid', '+60199999999', 'x' FROM t RETURNING no"
        )
        self.ingest: Ingest | None = None

    def start(self, owner: str = "test", **options: Any) -> Ingest:
        """The core, running."""
        self.ingest = Ingest(self.uri, owner, self.spool, **options)
        return self.ingest

    def feed(self, *events: tuple[int, bytes]) -> None:
        """Gives events to the core and waits until they are committed."""
        ingest = self.ingest or self.start()
        for code, data in events:
            ingest.receive(self.device_no, code, data)
        assert ingest.flush(60)

    def close(self) -> None:
        """Ends the core."""
        if self.ingest is not None:
            self.ingest.close()
            self.ingest = None

    def rows_read(self, table: str) -> int:
        """How many rows of a table were read, by connections that have ended: the core is closed."""
        assert self.ingest is None
        while self.value("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'wafast core%'"):
            time.sleep(0.05)
        read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables"
        return int(self.value(f"{read} WHERE relname = '{table}'"))

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What a query gives."""
        return [dict(row) for row in asyncio.run(self._fetch(query))]

    def value(self, query: str) -> Any:
        """The first column of the first row."""
        return asyncio.run(self._fetch(query))[0][0]

    async def _fetch(self, query: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.uri)
        try:
            return await connection.fetch(query)
        finally:
            await connection.close()

    def messages(self) -> list[dict[str, Any]]:
        """The view users query, oldest first."""
        return self.rows("SELECT * FROM whatsapp_messages ORDER BY key")

    def chats(self) -> list[dict[str, Any]]:
        """The view users query."""
        return self.rows("SELECT * FROM whatsapp_chats ORDER BY chat_jid")


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    """One device."""
    world = World(database.uri, tmp_path / "spool")
    yield world
    world.close()
