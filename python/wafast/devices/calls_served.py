"""What a worker answers when the API asks one of its devices something."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import asyncpg
import msgspec

from wafast.devices import group_members
from wafast.devices.allowance import Allowance
from wafast.devices.fleet import Fleet
from wafast.devices.media_fetcher import MediaFetcher
from wafast.devices.session import Expired, Offline, Session, SessionError
from wafast.events.calls import CallFailed
from wafast.inbox.media_store import NotStored

#: At most so many files are fetched for views at once; each lies in memory meanwhile.
FETCHES_AT_ONCE = 8
#: Numbers a device may ask about at once, all of a request, and then one in so many seconds: WhatsApp takes it ill when
#: many are asked, and a person who adds contacts is not faster. Who waits no longer than these is answered later.
NUMBERS_AT_ONCE = 50
SECONDS_A_NUMBER = 6.0
LONGEST_WAIT = 8.0


class _MarkPlayed(msgspec.Struct):
    chat: str
    sender: str
    id: str


class _Typing(msgspec.Struct):
    chat: str
    state: Literal["composing", "recording", "paused"]


class _FetchMedia(msgspec.Struct):
    chat_id: int
    key: int


class _ReadMembers(msgspec.Struct):
    chat_id: int


class _IsOnWhatsApp(msgspec.Struct):
    phones: list[str]


class Verbs:
    """The handler of `events.calls.Server`."""

    def __init__(self, pool: asyncpg.Pool, fleet: Fleet, fetcher: MediaFetcher) -> None:
        self._pool, self._fleet, self._fetcher = pool, fleet, fetcher
        self._fetches = asyncio.Semaphore(FETCHES_AT_ONCE)
        self._numbers: defaultdict[int, Allowance] = defaultdict(
            lambda: Allowance(NUMBERS_AT_ONCE, 1 / SECONDS_A_NUMBER)
        )
        self._verbs: dict[str, Callable[[int, Session, Any], Awaitable[dict[str, Any]]]] = {
            "mark_played": self._mark_played,
            "typing": self._typing,
            "fetch_media": self._fetch_media,
            "is_on_whatsapp": self._is_on_whatsapp,
            "read_members": self._read_members,
        }

    async def handle(self, device_no: int, verb: str, args: dict[str, Any]) -> dict[str, Any]:
        """Answer a call. Raises CallFailed: unknown_verb, offline, expired, not_stored, too_fast, failed."""
        handler = self._verbs.get(verb)
        if handler is None:
            raise CallFailed("unknown_verb", f"a device knows no {verb!r}; it knows {', '.join(sorted(self._verbs))}")
        held = self._fleet.held.get(device_no)
        # one that is coming online knows itself whether it is: others read so in its row a moment earlier than here
        if held is None or held.session is None or not (held.is_online or held.is_connecting):
            raise CallFailed("offline", "the device is not connected; connect it and try again")
        try:
            return await handler(device_no, held.session, args)
        except Offline as error:
            raise CallFailed("offline", str(error)) from error
        except Expired as error:
            raise CallFailed("expired", str(error)) from error
        except NotStored as error:
            raise CallFailed("not_stored", str(error)) from error
        except (SessionError, msgspec.ValidationError) as error:
            raise CallFailed("failed", str(error)) from error

    async def _mark_played(self, _device_no: int, session: Session, args: dict[str, Any]) -> dict[str, Any]:
        order = msgspec.convert(args, _MarkPlayed)
        await session.mark_played(order.chat, order.sender, order.id)
        return {}

    async def _typing(self, _device_no: int, session: Session, args: dict[str, Any]) -> dict[str, Any]:
        order = msgspec.convert(args, _Typing)
        await session.show_typing(order.chat, order.state)
        return {}

    async def _is_on_whatsapp(self, device_no: int, session: Session, args: dict[str, Any]) -> dict[str, Any]:
        order = msgspec.convert(args, _IsOnWhatsApp)
        allowed, now = self._numbers[device_no], time.monotonic()
        wait = allowed.wait(len(order.phones), now)
        if wait > LONGEST_WAIT:
            text = "this device has asked about as many numbers as it may for now; WhatsApp blocks who asks about more"
            raise CallFailed("too_fast", text, wait)
        allowed.take(len(order.phones), now)
        await asyncio.sleep(wait)
        found = await session.is_on_whatsapp(order.phones)
        return {"items": [{"phone": phone, "jid": found.get(phone)} for phone in order.phones]}

    async def _read_members(self, device_no: int, session: Session, args: dict[str, Any]) -> dict[str, Any]:
        await group_members.read(self._pool, device_no, session, msgspec.convert(args, _ReadMembers).chat_id)
        return {}

    async def _fetch_media(self, device_no: int, session: Session, args: dict[str, Any]) -> dict[str, Any]:
        order = msgspec.convert(args, _FetchMedia)
        async with self._fetches:
            file = await self._fetcher.fetch(device_no, session, order.chat_id, order.key)
        return {"sha256": file.sha256.hex(), "mime": file.mime, "size": file.size}
