"""Migrations: `NNNN_name.sql`, forward only, each once, recorded with its checksum."""

from __future__ import annotations

import hashlib
from pathlib import Path

import asyncpg
import msgspec

from wafast.database.pool import connect
from wafast.database.queries import load

#: One number for everybody who migrates one database; any constant would do.
LOCK = 7_205_759_403
q = load(__file__)


class MigrationError(RuntimeError):
    """The database and this program's migrations do not fit; the text says how."""


class Migration(msgspec.Struct, frozen=True):
    """One file."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> bytes:
        """SHA-256 of the text."""
        return hashlib.sha256(self.sql.encode()).digest()


def folder() -> Path:
    """Where the migrations lie: inside the installed package, else at the top of the source tree."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parents[1] / "migrations"


def read(path: Path | None = None) -> list[Migration]:
    """The files in order. Raises MigrationError when a number is missing, doubled, or not four digits."""
    found = []
    for number, file in enumerate(sorted((path or folder()).glob("*.sql")), 1):
        digits, _, name = file.stem.partition("_")
        if digits != f"{number:04}" or not name:
            raise MigrationError(f"{file.name}: migration {number:04} is wanted here, as {number:04}_name.sql")
        found.append(Migration(number, name, file.read_text("utf-8")))
    if not found:
        raise MigrationError(f"no migrations in {path or folder()}")
    return found


async def migrate(uri: str, path: Path | None = None) -> list[str]:
    """Bring the database to this program's state; returns the names of what was applied now.

    Any number of starters may call this at once: one works, the others wait and find it done.
    Raises MigrationError when an applied file has changed since, or the database is newer than this program.
    """
    migrations = read(path)
    connection = await connect(uri, "migrate")
    try:
        await wait_for_turn(connection)
        await connection.execute(q.create_migrations)
        applied = {row["number"]: row for row in await connection.fetch(q.applied_migrations)}
        _check(migrations, applied)
        done = []
        for migration in migrations:
            if migration.number not in applied:
                await _apply(connection, migration)
                done.append(f"{migration.number:04}_{migration.name}")
        return done
    finally:
        await connection.close()


async def wait_for_turn(connection: asyncpg.Connection) -> None:
    """Until no other starter changes what the database is made of; the turn ends with the connection."""
    await connection.execute(q.lock_migrations, LOCK)


async def state(connection: asyncpg.Connection) -> tuple[str, int]:
    """PostgreSQL's version, and the number of the newest migration applied; 0 in an empty database."""
    version: str = await connection.fetchval(q.server_version)
    if not await connection.fetchval(q.has_migrations):
        return version, 0
    return version, max([row["number"] for row in await connection.fetch(q.applied_migrations)], default=0)


def _check(migrations: list[Migration], applied: dict[int, asyncpg.Record]) -> None:
    known = {migration.number: migration for migration in migrations}
    for number, row in sorted(applied.items()):
        if number not in known:
            raise MigrationError(
                f"the database has migration {number:04}_{row['name']}, which this wafast does not know: "
                "it is from a newer version; start that one"
            )
        if row["checksum"] != known[number].checksum:
            raise MigrationError(
                f"migration {number:04}_{row['name']} was changed after it was applied to this database; "
                "restore the file and put the change into a new migration"
            )


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    async with connection.transaction():
        try:
            await connection.execute(migration.sql)
        except asyncpg.PostgresError as error:
            raise MigrationError(f"migration {migration.number:04}_{migration.name} failed: {error}") from error
        await connection.execute(q.record_migration, migration.number, migration.name, migration.checksum)
