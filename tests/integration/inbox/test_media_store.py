"""Files lie whole or not at all, whatever happens in the middle."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.inbox.conftest import Shelf
from wafast.inbox import media_store
from wafast.inbox.media_store import MediaStore, NotStored, WrongContent

#: Begins to store what comes on stdin, and says when it has written some of it.
WRITER = """
import asyncio, sys
from pathlib import Path
from wafast.inbox import media_store
from wafast.inbox.media_store import MediaStore
class Told:
    def read(self, size):
        print(sys.stdin.buffer.readline(), flush=True)
        return b'part of a file' * 1000
asyncio.run(MediaStore(None, Path(sys.argv[1])).keep(1, Told(), 'text/plain'))
"""


def _start_writer(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": "python"},
        cwd=Path(__file__).parents[3],
    )


async def test_bytes_that_are_not_what_the_message_names_are_not_stored(shelf: Shelf) -> None:
    wanted = hashlib.sha256(b"the picture").digest()
    with pytest.raises(WrongContent, match=wanted.hex()):
        await shelf.store.keep(shelf.tenant, io.BytesIO(b"another picture"), "image/png", wanted)
    assert (shelf.files(), await shelf.pool.fetchval("SELECT count(*) FROM media")) == (set(), 0)
    stored = await shelf.store.keep(shelf.tenant, io.BytesIO(b"the picture"), "image/png", wanted)
    assert (stored.sha256, shelf.files()) == (wanted, {wanted.hex()})


async def test_a_full_disk_says_so_and_leaves_nothing_half_written(shelf: Shelf) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(NotStored, match="WAFAST_MEDIA_QUOTA"):
            await shelf.store.keep(shelf.tenant, io.BytesIO(b"x" * (3 << 20)), "video/mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (shelf.files(), await shelf.pool.fetchval("SELECT count(*) FROM media")) == (set(), 0)


async def test_what_a_killed_process_left_is_removed_and_what_is_being_written_is_not(shelf: Shelf) -> None:
    with _start_writer(shelf.folder) as writer:
        assert writer.stdin is not None and writer.stdout is not None
        for _ in range(20):  # more than a buffer, so that a part is on disk
            writer.stdin.write(b"\n")
            writer.stdin.flush()
            await asyncio.to_thread(writer.stdout.readline)
        [part] = shelf.files()
        MediaStore(shelf.pool, shelf.folder)
        assert shelf.files() == {part}
        writer.kill()
    MediaStore(shelf.pool, shelf.folder)
    assert shelf.files() == set()


async def test_a_view_is_noted_once_a_minute(shelf: Shelf) -> None:
    sha256 = await shelf.put(b"price list", viewed_hours_ago=3)
    seen = []
    for _ in range(3):
        opened = await shelf.store.open(shelf.tenant, sha256)
        assert opened is not None
        opened.file.close()
        seen.append(await shelf.pool.fetchrow("SELECT viewed_at, xmin FROM media WHERE sha256 = $1", sha256))
    assert seen[0] is not None and time.time() - seen[0]["viewed_at"].timestamp() < 60
    assert seen[0] == seen[1] == seen[2]


async def test_a_file_that_is_being_read_is_read_to_its_end(shelf: Shelf) -> None:
    sha256 = await shelf.put(b"long story")
    opened = await shelf.store.open(shelf.tenant, sha256)
    assert opened is not None
    await shelf.pool.execute("UPDATE media SET viewed_at = now() - interval '1 day'")
    assert await shelf.sweep(1) == 10
    with opened.file:
        assert opened.file.read() == b"long story"
    assert await shelf.store.open(shelf.tenant, sha256) is None


async def test_another_workspace_has_no_part_in_a_file(shelf: Shelf) -> None:
    sha256 = await shelf.put(b"salaries")
    assert await shelf.store.open(shelf.other, sha256) is None
    assert await shelf.store.has(shelf.other, sha256) is None


async def test_no_file_is_nobodys_wherever_a_crash_comes(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    move = media_store._move

    def move_and_crash(name: Path, path: Path) -> None:
        move(name, path)
        raise RuntimeError("the process ends here")

    monkeypatch.setattr(media_store, "_move", move_and_crash)
    content = b"a file that is there"
    with pytest.raises(RuntimeError):
        await shelf.put(content)
    sha256 = hashlib.sha256(content).digest()
    assert (shelf.files(), await shelf.rows(sha256)) == ({sha256.hex()}, 1)
