"""A chat as the inbox shows it, and what people do to chats: list, search, read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation of one device."""

    id: Annotated[str, Meta(description="Opaque id of the chat.", examples=["4711"])]
    device_id: Annotated[str, Meta(examples=["0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"])]
    chat_jid: Annotated[
        str,
        Meta(
            description="The phone-number JID when known, else the LID, or a group's JID.",
            examples=["60123456789@s.whatsapp.net"],
        ),
    ]
    chat_name: Annotated[str | None, Meta(description="Best known name.", examples=["Aisyah"])]
    phone: Annotated[str | None, Meta(description="E.164; null for groups and unknown numbers.", examples=["+60123456789"])]
    is_group: bool
    last_message_text: Annotated[str | None, Meta(description="Preview, at most 200 characters.", examples=["Is it still available?"])]
    last_message_type: Annotated[str | None, Meta(examples=["text"])]
    last_message_time: datetime | None
    last_message_from_me: bool
    last_message_status: Annotated[str | None, Meta(description="received, or how far ours got.", examples=["received"])]
    last_message_sender: Annotated[str | None, Meta(description="Who wrote it, in groups.", examples=["Farid"])]
    unread_count: Annotated[int, Meta(ge=0, examples=[2])]
    typing: Annotated[str | None, Meta(description="Who is writing right now, by name or number; null: nobody.")]
    typing_state: Annotated[str | None, Meta(description="composing or recording while somebody is at it.")]
    pinned: bool
    muted: bool
    archived: bool
