"""`wafast doctor`: looks at everything wafast stands on, and says of each thing how it is or what would help."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

import asyncpg
import msgspec
import typer

from wafast.data_dir import running
from wafast.database.embedded import is_made, running_uri
from wafast.devices.home import name_of
from wafast.devices.node import this_node
from wafast.doctor import database as databases
from wafast.doctor import leases, parts, session_files
from wafast.doctor import machine as machines
from wafast.doctor.database import Database
from wafast.doctor.trouble import Note, Trouble
from wafast.settings import Settings

SHOWN = {"ok": "ok", "note": "note", "trouble": "TROUBLE"}
Check = tuple[str, Callable[[], str]]


class Finding(msgspec.Struct, frozen=True):
    """What a check has found; the text of a note or a trouble says what would help."""

    check: str
    level: Literal["ok", "note", "trouble"]
    text: str


def examine(settings: Settings, *, as_json: bool = False) -> bool:
    """Print a line for everything looked at, or all of it as JSON; whether all is well."""
    findings = []
    for name, check in _checks(settings):
        finding = _look(name, check)
        findings.append(finding)
        if not as_json:
            typer.echo(f"  {SHOWN[finding.level]:7}  {name:12} {finding.text}")
    well = all(finding.level != "trouble" for finding in findings)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode({"ok": well, "checks": findings})))
    return well


def _look(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, "ok", check())
    except Note as note:
        return Finding(name, "note", str(note))
    except Trouble as trouble:
        return Finding(name, "trouble", str(trouble))


def _checks(settings: Settings) -> Iterator[Check]:
    system = running(settings.data_dir)
    runs = system is not None
    yield "Python", parts.python
    yield "core", parts.core
    yield "neonize", parts.neonize
    yield "web app", parts.web_app
    yield "data folder", partial(parts.data_dir, settings)
    try:
        found, text = _ask(settings, runs)
    except Trouble as trouble:
        found, refused = None, trouble
        yield "database", partial(_raise, refused)
    else:
        yield "database", partial(databases.version, found.server) if found else lambda: text
    if found is not None:
        here = name_of(settings.data_dir)
        yield from _of_database(found, runs, here)
        yield "sessions", partial(session_files.usable, found.session_files, settings.sessions_dir, here)
    yield from _of_machine(settings, found)
    yield "spool", partial(parts.spool, settings)
    yield "chats", partial(parts.chats, settings)
    yield "loopback", partial(parts.loopback, settings)
    yield "AI", partial(parts.ai, settings)
    yield "web server", partial(parts.web_server, settings, system)


def _of_machine(settings: Settings, found: Database | None) -> Iterator[Check]:
    """Limits against what the devices there are need; those of one process against the fullest worker."""
    machine = machines.read()
    devices = found.devices if found else []
    alive = Counter(worker.network for worker in (found.workers if found else []) if worker.late < 0)
    fullest = max((math.ceil(d.wanted / (alive[d.network] or settings.workers)) for d in devices), default=0)
    yield "open files", partial(machines.files, machine, fullest)
    yield "threads", partial(machines.threads, machine, sum(d.wanted for d in devices))
    yield "mappings", partial(machines.mappings, machine, fullest)
    yield "memory", partial(machines.memory, machine, sum(max(0, d.wanted - d.online) for d in devices))
    yield "clock", partial(machines.clock, machine)


def _of_database(found: Database, runs: bool, here: str | None) -> Iterator[Check]:
    server = found.server
    yield "db disk", partial(databases.disk, server)
    yield "db clock", partial(databases.skew, server)
    yield "connections", partial(databases.connections, server)
    yield "db safety", partial(databases.safety, server)
    yield "db age", partial(databases.age, server)
    yield "workers", partial(leases.workers, found)
    yield "leases", partial(leases.holders, found, here, system_runs=runs)
    yield "homes", partial(leases.homes, found, here)
    yield "connecting", partial(leases.stuck, found)
    yield "suspected", partial(leases.suspected, found)
    yield "given up", partial(leases.given_up, found)
    alive = [worker for worker in found.workers if worker.late < 0]
    yield "worker RAM", partial(leases.memory, alive, this_node())


def _ask(settings: Settings, runs: bool) -> tuple[Database | None, str]:
    """What the database says, or why there is nothing to ask. Raises Trouble when there should be."""
    uri = settings.database_uri or running_uri(settings.data_dir)
    if uri is None:
        if runs:
            raise Trouble("wafast runs, but its database does not answer: it starts, stops or recovers; look again")
        return None, "embedded, stopped" if is_made(settings.data_dir) else "embedded, made at the first start"
    try:
        return asyncio.run(databases.read(uri)), ""
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise Trouble(f"it does not answer: {error or 'no answer in time'}; look at DB_URI and its server") from None


def _raise(trouble: Trouble) -> str:
    raise trouble
