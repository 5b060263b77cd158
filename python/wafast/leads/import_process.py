"""The process that reads one import's file: it holds no memory of the API's, and ends with it, or when nobody wants it.

What it applies of leads, it applies in one transaction, which also says that the import is done. Killed before, it has
done nothing; started again, it begins anew. Numbers to leave alone count from the moment they are known: they go in a
portion at a time, and started again, it finds those that are there.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Coroutine
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import msgspec

from wafast.database.away import DATABASE_AWAY, is_full
from wafast.database.pool import connect
from wafast.database.queries import load
from wafast.events import bus
from wafast.leads import columns, files
from wafast.leads.causes import stored
from wafast.leads.imports import Options, tell
from wafast.leads.rows import MOST_FIELDS, MOST_TAGS, learn

q = load(__file__)

#: Rows read and copied at a time, some 5 MB.
BATCH = 10_000
#: Lines taken in by one statement: between two of them it is seen whether it was cancelled.
STEP = 50_000
#: Lines of numbers to leave alone that count at once.
PORTION = 5_000
TELL_SECONDS = 0.5
#: Exit codes when the database was away, which is not the file's fault, and when a disk was full.
AWAY, FULL = 75, 74
#: What a process may take, which is 50 MB of a million rows. Of a kind of workbook that is read as a whole, they are
#: 1 GB, and empty ones before a cell far away hundreds: who can't have them aborts.
MOST_MEMORY = 2 << 30
TOO_LARGE = -signal.SIGABRT


class Ended(Exception):
    """The import is not to be done any more: it was cancelled, or another process did it."""


class Problem(NamedTuple):
    """Why a row is not taken in: to people (`reason`) and to programs (`cause`)."""

    line: int
    is_double: bool
    value: str
    reason: str
    cause: str


class Importing:
    """One import at work.

    Args:
        work: the connection that reads and writes.
        aside: another one, on which progress is seen while the first is in its transaction.
        row: of `import_to_do`.
        path: where the file is to lie.
    """

    def __init__(self, work: asyncpg.Connection, aside: asyncpg.Connection, row: asyncpg.Record, path: Path) -> None:
        self._work, self._aside, self._row, self._path = work, aside, row, path
        self._id, self._tenant_id, self._state = row["id"], row["tenant_id"], row["state"]
        self._of_leads = row["kind"] == "leads"
        self._options = msgspec.convert(row["options"], Options)
        self._updates = self._options.known == "update"
        self._told = 0.0
        self._read = self._errors = 0

    async def run(self) -> None:
        """Does what its state says. Raises Ended, files.NotReadable."""
        await self._fetch()
        if self._state == "reading":
            await self._look()
            return
        await self._work.execute(q.prepare_staging)
        if self._state == "checking":
            await self._check()
        elif self._of_leads:
            await self._take_leads()
        else:
            await self._take_suppressions()

    async def _fetch(self) -> None:
        with self._path.open("wb") as file:
            place = 0
            while piece := await self._work.fetchval(q.get_piece, self._id, place):
                file.write(piece)
                place += 1

    async def _look(self) -> None:
        shape = files.look(self._path, self._options.sheet, self._options.encoding)
        mapping = columns.proposed(shape.columns)
        if self._options.start:
            columns.check(mapping, shape.columns)
        state = "running" if self._options.start else "ready"
        if not await self._work.fetchval(q.note_shape, self._id, state, msgspec.to_builtins(shape), mapping):
            raise Ended
        await tell(self._work, self._tenant_id, self._id)

    async def _check(self) -> None:
        """Counts what taking the rows in would do."""
        await self._stage()
        arguments = (self._tenant_id, self._updates, MOST_TAGS, MOST_FIELDS) if self._of_leads else (self._tenant_id,)
        would = await self._work.fetchrow(q.count_staged if self._of_leads else q.count_suppressions, *arguments)
        assert would is not None, "an aggregate gives a row"
        async with self._work.transaction():
            await self._end("checked", would["new"], would["changed"])

    async def _take_leads(self) -> None:
        end = await self._stage()
        new = changed = 0
        async with self._work.transaction():
            for first in range(1, end, STEP):
                added, altered = await self._take(first, min(first + STEP, end))
                new, changed = new + added, changed + altered
                await self._tell(min(first + STEP, end) - 1)
            terms = await self._work.fetchrow(q.staged_terms)
            assert terms is not None, "a select without a table gives a row"
            await learn(self._work, self._tenant_id, terms["tags"], terms["fields"])
            await self._work.execute(q.tidy_indexes)
            await self._end("done", new, changed)

    async def _take(self, first: int, end: int) -> tuple[int, int]:
        """How many leads the rows of these lines made, and how many they changed."""
        new = changed = 0
        place, is_anybody_missing = (self._tenant_id, first, end), True
        while is_anybody_missing:
            added = await self._work.fetchrow(q.add_new, *place)
            assert added is not None, "a select without a table gives a row"
            new += added["new"]
            if added["joined"]:
                await self._join()
            if not added["others"]:
                break
            # behind them, as somebody may have made one since; who has become part of another is missing then
            if self._updates:
                changed += await self._work.fetchval(q.change_known, *place, MOST_TAGS, MOST_FIELDS)
            is_anybody_missing = await self._work.fetchval(q.is_anybody_missing, *place)
        return new, changed

    async def _take_suppressions(self) -> None:
        """Puts the numbers on the list, each portion in a transaction that also says so; what is on the list when it is
        cancelled stays."""
        end = await self._stage()
        doubles = await self._work.fetchval(q.count_doubles)
        new = taken = 0  # new are also those of a process before that was killed
        for first in range(1, end, PORTION):
            async with self._work.transaction():
                portion = await self._work.fetchrow(
                    q.add_suppressions, self._tenant_id, first, first + PORTION, str(self._id)
                )
                assert portion is not None, "an aggregate gives a row"
                taken += portion["all"]
                noted = self._id, portion["new"], taken, doubles, self._errors
                new = await self._work.fetchval(q.note_portion, *noted)
                if new is None:
                    raise Ended
            await self._announce()
        async with self._work.transaction():
            await self._end("done", new, 0)

    async def _stage(self) -> int:
        """Copies what the rows say into a table of this connection, without doubles; gives the line behind the last.
        To read the next rows while PostgreSQL takes these in gained nothing on two processors: its part of 300,000
        rows grew from 13.3 to 16.9 s, and all was later."""
        shape = msgspec.convert(self._row["shape"], files.Shape)
        mapping = self._row["mapping"]
        if not self._of_leads:
            mapping = [kind if kind == "phone" else "" for kind in mapping]
        reader = columns.Reader(
            mapping, self._row["region"], self._row["time_zone"], await self._devices(), self._options.tags
        )
        found, end = files.rows(self._path, shape), 1
        while rows := list(islice(found, BATCH)):
            end = rows[-1][0] + 1
            records, problems = _read(reader, rows)
            await self._work.copy_records_to_table("staged", records=records, columns=columns.Staged._fields)
            if problems:
                await self._work.copy_records_to_table("problems", records=problems)
            self._read += len(rows)
            self._errors += len(problems)
            await self._tell(0)
        await self._join()
        await self._work.execute(q.analyze_staged)
        return end

    async def _join(self) -> None:
        """Rows of one lead, or one person, become one."""
        if self._of_leads:
            await self._work.execute(q.find_joined, self._tenant_id)
            await self._work.execute(q.join_staged)
        for statement in (q.find_doubles, q.drop_doubles):
            await self._work.execute(statement)

    async def _end(self, state: str, new: int, changed: int) -> None:
        """In the transaction that did it: keeps what is to be told of the rows, and counts."""
        if self._of_leads and self._updates:
            await self._work.execute(q.find_crowded, self._tenant_id, MOST_TAGS, MOST_FIELDS)
        await self._work.execute(q.forget_problems, self._id)
        await self._work.execute(q.keep_problems, self._id, self._tenant_id, MOST_TAGS, MOST_FIELDS)
        doubles = await self._work.fetchval(q.count_doubles)
        counts = {
            "new": new,
            "changed": changed,
            # numbers to leave alone that were taken off the list since a process before put them there are new again
            "unchanged": max(self._read - self._errors - doubles - new - changed, 0),
            "doubles": doubles,
            "errors": self._errors,
            "joined": await self._work.fetchval(q.count_joined),
            "crowded": await self._work.fetchval(q.count_crowded),
        }
        ended = await self._work.fetchval(q.end_import, self._id, self._state, state, counts, self._read)
        if ended is None:
            raise Ended
        if state == "done":
            await self._work.execute(q.drop_pieces, self._id)
            await bus.publish(self._work, [{"k": "lead", "t": self._tenant_id, "l": []}])
        await tell(self._work, self._tenant_id, self._id)

    async def _tell(self, written: int) -> None:
        """Says how far it is, now and then. Raises Ended."""
        if time.monotonic() - self._told < TELL_SECONDS:
            return
        if not await self._aside.fetchval(q.note_progress, self._id, self._state, self._read, written):
            raise Ended
        await self._announce()

    async def _announce(self) -> None:
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            await bus.publish(self._aside, [{"k": "import", "t": self._tenant_id, "i": self._id}])

    async def _devices(self) -> dict[str, list[int]]:
        """Those that each word means: a number or an id is one's own, a name may be several devices'."""
        rows = await self._work.fetch(q.import_devices, self._tenant_id)
        found: dict[str, list[int]] = {}
        for row in rows:
            found.setdefault(row["name"].casefold(), []).append(row["no"])
        for row in rows:
            for word in (row["id"], row["phone"], row["phone"] and row["phone"][1:]):
                if word:
                    found[word] = [row["no"]]
        return found


def _read(reader: columns.Reader, rows: list[tuple[int, list[str]]]) -> tuple[list[columns.Staged], list[Problem]]:
    """What they say, and what is wrong with those that say nothing."""
    records: list[columns.Staged] = []
    problems: list[Problem] = []
    for line, row in rows:
        try:
            records.append(reader.read(line, row))
        except columns.Refused as error:
            problems.append(Problem(line, False, error.value, str(error), msgspec.json.encode(stored(error)).decode()))
    return records, problems


async def _while_connected(connection: asyncpg.Connection, doing: Coroutine[Any, Any, None]) -> None:
    """Does this as long as the connection is there: a copy that waits for its socket would wait for ever."""
    task = asyncio.create_task(doing)

    def is_gone(_: object) -> None:
        task.cancel()

    connection.add_termination_listener(is_gone)
    try:
        await task
    except asyncio.CancelledError:
        if not connection.is_closed():
            raise
        raise asyncpg.ConnectionDoesNotExistError("the database has closed the connection") from None


async def work(uri: str, import_id: int, folder: Path) -> None:
    """Does the import if it is to be done, with its file in this folder. Raises what the database raises."""
    connection, aside = await connect(uri, "import"), await connect(uri, "import aside")
    try:
        row = await connection.fetchrow(q.import_to_do, import_id)
        if row is None or row["state"] not in ("reading", "checking", "running"):
            return
        try:
            await _while_connected(connection, Importing(connection, aside, row, folder / "file").run())
        except Ended:
            pass
        except (files.NotReadable, columns.MappingError) as error:
            if row["state"] == "reading" and row["shape"] is not None:  # another sheet was asked for, which is none
                await aside.execute(q.keep_shape, import_id, str(error), stored(error))
            else:
                await aside.fetchval(q.fail_import, import_id, str(error), stored(error))
            await tell(aside, row["tenant_id"], import_id)
    finally:
        connection.terminate()
        aside.terminate()


def _end_with_parent() -> None:
    sys.stdin.read()  # its other end is closed when the parent is gone
    os._exit(1)


def main() -> None:
    """`python -m wafast.leads.import_process ID FOLDER`, with the database's address as the first line of the input.
    Whoever starts it empties the folder."""
    uri = sys.stdin.readline().strip()
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    os.nice(5)  # who holds lines needs the processor more
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    try:
        asyncio.run(work(uri, int(sys.argv[1]), Path(sys.argv[2])))
    except DATABASE_AWAY as error:
        print(f"import {sys.argv[1]}: {error}", file=sys.stderr)
        sys.exit(FULL if is_full(error) else AWAY)
    except MemoryError:
        os.abort()


if __name__ == "__main__":
    main()
