"""What an answer brought of the message it answers (rust/core/src/quote.rs), with what people are called now: all there
is to show where that message is not kept, or never was here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from wafast.database.queries import load
from wafast.inbox.kinds import MessageType
from wafast.inbox.mentions import Mention, mentions_in
from wafast.inbox.people import names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

q = load(__file__)


class Quoted(msgspec.Struct, frozen=True, kw_only=True):
    """The message answered, as the answer brought it."""

    message_type: Annotated[MessageType, Meta(examples=["text"])]
    message_text: Annotated[
        str, Meta(description="The first 200 characters of what a person would read.", examples=["How much is it?"])
    ]
    mentions: Annotated[list[Mention], Meta(description="Who is named in `message_text` of a group.")]
    sender_jid: Annotated[str | None, Meta(examples=["60123456789@s.whatsapp.net"])]
    sender_name: Annotated[str | None, Meta(description="Best known name.", examples=["Aisyah"])]
    from_me: bool
    chat_jid: Annotated[
        str | None,
        Meta(
            description="Where it was written, if not in this chat: a group, or `status@broadcast`.",
            examples=["120363012345678901@g.us"],
        ),
    ]
    chat_name: Annotated[str | None, Meta(description="Of that group, if it is known.", examples=["Family"])]


async def quotes_of(pool: asyncpg.Pool, said: Sequence[tuple[int, dict[str, Any] | None]]) -> list[Quoted | None]:
    """What was answered, for each. Few queries for all, none where nothing is.

    Args:
        said: the chat of each answer, and its row's ``quote``.
    """
    brought = [(chat_id, quote) for chat_id, quote in said if quote is not None]
    if not brought:
        return [None] * len(said)
    columns = zip(*((chat_id, quote.get("sender"), quote.get("chat")) for chat_id, quote in brought), strict=True)
    rows = await pool.fetch(q.whose_words, *map(list, columns))
    names = await names_of(pool, [(row["chat_id"], row["jid"]) for row in rows if row["jid"] is not None])
    mentions = await mentions_in(pool, [(chat_id, quote["kind"], quote["text"]) for chat_id, quote in brought])
    made = (
        _quoted(quote, row, names.get((chat_id, row["jid"])), meant)
        for (chat_id, quote), row, meant in zip(brought, rows, mentions, strict=True)
    )
    return [None if quote is None else next(made) for _, quote in said]


def _quoted(quote: dict[str, Any], row: asyncpg.Record, name: str | None, mentions: list[Mention]) -> Quoted:
    return Quoted(
        message_type=quote["kind"],
        message_text=quote["text"],
        mentions=mentions,
        sender_jid=row["jid"],
        sender_name=None if row["is_own"] else name,
        from_me=row["is_own"],
        chat_jid=row["elsewhere"],
        chat_name=row["chat_name"],
    )
