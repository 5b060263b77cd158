"""One runner of each kind of job, whatever number of processes there are: who holds the kind's advisory lock works, the
others wait for its place. The lock goes with the connection, so a runner that dies is replaced at once."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from wafast import logs
from wafast.database.away import DATABASE_AWAY
from wafast.database.pool import connect
from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import asyncpg

q = load(__file__)
log = logs.get("database.turn")

#: The locks of all kinds, a number of its own for each; others are in inbox/media_quota.sql and accounts/tenants.sql.
SEARCH = 7205759407
CHAT_ORDER = 7205759408
ANSWERS = 7205759409
CAMPAIGNS = 7205759410
SEQUENCES = 7205759411
DISTRIBUTION = 7205759412
IMPORTS = 7205759413
SCORING = 7205759414

#: Channel of the connection that has a turn, with its process number behind.
TURN = "wafast_turn"
#: So often it is asked whether it hears, and so long its answer may take: no statement of a job lasts as long.
ASK_SECONDS = 60.0
ANSWER_SECONDS = 300.0


async def keep_at(uri: str, name: str, lock: int, work: Callable[[asyncpg.Connection], Awaitable[None]]) -> None:
    """Runs `work` while this process has the turn, again after whatever ends it, until cancelled.

    Args:
        uri: where PostgreSQL is; it takes one connection, and another for a moment now and then.
        name: of the job, in the log and in pg_stat_activity.
        lock: one of those above.
        work: gets the connection that holds the lock, for itself; it is cancelled when that is cut.
    """
    pause = 0.1
    while True:
        try:
            connection = await connect(uri, name)
            try:
                await connection.execute(q.take_turn, lock)
                pause = 0.1
                await _while_it_hears(uri, name, connection, work)
            finally:
                connection.terminate()
        except Exception as error:
            is_away = isinstance(error, DATABASE_AWAY)
            log.warning("a job rests", job=name, error=str(error), retry_seconds=pause, exc_info=not is_away)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)


async def _while_it_hears(
    uri: str, name: str, connection: asyncpg.Connection, work: Callable[[asyncpg.Connection], Awaitable[None]]
) -> None:
    heard = asyncio.Event()
    connection.add_termination_listener(lambda _: heard.set())
    mine = f"{TURN}_{connection.get_server_pid()}"
    await connection.add_listener(mine, lambda *_: heard.set())  # before the work, which has it for itself then
    watch = _until_deaf(uri, name, connection, mine, heard)
    tasks = [asyncio.ensure_future(work(connection)), asyncio.ensure_future(watch)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        connection.terminate()  # before: who is cancelled in a transaction would wait for its end
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _until_deaf(uri: str, name: str, connection: asyncpg.Connection, channel: str, heard: asyncio.Event) -> None:
    """Raises when the connection hears no more what is said to it: cut in a way that TCP does not report, it would
    hold the turn for ever. It is not asked itself, as it may be in the middle of a statement."""
    while not connection.is_closed():
        heard.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ASK_SECONDS):  # `wait_for` of Python 3.11 loses a cancellation now and then
                await heard.wait()
        other = await connect(uri, f"{name} asks")
        try:
            await other.execute(q.say, channel)
            async with asyncio.timeout(ANSWER_SECONDS):
                await heard.wait()
        finally:
            other.terminate()
    raise ConnectionError("the connection that holds the turn is cut")
