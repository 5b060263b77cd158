"""Files on their way from WhatsApp: whoever asks for one that is already coming waits for the same."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wafast.api.calls import ask
from wafast.api.problems import Problem
from wafast.inbox.media import hash_of

if TYPE_CHECKING:
    from wafast.events.calls import Caller
    from wafast.inbox.media_store import MediaStore

#: A video of 100 MB over a phone's line takes its time; the browser shows the thumbnail meanwhile.
SECONDS = 60.0


class Fetches:
    """Fetches of this process.

    Args:
        caller: asks the device.
        media: has what was fetched.
    """

    def __init__(self, caller: Caller, media: MediaStore) -> None:
        self._caller, self._media = caller, media
        self._running: dict[tuple[int, int], asyncio.Task[bytes]] = {}

    async def fetch(self, tenant_id: int, sha256: bytes | None, device_no: int, chat_id: int, key: int) -> bytes:
        """Has a message's file fetched by its device, unless the tenant has it, and gives its SHA-256.

        Args:
            tenant_id: whose message it is.
            sha256: as the message says it; None when it does not.
            device_no: whose message it is.
            chat_id: of the message.
            key: of the message.

        Raises:
            Problem: 409, 410, 502, 504 or 507, as ``ask`` says.
        """
        message = (chat_id, key)
        task = self._running.get(message)
        if task is None:
            task = asyncio.create_task(self._fetch(tenant_id, sha256, device_no, *message))
            self._running[message] = task
            task.add_done_callback(lambda _: self._running.pop(message, None))
        # one browser that goes away must not end it for the others
        return await asyncio.shield(task)

    async def _fetch(self, tenant_id: int, known: bytes | None, device_no: int, chat_id: int, key: int) -> bytes:
        # another's may have ended since whoever asks looked
        if known is not None and await self._media.has(tenant_id, known) is not None:
            return known
        answer = await ask(self._caller, device_no, "fetch_media", {"chat_id": chat_id, "key": key}, SECONDS)
        sha256 = hash_of(answer.get("sha256"))
        if sha256 is None:
            raise Problem(502, "device-failed", "The device fetched the file but did not say which it is.")
        return sha256
