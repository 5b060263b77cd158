"""A process that ends in the middle: what the callback has returned for is in the database, once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from tests.integration.core.conftest import World, world  # noqa: F401  (a fixture)

AWAY = "postgresql://postgres@127.0.0.1:1/nothing"


def feed_and_kill(uri: str, spool: Path, device_no: int, first: int, after: int) -> list[str]:
    """Feeds messages in a child and kills it once it has told of `after` of them; gives the ids it told of."""
    arguments = [sys.executable, "-m", "tests.faults.feeder", uri, str(spool), str(device_no), str(first)]
    child = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdout is not None
    told = []
    for line in child.stdout:
        told.append(line.strip())
        if len(told) == after:
            os.kill(child.pid, signal.SIGKILL)
    child.wait()
    return [id for id in told if id.endswith(".")]


def test_every_message_taken_is_stored_once_whenever_the_process_is_killed(world: World) -> None:  # noqa: F811
    chance = random.Random(7)
    told: list[str] = []
    for round_number in range(4):
        told += feed_and_kill(world.uri, world.spool, world.device_no, round_number * 100_000, chance.randint(50, 3000))
    ingest = world.start(messages_per_chat=0)
    assert ingest.flush(60)
    stored = [message["message_id"] for message in world.messages()]
    assert len(stored) == len(set(stored))
    assert set(told) <= set(stored)
    assert world.value("SELECT unread FROM chats") == len(stored)


def test_what_came_while_the_database_was_away_is_stored_by_the_next_process(world: World) -> None:  # noqa: F811
    told = feed_and_kill(AWAY, world.spool, world.device_no, 0, 500)
    assert world.messages() == []
    ingest = world.start(messages_per_chat=0)
    assert ingest.flush(60)
    assert set(told) <= {message["message_id"] for message in world.messages()}
    assert ingest.stats()["replayed"] >= 500
    world.close()
    assert [path for path in world.spool.iterdir() if path.suffix == ".spool"] == []
