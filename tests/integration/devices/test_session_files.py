"""A session file that is missing, damaged or another's costs nobody the link: put back, it brings the device online."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.integration.devices.stack import Stack
from wafast.devices.rows import DeviceRow


def take_away(file: Path) -> None:
    file.unlink()


def take_folder_away(file: Path) -> None:
    shutil.rmtree(file.parent)


def empty(file: Path) -> None:
    os.truncate(file, 0)


def damage(file: Path) -> None:
    """Other bytes in the place of those that were there, in its journal too."""
    for part in (file, file.with_name(file.name + "-wal")):
        if part.exists():
            with part.open("r+b") as opened:
                opened.write(os.urandom(part.stat().st_size))


def unlink(file: Path) -> None:
    """As of a device that was never paired."""
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA foreign_keys = on")
        database.execute("DELETE FROM whatsmeow_device")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (take_away, "Session file sessions/loopback/{file} is missing. Put it back"),
        (take_folder_away, "The folder sessions/loopback with the session files is missing. Put it back"),
        (empty, "Session file sessions/loopback/{file} is empty. Put a sound one back"),
        (damage, "Session file sessions/loopback/{file} is damaged. Put a sound one back"),
        (unlink, "Session file sessions/loopback/{file} holds no link to a phone. Put a sound one back"),
    ],
    ids=["missing", "without its folder", "empty", "damaged", "unlinked"],
)
async def test_a_session_file_that_is_of_no_use_at_a_start_costs_nobody_the_link(
    stack: Stack, phone: str, tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    worker = stack.start_worker()
    device = await stack.pair(phone)
    assert worker.stop() == 0
    file = await file_of(stack, device)
    kept = keep(file, tmp_path)
    spoil(file)
    before = {path.name: path.stat().st_size for path in file.parent.glob("*.db")}
    stack.start_worker()
    await until_reason(stack, device, reason.format(file=file.name))
    assert (await stack.device(device.id)).state == "offline"
    assert {path.name: path.stat().st_size for path in file.parent.glob("*.db")} == before, "nothing is made"
    put_back(kept, file)
    await try_again(stack, device)
    await stack.until_state(device.id, "online")


async def test_a_session_file_that_is_damaged_under_a_session_ends_it_and_nothing_is_lost(
    stack: Stack, phone: str, contact: str, tmp_path: Path
) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    file = await file_of(stack, device)
    kept = keep(file, tmp_path)
    damage(file)
    sent = stack.simulator.text(phone, contact, "are you there?", count=5)
    await until_reason(stack, device, f"Session file sessions/loopback/{file.name} is damaged. Put a sound one back")
    put_back(kept, file)
    await try_again(stack, device)
    await stack.until_state(device.id, "online")
    stored = "SELECT count(*) = $2 FROM whatsapp_messages WHERE message_id = ANY ($1) AND message_type = 'text'"
    await stack.until(partial(stack.pool.fetchval, stored, sent, len(sent)), "every message")


async def file_of(stack: Stack, device: DeviceRow) -> Path:
    store = await stack.pool.fetchval("SELECT store FROM devices WHERE no = $1", device.no)
    return stack.data_dir / "sessions" / "loopback" / str(store)


def keep(file: Path, folder: Path) -> Path:
    """A whole copy, whoever writes to the file."""
    kept = folder / "kept.db"
    source, copy = sqlite3.connect(f"file:{file}?mode=ro", uri=True), sqlite3.connect(kept)
    with contextlib.closing(source), contextlib.closing(copy):
        source.backup(copy)
    return kept


def put_back(kept: Path, file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
    shutil.move(kept, file)


async def until_reason(stack: Stack, device: DeviceRow, beginning: str) -> None:
    async def says_so() -> bool:
        return ((await stack.device(device.id)).state_reason or "").startswith(beginning)

    try:
        await stack.until(says_so, beginning)
    except AssertionError:
        now = await stack.device(device.id)
        raise AssertionError(f"device is {now.state} ({now.state_reason}), not: {beginning}") from None


async def try_again(stack: Stack, device: DeviceRow) -> None:
    """Now, instead of in twenty seconds or more."""
    await stack.pool.execute("UPDATE devices SET retry_at = now() WHERE no = $1", device.no)
