"""Files on disk by content hash, and the rows that say whose they are: one place that puts in, opens and throws away.

A file lies under its name whole or not at all, and its row is there before it. Where a crash came between the two the
row has no file: that looks like a file never fetched, and it is fetched again. Whoever puts in, throws away or is about
to send a file holds the lock of its hash, so that a file is never thrown away under a row that was just made.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import io
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from wafast.database.queries import load
from wafast.inbox import images

if TYPE_CHECKING:
    from collections.abc import Iterator

    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    from wafast.inbox.media import Film, Sound

q = load(__file__)

CHUNK = 1 << 18  # bytes read or written at once
PICTURES_AT_ONCE = 2  # each decodes up to 60 megapixels: 180 MB
#: Writing fails so when the disk, a disk quota, or what a process may write is used up.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class NotStored(Exception):
    """The disk does not take the file: it is full, or cannot be written; the text says what helps."""


class WrongContent(Exception):
    """The bytes are not those of the hash they should have."""


class StoredFile(msgspec.Struct, frozen=True):
    """A file that was put in.

    Args:
        sha256: of its bytes.
        mime: what it is served as.
        size: bytes.
    """

    sha256: bytes
    mime: str
    size: int


class OpenFile(msgspec.Struct, frozen=True):
    """A file to be read, which whoever asked for it closes. It can be read to its end even when it is thrown away.

    Args:
        file: at its beginning.
        sha256: of its bytes.
        mime: what it is served as.
        size: bytes.
    """

    file: BinaryIO
    sha256: bytes
    mime: str
    size: int


class MediaStore:
    """Files of all tenants under one folder, ``aa/<sha256>``; a file two tenants have lies there once.

    Args:
        pool: where the rows are.
        folder: made when it is not there; what processes that are gone have left half-written is removed.
    """

    def __init__(self, pool: asyncpg.Pool, folder: Path) -> None:
        self._pool = pool
        self._folder = folder
        self._incoming = folder / "incoming"
        self._pictures = asyncio.Semaphore(PICTURES_AT_ONCE)
        self._incoming.mkdir(parents=True, exist_ok=True)
        for path in self._incoming.iterdir():
            _remove_orphan(path)

    async def open(self, tenant_id: int, sha256: bytes) -> OpenFile | None:
        """A file the tenant has and that is on disk, or None. It counts as viewed, noted once a minute at most."""
        row = await self._pool.fetchrow(q.stored_media, tenant_id, sha256)
        if row is None:
            return None
        try:
            file = await asyncio.to_thread(self._path(sha256).open, "rb")
        except FileNotFoundError:
            return None
        await self._note_view(tenant_id, sha256, row["is_stale"])
        return OpenFile(file, sha256, row["mime"], os.fstat(file.fileno()).st_size)

    async def has(self, tenant_id: int, sha256: bytes) -> StoredFile | None:
        """A file the tenant has and that is on disk, without opening it. Who asks is about to use it, which counts as
        viewed, so that it is not thrown away meanwhile."""
        row = await self._pool.fetchrow(q.stored_media, tenant_id, sha256)
        if row is None or not await asyncio.to_thread(self._path(sha256).exists):
            return None
        await self._note_view(tenant_id, sha256, row["is_stale"])
        return StoredFile(sha256, row["mime"], row["size"])

    async def keep(self, tenant_id: int, source: BinaryIO, mime: str, wanted: bytes | None = None) -> StoredFile:
        """Stores a file for a tenant; the same file again keeps the type it had.

        Args:
            tenant_id: whose it is.
            source: read from where it stands to its end, in a thread.
            mime: what to serve it as.
            wanted: the SHA-256 it must have, if that is known.

        Raises:
            WrongContent: it has another; nothing is stored.
            NotStored: the disk does not take it; nothing is stored.
        """
        with self._new_file() as (name, handle):
            with self._writing():
                sha256, size = await asyncio.to_thread(_copy, source, handle)
            if wanted is not None and sha256 != wanted:
                raise WrongContent(f"{size} bytes came with SHA-256 {sha256.hex()}, not {wanted.hex()}")
            async with self._pool.acquire() as connection:
                mime = await connection.fetchval(q.store_media, tenant_id, sha256, mime, size)
                async with connection.transaction():
                    await connection.execute(q.lock_file, sha256)
                    with self._writing():
                        await asyncio.to_thread(_move, name, self._path(sha256))
        return StoredFile(sha256, mime, size)

    async def describe_sound(self, tenant_id: int, sha256: bytes, sound: Sound) -> None:
        """Notes how long a sound is and how loud, for whoever sends it."""
        await self._pool.execute(q.describe_sound, tenant_id, sha256, sound.seconds, sound.waveform)

    async def describe_film(self, tenant_id: int, sha256: bytes, film: Film) -> None:
        """Notes how long a film is and how it looks, for whoever sends it; what is not known stays as it was."""
        await self._pool.execute(q.describe_film, tenant_id, sha256, film.seconds, film.width, film.height, film.poster)

    async def keep_picture(self, tenant_id: int, source: BinaryIO) -> tuple[StoredFile, images.Picture]:
        """Makes a picture fit for sending and stores it.

        Raises:
            NotAnImage: it is none.
            NotStored: the disk does not take it.
        """
        async with self._pictures:
            picture = await asyncio.to_thread(images.shrink, source)
        return await self.keep(tenant_id, io.BytesIO(picture.jpeg), "image/jpeg"), picture

    async def preview(self, source: BinaryIO) -> images.Picture:
        """As `images.preview`; nothing is stored."""
        async with self._pictures:
            return await asyncio.to_thread(images.preview, source)

    async def evict(self, connection: PoolConnectionProxy[asyncpg.Record], sha256: bytes) -> int:
        """Throws a file away for all tenants, unless it was viewed a moment ago or is still to be sent.

        A crash before the commit leaves rows without a file; the next eviction takes those too.

        Returns:
            The bytes that are free now.
        """
        async with connection.transaction():
            await connection.execute(q.lock_file, sha256)
            size: int | None = await connection.fetchval(q.evict_media, sha256)
            if size is not None:
                await asyncio.to_thread(self._path(sha256).unlink, missing_ok=True)
        return size or 0

    async def _note_view(self, tenant_id: int, sha256: bytes, is_stale: bool) -> None:
        if is_stale:
            await self._pool.execute(q.view_media, tenant_id, sha256)

    def _path(self, sha256: bytes) -> Path:
        name = sha256.hex()
        return self._folder / name[:2] / name

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Errors of the disk, and of nothing else, as NotStored."""
        try:
            yield
        except OSError as error:
            advice = "; make room there, or set WAFAST_MEDIA_QUOTA lower" if error.errno in FULL else ""
            raise NotStored(f"the file can't be stored in {self._folder}: {error.strerror}{advice}") from error

    @contextlib.contextmanager
    def _new_file(self) -> Iterator[tuple[Path, BinaryIO]]:
        """A file to write, which is gone at the end unless it was moved. It is locked as long as its process lives, and
        so told from what a process that is gone has left."""
        while True:
            with self._writing():
                number, name = tempfile.mkstemp(dir=self._incoming)
            fcntl.flock(number, fcntl.LOCK_EX)
            if os.fstat(number).st_nlink:  # else somebody removed it in between, for an orphan
                break
            os.close(number)
        try:
            with os.fdopen(number, "wb") as file:
                yield Path(name), file
        finally:
            Path(name).unlink(missing_ok=True)


def _copy(source: BinaryIO, target: BinaryIO) -> tuple[bytes, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        target.write(chunk)
        size += len(chunk)
    target.flush()
    os.fsync(target.fileno())
    return digest.digest(), size


def _move(name: Path, path: Path) -> None:
    """Gives a written file its place, so that it is there after a power cut as well."""
    path.parent.mkdir(exist_ok=True)
    name.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove_orphan(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
