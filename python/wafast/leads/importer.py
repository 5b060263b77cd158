"""Starts a process for each import that has work to do, one after the other, wherever this job has the turn."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

from wafast import logs
from wafast.database.queries import load
from wafast.database.turn import IMPORTS, keep_at
from wafast.leads.import_process import AWAY
from wafast.leads.imports import WORK, tell

if TYPE_CHECKING:
    import asyncpg

q = load(__file__)
log = logs.get("leads.importer")

#: Processes that may fall over one file before it is given up.
MOST_ATTEMPTS = 5
PAUSE_SECONDS = 0.5
GRACE_SECONDS = 5.0


async def keep_importing(uri: str) -> None:
    """Does imports until cancelled. Any number of processes may do this.

    Args:
        uri: where PostgreSQL is; it takes one connection, and an import two more.
    """
    await keep_at(uri, "imports", IMPORTS, lambda connection: _run(connection, uri))


async def _run(connection: asyncpg.Connection, uri: str) -> None:
    heard = asyncio.Event()
    connection.add_termination_listener(lambda _: heard.set())
    await connection.add_listener(WORK, lambda *_: heard.set())
    while True:
        heard.clear()
        row = await connection.fetchrow(q.next_import)
        if row is None:
            await heard.wait()
        elif row["attempts"] >= MOST_ATTEMPTS:
            reason = f"The process that read the file fell over {MOST_ATTEMPTS} times; the log says how."
            await connection.fetchval(q.fail_import, row["id"], reason)
            await tell(connection, row["tenant_id"], row["id"])
        else:
            await _once(connection, uri, row["id"])


async def _once(connection: asyncpg.Connection, uri: str, import_id: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "wafast.leads.import_process", str(import_id), stdin=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdin is not None, "it was asked for"
        process.stdin.write(f"{uri}\n".encode())
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), GRACE_SECONDS)
    if code != 0:
        log.warning("an import's process ended", import_id=import_id, exit_code=code)
        if code != AWAY:
            await connection.execute(q.note_attempt, import_id)
        await asyncio.sleep(PAUSE_SECONDS)
