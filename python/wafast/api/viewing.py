"""What a browser says over its socket: which chat it shows, and whether its person types there."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from wafast.api.authentication import reach_of
from wafast.database.away import DATABASE_AWAY
from wafast.events import bus
from wafast.inbox import chats

if TYPE_CHECKING:
    from wafast.accounts.principal import Principal
    from wafast.api.services import Services


class Looking(msgspec.Struct, frozen=True):
    """What the socket's other end says."""

    chat_id: Annotated[str, Meta(pattern=r"^[0-9]{1,18}$")] | None
    is_typing: bool = False


decode = msgspec.json.Decoder(Looking).decode


class Seat:
    """What one socket looks at, told to everybody on the bus.

    Args:
        services: of the process.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._id = secrets.token_hex(8)
        self._taken_in: int | None = None  # the tenant that was told

    async def say(self, principal: Principal, text: str) -> None:
        """Tells what the other end says. A program has nobody who looks; a chat out of reach is none.

        Raises:
            msgspec.DecodeError: the text is not ``{"chat_id": "4711" or null, "is_typing": bool}``.
        """
        looking = decode(text)
        if principal.user_id is None:
            return
        try:
            found = None
            if looking.chat_id is not None:
                found = await chats.viewed_chat(
                    self._services.pool, reach_of(principal), int(looking.chat_id), principal.user_id
                )
            if found is None:
                await self.leave()
                return
            self._taken_in = principal.tenant_id
            device_no, name = found
            await self._tell(int(looking.chat_id or 0), device_no, principal.user_id, name, looking.is_typing)
        except DATABASE_AWAY:
            return  # nobody can be told; what was told before ends by itself

    async def leave(self) -> None:
        """Nothing is looked at any more."""
        if self._taken_in is not None:
            await self._tell(None, None, None, None, False)
            self._taken_in = None

    async def _tell(
        self, chat_id: int | None, device_no: int | None, user_id: int | None, name: str | None, is_typing: bool
    ) -> None:
        event = {"k": "viewing", "t": self._taken_in, "s": self._id, "c": chat_id}
        event |= {"d": device_no, "u": user_id, "n": name, "y": is_typing}
        await bus.publish(self._services.pool, [event])
