"""Which errors say that the database is away, or cannot do it now: the same statement may work in a moment."""

from __future__ import annotations

import asyncpg

DATABASE_AWAY: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was cut in the middle of a statement
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it starts, stops, or has cut the connection
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,  # a deadlock, broken by rolling one back
)
