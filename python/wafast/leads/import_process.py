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
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import asyncpg
import msgspec

from wafast.database.away import DATABASE_AWAY, is_full
from wafast.database.pool import connect
from wafast.database.queries import load
from wafast.events import bus
from wafast.leads import columns, files
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
        self._told = 0.0
        self._read = self._errors = 0

    async def run(self) -> None:
        """Does what its state says. Raises Ended, files.NotReadable."""
        await self._fetch()
        if self._state == "reading":
            await self._look()
        else:
            await self._stage()
            await self._apply()

    async def _fetch(self) -> None:
        with self._path.open("wb") as file:
            place = 0
            while piece := await self._work.fetchval(q.get_piece, self._id, place):
                file.write(piece)
                place += 1

    async def _look(self) -> None:
        options = msgspec.convert(self._row["options"], Options)
        shape = files.look(self._path, options.sheet, options.encoding)
        mapping = columns.proposed(shape.columns)
        if options.start:
            columns.check(mapping, shape.columns)
        state = "running" if options.start else "ready"
        if not await self._work.fetchval(q.note_shape, self._id, state, msgspec.to_builtins(shape), mapping):
            raise Ended
        await tell(self._work, self._tenant_id, self._id)

    async def _stage(self) -> None:
        """Copies what the rows say into a table of this connection."""
        shape = msgspec.convert(self._row["shape"], files.Shape)
        options = msgspec.convert(self._row["options"], Options)
        devices = await self._devices()
        mapping = self._row["mapping"]
        if self._row["kind"] == "suppressions":
            mapping = [kind if kind == "phone" else "" for kind in mapping]
        reader = columns.Reader(mapping, self._row["region"], self._row["time_zone"], devices, options.tags)
        await self._work.execute(q.prepare_staging)
        found = files.rows(self._path, shape)
        while batch := list(islice(found, BATCH)):
            problems: list[tuple[int, bool, str, str]] = []
            records = list(self._records(reader, batch, problems))
            await self._work.copy_records_to_table("staged", records=records, columns=columns.Staged._fields)
            if problems:
                await self._work.copy_records_to_table("problems", records=problems)
            self._read += len(batch)
            self._errors += len(problems)
            await self._tell(0)

    def _records(
        self,
        reader: columns.Reader,
        batch: list[tuple[int, list[str]]],
        problems: list[tuple[int, bool, str, str]],
    ) -> Iterator[columns.Staged]:
        for line, row in batch:
            try:
                yield reader.read(line, row)
            except columns.Refused as error:
                problems.append((line, False, error.value, str(error)))

    async def _apply(self) -> None:
        of_leads = self._row["kind"] == "leads"
        await self._join()
        await self._work.execute(q.analyze_staged)
        doubles, joined = await self._joined()
        updates = msgspec.convert(self._row["options"], Options).known == "update"
        counted = q.count_staged if of_leads else q.count_suppressions
        arguments = (self._tenant_id, updates, MOST_TAGS, MOST_FIELDS) if of_leads else (self._tenant_id,)
        begun = None if of_leads or self._state == "checking" else await self._take_suppressions(doubles)
        async with self._work.transaction():
            if self._state == "running":
                new, changed = (begun, 0) if begun is not None else await self._take_leads(updates)
                doubles, joined = await self._joined()
                staged = self._read - self._errors - doubles
            else:
                would = await self._work.fetchrow(counted, *arguments)
                assert would is not None, "an aggregate gives a row"
                new, changed, staged = would["new"], would["changed"], would["all"]
            if of_leads and updates:
                await self._work.execute(q.find_crowded, self._tenant_id, MOST_TAGS, MOST_FIELDS)
            await self._work.execute(q.forget_problems, self._id)
            await self._work.execute(q.keep_problems, self._id, self._tenant_id, MOST_TAGS, MOST_FIELDS)
            counts = {
                "new": new,
                "changed": changed,
                "unchanged": staged - new - changed,
                "doubles": doubles,
                "errors": self._errors,
                "joined": joined,
                "crowded": await self._work.fetchval(q.count_crowded),
            }
            await self._end("done" if self._state == "running" else "checked", counts)

    async def _join(self) -> None:
        """Rows of one lead, or one person, become one."""
        if self._row["kind"] == "leads":
            await self._work.execute(q.find_joined, self._tenant_id)
            await self._work.execute(q.join_staged)
        for statement in (q.find_doubles, q.drop_doubles):
            await self._work.execute(statement)

    async def _joined(self) -> tuple[int, int]:
        return await self._work.fetchval(q.count_doubles), await self._work.fetchval(q.count_joined)

    async def _take_leads(self, updates: bool) -> tuple[int, int]:
        new = changed = 0
        for first, last in await self._steps():
            place, is_left = (self._tenant_id, first, last), True
            while is_left:
                added = await self._work.fetchrow(q.add_new, *place)
                assert added is not None, "a select without a table gives a row"
                new += added["new"]
                if added["joined"]:
                    await self._join()
                is_left = added["others"] > 0
                if is_left:
                    # behind them, as somebody may have made one since; who has become part of another is missing then
                    most = MOST_TAGS, MOST_FIELDS
                    changed += await self._work.fetchval(q.change_known, *place, *most) if updates else 0
                    is_left = await self._work.fetchval(q.is_anybody_missing, *place)
            await self._tell(last)
        terms = await self._work.fetchrow(q.staged_terms)
        assert terms is not None, "a select without a table gives a row"
        await learn(self._work, self._tenant_id, terms["tags"], terms["fields"])
        await self._work.execute(q.tidy_indexes)
        return new, changed

    async def _take_suppressions(self, doubles: int) -> int:
        """Puts the numbers on the list, each portion in a transaction that also says so; gives how many are new, with
        those of a process before that was killed. Raises Ended, and what is on the list by then stays."""
        new = taken = 0
        for first, last in await self._steps(PORTION):
            async with self._work.transaction():
                portion = await self._work.fetchrow(q.add_suppressions, self._tenant_id, first, last, str(self._id))
                assert portion is not None, "an aggregate gives a row"
                taken += portion["all"]
                noted = self._id, portion["new"], taken, doubles, self._errors
                new = await self._work.fetchval(q.note_portion, *noted)
                if new is None:
                    raise Ended
            await self._announce()
        return new

    async def _steps(self, size: int = STEP) -> list[tuple[int, int]]:
        last = await self._work.fetchval(q.last_staged)
        return [(first, min(first + size, last + 1)) for first in range(1, last + 1, size)]

    async def _end(self, state: str, counts: dict[str, int]) -> None:
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

    async def _devices(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for row in await self._work.fetch(q.import_devices, self._tenant_id):
            for name in (row["phone"], row["phone"] and row["phone"][1:], row["name"], row["id"]):
                if name:
                    found[name.casefold()] = row["no"]
        return found


async def work(uri: str, import_id: int, folder: Path) -> None:
    """Does the import if it is to be done, with its file in this folder. Raises what the database raises."""
    connection, aside = await connect(uri, "import"), await connect(uri, "import aside")
    try:
        row = await connection.fetchrow(q.import_to_do, import_id)
        if row is None or row["state"] not in ("reading", "checking", "running"):
            return
        try:
            await Importing(connection, aside, row, folder / "file").run()
        except Ended:
            pass
        except (files.NotReadable, columns.MappingError) as error:
            if row["state"] == "reading" and row["shape"] is not None:  # another sheet was asked for, which is none
                await aside.execute(q.keep_shape, import_id, str(error))
            else:
                await aside.fetchval(q.fail_import, import_id, str(error))
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
