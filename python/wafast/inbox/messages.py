"""A message as the inbox shows it, newest first and never more than the chat's floor allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from wafast._core import message_key
from wafast.database.queries import load
from wafast.inbox.carried import Contact, LinkPreview, Place, contacts_of, link_of, place_of
from wafast.inbox.kinds import MessageType
from wafast.inbox.media import OCTETS, sound_of
from wafast.inbox.mentions import Mention, mentions_in
from wafast.inbox.notices import Notice, notice_of
from wafast.inbox.polls import PollVote, poll_of, votes_of
from wafast.inbox.quotes import Quoted, quotes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from wafast.inbox.reach import Reach

q = load(__file__)

# bits of messages.flags
FROM_ME, EPHEMERAL, VIEW_ONCE, FORWARDED = 1, 2, 4, 8
#: It went over another line, whose place this one took: WhatsApp knows nothing of it here.
OTHER_LINE = 128

#: WhatsApp lets so many messages of a chat be pinned at once.
MOST_PINNED = 3

MessageStatus = Literal["received", "pending", "sent", "delivered", "read", "played", "failed"]


#: `At.stored` counts from here, and not farther than datetime does.
EPOCH, LAST_STORED = datetime(1970, 1, 1, tzinfo=UTC), 253_402_300_799_999_999
MICROSECOND = timedelta(microseconds=1)


class At(NamedTuple):
    """Where in a chat a message stands: keys begin with its second, and within one it is when each was stored that says
    what came first.

    Args:
        key: of the message.
        stored: its `created_at`, in microseconds since 1970.
    """

    key: int
    stored: int

    @classmethod
    def of(cls, row: asyncpg.Record) -> At:
        """Of a row with `key` and `created_at`."""
        return cls(row["key"], (row["created_at"] - EPOCH) // MICROSECOND)

    @property
    def created_at(self) -> datetime:
        """When it was stored."""
        return EPOCH + min(max(self.stored, 0), LAST_STORED) * MICROSECOND


#: After every message.
END = At(2**63 - 1, 0)


class MediaFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a message's file before it is fetched."""

    mime: Annotated[str, Meta(examples=["image/jpeg"])]
    size: Annotated[int | None, Meta(description="Bytes.", examples=[83211])]
    width: Annotated[int | None, Meta(description="Pixels.", examples=[1600])]
    height: Annotated[int | None, Meta(description="Pixels.", examples=[1200])]
    seconds: Annotated[int | None, Meta(description="Length of audio and video.", examples=[7])]
    waveform: Annotated[
        list[int] | None,
        Meta(description="Loudness of a voice note in 64 steps from 0 to 100.", examples=[[3, 40, 72]]),
    ]
    name: Annotated[str | None, Meta(description="File name of a document.", examples=["price-list.pdf"])]
    gif: Annotated[bool, Meta(description="A film without sound, shown over and over again.")]
    stored: Annotated[
        bool, Meta(description="The server has the file; any other comes through the phone, if it comes.")
    ]
    expired: Annotated[
        bool, Meta(description="Neither WhatsApp nor the server has the file any more; the phone may still have it.")
    ]


class Reaction(msgspec.Struct, frozen=True):
    """One person's reaction; a person has at most one a message."""

    sender_jid: Annotated[str, Meta(examples=["60198765432@s.whatsapp.net"])]
    emoji: Annotated[str, Meta(examples=["👍"])]
    at: Annotated[int, Meta(description="Unix seconds.", examples=[1795502469])]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message; the WebSocket gives exactly this too."""

    id: Annotated[str, Meta(description="Opaque id of the message.", examples=["4711-7711650218893115392"])]
    chat_id: Annotated[str, Meta(examples=["4711"])]
    device_id: Annotated[str, Meta(examples=["0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"])]
    chat_jid: Annotated[str, Meta(examples=["60123456789@s.whatsapp.net"])]
    message_id: Annotated[str, Meta(description="WhatsApp's id.", examples=["3EB0C767D097B7C7C030"])]
    sender_jid: Annotated[str | None, Meta(examples=["60123456789@s.whatsapp.net"])]
    sender_name: Annotated[str | None, Meta(examples=["Aisyah"])]
    from_me: bool
    message_type: Annotated[MessageType, Meta(examples=["text"])]
    message_text: Annotated[
        str, Meta(description="What a person would read: body, caption, name of a place.", examples=["Hi!"])
    ]
    mentions: Annotated[list[Mention], Meta(description="Who is named in `message_text` of a group, as far as known.")]
    notice: Annotated[Notice | None, Meta(description="Of a `system` message; null where an older one has none.")]
    media_url: Annotated[
        str | None,
        Meta(
            description="Null where there is no file, or the message does not say how to fetch it.",
            examples=["/media/4711-7711650218893115392.jpg"],
        ),
    ]
    thumbnail_url: Annotated[str | None, Meta(examples=["/media/4711-7711650218893115392.thumb.jpg"])]
    media: MediaFacts | None
    place: Annotated[Place | None, Meta(description="Of a location; null where none came with it.")]
    contacts: Annotated[list[Contact], Meta(description="Of a contact message, at most 20; `message_text` names all.")]
    link_preview: Annotated[LinkPreview | None, Meta(description="The card of a link in `message_text`, if one came.")]
    quoted_message_id: Annotated[str | None, Meta(description="WhatsApp's id of the message answered.")]
    quoted: Annotated[
        Quoted | None, Meta(description="What the answer brought of it; null where nothing came, or it answers none.")
    ]
    status: Annotated[MessageStatus, Meta(examples=["received"])]
    is_ephemeral: bool
    is_view_once: bool
    is_forwarded: bool
    is_pinned: bool
    pinned_until: Annotated[
        datetime | None,
        Meta(description="Where whoever pinned it said so; no frame comes when it ends."),
    ]
    reactions: list[Reaction]
    poll_options: Annotated[list[str], Meta(description="Of a poll, in its order.", examples=[["Friday", "Sunday"]])]
    poll_choices: Annotated[
        int | None, Meta(description="How many options one may choose, 0: any number; null where that is not known.")
    ]
    poll_votes: list[PollVote]
    poll_counts: Annotated[
        list[int] | None, Meta(description="Of the results of a poll: the votes of each of `poll_options`.")
    ]
    timestamp: Annotated[int, Meta(description="Unix seconds.", examples=[1795502469])]
    edited_at: datetime | None
    deleted_at: datetime | None
    created_at: Annotated[datetime, Meta(description="When it was stored.")]
    outbox_id: Annotated[str | None, Meta(description="The outbox row that sent it, if one did.", examples=["93"])]


async def list_messages(
    pool: asyncpg.Pool, reach: Reach, chat_id: int, *, before: At, including: bool = False, limit: int
) -> list[asyncpg.Record]:
    """Rows of a chat's messages, newest first; ``messages_of`` makes Messages of them.

    Args:
        before: only messages before this place.
        including: the message at this place too.
        limit: how many at most.
    """
    place = before.key, before.created_at, before.key + including
    return await pool.fetch(q.list_messages, reach.tenant_id, reach.device_ids, chat_id, *place, limit)


async def list_pinned(pool: asyncpg.Pool, reach: Reach, chat_id: int) -> list[Message]:
    """What is pinned in a chat, the last pinned first, and no more of it than WhatsApp lets be pinned."""
    found = await pool.fetch(q.list_pinned, reach.tenant_id, reach.device_ids, chat_id, MOST_PINNED)
    keys = [row["key"] for row in found]
    rows = await get_messages(pool, [reach.tenant_id], [(chat_id, key) for key in keys]) if keys else []
    return await messages_of(pool, sorted(rows, key=lambda row: keys.index(row["key"])))


async def place_of_key(pool: asyncpg.Pool, reach: Reach, chat_id: int, key: int) -> At | None:
    """Where a message stands by its key, or None when it is not kept."""
    row = await pool.fetchrow(q.place_of_key, reach.tenant_id, reach.device_ids, chat_id, key)
    return None if row is None else At.of(row)


async def place_of_message(pool: asyncpg.Pool, reach: Reach, chat_id: int, message_id: str) -> At | None:
    """Where a message stands by WhatsApp's id, or None when it is not kept."""
    hashed = message_key(0, message_id)
    row = await pool.fetchrow(q.place_of_message, reach.tenant_id, reach.device_ids, chat_id, message_id, hashed)
    return None if row is None else At.of(row)


async def places_from(
    pool: asyncpg.Pool, reach: Reach, chat_id: int, start: At, *, including: bool, limit: int
) -> list[At]:
    """Places of a chat's messages from one on, oldest first.

    Args:
        start: where they begin.
        including: the message at this place too.
        limit: how many at most.
    """
    place = start.key, start.created_at, start.key + (not including)
    rows = await pool.fetch(q.places_from, reach.tenant_id, reach.device_ids, chat_id, *place, limit)
    return [At.of(row) for row in rows]


async def get_messages(
    pool: asyncpg.Pool, tenant_ids: Sequence[int], keys: Sequence[tuple[int, int]]
) -> list[asyncpg.Record]:
    """Rows of those messages, in no order, for the live frames of several tenants.

    Args:
        tenant_ids: rows of other tenants are left out.
        keys: (chat, key) of each.
    """
    chats = [chat for chat, _ in keys]
    return await pool.fetch(q.get_messages, tenant_ids, chats, [key for _, key in keys])


async def messages_of(pool: asyncpg.Pool, rows: Sequence[asyncpg.Record]) -> list[Message]:
    """Messages of rows of ``list_messages`` or ``get_messages``, in their order."""
    mentions = await mentions_in(pool, [(row["chat_id"], row["kind"], row["body"]) for row in rows])
    quotes = await quotes_of(
        pool, [(row["chat_id"], row["quote"] if row["kind"] != "deleted" else None) for row in rows]
    )
    return [_message_of(*each) for each in zip(rows, mentions, quotes, strict=True)]


def reactions_of(row: asyncpg.Record) -> list[Reaction]:
    """The reactions in such a row."""
    return msgspec.convert(row["reactions"] or [], list[Reaction])


def _message_of(row: asyncpg.Record, mentions: list[Mention], quoted: Quoted | None) -> Message:
    flags = row["flags"]
    name = f"{row['chat_id']}-{row['key']}"
    carried = row["media"] if row["kind"] != "deleted" else None
    media = carried if carried is not None and "mime" in carried else None
    poll = poll_of(row["poll"] if row["kind"] == "poll" else None, carried)
    thumbnail_url = f"/media/{name}.thumb.jpg" if row["has_thumbnail"] and row["kind"] != "deleted" else None
    is_linked = carried is not None and carried.get("type") == "link"
    return Message(
        id=name,
        chat_id=str(row["chat_id"]),
        device_id=str(row["device_id"]),
        chat_jid=row["chat_jid"],
        message_id=row["message_id"],
        sender_jid=row["sender_jid"],
        sender_name=row["sender_name"],
        from_me=bool(flags & FROM_ME),
        message_type=row["kind"],
        message_text=row["body"],
        mentions=mentions,
        notice=notice_of(carried),
        media_url=f"/media/{name}.{media['ext']}" if media and "ext" in media else None,
        thumbnail_url=None if is_linked else thumbnail_url,
        media=_media_facts(media, row) if media else None,
        place=place_of(carried),
        contacts=contacts_of(carried),
        link_preview=link_of(
            carried, text=row["body"], edited=row["edited_at"] is not None, thumbnail_url=thumbnail_url
        ),
        quoted_message_id=row["quoted"],
        quoted=quoted,
        status=row["status"],
        is_ephemeral=bool(flags & EPHEMERAL),
        is_view_once=bool(flags & VIEW_ONCE),
        is_forwarded=bool(flags & FORWARDED),
        is_pinned=row["is_pinned"],
        pinned_until=row["pinned_until"] if row["is_pinned"] else None,
        reactions=reactions_of(row),
        poll_options=poll.options,
        poll_choices=poll.choices,
        poll_votes=votes_of(row),
        poll_counts=poll.counts,
        timestamp=row["key"] >> 32,
        edited_at=row["edited_at"],
        deleted_at=row["deleted_at"],
        created_at=row["created_at"],
        outbox_id=None if row["outbox_id"] is None else str(row["outbox_id"]),
    )


def _media_facts(media: dict[str, Any], row: asyncpg.Record) -> MediaFacts:
    sound = sound_of(media)
    stored = bool(row["is_stored"])
    return MediaFacts(
        mime=media.get("mime") or OCTETS,
        size=media.get("size"),
        width=media.get("width"),
        height=media.get("height"),
        seconds=media.get("seconds"),
        waveform=None if sound is None or sound.waveform is None else list(sound.waveform),
        name=media.get("name"),
        gif=media.get("gif", False),
        stored=stored,
        expired=row["has_expired"] and not stored,
    )
