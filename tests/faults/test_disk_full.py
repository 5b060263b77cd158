"""A disk is full while messages arrive, of PostgreSQL, spool or session files: all are stored once there is room, but
for what whatsmeow itself loses with a session file it can't write. Where no disk may be mounted all are skipped."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.database import Database
from tests.faults.test_database_gone import Feeder
from tests.integration.core.conftest import World
from tests.integration.devices.stack import Stack
from tests.simulator import Simulator
from wafast.database.pool import open_pool

DEADLINE = 60.0
"""Seconds, for what takes one or two."""


class Disk:
    """A disk of its own, as small as wanted."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._ballast = folder, folder / "ballast"

    def fill(self) -> None:
        """Leaves no room at all."""
        with self._ballast.open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(1 << 16))
            except OSError:
                return

    def make_room(self) -> None:
        """Takes away what fills it."""
        self._ballast.unlink()


@contextlib.contextmanager
def nobody_hears() -> Iterator[None]:
    """What the core says by itself can't be written: a worker's stderr is a file, perhaps on the very disk."""
    before, full = os.dup(2), os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(full)


@pytest.fixture
def disk() -> Iterator[Disk]:
    """32 MiB."""
    folder = Path(tempfile.mkdtemp(prefix="wafast-full-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)], check=False, capture_output=True, text=True
    )
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip(f"a disk of its own needs the right to mount one: {mounted.stderr.strip()}")
    folder.chmod(0o755)
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


def wait_until(is_so: Callable[[], bool]) -> None:
    """Waits for it."""
    deadline = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def all_are_stored_once(world: World, feeder: Feeder) -> None:
    """Every message the callback returned for, in order, and nothing set aside."""
    ingest = world.ingest
    assert ingest is not None and ingest.flush(DEADLINE)
    assert [message["message_id"] for message in world.messages()] == [f"D{number}" for number in range(feeder.sent)]
    assert world.chats()[0]["unread_count"] == feeder.sent
    assert ingest.stats()["poisoned"] == 0


def test_what_comes_while_postgresql_has_no_room_is_stored_once_it_has(
    database: Database, disk: Disk, tmp_path: Path
) -> None:
    world = World(database.uri, tmp_path / "spool")
    tables = disk.folder / "tables"
    tables.mkdir()
    data = Path(world.value("SELECT current_setting('data_directory')")).stat()
    os.chown(tables, data.st_uid, data.st_gid)
    world.rows(f"CREATE TABLESPACE small LOCATION '{tables}'")
    try:
        for table in ("messages", "chats"):
            world.rows(f"ALTER TABLE {table} SET TABLESPACE small")
        world.rows("ALTER INDEX messages_pkey SET TABLESPACE small")
        ingest = world.start(messages_per_chat=0)
        disk.fill()
        feeder = Feeder(world)
        try:
            with nobody_hears():
                wait_until(lambda: ingest.stats()["retries"] > 1)
                more = feeder.sent + 100
                wait_until(lambda: feeder.sent > more)  # the lines go on meanwhile
            disk.make_room()
        finally:
            feeder.stop()
        all_are_stored_once(world, feeder)
    finally:
        world.close()
        world.rows("DROP TABLE messages, chats CASCADE")
        world.rows("DROP TABLESPACE small")


def test_a_full_spool_holds_the_callback_until_there_is_room(
    database: Database, disk: Disk, capfd: pytest.CaptureFixture[str]
) -> None:
    world = World(database.uri, disk.folder / "spool")
    ingest = world.start(messages_per_chat=0)
    name, server = world.value("SELECT current_database()"), database.uri
    # Nothing leaves the spool.
    alter(database, name, "SET default_transaction_read_only = on")
    feeder = Feeder(world, padding=20_000)
    try:
        wait_until(lambda: feeder.sent > 0)
        disk.fill()
        wait_until(lambda: "the spool can't grow" in capfd.readouterr().err)
        held = feeder.sent
        assert ingest.stats()["open"] == held, "a callback has returned for what is nowhere"
        # What is committed makes room in the spool, also where the disk has none.
        alter(database, name, "RESET default_transaction_read_only")
        wait_until(lambda: feeder.sent > held + 300)
    finally:
        disk.make_room()
        feeder.stop()
    world.uri = server
    all_are_stored_once(world, feeder)
    world.close()


async def test_what_comes_while_session_files_have_no_room_is_stored_once_they_have(
    database: Database, disk: Disk, tmp_path: Path
) -> None:
    simulator = Simulator.start(tmp_path / "simulator", seed=7)
    (disk.folder / "sessions").mkdir()
    (tmp_path / "sessions").symlink_to(disk.folder / "sessions")
    pool = await open_pool(database.uri, size=2, name="test")
    stack = await Stack.make(database.uri, tmp_path, simulator, pool)
    try:
        worker = stack.start_worker()
        device = await stack.pair("60111000001")
        disk.fill()
        strangers = [str(60121000001 + number) for number in range(20)]
        sent = [one for stranger in strangers for one in simulator.text("60111000001", stranger, "x" * 3000, count=3)]
        full = "SELECT state = 'offline' AND state_reason LIKE 'The disk with session file % is full.%' FROM devices"
        await stack.until(partial(pool.fetchval, full), "offline for want of room")
        assert worker.process.poll() is None
        again = "UPDATE devices SET retry_at = now(), failures = 0 WHERE retry_at > now()"
        await pool.execute(again)
        await stack.until(partial(pool.fetchval, "SELECT failures > 0 FROM devices"), "another try, in vain")
        disk.make_room()
        await pool.execute(again)
        await stack.until_state(device.id, "online")
        # In the milliseconds until its session ends, whatsmeow acknowledges a few that it can't decrypt, whether or not
        # it could ask for them again, and those show as waiting: none of 60 or one, rarely two. No other is missing.
        rows = """SELECT count(*) FILTER (WHERE message_kind(kind) = 'text'), count(*) FILTER (WHERE flags & 32 <> 0)
            FROM messages WHERE message_id = ANY ($1)"""

        async def all_are_here() -> bool:
            row = await pool.fetchrow(rows, sent)
            assert row is not None
            in_words, waiting = row
            return bool(in_words + waiting == len(sent) and waiting < len(sent) / 4)

        await stack.until(all_are_here, "every message, in words or as one that is waited for")
    finally:
        stack.end()
        await pool.close()
        simulator.stop()


def alter(database: Database, name: str, setting: str) -> None:
    """Changes a setting of the database for all its connections, which are cut."""
    beside = World.__new__(World)
    beside.uri = database.uri.replace(name, "postgres")
    beside.rows(f"ALTER DATABASE {name} {setting}")
    beside.rows(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
