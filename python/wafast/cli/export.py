"""`wafast export`: what the API gives as files, and messages, to standard output or into a file."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

import asyncpg
import typer
from rich.console import Console
from rich.progress import FileSizeColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from wafast.campaigns import report
from wafast.campaigns.rows import CampaignRow, get
from wafast.cli.choice import find
from wafast.cli.database import with_pool
from wafast.cli.people import TenantName, find_tenant
from wafast.database.queries import load
from wafast.inbox import exports as messages
from wafast.inbox.reach import Reach
from wafast.leads import exports as leads
from wafast.leads import suppressions
from wafast.leads.filters import LeadFilter, stored
from wafast.leads.rows import region
from wafast.sequences import rows as sequences

if TYPE_CHECKING:
    from collections.abc import Iterator

q = load(__file__)
export = typer.Typer(help="Takes data along as CSV or JSON lines.", no_args_is_help=True)

Into = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Into this file, once it is whole; else to standard output.", metavar="FILE"),
]
Pieces = AsyncIterator[bytes]


@export.command("leads")
def export_leads(
    tags: Annotated[list[str] | None, typer.Option("--tag", help="Those with this tag; may be repeated.")] = None,
    search: Annotated[str, typer.Option(help="In name and number.", metavar="TEXT")] = "",
    with_fields: Annotated[bool, typer.Option("--fields", help="Custom fields too, a column each.")] = False,
    output: Into = None,
    tenant: TenantName = None,
) -> None:
    """Leads as CSV, newest first, with the columns an import takes."""

    async def of(pool: asyncpg.Pool, tenant_id: int) -> Pieces:
        wanted = stored(LeadFilter(tags=tags or [], search=search), (await region(pool, tenant_id))[0])
        triggers = await sequences.triggers(pool, tenant_id)
        return leads.leads(pool, Reach(tenant_id), wanted, triggers, with_fields=with_fields)

    _export("leads", of, output, tenant)


@export.command("suppressions")
def export_suppressions(output: Into = None, tenant: TenantName = None) -> None:
    """Numbers that campaigns and sequences leave alone as CSV, newest first."""

    async def of(pool: asyncpg.Pool, tenant_id: int) -> Pieces:
        return suppressions.export(pool, tenant_id)

    _export("suppressions", of, output, tenant)


@export.command("campaign")
def export_campaign(
    campaign: Annotated[str, typer.Argument(help="Its id or name.")],
    output: Into = None,
    tenant: TenantName = None,
) -> None:
    """A campaign's report as CSV: a row a recipient."""

    async def of(pool: asyncpg.Pool, tenant_id: int) -> Pieces:
        return report.csv_lines(pool, Reach(tenant_id), await _find_campaign(pool, tenant_id, campaign))

    _export("report", of, output, tenant)


@export.command("messages")
def export_messages(
    device: Annotated[str, typer.Argument(help="Whose messages: its id, number (`no`), name or phone.")],
    chat: Annotated[str | None, typer.Option(help="Only this chat, by id or JID.")] = None,
    form: Annotated[Literal["csv", "jsonl"], typer.Option("--format", help="CSV, or a JSON object a line.")] = "csv",
    output: Into = None,
    tenant: TenantName = None,
) -> None:
    """Messages of a device, chat by chat, oldest first, with the columns of `whatsapp_messages`."""

    async def of(pool: asyncpg.Pool, tenant_id: int) -> Pieces:
        line = await find(pool, tenant_id, device)
        if chat is not None and not await messages.has_chat(pool, tenant_id, line.no, chat):
            raise typer.BadParameter(f"{line.name} has no chat {chat!r}")
        write = messages.as_csv if form == "csv" else messages.as_json
        return write(pool, tenant_id, line.no, chat)

    _export("messages", of, output, tenant)


def _export(
    what: str, of: Callable[[asyncpg.Pool, int], Awaitable[Pieces]], output: Path | None, tenant: str | None
) -> None:
    async def work(pool: asyncpg.Pool) -> int:
        pieces = await of(pool, await find_tenant(pool, tenant))
        written = 0
        with _opened(output) as file, _bar() as bar:
            task = bar.add_task(what, total=None)
            async for piece in pieces:
                file.write(piece)
                written += len(piece)
                bar.update(task, completed=written)
            file.flush()
        return written

    typer.echo(f"{what}: {with_pool(work):,} bytes", err=True)


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    """Where the pieces go. A file has its name when it is whole: half an export is not mistaken for one."""
    if output is None:
        yield sys.stdout.buffer
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def _bar() -> Progress:
    """How much is written so far, where somebody sees it."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), FileSizeColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


async def _find_campaign(pool: asyncpg.Pool, tenant_id: int, which: str) -> CampaignRow:
    found = await pool.fetch(q.campaigns_called, tenant_id, which)
    campaign = await get(pool, tenant_id, found[0]["id"]) if len(found) == 1 else None
    if campaign is not None:
        return campaign
    if found:
        ids = ", ".join(str(row["id"]) for row in found[:5])
        raise typer.BadParameter(f"{len(found)} campaigns are {which!r}: give the id, one of {ids}")
    raise typer.BadParameter(f"there is no campaign {which!r}")
