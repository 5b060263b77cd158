"""A message as the inbox shows it, newest first and never more than the chat's floor allows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MessageType = Literal[
    "text", "image", "video", "audio", "voice", "document", "sticker", "location", "contact", "poll", "event", "call",
    "system", "unsupported", "deleted",
]  # fmt: skip
MessageStatus = Literal["received", "pending", "sent", "delivered", "read", "played", "failed"]


class MediaFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a message's file before it is fetched."""

    mime: Annotated[str, Meta(examples=["image/jpeg"])]
    size: Annotated[int | None, Meta(description="Bytes.", examples=[83211])]
    width: Annotated[int | None, Meta(description="Pixels.", examples=[1600])]
    height: Annotated[int | None, Meta(description="Pixels.", examples=[1200])]
    seconds: Annotated[int | None, Meta(description="Length of audio and video.", examples=[7])]
    name: Annotated[str | None, Meta(description="File name of a document.", examples=["price-list.pdf"])]


class Reaction(msgspec.Struct, frozen=True):
    """One person's reaction; a person has at most one a message."""

    sender_jid: Annotated[str, Meta(examples=["60198765432@s.whatsapp.net"])]
    emoji: Annotated[str, Meta(examples=["👍"])]
    at: Annotated[int, Meta(description="Unix seconds.", examples=[1795502469])]


class PollVote(msgspec.Struct, frozen=True):
    """One person's current vote."""

    sender_jid: Annotated[str, Meta(examples=["60198765432@s.whatsapp.net"])]
    options: Annotated[list[str], Meta(examples=[["Friday"]])]
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
    message_text: Annotated[str, Meta(description="What a person would read: body, caption, name of a place.", examples=["Hi!"])]
    media_url: Annotated[str | None, Meta(examples=["/media/4711-7711650218893115392.jpg"])]
    thumbnail_url: Annotated[str | None, Meta(examples=["/media/4711-7711650218893115392.thumb.jpg"])]
    media: MediaFacts | None
    quoted_message_id: Annotated[str | None, Meta(description="WhatsApp's id of the message answered.")]
    status: Annotated[MessageStatus, Meta(examples=["received"])]
    is_ephemeral: bool
    is_view_once: bool
    is_forwarded: bool
    is_pinned: bool
    reactions: list[Reaction]
    poll_votes: list[PollVote]
    timestamp: Annotated[int, Meta(description="Unix seconds.", examples=[1795502469])]
    edited_at: datetime | None
    deleted_at: datetime | None
    created_at: Annotated[datetime, Meta(description="When it was stored.")]
    outbox_id: Annotated[str | None, Meta(description="The outbox row that sent it, if one did.", examples=["93"])]
