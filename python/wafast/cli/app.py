"""Every command by name, and how their errors are shown."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from wafast import __version__, logs
from wafast.accounts.tenants import AlreadyThere
from wafast.cli import options
from wafast.cli.database import reachable
from wafast.cli.devices import device
from wafast.cli.doctor import examine
from wafast.cli.export import export
from wafast.cli.people import key, tenant, user
from wafast.cli.poison import poison
from wafast.data_dir import InUse, running
from wafast.database.migrations import MigrationError, migrate
from wafast.devices import loopback_trust
from wafast.devices.poison import NotStored
from wafast.settings import Network, SettingError
from wafast.supervisor import StartError
from wafast.worker_group import ROLL_SIGNAL

#: What is the caller's to mend: shown as one line, without a traceback.
EXPECTED = (
    SettingError, StartError, InUse, MigrationError, AlreadyThere, NotStored, loopback_trust.ProfileError,
)  # fmt: skip

app = typer.Typer(
    help="Thousands of WhatsApp lines on one machine, their inboxes, and everything they send.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for name, group in (
    ("user", user), ("tenant", tenant), ("key", key), ("device", device), ("export", export), ("poison", poison),
):  # fmt: skip
    app.add_typer(group, name=name)

PROFILE_OF = "WAFAST_LOOPBACK"


def run() -> None:
    """Run the command line; an expected error is one line on stderr and exit code 1."""
    try:
        app()
    except EXPECTED as error:
        sys.exit(f"wafast: {error}")
    except (OSError, asyncpg.PostgresError) as error:
        sys.exit(f"wafast: {type(error).__name__}: {error}")


@app.callback()
def common(data_dir: options.DataDir = None, log: options.Log = None) -> None:
    """Flags every command takes, before its name."""
    options.remember(data_dir=data_dir, log=log)


@app.command()
def up(
    demo: Annotated[bool, typer.Option("--demo", help="With the simulator and a workspace that lives on it.")] = False,
    host: options.Host = None,
    port: options.Port = None,
    workers: options.Workers = None,
    data_dir: options.DataDir = None,
) -> None:
    """Run everything: database, web server, workers."""
    from wafast import supervisor

    options.remember(host=host, port=port, workers=workers, data_dir=data_dir)
    raise typer.Exit(supervisor.up(options.load(demo=demo)))


@app.command()
def demo(
    host: options.Host = None,
    port: options.Port = None,
    workers: options.Workers = None,
    data_dir: options.DataDir = None,
) -> None:
    """Run everything, with the simulator and a workspace that lives on it: `wafast up --demo`."""
    up(demo=True, host=host, port=port, workers=workers, data_dir=data_dir)


@app.command()
def api(host: options.Host = None, port: options.Port = None) -> None:
    """Run one web server beside a system that runs, or on a database of your own."""
    from wafast.api import serve

    options.remember(host=host, port=port)
    settings = options.load()
    with reachable(settings) as uri:
        serve.run(settings, uri)


@app.command()
def worker(
    network: Annotated[Network, typer.Option(help="The network it serves.")] = "whatsapp",
) -> None:
    """Run one more worker beside a system, or on a database of your own; a loopback one needs WAFAST_LOOPBACK."""
    settings = options.load()
    profile = settings.loopback if network == "loopback" else None
    if network == "loopback" and profile is None:
        raise SettingError(f"a loopback worker needs {PROFILE_OF}, the profile of a WhatsApp server on 127.0.0.1")
    if profile is not None and not loopback_trust.was_started_for(profile):
        # What a profile says must be in a process's environment when it starts: start again with it.
        arguments = [sys.executable, "-m", "wafast", *sys.argv[1:]]
        os.execve(sys.executable, arguments, loopback_trust.environment(profile, os.environ))
    from wafast import worker as of_network

    with reachable(settings) as uri:
        of_network.run(settings, uri, network, profile)


@app.command()
def restart() -> None:
    """Restart the workers of the system that runs here, one by one: each line is away for seconds, never all."""
    settings = options.load()
    system = running(settings.data_dir)
    if system is None:
        raise SettingError(f"no wafast runs on {settings.data_dir}: start it with `wafast up`, or set WAFAST_DATA_DIR")
    try:
        os.kill(system.pid, ROLL_SIGNAL)
    except (ProcessLookupError, PermissionError) as error:
        raise SettingError(
            f"the wafast on {settings.data_dir} (process {system.pid}) can't be asked: {error.strerror}"
        ) from None
    typer.echo("asked; the system's log tells of each worker")


@app.command("migrate")
def migrate_database() -> None:
    """Bring the database to this version's state; does nothing when it is."""
    settings = options.load()
    logs.configure(settings.log, "migrate")
    with reachable(settings) as uri:
        done = asyncio.run(migrate(uri))
    for name in done:
        typer.echo(f"applied {name}")
    if not done:
        typer.echo("nothing to do")


@app.command()
def config(host: options.Host = None, port: options.Port = None, workers: options.Workers = None) -> None:
    """Every setting as NAME=value with its source; secrets hidden."""
    options.remember(host=host, port=port, workers=workers)
    for line in options.describe():
        typer.echo(line)
    options.load()


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """What is wrong with this machine, its database or its workers, if anything; exit code 1 when something is."""
    raise typer.Exit(0 if examine(options.load(), as_json=as_json) else 1)


@app.command()
def loopback(
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Where its world and profile lie; else in the data folder.")
    ] = None,
    control_port: Annotated[int, typer.Option(help="Port for orders; 0: any.", min=0, max=65535)] = 0,
    proxy_port: Annotated[int, typer.Option(help="Port its clients dial; 0: any.", min=0, max=65535)] = 0,
    seed: Annotated[int | None, typer.Option(help="Makes keys and people the same each time.", min=0)] = None,
) -> None:
    """Run the simulator, a WhatsApp server on 127.0.0.1, until Ctrl-C."""
    from wafast._core import loopback as simulate

    folder = folder or options.load().simulator_dir
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["--dir", str(folder), "--control-port", str(control_port), "--proxy-port", str(proxy_port)]
    raise typer.Exit(simulate(arguments if seed is None else [*arguments, "--seed", str(seed)]))


@app.command()
def version() -> None:
    """Version and how the core was built."""
    from wafast._core import build_info

    typer.echo(f"wafast {__version__}, core {build_info()}")
