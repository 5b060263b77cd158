"""What stands against a session file, found without opening it, and by opening it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from wafast.devices import session_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Of a linked device."""
    path = tmp_path / "data" / "sessions" / "whatsapp" / "shop.db"
    path.parent.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE whatsmeow_device (jid TEXT)")
        database.execute("INSERT INTO whatsmeow_device VALUES ('60123456789:1@s.whatsapp.net')")
    return path


def test_nothing_stands_against_the_file_of_a_linked_device(file: Path) -> None:
    assert session_file.objection(file) is None
    assert session_file.inspect(file) is None


def test_a_file_that_is_not_there_is_named_as_seen_from_the_data_folder(file: Path) -> None:
    file.unlink()
    assert (session_file.objection(file) or "").startswith("Session file sessions/whatsapp/shop.db is missing. Put it")


def test_a_folder_that_is_not_there_is_named_itself(file: Path) -> None:
    shutil.rmtree(file.parent)
    assert (session_file.objection(file) or "").startswith("The folder sessions/whatsapp with the session files is mis")
    assert not file.parent.exists()


def test_an_empty_file_is_none(file: Path) -> None:
    os.truncate(file, 0)
    assert "is empty" in (session_file.objection(file) or "")


def test_no_session_starts_on_a_full_disk(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = SimpleNamespace(free=session_file.ROOM_BYTES - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: free)
    assert "is full. Make room and" in (session_file.objection(file) or "")
    free.free += 1
    assert session_file.objection(file) is None


@pytest.mark.parametrize(
    ("statement", "words"),
    [("DELETE FROM whatsmeow_device", "holds no link to a phone"), ("DROP TABLE whatsmeow_device", "is damaged")],
)
def test_what_is_in_the_file_is_seen_by_opening_it(file: Path, statement: str, words: str) -> None:
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute(statement)
    assert session_file.objection(file) is None
    assert words in (session_file.inspect(file) or "")


def test_a_file_with_other_bytes_is_damaged(file: Path) -> None:
    file.write_bytes(os.urandom(8192))
    assert "is damaged" in (session_file.inspect(file) or "")


def test_a_file_that_is_locked_for_the_moment_is_well(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_file, "BUSY_SECONDS", 0.0)
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("BEGIN EXCLUSIVE")
        assert session_file.inspect(file) is None
