"""Bringing a message's file from WhatsApp to the disk, for whoever wants it first."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import asyncpg

from wafast.database.queries import load
from wafast.devices.session import Download, Expired, Session, SessionError
from wafast.inbox import media_fetches
from wafast.inbox.media import OCTETS, hash_of
from wafast.inbox.media_store import MediaStore, StoredFile, WrongContent

q = load(__file__)


class MediaFetcher:
    """Fetches of one worker: whoever wants a file that is already coming waits for the same.

    neonize gives a file whole or not at all: its client asks for all of it anew, up to five times, when the connection
    breaks in the middle. So nothing half-fetched is ever here, and the next fetch begins anew.
    """

    def __init__(self, pool: asyncpg.Pool, store: MediaStore) -> None:
        self._pool, self._store = pool, store
        self._running: dict[tuple[int, int], asyncio.Task[StoredFile]] = {}

    async def fetch(self, device_no: int, session: Session, chat_id: int, key: int) -> StoredFile:
        """Fetch the file of a device's message, if it is not here; it lies in memory meanwhile.

        Raises Expired (which is remembered), NotStored, Offline, and SessionError for what may be otherwise next time.
        """
        message = (chat_id, key)
        task = self._running.get(message)
        if task is None:
            task = asyncio.create_task(self._fetch(device_no, session, chat_id, key))
            self._running[message] = task
            task.add_done_callback(lambda task: self._ended(message, task))
        # one that waits no more must not end it for the others
        return await asyncio.shield(task)

    def _ended(self, message: tuple[int, int], task: asyncio.Task[StoredFile]) -> None:
        del self._running[message]
        if not task.cancelled():
            task.exception()  # somebody has looked: also when nobody waits any more

    async def _fetch(self, device_no: int, session: Session, chat_id: int, key: int) -> StoredFile:
        row = await self._pool.fetchrow(q.message_file, chat_id, key, device_no)
        if row is None:
            await media_fetches.forget(self._pool, chat_id, key)
            raise SessionError("there is no such message with a file")
        try:
            file = await self._bring(session, row)
        except Expired as error:
            await media_fetches.expire(self._pool, chat_id, key, str(error))
            raise
        await media_fetches.forget(self._pool, chat_id, key)
        return file

    async def _bring(self, session: Session, row: asyncpg.Record) -> StoredFile:
        file = _download(row["kind"], row["media"])
        known = await self._store.has(row["tenant_id"], file.sha256)
        if known is not None:
            return known
        content = io.BytesIO(await session.download(file))
        mime = row["media"].get("mime") or OCTETS
        try:
            return await self._store.keep(row["tenant_id"], content, mime, wanted=file.sha256)
        except WrongContent as error:
            raise SessionError(f"the file that came is not the one the message names: {error}") from error


def _download(kind: str, media: dict[str, Any]) -> Download:
    """Where the file lies. Raises Expired for a message that does not say."""
    hashes = {name: hash_of(media.get(name)) for name in ("media_key", "sha256", "enc_sha256")}
    path = media.get("direct_path")
    key, sha256, enc_sha256 = hashes["media_key"], hashes["sha256"], hashes["enc_sha256"]
    if not path or key is None or sha256 is None or enc_sha256 is None:
        raise Expired("the message does not say where its file lies")
    return Download(media.get("type") or kind, path, key, sha256, enc_sha256, int(media.get("size") or 0))
