"""What may be done to a message that is there, and until when: as WhatsApp has it."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from wafast import clock
from wafast.inbox.messages import FROM_ME, OTHER_LINE, VIEW_ONCE
from wafast.outbox.resolve import OURS

if TYPE_CHECKING:
    import asyncpg

EDIT_WITHIN = timedelta(minutes=15)
#: WhatsApp says "about two and a half days".
DELETE_WITHIN = timedelta(hours=60)
#: Kinds nobody can react to: they are no messages of a person, or not there.
NO_REACTION = frozenset({"system", "call", "deleted", "unsupported"})
#: Kinds that can be passed on; of the others there is no more here than the words.
FORWARDED_KINDS = frozenset({"text", "image", "video", "audio", "voice", "document"})
SIGN = r"[\u00a9-\u1fff\u203c-\u20cf\u2100-\ufdff\U0001f000-\U0001faff]"
#: A flag of two letters, a keycap, or a sign with its form, colour of skin and tags (flags of regions).
PART = (
    r"(?:[\U0001f1e6-\U0001f1ff]{2}|[0-9#*]\ufe0f?\u20e3|"
    rf"{SIGN}\ufe0f?[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*)"
)
EMOJI = re.compile(rf"{PART}(?:\u200d{PART}){{0,9}}")
#: Categories of Unicode that emojis are of.
SIGNS = frozenset({"So", "Sk", "Sm", "Po", "Pd"})


class NotPossible(Exception):
    """It can't be done to this message; `code` names why, the text says it."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def check_line(message: asyncpg.Record) -> None:
    """Raises NotPossible for a message of another line, and for one whose id at WhatsApp nobody knows: nobody would see
    what is done to it here."""
    if message["message_id"].startswith(OURS):
        text = "Somebody said that this message arrived; nobody knows its id at WhatsApp, so nothing can be done to it."
        raise NotPossible("no-id", text)
    if message["flags"] & OTHER_LINE:
        text = "This message went over another number, whose place this line took; WhatsApp knows nothing of it here."
        raise NotPossible("other-line", text)


def check_reaction(message: asyncpg.Record) -> None:
    """Raises NotPossible when nobody can react to this message (a row of `inbox.messages`)."""
    check_line(message)
    if message["kind"] in NO_REACTION:
        raise NotPossible("no-reaction", f"Nobody can react to a message of type {message['kind']}.")


def edit_until(message: asyncpg.Record) -> datetime:
    """Until when a message can be edited. Raises NotPossible when it can't."""
    check_line(message)
    if not message["flags"] & FROM_ME:
        raise NotPossible("not-yours", "Only what this line wrote can be edited.")
    if message["kind"] != "text":
        raise NotPossible("not-a-text", f"Only texts can be edited; this is of type {message['kind']}.")
    return _until(message, EDIT_WITHIN, "edited for 15 minutes")


def delete_until(message: asyncpg.Record) -> datetime:
    """Until when a message can be deleted for everyone. Raises NotPossible when it can't."""
    check_line(message)
    if not message["flags"] & FROM_ME:
        raise NotPossible("not-yours", "Only what this line wrote can be deleted for everyone.")
    if message["kind"] == "deleted":
        raise NotPossible("deleted", "This message is deleted already.")
    if message["kind"] in ("system", "call"):
        raise NotPossible("no-message", "What happened to a group, and a call, can't be deleted for everyone.")
    return _until(message, DELETE_WITHIN, "deleted for everyone for 60 hours")


def check_forward(message: asyncpg.Record) -> None:
    """Raises NotPossible when this message can't be passed on."""
    if message["kind"] not in FORWARDED_KINDS:
        raise NotPossible("no-forward", f"A message of type {message['kind']} can't be forwarded from here.")
    if message["flags"] & VIEW_ONCE:
        raise NotPossible("view-once", "What its sender lets be viewed once can't be forwarded.")
    if message["kind"] != "text" and "ext" not in (message["media"] or {}):
        raise NotPossible("no-file", "The message does not say where its file is.")


def is_emoji(text: str) -> bool:
    """Whether a text is one emoji: a sign, or several that joiners make one of."""
    found = EMOJI.fullmatch(text)
    return found is not None and all(unicodedata.category(sign) in SIGNS for sign in re.findall(SIGN, text))


def _until(message: asyncpg.Record, within: timedelta, how_long: str) -> datetime:
    end = datetime.fromtimestamp(message["key"] >> 32, UTC) + within
    if clock.now() >= end:
        raise NotPossible("too-late", f"A message can be {how_long} after it was sent.")
    return end
