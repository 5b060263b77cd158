"""Imports as the API sees them: a file comes in, a person says what its columns are, a process of its own reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import asyncpg
import msgspec
from msgspec import Meta

from wafast.accounts import audit
from wafast.database.queries import load
from wafast.events import bus
from wafast.leads import columns
from wafast.leads.causes import ImportCause
from wafast.leads.files import Shape
from wafast.leads.rows import MOST_FIELDS, MOST_TAGS
from wafast.leads.tags import tags

if TYPE_CHECKING:
    from wafast.accounts.principal import Principal

q = load(__file__)

#: Channel that wakes the importer.
WORK = "wafast_import"
#: Bytes of a file's pieces in the database.
PIECE = 1 << 20

Kind = Literal["leads", "suppressions"]
State = Literal["reading", "ready", "checking", "checked", "running", "done", "failed", "cancelled"]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done with the rows."""

    known: Annotated[
        Literal["update", "leave"],
        Meta(description="Leads whose number is known: add what the file says, or leave them."),
    ] = "update"
    tags: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=100)]],
        Meta(max_length=20, description="Tags that every lead of the file gets.", examples=[["expo 2026"]]),
    ] = []
    sheet: Annotated[
        str, Meta(max_length=200, description="Of a workbook: the sheet to read; empty: the first with a table.")
    ] = ""
    encoding: Annotated[
        str, Meta(max_length=20, description="Of CSV that does not say its own: how to read it; empty: as it seems.")
    ] = ""
    start: Annotated[bool, Meta(description="Go on by itself with the columns as they are proposed.")] = False


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with the rows, or would be; all but `joined` and `crowded` sum to `rows`."""

    new: Annotated[int, Meta(examples=[940])]
    changed: Annotated[int, Meta(examples=[31])]
    unchanged: Annotated[int, Meta(examples=[12])]
    doubles: Annotated[int, Meta(description="The number, or the person, stands in a row before.", examples=[9])]
    errors: Annotated[int, Meta(examples=[8])]
    joined: Annotated[
        int, Meta(description="Of `changed` and `unchanged`: by another number of the lead.", examples=[2])
    ] = 0
    crowded: Annotated[
        int,
        Meta(
            description=f"Of `changed` and `unchanged`: leads that have no room for all tags, as each has {MOST_TAGS} "
            f"at most, or for all fields ({MOST_FIELDS}); the problems say which were left out.",
            examples=[1],
        ),
    ] = 0


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """A file on its way in."""

    id: Annotated[str, Meta(examples=["8"])]
    kind: Kind
    file_name: Annotated[str, Meta(examples=["expo.xlsx"])]
    size: Annotated[int, Meta(description="Bytes.", examples=[81920])]
    state: Annotated[
        State,
        Meta(
            description="`ready` waits for the columns to be confirmed, `checked` for the start; `reading`, `checking` "
            "and `running` are at work.",
            examples=["checked"],
        ),
    ]
    reason: Annotated[str | None, Meta(description="Why it failed, or a sheet can't be read.", examples=[None])]
    cause: Annotated[ImportCause | None, Meta(description="The same for programs.")]
    shape: Annotated[Shape | None, Meta(description="How the file is read; null until it was looked at.")]
    mapping: Annotated[
        list[str] | None,
        Meta(
            description="What each column is: `phone`, `name`, `niche`, `target_status`, `trigger`, `device`, `field:` "
            "and a name, or empty: left out.",
            examples=[["name", "phone", "field:city", ""]],
        ),
    ]
    options: Options
    rows: Annotated[int | None, Meta(description="Rows of the file, when it was read to its end.", examples=[1000])]
    read: Annotated[int, Meta(description="Rows read so far.", examples=[1000])]
    written: Annotated[
        int,
        Meta(
            description="Rows taken in so far. Those of leads count at once, at the end; numbers to leave alone count "
            "as they are taken in, and those of an import that was cancelled stay.",
            examples=[0],
        ),
    ]
    counts: Counts | None
    created_by: Annotated[str, Meta(examples=["user:7"])]
    created_at: datetime
    ended_at: datetime | None


class NotSo(ValueError):
    """The file has no such sheet, or can't be in that encoding; the text says what there is.

    Args:
        field: of the two, the one that was asked for.
    """

    def __init__(self, field: Literal["sheet", "encoding"], text: str) -> None:
        super().__init__(text)
        self.field = field


class NotNow(Exception):
    """The import is in a state in which that can't be done; `state` says which."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


def import_of(row: asyncpg.Record) -> Import:
    """An Import of a row."""
    fields = {name: row[name] for name in Import.__struct_fields__}
    return msgspec.convert(fields | {"id": str(row["id"])}, Import)


async def create(
    pool: asyncpg.Pool,
    principal: Principal,
    kind: Kind,
    file_name: str,
    size: int,
    pieces: AsyncIterator[bytes],
    options: Options,
) -> Import:
    """A new import, its file in the database: whatever machine does the work has it, and a backup too.

    Args:
        size: bytes of all pieces.
        pieces: of at most PIECE bytes.
    """
    tenant_id = principal.tenant_id
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            q.create_import, tenant_id, kind, file_name, size, _stored(options), principal.actor
        )
        assert row is not None, "an insert that always gives its row gave none"
        place = 0
        async for piece in pieces:
            await connection.execute(q.add_piece, row["id"], tenant_id, place, piece)
            place += 1
        subject = f"import:{row['id']}"
        await audit.record(connection, tenant_id, principal.actor, "import.create", subject, file=file_name)
        await tell(connection, tenant_id, row["id"])
    return import_of(row)


async def look_at(
    pool: asyncpg.Pool, principal: Principal, import_id: int, sheet: str | None, encoding: str | None
) -> Import | None:
    """Looks at another sheet of a workbook, or reads CSV in another encoding. None when there is no such import. Raises
    NotSo, NotNow."""
    tenant_id = principal.tenant_id
    async with pool.acquire() as connection, connection.transaction():
        waiting = await _waiting(connection, tenant_id, import_id)
        if waiting is None:
            return None
        _, shape = waiting
        if sheet is not None and sheet not in shape.sheets:
            known = ", ".join(map(repr, shape.sheets)) or "none, as it is no workbook"
            raise NotSo("sheet", f"the file has no such sheet; it has {known}")
        if encoding is not None and encoding not in shape.encodings:
            known = ", ".join(shape.encodings) or shape.encoding or "none, as it is a workbook"
            raise NotSo("encoding", f"the file can't be read in that encoding; it can in {known}")
        wanted = {"sheet": sheet or shape.sheet, "encoding": encoding or "", "start": False}
        row = await connection.fetchrow(q.look_again, tenant_id, import_id, wanted)
        await tell(connection, tenant_id, import_id)
    return None if row is None else import_of(row)


async def begin(
    pool: asyncpg.Pool,
    principal: Principal,
    import_id: int,
    state: Literal["checking", "running"],
    mapping: list[str] | None,
    options: Options | None,
) -> Import | None:
    """Looks through a file or takes it in, with these columns and options, or those it has. None when there is no such
    import. Raises columns.MappingError, NotSo, NotNow."""
    tenant_id = principal.tenant_id
    async with pool.acquire() as connection, connection.transaction():
        waiting = await _waiting(connection, tenant_id, import_id)
        if waiting is None:
            return None
        found, shape = waiting
        mapping = found.mapping if mapping is None else [one.strip() for one in mapping]
        options = options or found.options
        columns.check(mapping or [], shape.columns)
        if options.sheet not in ("", shape.sheet):
            raise NotSo("sheet", f"the columns are those of the sheet {shape.sheet!r}: look at the other one first")
        if options.encoding not in ("", shape.encoding):
            raise NotSo("encoding", f"the columns were read in {shape.encoding!r}: look at the file in the other first")
        options = msgspec.structs.replace(options, sheet=shape.sheet)
        row = await connection.fetchrow(q.begin_import, tenant_id, import_id, state, mapping, _stored(options))
        if state == "running":
            await audit.record(connection, tenant_id, principal.actor, "import.start", f"import:{import_id}")
        await tell(connection, tenant_id, import_id)
    return None if row is None else import_of(row)


def _stored(options: Options) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(options, tags=tags(options.tags)))
    return found


async def _waiting(connection: bus.Executor, tenant_id: int, import_id: int) -> tuple[Import, Shape] | None:
    """An import that waits for a person, locked, and how its file is read; None when there is none. Raises NotNow."""
    row = await connection.fetchrow(q.lock_import, tenant_id, import_id)
    if row is None:
        return None
    found = import_of(row)
    if found.state not in ("ready", "checked") or found.shape is None:
        raise NotNow(found.state)
    return found, found.shape


async def cancel(pool: asyncpg.Pool, principal: Principal, import_id: int) -> Import | None:
    """Ends an import: of leads nothing stays, of numbers to leave alone what was taken in. None when there is no such
    import. Raises NotNow when it has ended."""
    tenant_id = principal.tenant_id
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(q.cancel_import, tenant_id, import_id)
        if row is not None:
            await connection.execute(q.drop_pieces, import_id)
            await audit.record(connection, tenant_id, principal.actor, "import.cancel", f"import:{import_id}")
            await tell(connection, tenant_id, import_id)
    if row is None:
        found = await get(pool, tenant_id, import_id)
        if found is not None:
            raise NotNow(found.state)
    return None if row is None else import_of(row)


async def get(pool: asyncpg.Pool, tenant_id: int, import_id: int) -> Import | None:
    """One import."""
    row = await pool.fetchrow(q.get_import, tenant_id, import_id)
    return None if row is None else import_of(row)


async def list_imports(pool: asyncpg.Pool, tenant_id: int, *, before: int, limit: int) -> list[asyncpg.Record]:
    """Rows of imports with ids below `before`, newest first."""
    return await pool.fetch(q.list_imports, tenant_id, before, limit)


async def problems(
    pool: asyncpg.Pool, tenant_id: int, import_id: int, *, after: int, limit: int
) -> list[asyncpg.Record]:
    """Rows that were not taken, or as of another number, or not with all tags, behind the row `after` of the file, in
    order: line, is_double, value, reason, causes."""
    return await pool.fetch(q.list_problems, tenant_id, import_id, after, limit)


async def forget_old(pool: asyncpg.Pool) -> None:
    """Deletes imports of a month ago, and files that nobody went on with for a week."""
    await pool.execute(q.forget_imports)


async def tell(connection: bus.Executor, tenant_id: int, import_id: int) -> None:
    """Tells browsers and the importer of an import that changed."""
    await connection.execute(q.wake_importer, WORK)
    await bus.publish(connection, [{"k": "import", "t": tenant_id, "i": import_id}])
