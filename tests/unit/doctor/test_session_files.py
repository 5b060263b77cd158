"""Session files as the doctor sees them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit.devices.test_session_file import file as linked
from wafast.doctor import session_files
from wafast.doctor.database import SessionFile
from wafast.doctor.trouble import Trouble

file = linked
HERE = "kl-1"
SHOP = SessionFile("Shop", "whatsapp", "shop.db", True, "kl-1")


def test_files_that_can_be_used_are_counted(file: Path) -> None:
    assert session_files.usable([SHOP], file.parents[1], HERE) == "1 that are needed can be used"


def test_a_file_that_cant_be_used_is_trouble_with_its_device(file: Path) -> None:
    hut = SessionFile("Hut", "whatsapp", "hut.db", False)
    (file.parent / "hut.db").write_bytes(bytes(4096))
    with pytest.raises(Trouble, match=r"1 of 2 can't be used: Hut: Session file sessions/whatsapp/hut.db is damaged"):
        session_files.usable([SHOP, hut], file.parents[1], HERE)


def test_a_folder_that_is_missing_is_trouble_for_all(file: Path) -> None:
    shutil.rmtree(file.parents[1])
    with pytest.raises(Trouble, match=r"5 of 5 can't be used: Shop: The folder sessions/whatsapp .*; …"):
        session_files.usable([SHOP] * 5, file.parents[1], HERE)


def test_a_file_in_another_data_folder_is_not_missing_here(file: Path) -> None:
    elsewhere = SessionFile("Hut", "whatsapp", "hut.db", True, "kl-2")
    assert session_files.usable([SHOP, elsewhere], file.parents[1], HERE) == "1 that are needed can be used"
