"""Files on disk by content hash, and the rows that say whose they are."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import mimetypes
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from wafast.database.queries import load
from wafast.inbox import images

if TYPE_CHECKING:
    from uuid import UUID

    import asyncpg

    from wafast.inbox.reach import Reach

q = load(__file__)

CHUNK = 1 << 18  # bytes read or written at once
OCTETS = "application/octet-stream"
PICTURES_AT_ONCE = 2  # each decodes up to 60 megapixels: 180 MB
#: what Python's own table has no ending for, or an odd one
ENDINGS = {
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "audio/ogg": "ogg",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "video/3gpp": "3gp",
    "text/plain": "txt",
}


class StoredFile(msgspec.Struct, frozen=True):
    """A file on disk.

    Args:
        path: where it lies.
        sha256: of its bytes.
        mime: what it was declared or found to be.
        size: bytes.
    """

    path: Path
    sha256: bytes
    mime: str
    size: int


class MessageMedia(msgspec.Struct, frozen=True):
    """The file a message has.

    Args:
        device_no: the device that can fetch it.
        device_id: its public id.
        sha256: of the file, as the message says; None when it does not.
        mime: as the sender says.
        name: file name of a document.
    """

    device_no: int
    device_id: UUID
    sha256: bytes | None
    mime: str
    name: str | None


def ending_of(mime: str) -> str:
    """File ending for a MIME type, without the dot; ``bin`` when unknown."""
    kind = mime.partition(";")[0].strip().lower()
    return ENDINGS.get(kind) or (mimetypes.guess_extension(kind) or ".bin").lstrip(".")


def file_url(sha256: bytes, mime: str) -> str:
    """Where a stored file is served."""
    return f"/media/{sha256.hex()}.{ending_of(mime)}"


class MediaStore:
    """Files of all tenants under one folder, ``aa/<sha256>``; a file two tenants have lies there once.

    Args:
        folder: made when it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._pictures = asyncio.Semaphore(PICTURES_AT_ONCE)
        self._incoming.mkdir(parents=True, exist_ok=True)

    def path_of(self, sha256: bytes) -> Path:
        """Where a file lies, or would."""
        name = sha256.hex()
        return self._folder / name[:2] / name

    async def find(self, sha256: bytes, mime: str) -> StoredFile | None:
        """A file that is on disk, or None."""
        path = self.path_of(sha256)
        try:
            size = (await asyncio.to_thread(path.stat)).st_size
        except FileNotFoundError:
            return None
        return StoredFile(path, sha256, mime, size)

    async def keep(self, source: BinaryIO, mime: str) -> StoredFile:
        """Stores a file as it is.

        Args:
            source: read from where it stands to its end, in a thread.
            mime: what to serve it as.
        """
        return await asyncio.to_thread(self._keep, source, mime)

    async def keep_picture(self, source: BinaryIO) -> tuple[StoredFile, images.Picture]:
        """Makes a picture fit for sending and stores it.

        Raises:
            NotAnImage: it is none.
        """
        async with self._pictures:
            picture = await asyncio.to_thread(images.shrink, source)
        return await asyncio.to_thread(self._keep_bytes, picture.jpeg, "image/jpeg"), picture

    def _keep_bytes(self, content: bytes, mime: str) -> StoredFile:
        with tempfile.SpooledTemporaryFile() as file:
            file.write(content)
            file.seek(0)
            return self._keep(file, mime)

    def _keep(self, source: BinaryIO | tempfile.SpooledTemporaryFile[bytes], mime: str) -> StoredFile:
        digest = hashlib.sha256()
        size = 0
        handle, name = tempfile.mkstemp(dir=self._incoming)
        try:
            with os.fdopen(handle, "wb") as file:
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
                    size += len(chunk)
                file.flush()
                os.fsync(file.fileno())
            path = self.path_of(digest.digest())
            path.parent.mkdir(exist_ok=True)
            shutil.move(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return StoredFile(path, digest.digest(), mime, size)


async def message_media(pool: asyncpg.Pool, reach: Reach, chat_id: int, key: int) -> MessageMedia | None:
    """The file of a message within reach, or None when there is no such message or it has none."""
    row = await pool.fetchrow(q.message_media, reach.tenant_id, reach.device_ids, chat_id, key)
    if row is None:
        return None
    media = row["media"]
    return MessageMedia(
        device_no=row["device_no"],
        device_id=row["device_id"],
        sha256=hash_of(media.get("sha256")),
        mime=media.get("mime") or OCTETS,
        name=media.get("name"),
    )


async def message_thumbnail(pool: asyncpg.Pool, reach: Reach, chat_id: int, key: int) -> bytes | None:
    """The JPEG preview that came with a message within reach, or None."""
    found: bytes | None = await pool.fetchval(q.message_thumbnail, reach.tenant_id, reach.device_ids, chat_id, key)
    return found


async def mime_of_stored(pool: asyncpg.Pool, tenant_id: int, sha256: bytes) -> str | None:
    """MIME type of a file the tenant has, or None when it has none of that hash."""
    row = await pool.fetchrow(q.stored_media, tenant_id, sha256)
    return row["mime"] if row is not None else None


async def record(pool: asyncpg.Pool, tenant_id: int, file: StoredFile) -> str:
    """Notes that a tenant has a file, and gives the MIME type it is served as."""
    return str(await pool.fetchval(q.store_media, tenant_id, file.sha256, file.mime, file.size))


def hash_of(text: str | None) -> bytes | None:
    """A SHA-256 written as hex or, as messages have it, base64; None when it is neither."""
    if not text:
        return None
    try:
        found = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    return found if len(found) == 32 else None
