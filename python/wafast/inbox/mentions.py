"""People named in the words of a group, where WhatsApp writes `@` and the digits of their number or LID; in what became
of the group, the digits alone or behind `+` (rust/core/src/group.rs). Nothing is stored of it: whom the digits mean is
looked up when the words are read."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from wafast.database.queries import load
from wafast.inbox.people import names_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import asyncpg

q = load(__file__)

MENTION = re.compile(r"(?<![0-9A-Za-z])@([0-9]{5,18})(?![0-9])", re.ASCII)
NOTICE = re.compile(r"(?<![0-9A-Za-z])\+?([0-9]{5,18})(?![0-9])", re.ASCII)
#: Of one text; 64 KiB hold five thousand.
MOST = 100


class Mention(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody named in a text."""

    digits: Annotated[
        str,
        Meta(
            description="As they stand in the text, behind `@`; in a `system` message behind `+` or nothing.",
            examples=["167211234567890"],
        ),
    ]
    jid: Annotated[str, Meta(examples=["60123456789@s.whatsapp.net"])]
    name: Annotated[
        str | None, Meta(description="Best known name; null: only the number behind a LID is.", examples=["Aisyah"])
    ]
    is_me: Annotated[bool, Meta(description="It is the device's own number.")]


async def mentions_in(pool: asyncpg.Pool, texts: Sequence[tuple[int, str | None, str]]) -> list[list[Mention]]:
    """Who is named in each text, as far as they are known. Two queries for all, none where there are no such digits.

    Args:
        texts: each behind the chat it is of, in which nobody is named unless that is a group, and the kind of message.
    """
    said = [(chat_id, _digits(kind, text)) for chat_id, kind, text in texts]
    asked = {(chat_id, digits) for chat_id, each in said for digits in each}
    known = await _known(pool, asked) if asked else {}
    return [[known[chat_id, digits] for digits in each if (chat_id, digits) in known] for chat_id, each in said]


def _digits(kind: str | None, text: str) -> list[str]:
    is_notice = kind == "system"
    if not is_notice and "@" not in text:
        return []
    found = (NOTICE if is_notice else MENTION).finditer(text)
    return list(dict.fromkeys(one[1] for one in islice(found, MOST)))


async def _known(pool: asyncpg.Pool, asked: Collection[tuple[int, str]]) -> dict[tuple[int, str], Mention]:
    rows = await pool.fetch(q.people_meant, [chat_id for chat_id, _ in asked], [digits for _, digits in asked])
    names = await names_of(pool, [(row["chat_id"], jid) for row in rows for jid in row["jids"]])
    mentions = (_mention(row, names) for row in rows)
    return {
        (row["chat_id"], row["digits"]): mention
        for row, mention in zip(rows, mentions, strict=True)
        if mention is not None
    }


def _mention(row: asyncpg.Record, names: dict[tuple[int, str], str]) -> Mention | None:
    """None where the digits may be anybody's."""
    digits, jids = row["digits"], row["jids"]
    if row["own_jid"] is not None:
        return Mention(digits=digits, jid=row["own_jid"], name=None, is_me=True)
    named = next((jid for jid in jids if (row["chat_id"], jid) in names), None)
    if named is None and not row["is_lid"]:
        return None
    jid = named or jids[0]
    return Mention(digits=digits, jid=jid, name=names.get((row["chat_id"], jid)), is_me=False)
