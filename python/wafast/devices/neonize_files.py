"""Files a device has uploaded. Each is uploaded once, however many people get it, and its preview made once by each
worker: WhatsApp itself sends a file on so when it is forwarded."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator

from wafast.devices import neonize_content as content_of
from wafast.devices.neonize_package import pb
from wafast.devices.session import Media, NotSent
from wafast.devices.uploads import KEPT_SECONDS, Uploads

#: Files a device remembers, some KB each with its preview.
MOST = 16

Key = tuple[bytes, str, str, str | None]


class Files:
    """Those of one session.

    Args:
        device_no: its device.
        uploads: where it is noted what any worker has uploaded.
        upload: takes a file to WhatsApp; its errors go to whoever sends the file.
    """

    def __init__(
        self, device_no: int, uploads: Uploads, upload: Callable[[Media], Awaitable[pb.UploadResponse]]
    ) -> None:
        self._device_no, self._uploads, self._upload = device_no, uploads, upload
        self._uploaded: dict[Key, tuple[float, asyncio.Future[content_of.File]]] = {}

    async def of(self, media: Media) -> content_of.File:
        """The file as it is sent, uploaded now if it was not. Who asks while another's upload is under way waits for
        that one, and fails with it."""
        key = media.sha256, media.kind, media.mime, media.name
        now = time.monotonic()
        at, found = self._uploaded.pop(key, (-KEPT_SECONDS, None))
        if found is None or now - at >= KEPT_SECONDS or (found.done() and _failed(found)):
            at, found = now, asyncio.ensure_future(self._make(media))
        self._uploaded[key] = at, found  # the one used last is the last to be forgotten
        while len(self._uploaded) > MOST:
            self._uploaded.pop(next(iter(self._uploaded)))
        return await asyncio.shield(found)

    async def _make(self, media: Media) -> content_of.File:
        answer = await self._uploads.find(self._device_no, media)
        if answer is not None:
            upload = pb.UploadResponse.FromString(answer)
        else:
            upload = await self._upload(media)
            await self._uploads.keep(self._device_no, media, upload.SerializeToString())
        with reading():
            return await asyncio.to_thread(content_of.file_of, media, upload)


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """A file that can't be read is not sent; one that is not there stays a FileNotFoundError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise NotSent(f"the file could not be read: {error}") from None


def _failed(upload: asyncio.Future[content_of.File]) -> bool:
    return upload.cancelled() or upload.exception() is not None
