"""Leads and suppressions out of files, and leads out of chats."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal, cast

import asyncpg
import msgspec
from litestar import Controller, Request, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.response import Stream
from msgspec import UNSET, Meta, UnsetType

from wafast.accounts.principal import Principal
from wafast.api.authentication import reach_of, require_whole_tenant
from wafast.api.exports import CSV, download
from wafast.api.idempotency import digest
from wafast.api.ids import number_of, uuid_of
from wafast.api.paging import before_of, below_of, page_of
from wafast.api.parameters import After, ForExcel, IdempotencyKey, Limit
from wafast.api.policy import Policy
from wafast.api.problems import Problem, conflict, not_found, refused_field
from wafast.api.refusals import refused_json
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.csv_rows import guarded, pieces
from wafast.leads import chats, columns, imports, rows
from wafast.leads.causes import ImportCause
from wafast.leads.imports import Import, Kind, Options

#: Bytes of a file: two million rows of CSV, and the form around it.
MAX_FILE = (200 << 20) + (64 << 10)
#: Rows of a piece of the file of problems.
PROBLEMS = 5_000


class BeginImport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the columns are and what is done with the rows; what is left out stays as it is."""

    mapping: (
        Annotated[
            list[Annotated[str, Meta(max_length=110)]],
            Meta(
                max_length=200,
                description="For each column `phone`, `name`, `niche`, `target_status`, `trigger`, `device`, `field:` "
                "and a name, or empty to leave it out.",
                examples=[["name", "phone", "field:city", ""]],
            ),
        ]
        | UnsetType
    ) = UNSET
    options: Annotated[Options, Meta(examples=[{"known": "update", "tags": ["expo 2026"]}])] | UnsetType = UNSET


class LookAgain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sheet of the workbook that is meant, or how CSV is to be read."""

    sheet: Annotated[str, Meta(min_length=1, max_length=200, examples=["Customers"])] | None = None
    encoding: Annotated[str, Meta(min_length=1, max_length=20, examples=["cp950"])] | None = None


class ImportChats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The device whose chats are meant."""

    device_id: Annotated[str, Meta(examples=["0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"])]


class ChatsImported(msgspec.Struct, frozen=True):
    """What became of the persons in the chats."""

    new: Annotated[int, Meta(examples=[120])]
    known: Annotated[int, Meta(description="Were leads already, and stay as they are.", examples=[14])]


class ImportProblem(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a file that was not taken, or as of another number, or not with all tags."""

    row: Annotated[int, Meta(examples=[17])]
    value: Annotated[str, Meta(description="How the cell that is meant begins.", examples=["012-34"])]
    reason: Annotated[str, Meta(examples=["'012-34' is too short for a number of +60"])]
    causes: Annotated[
        list[ImportCause],
        Meta(
            description="The same for programs, in the order of its parts.",
            examples=[[{"kind": "number_short", "values": {"code": "60"}}]],
        ),
    ]


def beginning(word: str, summary: str) -> post:
    """The route by which a process goes through an import's rows, to look at them or to take them in."""
    return post(
        f"/imports/{{import_id:str}}/{word}",
        opt={"policy": Policy.ADMIN},
        status_code=200,
        operation_id=f"{word}_import",
        summary=summary,
        responses=problems(400, 401, 403, 404, 409),
    )


class ImportController(Controller):
    """Files are read by a process of their own; `IMPORT_UPDATE` tells how far it is."""

    path = "/leads"
    tags = ["Leads"]

    @post(
        "/import",
        opt={"policy": Policy.ADMIN},
        operation_id="import_leads",
        summary="Import a file of leads",
        request_max_body_size=MAX_FILE,
        responses=problems(400, 401, 403, 409, 413, 415, 422),
    )
    async def create(
        self,
        request: Request[Any, Any, Any],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Import:
        """Multipart with one part `file`: CSV in any common encoding, or an Excel workbook, of at most 200 MB. A part
        `options` is JSON as in `Import.options`; with `{"start": true}` it goes on by itself. Else the columns are
        looked at (`ready`), and it waits for `check` or `start`. Importing a file again changes nothing more."""
        return await _received(request, services, principal, "leads", idempotency_key)

    @get(
        "/imports",
        opt={"policy": Policy.READ},
        operation_id="list_imports",
        summary="Imports",
        responses=problems(400, 401, 403),
    )
    async def index(
        self,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Import]:
        """The last ones first; they are kept for 30 days."""
        require_whole_tenant(principal)
        found = await imports.list_imports(services.pool, principal.tenant_id, before=below_of(after), limit=limit + 1)
        return page_of(found, limit, imports.import_of, lambda row: int(row["id"]))

    @get(
        "/imports/{import_id:str}",
        opt={"policy": Policy.READ},
        operation_id="get_import",
        summary="An import",
        responses=problems(401, 403, 404),
    )
    async def show(
        self, import_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Import:
        """With its columns, counts and how far it is."""
        return await _find(services, principal, import_id)

    @beginning("look", "Look at another sheet of an import, or read it in another encoding")
    async def look(
        self,
        import_id: FromPath[str],
        data: JSONBody[LookAgain],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Import:
        """One of `shape.sheets` or `shape.encodings`. Its columns are looked at anew; then it is `ready`, with a
        mapping of its own."""
        if (data.sheet is None) == (data.encoding is None):
            raise Problem(400, "invalid-request", "Say one of the two: `sheet` of a workbook, or `encoding` of CSV.")
        found = await _find(services, principal, import_id)
        try:
            begun = await imports.look_at(services.pool, principal, int(found.id), data.sheet, data.encoding)
        except imports.NotSo as error:
            raise refused_field(error.field, str(getattr(data, error.field)), str(error)) from None
        except imports.NotNow as error:
            raise _not_now(error) from None
        if begun is None:
            raise not_found("import", import_id)
        return begun

    @beginning("check", "Look what an import would do")
    async def check(
        self,
        import_id: FromPath[str],
        data: JSONBody[BeginImport],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Import:
        """Reads the whole file and changes nothing; then it is `checked`, with `counts` and its problems."""
        return await _begin(services, principal, import_id, "checking", data)

    @beginning("start", "Take an import in")
    async def start(
        self,
        import_id: FromPath[str],
        data: JSONBody[BeginImport],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Import:
        """All leads count at once, when it is `done`; numbers to leave alone do a few thousand at a time."""
        return await _begin(services, principal, import_id, "running", data)

    @post(
        "/imports/{import_id:str}/cancel",
        opt={"policy": Policy.ADMIN},
        status_code=200,
        operation_id="cancel_import",
        summary="Cancel an import",
        responses=problems(401, 403, 404, 409),
    )
    async def cancel(
        self, import_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Import:
        """Nothing of it stays; of numbers to leave alone those that were taken in, `written` and `counts` say how
        many."""
        found = await _find(services, principal, import_id)
        try:
            ended = await imports.cancel(services.pool, principal, int(found.id))
        except imports.NotNow as error:
            raise _not_now(error) from None
        if ended is None:
            raise not_found("import", import_id)
        return ended

    @get(
        "/imports/{import_id:str}/problems",
        opt={"policy": Policy.READ},
        operation_id="list_import_problems",
        summary="Rows with problems, a page at a time",
        responses=problems(400, 401, 403, 404),
    )
    async def list_problems(
        self,
        import_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[ImportProblem]:
        """In the order of the file."""
        found = await _find(services, principal, import_id)
        behind = before_of(after) or 0
        told = await imports.problems(services.pool, principal.tenant_id, int(found.id), after=behind, limit=limit + 1)
        return page_of(told, limit, _problem_of, lambda row: int(row["line"]))

    @get(
        "/imports/{import_id:str}/problems.csv",
        opt={"policy": Policy.READ},
        operation_id="get_import_problems",
        summary="Rows that were not taken, or as of another number, and why",
        media_type=CSV,
        responses=problems(401, 403, 404),
    )
    async def problems_of(
        self,
        import_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        excel: ForExcel = False,
    ) -> Stream:
        """All of them as CSV: row of the file, value, reason, and its kinds for programs."""
        found = await _find(services, principal, import_id)
        pages = _problems(services, principal.tenant_id, int(found.id))
        told = pieces(["row", "value", "reason", "kinds"], pages)
        return await download(told, f"import-{found.id}-problems.csv", excel=excel)

    @post(
        "/import-chats",
        opt={"policy": Policy.SEND, "idempotent": True},
        status_code=200,
        operation_id="import_chats",
        summary="Make leads of a device's chats",
        responses=problems(400, 401, 403, 404, 422),
    )
    async def import_chats(
        self,
        data: JSONBody[ImportChats],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> ChatsImported:
        """Every person with a known number, not groups; the device writes to them from then on."""
        device_no = await rows.device_no(services.pool, reach_of(principal), uuid_of("device", data.device_id))
        if device_no is None:
            raise not_found("device", data.device_id)
        return ChatsImported(*await chats.take(services.pool, principal, device_no))


class SuppressionImportController(Controller):
    """The list of numbers that campaigns leave alone, out of files."""

    path = "/suppressions"
    tags = ["Leads"]

    @post(
        "/import",
        opt={"policy": Policy.ADMIN},
        operation_id="import_suppressions",
        summary="Import a file of numbers to leave alone",
        request_max_body_size=MAX_FILE,
        responses=problems(400, 401, 403, 409, 413, 415, 422),
    )
    async def create(
        self,
        request: Request[Any, Any, Any],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Import:
        """As `POST /leads/import`; only the column `phone` counts. It goes on under `/leads/imports/{import_id}`.
        Numbers count a few thousand at a time, as they are taken in; taken in once more, they change nothing."""
        return await _received(request, services, principal, "suppressions", idempotency_key)


async def _received(
    request: Request[Any, Any, Any], services: Services, principal: Principal, kind: Kind, key: str | None
) -> Import:
    require_whole_tenant(principal)
    form = await request.form()
    file, options = form.get("file"), form.get("options")
    try:
        if not isinstance(file, UploadFile):
            raise Problem(400, "invalid-request", "The form needs one part `file` with a file name.")
        size = cast(Any, file.file).seek(0, os.SEEK_END)
        if size == 0:
            raise refused_field("file", file.filename, "the file is empty")
        await file.seek(0)
        name = os.path.basename(file.filename.replace("\\", "/"))[:200] or "file"
        wanted = _options(options)

        async def make() -> Import:
            return await imports.create(services.pool, principal, kind, name, size, _pieces(file), wanted)

        if key is None:
            return await make()
        # the same file in another request has other bytes around it
        same = digest(principal.actor, await _hash(file) + msgspec.json.encode((name, wanted)))
        place = principal.tenant_id, key, f"POST {request.url.path}"
        return await services.idempotency.once(*place, same, make, Import)
    finally:
        await form.close()


async def _hash(file: UploadFile) -> bytes:
    found = hashlib.sha256()
    async for piece in _pieces(file):
        await asyncio.to_thread(found.update, piece)
    await file.seek(0)
    return found.digest()


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(imports.PIECE):
        yield piece


def _options(text: object) -> Options:
    if text is None:
        return Options()
    try:
        return msgspec.json.decode(str(text), type=Options)
    except msgspec.ValidationError as error:
        raise refused_json("options", Options, str(text), error) from None
    except msgspec.DecodeError:
        raise refused_field("options", str(text), "JSON as in `Import.options` is wanted") from None


async def _find(services: Services, principal: Principal, import_id: str) -> Import:
    require_whole_tenant(principal)
    found = await imports.get(services.pool, principal.tenant_id, number_of("import", import_id))
    if found is None:
        raise not_found("import", import_id)
    return found


async def _begin(
    services: Services,
    principal: Principal,
    import_id: str,
    state: Literal["checking", "running"],
    data: BeginImport,
) -> Import:
    found = await _find(services, principal, import_id)
    mapping = None if data.mapping is UNSET else data.mapping
    options = None if data.options is UNSET else data.options
    try:
        begun = await imports.begin(services.pool, principal, int(found.id), state, mapping, options)
    except columns.MappingError as error:
        raise refused_field("mapping", ", ".join(mapping or [])[:200], str(error)) from None
    except imports.NotSo as error:
        raise refused_field(f"options.{error.field}", str(getattr(options, error.field)), str(error)) from None
    except imports.NotNow as error:
        raise _not_now(error) from None
    if begun is None:
        raise not_found("import", import_id)
    return begun


def _not_now(error: imports.NotNow) -> Problem:
    told = {
        "reading": "Its columns are being looked at: ask again in a moment.",
        "checking": "It is being looked through: wait until it is `checked`, or cancel it.",
        "running": "It is being taken in already.",
    }
    return conflict("import-state", told.get(error.state, f"It is {error.state}: import the file again."))


async def _problems(services: Services, tenant_id: int, import_id: int) -> AsyncIterator[list[list[str]]]:
    after = 0
    while rows := await imports.problems(services.pool, tenant_id, import_id, after=after, limit=PROBLEMS):
        yield [[str(row["line"]), _value_of(row), row["reason"], _kinds_of(row)] for row in rows]
        after = rows[-1]["line"]


def _problem_of(row: asyncpg.Record) -> ImportProblem:
    causes = msgspec.convert(row["causes"], list[ImportCause])
    return ImportProblem(row=row["line"], value=row["value"], reason=row["reason"], causes=causes)


def _value_of(row: asyncpg.Record) -> str:
    # of doubles it is a number in E.164
    return str(row["value"]) if row["is_double"] else guarded(row["value"])


def _kinds_of(row: asyncpg.Record) -> str:
    return " ".join(cause["kind"] for cause in row["causes"])
