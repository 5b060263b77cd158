"""What a message is, as `message_kind()` in the database names it."""

from typing import Literal

MessageType = Literal[
    "text", "image", "video", "audio", "voice", "document", "sticker", "location", "contact", "poll", "event", "call",
    "system", "unsupported", "deleted",
]  # fmt: skip
