"""The connection pool: one per process, sized from a budget.

3,000 devices need at most 50 connections. The API has 8, 2 for small jobs, two that listen and one for each kind of job
(database/turn.py); each of two workers 4, one that beats, one that listens and the core's 4, of which one comes with
the first large history. Plans and imports take up to 10 more while they run.
"""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

#: Whoever stands still in the middle of a transaction, as in a container that is paused, holds what it has locked no
#: longer than this: others may need it.
MOST_IDLE_SECONDS = 60.0
#: Of a client that a network has cut off PostgreSQL knows after a minute; by the system's own settings, after two
#: hours.
NOTICE_THE_GONE = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}
API_CONNECTIONS = 8
JOB_CONNECTIONS = 2
WORKER_CONNECTIONS = 4


async def connect(uri: str, name: str) -> asyncpg.Connection:
    """One connection outside any pool, called `name` in pg_stat_activity; for LISTEN and for the command line."""
    told = {"application_name": f"wafast {name}"} | NOTICE_THE_GONE
    connection = await asyncpg.connect(uri, server_settings=told, timeout=10)
    await set_codecs(connection)
    return connection


async def open_pool(
    uri: str,
    *,
    size: int,
    name: str,
    lock_seconds: float = 0.0,
    idle_seconds: float = MOST_IDLE_SECONDS,
    chat_days: int = 30,
) -> asyncpg.Pool:
    """A pool of at most `size` connections, opened as they are needed.

    Args:
        lock_seconds: after so long a statement that waits for what another transaction holds fails with
            asyncpg.LockNotAvailableError; 0 for never.
        idle_seconds: after so long PostgreSQL ends a transaction in which nothing happens, and its connection.
        chat_days: chats without a message for longer are in no list, and nothing of them counts as unread.
    """
    return await asyncpg.create_pool(
        uri,
        connect=_connect,
        min_size=1,
        max_size=size,
        init=set_codecs,
        command_timeout=60,
        max_inactive_connection_lifetime=300,
        server_settings={
            "application_name": f"wafast {name}",
            "lock_timeout": f"{lock_seconds:.3f}s",
            "idle_in_transaction_session_timeout": f"{idle_seconds:.3f}s",
            "wafast.chat_days": str(chat_days),
        }
        | NOTICE_THE_GONE,
    )


async def _connect(*place: Any, **options: Any) -> asyncpg.Connection:
    """A host that does not answer is a database that is away, and no statement that takes long."""
    try:
        return await asyncpg.connect(*place, **options)
    except TimeoutError as error:
        raise ConnectionError("the database does not answer") from error


async def set_codecs(connection: asyncpg.Connection) -> None:
    """jsonb comes and goes as Python values."""
    await connection.set_type_codec(
        "jsonb", encoder=_encode, decoder=msgspec.json.decode, schema="pg_catalog", format="text"
    )


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()
