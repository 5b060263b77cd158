"""The message rows of sends that have left, with what they do to their chats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from wafast._core import message_key
from wafast.database.queries import load
from wafast.devices.session import Sent
from wafast.inbox.messages import FORWARDED, FROM_ME
from wafast.outbox.claim import Claim

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wafast.events.bus import Event, Executor

q = load(__file__)

#: messages.kind of what can be sent, as message_kind() in the database reads it; a test compares them.
KINDS = {"text": 0, "image": 1, "video": 2, "audio": 3, "voice": 4, "document": 5}


class _Message(msgspec.Struct, frozen=True):
    """One that has a chat."""

    claim: Claim
    sent: Sent
    chat_id: int
    own_jid: str | None

    @property
    def key(self) -> int:
        """As messages.key is."""
        return message_key(self.sent.timestamp, self.sent.message_id)

    @property
    def body(self) -> str:
        """A document without a caption says its name."""
        return self.claim.body or (self.claim.file_name or "" if self.claim.kind == "document" else "")

    @property
    def row(self) -> tuple[object, ...]:
        """As insert_own_messages takes it."""
        claim, sent = self.claim, self.sent
        flags = FROM_ME | FORWARDED if claim.forwarded else FROM_ME
        return (
            self.chat_id, self.key, _packed(self.own_jid), claim.device_no, claim.tenant_id, KINDS[claim.kind], flags,
            sent.message_id, self.body, sent.media, claim.quoted,
        )  # fmt: skip


async def store(connection: Executor, left: Sequence[tuple[Claim, Sent]], keep: int) -> list[Event]:
    """Messages that have left, of each device at most one: their rows, the previews of their chats, and the receipts
    that were faster. Of a chat's messages the newest `keep` are shown, all when it is 0. What a device that is gone has
    sent has no chat. Runs in the transaction in which the outbox rows have become `sent`; gives what is to be told."""
    asked = [claim.device_no for claim, _ in left], [claim.to_jid for claim, _ in left]
    chats = {row["device_no"]: row for row in await connection.fetch(q.chats_for_sends, *asked)}
    messages = [
        _Message(claim, sent, chat["id"], chat["own_jid"])
        for claim, sent in left
        if (chat := chats.get(claim.device_no)) is not None
    ]
    if not messages:
        return []
    inserted = await connection.fetch(q.insert_own_messages, *_columns(message.row for message in messages))
    new = {row["chat_id"] for row in inserted}
    await _store_thumbnails(connection, [message for message in messages if message.chat_id in new])
    shown = ((m.chat_id, m.key, m.chat_id in new, KINDS[m.claim.kind], m.body) for m in messages)
    await connection.execute(q.show_in_chats, *_columns(shown), keep)
    await _apply_early_receipts(connection, messages)
    return [event for message in messages for event in _events(message)]


async def _store_thumbnails(connection: Executor, messages: Sequence[_Message]) -> None:
    """The pictures that messages show before they are opened."""
    pictured = [message for message in messages if message.sent.thumbnail is not None]
    if pictured:
        rows = ((m.chat_id, m.key, m.claim.tenant_id, m.sent.thumbnail) for m in pictured)
        await connection.execute(q.insert_thumbnails, *_columns(rows))


async def _apply_early_receipts(connection: Executor, messages: Sequence[_Message]) -> None:
    """Receipts that were faster than the answers to the sends."""
    waited_for = ((message.chat_id, message.sent.message_id, message.key) for message in messages)
    early = {row["chat_id"]: row for row in await connection.fetch(q.take_early_receipts, *_columns(waited_for))}
    if early:
        known = [message for message in messages if message.chat_id in early]
        rows = ((m.chat_id, m.key, m.claim.id, early[m.chat_id]["status"], early[m.chat_id]["at"]) for m in known)
        await connection.execute(q.apply_early_receipts, *_columns(rows))
        await connection.execute(q.count_early_readers, *_columns((m.chat_id, m.key) for m in known))


def _events(message: _Message) -> list[Event]:
    where = {"t": message.claim.tenant_id, "d": message.claim.device_no}
    return [
        {"k": "message", **where, "c": message.chat_id, "m": [message.key]},
        {"k": "chat", **where, "c": [message.chat_id]},
    ]


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    """Rows as a statement with an array for each column takes them."""
    return [list(column) for column in zip(*rows, strict=True)]


def _packed(jid: str | None) -> int:
    """A phone-number JID as messages.sender has it; 0 for none."""
    user = (jid or "").partition("@")[0]
    return int(user) << 3 if user.isdigit() else 0
