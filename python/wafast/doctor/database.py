"""The database: whether it answers, keeps what it is given, has room, and agrees on the time."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import asyncpg
import msgspec

from wafast.database import migrations
from wafast.database.pool import connect
from wafast.database.queries import load
from wafast.doctor import machine
from wafast.doctor.trouble import Trouble

q = load(__file__)

#: All of wafast on one machine, whatever the number of devices.
CONNECTIONS = 50
#: Clocks further apart than this confuse leases (12 s) and what is due when.
SKEW_SECONDS = 2.0
#: A device that connects is in or started anew after 60 s; one that dials by itself after 300 s.
STUCK_SECONDS = 300.0
#: Settings with which a crash loses what was committed, or the database fills up.
WANTED = {
    "fsync": "without it a power cut damages the database",
    "full_page_writes": "without it a power cut damages the database",
    "autovacuum": "without it dead rows fill the disk, and in the end the database stops",
    "track_counts": "without it autovacuum does nothing",
}


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """PostgreSQL. `skew_seconds` is how far its clock is before ours; `folder` where its files lie, if it says so and
    is on this machine; `transactions_old` the age of its oldest row version, which may not reach 2 thousand million."""

    version: str
    applied: int
    skew_seconds: float
    room: int
    connections: int
    ours: int
    transactions_old: int
    freeze_at: int
    size: int
    settings: dict[str, str]
    folder: str | None


class Devices(msgspec.Struct, frozen=True):
    """How many devices of a network are to be online, and how many are."""

    network: str
    wanted: int
    online: int


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A worker by its heartbeat; `late` is for how many seconds it counts as dead, below 0 while it lives."""

    id: str
    network: str
    node: str
    home: str | None = None
    pid: int
    late: float
    rss_bytes: int | None
    held: int


class Unheld(msgspec.Struct, frozen=True):
    """A device that wants a worker and has none; `home` is the data folder with its session file."""

    name: str
    network: str
    home: str | None = None


class Stuck(msgspec.Struct, frozen=True):
    """A device that has been connecting for so long."""

    name: str
    seconds: float
    reason: str | None


class Suspected(msgspec.Struct, frozen=True):
    """A device that so many workers in a row died of, as it seems."""

    name: str
    crashes: int


class GivenUp(msgspec.Struct, frozen=True):
    """A device that waits for a person."""

    name: str
    state: str
    reason: str | None


class SessionFile(msgspec.Struct, frozen=True):
    """The session file of a device that is to be online; `store` is its name in the network's sessions folder
    of the data folder `home`."""

    name: str
    network: str
    store: str
    is_online: bool
    home: str | None = None


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """What it says of itself, and of devices and workers; those are empty before the migrations."""

    server: Server
    devices: list[Devices] = []
    workers: list[Worker] = []
    unheld: list[Unheld] = []
    stuck: list[Stuck] = []
    suspected: list[Suspected] = []
    given_up: list[GivenUp] = []
    session_files: list[SessionFile] = []


async def read(uri: str) -> Database:
    """Ask the database. Raises OSError, TimeoutError or PostgresError when it does not answer."""
    connection = await connect(uri, "doctor")
    try:
        version, applied = await migrations.state(connection)
        server = await _server(connection, version, applied)
        if not applied:
            return Database(server=server)
        asked = {
            "devices": await connection.fetch(q.doctor_devices),
            "workers": await connection.fetch(q.doctor_workers),
            "unheld": await connection.fetch(q.doctor_unheld),
            "stuck": await connection.fetch(q.doctor_stuck, STUCK_SECONDS),
            "suspected": await connection.fetch(q.doctor_suspected),
            "given_up": await connection.fetch(q.doctor_given_up),
            "session_files": await connection.fetch(q.doctor_session_files),
        }
        told = {name: [dict(row) for row in rows] for name, rows in asked.items()}
        for worker in told["workers"]:
            worker["id"] = str(worker["id"])
        return msgspec.convert(told | {"server": server}, Database)
    finally:
        await connection.close()


async def _server(connection: asyncpg.Connection, version: str, applied: int) -> Server:
    before = time.time()
    row = await connection.fetchrow(q.doctor_server)
    assert row is not None
    told: datetime = row["now"]
    middle = (before + time.time()) / 2
    folder = row["folder"] if row["is_here"] else None
    return msgspec.convert(
        dict(row)
        | {"version": version, "applied": applied, "skew_seconds": told.timestamp() - middle, "folder": folder},
        Server,
    )


def version(server: Server) -> str:
    """Whether its migrations and ours fit."""
    known = len(migrations.read())
    if server.applied > known:
        raise Trouble(f"it has migration {server.applied}, this wafast knows {known}: start a newer one")
    waiting = f", {known - server.applied} migrations to come" if server.applied < known else ""
    return f"PostgreSQL {server.version}, {server.size / machine.MIB:.0f} MiB{waiting}"


def connections(server: Server) -> str:
    """Whether there is room for ours, and whether we keep to our own budget."""
    if server.ours > CONNECTIONS:
        raise Trouble(
            f"wafast has {server.ours} connections, {CONNECTIONS} are its budget: lower WAFAST_WORKERS, or look for a "
            "second wafast on this database (SELECT application_name, client_addr FROM pg_stat_activity)"
        )
    more = CONNECTIONS - server.ours
    if server.room - server.connections < more:
        raise Trouble(
            f"{server.connections} of {server.room} connections are in use and wafast may want {more} more: "
            "raise max_connections, or end what else is connected"
        )
    return f"{server.connections} of {server.room} in use, {server.ours} by wafast"


def safety(server: Server) -> str:
    """Whether it keeps what it is given."""
    off = [name for name in WANTED if server.settings.get(name) == "off"]
    if off:
        raise Trouble("; ".join(f"{name} is off: {WANTED[name]}" for name in off) + ". Turn it on in postgresql.conf")
    return f"{', '.join(WANTED)} are on"


def age(server: Server) -> str:
    """Whether old rows are frozen in time: a database that runs out of transaction numbers stops."""
    if server.transactions_old > 2 * server.freeze_at:
        raise Trouble(
            f"its oldest rows are {server.transactions_old / 1e6:.0f} million transactions old, twice what autovacuum "
            "allows, and it stops at 2,100: end the oldest transaction (pg_stat_activity, pg_prepared_xacts, "
            "pg_replication_slots), then VACUUM (FREEZE) its tables"
        )
    return (
        f"oldest row {server.transactions_old / 1e6:.1f} million transactions, frozen at {server.freeze_at / 1e6:.0f}"
    )


def skew(server: Server) -> str:
    """Whether its clock and ours agree."""
    if abs(server.skew_seconds) > SKEW_SECONDS:
        side = "ahead of" if server.skew_seconds > 0 else "behind"
        raise Trouble(
            f"its clock is {abs(server.skew_seconds):.1f} s {side} this machine's: keep both right by a time service "
            "(systemd-timesyncd, chrony)"
        )
    return f"{abs(server.skew_seconds) * 1000:.0f} ms from this machine's"


def disk(server: Server) -> str:
    """Room where its files lie."""
    if server.folder is None:
        return "where it lies is not known here"
    try:
        return machine.disk(Path(server.folder), "the database")
    except OSError as error:
        return f"{server.folder} can't be looked at: {error.strerror}"
