"""An embedded PostgreSQL for tests, and databases in it that nobody else uses."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from threading import Thread
from typing import Any

import asyncpg

from wafast.database import migrations

TEMPLATE = "wafast_template"


class Database:
    """`uri` is a freshly migrated database, another one for each test; `create()` makes more."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._uri: str | None = None
        self._has_template = False

    @property
    def uri(self) -> str:
        """The running test's database."""
        if self._uri is None:
            self._uri = self.create()
        return self._uri

    def forget(self) -> None:
        """The next `uri` is a new database. This one goes: hundreds of them are gigabytes that the server would have to
        write before it can stop."""
        if self._uri is not None:
            name = self._uri.partition("?")[0].rpartition("/")[2]
            _wait(self._run(f"DROP DATABASE {name} WITH (FORCE)"))
        self._uri = None

    def create(self, *, migrated: bool = True) -> str:
        """The address of a new database."""
        if migrated and not self._has_template:
            _wait(self._run(f"CREATE DATABASE {TEMPLATE}"))
            _wait(migrations.migrate(self._address(TEMPLATE)))
            self._has_template = True
        name = f"test_{secrets.token_hex(6)}"
        _wait(self._run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE if migrated else 'template1'}"))
        return self._address(name)

    def _address(self, name: str) -> str:
        return self._server.replace("/postgres?", f"/{name}?")

    async def _run(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _wait(work: Coroutine[Any, Any, Any]) -> None:
    """Runs it in a thread with a loop of its own, so that tests with a loop and tests without may both ask."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:
            failure.append(error)

    thread = Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
