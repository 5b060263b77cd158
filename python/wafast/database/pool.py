"""The connection pool: one per process, sized from a budget.

3,000 devices need at most 50 connections: 10, two that listen and one for each kind of job (database/turn.py) for the
API; for each worker 4, one that listens and the core's 4, of which one comes with the first large history.
"""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

API_CONNECTIONS = 10
WORKER_CONNECTIONS = 4


async def connect(uri: str, name: str) -> asyncpg.Connection:
    """One connection outside any pool, called `name` in pg_stat_activity; for LISTEN and for the command line."""
    connection = await asyncpg.connect(uri, server_settings={"application_name": f"wafast {name}"}, timeout=10)
    await set_codecs(connection)
    return connection


async def open_pool(uri: str, *, size: int, name: str) -> asyncpg.Pool:
    """A pool of at most `size` connections, opened as they are needed."""
    return await asyncpg.create_pool(
        uri,
        min_size=1,
        max_size=size,
        init=set_codecs,
        command_timeout=60,
        max_inactive_connection_lifetime=300,
        server_settings={"application_name": f"wafast {name}"},
    )


async def set_codecs(connection: asyncpg.Connection) -> None:
    """jsonb comes and goes as Python values."""
    await connection.set_type_codec(
        "jsonb", encoder=_encode, decoder=msgspec.json.decode, schema="pg_catalog", format="text"
    )


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()
