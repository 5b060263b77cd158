"""After a chat was read here, its phone and its senders are told: blue ticks there, no badge on the phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wafast import logs
from wafast.api.calls import ask
from wafast.api.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wafast.events.calls import Caller
    from wafast.inbox.chats import ReadChat, Unread

log = logs.get("api.read_receipts")

#: Ids of one call, in bytes: a call is a notification, and PostgreSQL's end at 8,000 bytes.
MAX_IDS = 5_000


async def tell_phone(caller: Caller, read: ReadChat) -> None:
    """Sends the read receipts through the device. While it is offline there is nobody to tell: the phone then shows the
    messages as unread until it is looked at."""
    for receipts in in_calls(read.receipts):
        try:
            await ask(caller, read.device_no, "mark_read", {"chat": read.chat_jid, "receipts": receipts})
        except Problem as problem:
            log.info("a phone was not told that a chat was read", device=read.device_no, reason=problem.detail)
            return


def in_calls(unread: list[Unread]) -> Iterator[list[dict[str, Any]]]:
    """The receipts in as few calls as they fit into."""
    call: list[dict[str, Any]] = []
    size = 0
    for one in unread:
        for message_id in one.message_ids:
            length = len(message_id.encode()) + 4
            if call and size + length > MAX_IDS:
                yield call
                call, size = [], 0
            if not call or call[-1]["sender"] != one.sender_jid:
                call.append({"sender": one.sender_jid, "ids": []})
                length += len(one.sender_jid) + 30
            call[-1]["ids"].append(message_id)
            size += length
    if call:
        yield call
