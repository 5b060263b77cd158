"""What nothing can be done with is set aside with all that a replay needs, and stored once when it is replayed."""

from __future__ import annotations

import time
from functools import partial

import pytest
from typer.testing import CliRunner

from tests.integration.core import events
from tests.integration.core.conftest import World
from tests.integration.core.events import MESSAGE, NOW
from wafast.cli.app import app
from wafast.devices import poison

REFUSE = "ALTER TABLE messages ADD CONSTRAINT refused CHECK (body <> 'poison')"
ACCEPT = "ALTER TABLE messages DROP CONSTRAINT refused"


def replay(world: World) -> list[str]:
    assert world.ingest is not None
    return poison.replay(world.ingest, poison.find(world.spool))


def test_what_the_database_refuses_is_kept_as_it_came_and_stored_once_it_is_taken(world: World) -> None:
    world.start()
    world.rows(REFUSE)
    data = events.message("P1", "poison")
    world.feed((MESSAGE, events.message("A1", "satu")), (MESSAGE, data), (MESSAGE, events.message("A2", "dua")))
    assert {row["message_id"] for row in world.messages()} == {"A1", "A2"}
    (kept,) = poison.find(world.spool)
    assert (kept.device_no, kept.code, kept.data) == (world.device_no, MESSAGE, data)
    assert abs(kept.received_at - time.time()) < 60
    assert kept.reason == 'new row for relation "messages" violates check constraint "refused"'
    assert world.ingest is not None and world.ingest.stats()["poisoned"] == 1
    assert replay(world) == [kept.id]
    (again,) = poison.find(world.spool)
    assert again == kept
    world.rows(ACCEPT)
    assert replay(world) == []
    assert poison.find(world.spool) == []
    assert {row["message_id"] for row in world.messages()} == {"A1", "A2", "P1"}


def test_a_replay_that_was_cut_off_is_listed_again_and_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.feed((MESSAGE, b"\xff" * 20))
    (damaged,) = poison.find(world.spool)
    assert damaged.reason == "the event is no protobuf"
    head, _, _ = damaged.path.read_bytes().partition(b"\n")
    damaged.path.write_bytes(head + b"\n" + events.message("P1", "mended"))
    with monkeypatch.context() as cut:
        cut.setattr(poison, "FLUSH_SECONDS", -1.0)
        with pytest.raises(ValueError, match="seconds"):
            replay(world)
    assert [kept.id for kept in poison.find(world.spool)] == [damaged.id]
    world.close()
    world.start("next")
    assert replay(world) == []
    assert poison.find(world.spool) == []
    assert [row["message_text"] for row in world.messages()] == ["mended"]


def test_a_replay_keeps_when_the_event_came(world: World) -> None:
    folder = world.spool / "poison"
    folder.mkdir(parents=True)
    head = f'{{"device_no": {world.device_no}, "code": {MESSAGE}, "received_at": {NOW - 5000}, "reason": "a fault"}}'
    (folder / "one.poison").write_bytes(head.encode() + b"\n" + events.message("P1", "no time", at=3))
    world.start()
    assert replay(world) == []
    assert world.messages()[0]["timestamp"] == NOW - 5000


def test_one_that_is_dropped_is_gone(world: World) -> None:
    world.feed((MESSAGE, b"\xff\n\xff"))
    (kept,) = poison.find(world.spool)
    assert kept.data == b"\xff\n\xff"
    poison.drop(kept)
    assert poison.find(world.spool) == []


def test_what_can_not_be_set_aside_stays_in_the_spool(world: World) -> None:
    world.start()
    (world.spool / "poison").write_bytes(b"in the way of the folder, as a full disk would be")
    world.feed((MESSAGE, b"\xff" * 20), (MESSAGE, events.message("A1", "satu")))
    assert [row["message_id"] for row in world.messages()] == ["A1"]
    world.close()
    (world.spool / "poison").unlink()
    world.start("next")
    assert world.ingest is not None and world.ingest.flush(60)
    assert [kept.data for kept in poison.find(world.spool)] == [b"\xff" * 20]


@pytest.mark.parametrize(
    ("refuse", "accept"),
    [
        ("SET default_transaction_read_only = on", "RESET default_transaction_read_only"),
        ("ALLOW_CONNECTIONS false", "ALLOW_CONNECTIONS true"),
    ],
)
def test_a_database_that_takes_nothing_is_waited_for(world: World, refuse: str, accept: str) -> None:
    world.feed((MESSAGE, events.message("A1", "satu")))
    ingest, name, server = world.ingest, world.value("SELECT current_database()"), world.uri
    assert ingest is not None
    world.uri = server.replace(name, "postgres")
    world.rows(f"ALTER DATABASE {name} {refuse}")
    world.rows(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    ingest.receive(world.device_no, MESSAGE, events.message("A2", "dua"))
    while ingest.stats()["retries"] + ingest.stats()["poisoned"] == 0:
        time.sleep(0.01)
    world.rows(f"ALTER DATABASE {name} {accept}")
    world.rows(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    assert ingest.flush(60)
    world.uri = server
    assert ingest.stats()["poisoned"] == 0
    assert {row["message_id"] for row in world.messages()} == {"A1", "A2"}


def test_a_file_that_was_cut_off_is_listed_as_damaged_and_the_others_as_usual(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.feed((MESSAGE, b"\xff" * 20), (MESSAGE, b"\xff" * 30))
    cut, whole = poison.find(world.spool)
    cut.path.write_bytes(cut.path.read_bytes()[:20])
    assert [kept.id for kept in poison.find(world.spool)] == [whole.id]
    (damaged,) = poison.find_damaged(world.spool)
    assert damaged.id == cut.id and cut.path.name in damaged.reason

    monkeypatch.setenv("WAFAST_DATA_DIR", str(world.spool.parent))
    run = partial(CliRunner().invoke, app)
    listed = [line.split("\t") for line in run(["poison", "list"]).output.splitlines()]
    assert [(line[0], line[1]) for line in listed] == [(whole.id, str(world.device_no)), (cut.id, "")]
    assert "damaged" in listed[1][-1]
    refused = run(["poison", "show", cut.id])
    assert refused.exit_code != 0 and "damaged" in refused.output
    assert run(["poison", "drop", cut.id]).exit_code == 0
    assert poison.find_damaged(world.spool) == [] and len(poison.find(world.spool)) == 1
