"""Which errors say that the database is away, or cannot do it now: the same statement may work in a moment."""

from __future__ import annotations

import errno

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
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is about to become the primary, or a disk that is full
)


def is_full(error: Exception) -> bool:
    """Whether a disk is full, PostgreSQL's or one of this machine: trying again does not help by itself."""
    no_room = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return no_room or isinstance(error, asyncpg.DiskFullError)
