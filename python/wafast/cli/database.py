"""The database a command works on: your own, the one of the running system, or one started for the command."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import asyncpg
import typer

from wafast.cli import options
from wafast.data_dir import InUse, claim, system_runs
from wafast.database.embedded import Embedded, running_uri
from wafast.database.migrations import migrate
from wafast.database.pool import open_pool
from wafast.settings import Settings
from wafast.supervisor import bootstrap

T = TypeVar("T")
#: A system that starts has its database after so long at most.
START_SECONDS = 60.0


def with_pool(work: Callable[[asyncpg.Pool], Awaitable[T]]) -> T:
    """Do `work` on the migrated database. The first administrator is made before, if there is nobody yet."""
    settings = options.load()
    with reachable(settings) as uri:
        return asyncio.run(_work(settings, uri, work))


async def _work(settings: Settings, uri: str, work: Callable[[asyncpg.Pool], Awaitable[T]]) -> T:
    await migrate(uri)
    password = await bootstrap(uri, settings)
    if password is not None:
        typer.echo(
            f"The first administrator is {settings.admin_email}, password {password} (shown this once)", err=True
        )
    pool = await open_pool(uri, size=2, name="command")
    try:
        return await work(pool)
    finally:
        await pool.close()


@contextmanager
def reachable(settings: Settings) -> Iterator[str]:
    """The address of the database, as long as the block lasts. Raises InUse when a system starts and never has one."""
    if settings.database_uri is not None:
        yield settings.database_uri
        return
    if system_runs(settings.data_dir):
        yield _of_the_system(settings)
        return
    taken = claim(settings.data_dir, "command")
    try:
        server = Embedded(settings.data_dir)
        try:
            yield server.uri
        finally:
            server.stop()
    finally:
        taken.release()


def _of_the_system(settings: Settings) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        found = running_uri(settings.data_dir)
        if found is not None:
            return found
        time.sleep(0.2)
    raise InUse(f"the wafast that runs on {settings.data_dir} has no database: it starts or stops, try again")
