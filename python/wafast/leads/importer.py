"""Starts a process for each import that has work to do, a few at a time, wherever this job has the turn."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from typing import TYPE_CHECKING

from wafast import logs
from wafast.database.away import is_full
from wafast.database.queries import load
from wafast.database.turn import IMPORTS, keep_at
from wafast.leads.causes import ProcessKind, stored
from wafast.leads.import_process import AWAY, FULL, MOST_MEMORY, TOO_LARGE
from wafast.leads.imports import WORK, tell
from wafast.refusal import Refusal

if TYPE_CHECKING:
    import asyncpg

q = load(__file__)
log = logs.get("leads.importer")

#: Imports checked or taken in at once, of as many workspaces; one more may be looked at.
MOST_AT_WORK = 2
#: Processes that may fall over one file before it is given up.
MOST_ATTEMPTS = 5
PAUSE_SECONDS = 0.5
#: A million rows take one to ten minutes.
MOST_SECONDS = 3600.0
#: As an exit code: it took longer than that.
TOO_LONG = 124
#: The same: the machine could not start it, or make its folder.
NOT_BEGUN = os.EX_OSERR
#: By exit code: what would end so each time, with the kind of reason.
GIVEN_UP: dict[int, tuple[ProcessKind, str]] = {
    TOO_LARGE: (
        "takes_memory",
        f"The file takes more than {MOST_MEMORY >> 30} GB of memory when it is read: save it as CSV, or delete "
        "what stands far from its rows.",
    ),
    TOO_LONG: (
        "takes_long",
        f"Reading the file takes more than {MOST_SECONDS / 3600:.0f} hour: save it as CSV, or in parts.",
    ),
}
#: By exit code: why others did, as often as they may.
WHY = {FULL: "a disk of the server was full", NOT_BEGUN: "the server could not start it, and its log says why"}


async def keep_importing(uri: str) -> None:
    """Does imports until cancelled. Any number of processes may do this.

    Args:
        uri: where PostgreSQL is; it takes one connection, and each import at work two more.
    """
    await keep_at(uri, "imports", IMPORTS, lambda connection: _run(connection, uri))


async def _run(connection: asyncpg.Connection, uri: str) -> None:
    heard = asyncio.Event()
    connection.add_termination_listener(lambda _: heard.set())
    await connection.add_listener(WORK, lambda *_: heard.set())
    at_work: dict[asyncio.Task[int], asyncpg.Record] = {}
    try:
        while True:
            heard.clear()
            await _stop_unwanted(connection, at_work)
            for task in [task for task in at_work if task.done()]:
                await _end(connection, at_work.pop(task), task.result())
            row = await _next(connection, list(at_work.values()))
            if row is None:
                await heard.wait()
            else:
                task = asyncio.create_task(_once(uri, row["id"]))
                task.add_done_callback(lambda _: heard.set())
                at_work[task] = row
    finally:
        for task in at_work:
            task.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)


async def _next(connection: asyncpg.Connection, at_work: list[asyncpg.Record]) -> asyncpg.Record | None:
    """What can be begun beside these: a file is looked at beside anything, of what takes long a workspace has one."""
    if len(at_work) > MOST_AT_WORK:
        return None
    long = [row["tenant_id"] for row in at_work if row["state"] != "reading"]
    only_reading = len(long) == MOST_AT_WORK
    return await connection.fetchrow(q.next_import, [row["id"] for row in at_work], long, only_reading)


async def _stop_unwanted(connection: asyncpg.Connection, at_work: dict[asyncio.Task[int], asyncpg.Record]) -> None:
    """Ends the processes of imports that were cancelled or are gone: one that reads a large file does not look."""
    unwanted = {row["id"] for row in await connection.fetch(q.unwanted, [row["id"] for row in at_work.values()])}
    stopped = [task for task, row in at_work.items() if row["id"] in unwanted]
    for task in stopped:
        del at_work[task]
        task.cancel()
    await asyncio.gather(*stopped, return_exceptions=True)


async def _once(uri: str, import_id: int) -> int:
    """A process for it, gives the exit code: also for one that could not begin, which is no matter of other imports."""
    try:
        code = await _run_process(uri, import_id)
    except OSError as error:
        log.warning("an import's process can't run", import_id=import_id, error=str(error))
        code = FULL if is_full(error) else NOT_BEGUN
    if code != 0:
        await asyncio.sleep(PAUSE_SECONDS)
    return code


async def _run_process(uri: str, import_id: int) -> int:
    with tempfile.TemporaryDirectory(prefix="wafast-import-") as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "wafast.leads.import_process", str(import_id), folder, stdin=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdin is not None, "it was asked for"
            process.stdin.write(f"{uri}\n".encode())
            code = await asyncio.wait_for(process.wait(), MOST_SECONDS)
        except TimeoutError:
            code = TOO_LONG
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return code


async def _end(connection: asyncpg.Connection, row: asyncpg.Record, code: int) -> None:
    """After an import's process; one that fell over counts."""
    if code == 0:
        return
    log.warning("an import's process ended", import_id=row["id"], exit_code=code)
    if code == AWAY:
        return
    attempts = await connection.fetchval(q.note_attempt, row["id"])
    given_up = GIVEN_UP.get(code)
    if given_up is None and attempts >= MOST_ATTEMPTS:
        why = WHY.get(code, "the log says how")
        words = f"The process that read the file fell over {MOST_ATTEMPTS} times: {why}."
        given_up = "disk_full" if code == FULL else "fell_over", words
    if given_up is not None:
        kind, words = given_up
        await connection.fetchval(q.fail_import, row["id"], words, stored(Refusal(kind, words)))
        await tell(connection, row["tenant_id"], row["id"])
