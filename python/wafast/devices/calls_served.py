"""What a worker answers when the API asks one of its devices something."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import asyncpg
import msgspec

from wafast.database.queries import load
from wafast.devices.fleet import Fleet
from wafast.devices.session import Download, Expired, Offline, Session, SessionError
from wafast.events.calls import CallFailed
from wafast.inbox.media import OCTETS, MediaStore, hash_of, record

q = load(__file__)

#: At most so many files are fetched at once; each lies in memory meanwhile.
FETCHES_AT_ONCE = 8


class _Receipt(msgspec.Struct):
    sender: str
    ids: list[str]


class _MarkRead(msgspec.Struct):
    chat: str
    receipts: list[_Receipt]


class _Typing(msgspec.Struct):
    chat: str
    state: Literal["composing", "recording", "paused"]


class _FetchMedia(msgspec.Struct):
    chat_id: int
    key: int


class _IsOnWhatsApp(msgspec.Struct):
    phones: list[str]


class Verbs:
    """The handler of `events.calls.Server`."""

    def __init__(self, pool: asyncpg.Pool, fleet: Fleet, store: MediaStore) -> None:
        self._pool, self._fleet, self._store = pool, fleet, store
        self._fetches = asyncio.Semaphore(FETCHES_AT_ONCE)
        self._verbs: dict[str, Callable[[int, Session, Any], Awaitable[dict[str, Any]]]] = {
            "mark_read": self._mark_read,
            "typing": self._typing,
            "fetch_media": self._fetch_media,
            "is_on_whatsapp": self._is_on_whatsapp,
        }

    async def handle(self, device_no: int, verb: str, args: dict[str, Any]) -> dict[str, Any]:
        """Answer a call. Raises CallFailed: unknown_verb, offline, expired, failed."""
        handler = self._verbs.get(verb)
        if handler is None:
            raise CallFailed("unknown_verb", f"a device knows no {verb!r}; it knows {', '.join(sorted(self._verbs))}")
        held = self._fleet.held.get(device_no)
        if held is None or held.session is None or not held.is_online:
            raise CallFailed("offline", "the device is not connected; connect it and try again")
        try:
            return await handler(device_no, held.session, args)
        except Offline as error:
            raise CallFailed("offline", str(error)) from error
        except Expired as error:
            raise CallFailed("expired", str(error)) from error
        except (SessionError, msgspec.ValidationError) as error:
            raise CallFailed("failed", str(error)) from error

    async def _mark_read(self, _device_no: int, session: Session, args: dict[str, Any]) -> dict[str, Any]:
        order = msgspec.convert(args, _MarkRead)
        for receipt in order.receipts:
            await session.mark_read(order.chat, receipt.sender, receipt.ids)
        return {}

    async def _typing(self, _device_no: int, session: Session, args: dict[str, Any]) -> dict[str, Any]:
        order = msgspec.convert(args, _Typing)
        await session.show_typing(order.chat, order.state)
        return {}

    async def _is_on_whatsapp(self, _device_no: int, session: Session, args: dict[str, Any]) -> dict[str, Any]:
        order = msgspec.convert(args, _IsOnWhatsApp)
        found = await session.is_on_whatsapp(order.phones)
        return {"items": [{"phone": phone, "jid": found.get(phone)} for phone in order.phones]}

    async def _fetch_media(self, device_no: int, session: Session, args: dict[str, Any]) -> dict[str, Any]:
        order = msgspec.convert(args, _FetchMedia)
        row = await self._pool.fetchrow(q.message_file, order.chat_id, order.key, device_no)
        if row is None:
            raise CallFailed("failed", "there is no such message with a file")
        media = row["media"]
        mime = media.get("mime") or OCTETS
        async with self._fetches:
            content = await session.download(_download(row["kind"], media))
            file = await self._store.keep(io.BytesIO(content), mime)
        wanted = hash_of(media.get("sha256"))
        if wanted is not None and wanted != file.sha256:
            raise CallFailed("failed", "the file that came is not the one the message names")
        served_as = await record(self._pool, row["tenant_id"], file)
        return {"sha256": file.sha256.hex(), "mime": served_as, "size": file.size}


def _download(kind: str, media: dict[str, Any]) -> Download:
    """Where the file lies. Raises CallFailed for a message that does not say."""
    hashes = {name: hash_of(media.get(name)) for name in ("media_key", "sha256", "enc_sha256")}
    path = media.get("direct_path")
    key, sha256, enc_sha256 = hashes["media_key"], hashes["sha256"], hashes["enc_sha256"]
    if not path or key is None or sha256 is None or enc_sha256 is None:
        raise CallFailed("expired", "the message does not say where its file lies")
    return Download(media.get("type") or kind, path, key, sha256, enc_sha256, int(media.get("size") or 0))
