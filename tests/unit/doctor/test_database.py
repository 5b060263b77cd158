"""The database's settings, room, age and clock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from wafast.database import migrations
from wafast.doctor import database, machine
from wafast.doctor.database import Server
from wafast.doctor.trouble import Trouble

SOUND = Server(
    version="18.4",
    applied=len(migrations.read()),
    skew_seconds=0.001,
    room=97,
    connections=20,
    ours=18,
    transactions_old=150_000_000,
    freeze_at=200_000_000,
    size=1 << 30,
    settings=dict.fromkeys(database.WANTED, "on"),
    folder=None,
)
CHECKS = (database.version, database.connections, database.safety, database.age, database.skew, database.disk)


@pytest.mark.parametrize("check", CHECKS)
def test_a_sound_database_has_no_trouble(check: Callable[[Server], str]) -> None:
    assert check(SOUND)


@pytest.mark.parametrize(
    ("check", "fault", "said"),
    [
        (database.version, {"applied": 9999}, "it has migration 9999"),
        (database.connections, {"ours": 51}, "wafast has 51 connections, 50 are its budget: lower WAFAST_WORKERS"),
        (
            database.connections,
            {"connections": 90},
            "90 of 97 connections are in use and wafast may want 32 more",
        ),
        (database.safety, {"settings": {"fsync": "off"}}, "fsync is off: without it a power cut damages"),
        (database.safety, {"settings": {"full_page_writes": "off"}}, "full_page_writes is off"),
        (database.safety, {"settings": {"autovacuum": "off"}}, "autovacuum is off: without it dead rows fill the disk"),
        (database.safety, {"settings": {"track_counts": "off"}}, "track_counts is off: without it autovacuum"),
        (database.age, {"transactions_old": 500_000_000}, "500 million transactions old"),
        (database.skew, {"skew_seconds": -90.0}, "its clock is 90.0 s behind this machine's: keep both right"),
        (database.skew, {"skew_seconds": 3.0}, "its clock is 3.0 s ahead of this machine's"),
    ],
)
def test_a_fault_is_named_with_what_would_help(
    check: Callable[[Server], str], fault: dict[str, Any], said: str
) -> None:
    with pytest.raises(Trouble) as trouble:
        check(msgspec.structs.replace(SOUND, **fault))
    assert said in str(trouble.value)


def test_a_full_disk_of_the_database_is_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = msgspec.structs.replace(SOUND, folder=str(tmp_path))
    assert str(tmp_path) in database.disk(there)
    monkeypatch.setattr(machine, "FREE_BYTES", 1 << 60)
    with pytest.raises(Trouble, match="are wanted for the database: make room"):
        database.disk(there)


def test_migrations_to_come_are_said() -> None:
    assert "1 migrations to come" in database.version(msgspec.structs.replace(SOUND, applied=SOUND.applied - 1))
