"""`wafast doctor`: looks at everything wafast stands on."""

from __future__ import annotations

import asyncio
import importlib
import resource
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import asyncpg
import typer

from wafast.data_dir import system_runs
from wafast.database import migrations
from wafast.database.embedded import is_made, running_uri
from wafast.database.pool import connect
from wafast.devices import loopback_trust
from wafast.devices.poison import find as find_poison
from wafast.settings import Settings

#: Below this the next import of pictures, or a busy day, fills the disk.
FREE_BYTES = 2 << 30
#: 3,000 lines with 5 files each.
FILES = 16_384


class Trouble(Exception):
    """What is wrong, and what would help."""


def examine(settings: Settings) -> bool:
    """Print a line for everything looked at; whether all is well."""
    well = True
    checks: dict[str, Callable[[Settings], str]] = {
        "Python": _python,
        "core": _core,
        "neonize": _neonize,
        "web app": _web_app,
        "data folder": _data_dir,
        "open files": _files,
        "database": _database,
        "spool": _spool,
        "loopback": _loopback,
        "web server": _web_server,
    }
    for name, check in checks.items():
        try:
            typer.echo(f"  ok       {name:12} {check(settings)}")
        except Trouble as trouble:
            well = False
            typer.echo(f"  TROUBLE  {name:12} {trouble}")
    return well


def _python(_settings: Settings) -> str:
    return sys.version.split()[0]


def _core(_settings: Settings) -> str:
    try:
        core = importlib.import_module("wafast._core")
    except ImportError as error:
        raise Trouble(f"{error}; build it: make build") from None
    info: dict[str, str] = core.build_info()
    if info["profile"] != "release":
        raise Trouble(f"built as {info['profile']}, which is many times slower: make build")
    return info["version"]


def _neonize(_settings: Settings) -> str:
    try:
        importlib.import_module("pylibmagic")
        found = importlib.import_module("neonize")
    except (ImportError, OSError) as error:
        raise Trouble(f"it can't be loaded: {error}") from None
    return str(found.__version__)


def _web_app(_settings: Settings) -> str:
    page = Path(__file__).resolve().parents[1] / "web" / "index.html"
    if not page.is_file():
        raise Trouble(f"{page} is missing: make build")
    return "built"


def _data_dir(settings: Settings) -> str:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=settings.data_dir):
            pass
    except OSError as error:
        raise Trouble(f"{settings.data_dir}: {error.strerror}; set WAFAST_DATA_DIR") from None
    free = shutil.disk_usage(settings.data_dir).free
    if free < FREE_BYTES:
        raise Trouble(f"{settings.data_dir}: {free / 2**30:.1f} GiB free, at least {FREE_BYTES >> 30} are wanted")
    return f"{settings.data_dir}, {free / 2**30:.0f} GiB free"


def _files(_settings: Settings) -> str:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < FILES:
        raise Trouble(f"{most} at most, {FILES} are wanted for 3,000 lines: raise the limit (ulimit -Hn, LimitNOFILE)")
    return f"{most} at most"


def _database(settings: Settings) -> str:
    uri = settings.database_uri or running_uri(settings.data_dir)
    if uri is None:
        if system_runs(settings.data_dir):
            raise Trouble("wafast runs, but its database does not answer")
        return "embedded, stopped" if is_made(settings.data_dir) else "embedded, made at the first start"
    try:
        version, applied = asyncio.run(_ask_database(uri))
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise Trouble(f"it does not answer: {error}") from None
    known = len(migrations.read())
    if applied > known:
        raise Trouble(f"it has migration {applied}, this wafast knows {known}: start a newer one")
    waiting = f", {known - applied} migrations to come" if applied < known else ""
    return f"PostgreSQL {version}{waiting}"


def _spool(settings: Settings) -> str:
    """Files of running workers, a few of them kept for what comes next, and what nothing could be done with."""
    files = sum(1 for _ in settings.spool_dir.glob("*.spool"))
    poison = find_poison(settings.spool_dir)
    if poison:
        raise Trouble(
            f"{len(poison)} events could not be read or stored and are kept, the latest because of: "
            f"{poison[0].reason}. `wafast poison list` shows them, `wafast poison replay --all` tries again"
        )
    return f"{files} files" if files else "empty"


async def _ask_database(uri: str) -> tuple[str, int]:
    connection = await connect(uri, "doctor")
    try:
        return await migrations.state(connection)
    finally:
        await connection.close()


def _loopback(settings: Settings) -> str:
    if settings.loopback is None:
        return "no profile given"
    try:
        return f"profile of {loopback_trust.read_profile(settings.loopback).proxy}"
    except loopback_trust.ProfileError as error:
        raise Trouble(str(error)) from None


def _web_server(settings: Settings) -> str:
    address = f"http://127.0.0.1:{settings.port}/readyz"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=3):
            return f"answers on port {settings.port}"
    except urllib.error.HTTPError as error:
        raise Trouble(f"{address} answers {error.code}: not ready, or another program") from None
    except OSError:
        if system_runs(settings.data_dir):
            raise Trouble(f"wafast runs on {settings.data_dir}, but {address} does not answer") from None
        return f"not running; port {settings.port} is free"
