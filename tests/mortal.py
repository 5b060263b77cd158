"""A connection to the database that is cut after so many statements, as by a kill of its process at any instant."""

from __future__ import annotations

import math
from typing import Any

import asyncpg

from wafast.database.pool import set_codecs

#: What its user is told then, and when it tidies up.
CUT = (asyncpg.ConnectionDoesNotExistError, asyncpg.InterfaceError)


class Mortal(asyncpg.Connection):
    """As above; counted once `statements_left` is set."""

    statements_left: float = math.inf

    def _begin(self) -> None:
        self.statements_left -= 1
        if self.statements_left < 0:
            self.terminate()
            raise asyncpg.ConnectionDoesNotExistError("it was killed")

    async def execute(self, *asked: Any, **more: Any) -> Any:
        self._begin()
        return await super().execute(*asked, **more)

    async def fetch(self, *asked: Any, **more: Any) -> Any:
        self._begin()
        return await super().fetch(*asked, **more)

    async def fetchrow(self, *asked: Any, **more: Any) -> Any:
        self._begin()
        return await super().fetchrow(*asked, **more)

    async def fetchval(self, *asked: Any, **more: Any) -> Any:
        self._begin()
        return await super().fetchval(*asked, **more)


async def mortal(uri: str, statements: int, name: str = "mortal") -> Mortal:
    """One that is cut after so many statements; `name` is the application's."""
    connection: Mortal = await asyncpg.connect(uri, connection_class=Mortal, server_settings={"application_name": name})
    await set_codecs(connection)
    connection.statements_left = statements
    return connection
