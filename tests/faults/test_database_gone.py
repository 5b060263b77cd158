"""PostgreSQL is killed, stopped and started again while messages arrive: every one is stored, once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.database import Database
from tests.integration.core import events
from tests.integration.core.conftest import World
from wafast.database.embedded import Embedded, is_running


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder whose server the test may do anything to; the server runs as another user where we are root."""
    folder = Path(tempfile.mkdtemp(prefix="wafast-gone-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Feeder:
    """Messages at a steady pace, as a fleet of lines would have them: a number each, and `padding` characters more."""

    def __init__(self, world: World, padding: int = 0) -> None:
        self.sent = 0
        self._world, self._padding, self._end = world, "." * padding, Event()
        self._thread = Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        ingest = self._world.ingest
        assert ingest is not None
        while not self._end.is_set():
            event = events.message(
                f"D{self.sent}", f"{self.sent}{self._padding}", at=events.NOW - 30 * 86_400 + self.sent
            )
            ingest.receive(self._world.device_no, events.MESSAGE, event)
            self.sent += 1
            time.sleep(0.001)

    def stop(self) -> None:
        """The last message is in."""
        self._end.set()
        self._thread.join()


def end_database(data_dir: Path, how: signal.Signals) -> None:
    """Ends the server; returns when nobody answers any more."""
    pid_file = data_dir / "postgres/postmaster.pid"
    os.kill(int(pid_file.read_text().splitlines()[0]), how)
    while is_running(data_dir):
        time.sleep(0.02)


def test_every_message_is_stored_once_whatever_happens_to_the_database(data_dir: Path, tmp_path: Path) -> None:
    server = Embedded(data_dir)
    world = World(Database(server.uri).create(), tmp_path / "spool")
    ingest = world.start(messages_per_chat=0)
    feeder = Feeder(world)
    chance = random.Random(3)
    try:
        # Killed, shut down in good order, and told to drop everything.
        for how in (signal.SIGKILL, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            time.sleep(chance.uniform(0.2, 0.8))
            end_database(data_dir, how)
            time.sleep(chance.uniform(0.3, 1.0))
            server = Embedded(data_dir)
        time.sleep(0.5)
        feeder.stop()
        assert ingest.flush(60)
        ids = [message["message_id"] for message in world.messages()]
        assert ids == [f"D{number}" for number in range(feeder.sent)]
        assert world.value("SELECT unread FROM chats") == feeder.sent
        assert ingest.stats()["retries"] > 0
    finally:
        feeder.stop()
        world.close()
        end_database(data_dir, signal.SIGINT)
