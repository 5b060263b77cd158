"""Connections of the pool."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from wafast.database.away import DATABASE_AWAY
from wafast.database.pool import _connect


async def test_a_host_that_does_not_answer_is_a_database_that_is_away_and_no_statement_that_takes_long() -> None:
    silent = await asyncio.start_server(lambda reader, writer: asyncio.sleep(60), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    try:
        with pytest.raises(DATABASE_AWAY) as told:
            await _connect(f"postgresql://a@127.0.0.1:{port}/a?sslmode=disable", timeout=0.2)
        assert not isinstance(told.value, TimeoutError | asyncpg.PostgresError)
    finally:
        silent.close()
