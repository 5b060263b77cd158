"""What a Python program would make of an event: a record by neonize's protobuf classes, a row of COPY by struct."""

from __future__ import annotations

import struct
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from zlib import crc32

import msgspec

from wafast.devices.neonize_package import e2e, pb

TEXT, IMAGE = 0, 1
"""`messages.kind`."""
FROM_ME, EPHEMERAL, VIEW_ONCE, FORWARDED = 1, 2, 4, 8
"""`messages.flags`."""
EARLIEST, NOW = 1_230_768_000, int(time.time())
"""Before it nothing was sent; a day after it nothing is."""
COLUMNS = 16
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
EPOCH = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL's clock begins."""
_FIXED = struct.Struct(">hiqiqiqiqiiiiihihih")
_LENGTH = struct.Struct(">i")
_NULL = _LENGTH.pack(-1)


class Record(msgspec.Struct):
    """What is stored of a message, and what decides whether it is. A file stays protobuf until its row is made."""

    chat: str
    sender: str | None
    sender_alt: str | None
    from_me: bool
    id: str
    at: int
    was_repaired: bool
    name: str | None
    is_edit: bool
    by_admin: bool
    flags: int = 0
    kind: int = TEXT
    body: str = ""
    quoted: str | None = None
    media: e2e.ImageMessage | None = None
    thumbnail: bytes | None = None

    @property
    def key(self) -> int:
        """`messages.key`."""
        return self.at << 32 | crc32(self.id.encode())

    @property
    def packed_sender(self) -> int:
        """`messages.sender`."""
        return int(self.sender.partition("@")[0]) << 3 if self.sender else 0


def record(event: bytes) -> Record:
    """An event's record by neonize's protobuf classes."""
    message = pb.Message.FromString(event)
    info, content = message.Info, message.Message
    source = info.MessageSource
    at, was_repaired = _repaired(info.Timestamp)
    found = Record(
        chat=_jid(source.Chat) or "",
        sender=_jid(source.Sender),
        sender_alt=_jid(source.SenderAlt),
        from_me=source.IsFromMe,
        id=_stored(info.ID),
        at=at,
        was_repaired=was_repaired,
        name=_stored(info.Pushname) or None,
        is_edit=message.IsEdit,
        by_admin=info.Edit == "8" and source.Chat.Server == "g.us",
        flags=FROM_ME * source.IsFromMe | EPHEMERAL * message.IsEphemeral | VIEW_ONCE * message.IsViewOnce,
    )
    # Of a hundred members any may be the content: the lowest counts, and a table says what becomes of it.
    for member, value in content.ListFields():
        if member.number not in KEYS:
            MEMBERS[member.number](value, found)
            break
    return found


def _conversation(text: str, found: Record) -> None:
    found.body = _stored(text)


def _extended(text: e2e.ExtendedTextMessage, found: Record) -> None:
    found.body = _stored(text.text)
    _context(text.contextInfo, found)


def _image(image: e2e.ImageMessage, found: Record) -> None:
    found.kind, found.body, found.thumbnail = IMAGE, _stored(image.caption), image.JPEGThumbnail
    found.flags |= VIEW_ONCE * image.viewOnce
    found.media = image
    _context(image.contextInfo, found)


def _context(context: e2e.ContextInfo, found: Record) -> None:
    found.quoted = _stored(context.stanzaID) or None
    found.flags |= FORWARDED * context.isForwarded | EPHEMERAL * (context.expiration > 0)


KEYS = {2, 15, 35}
"""Members that accompany content."""
MEMBERS: dict[int, Callable[[Any, Record], None]] = {1: _conversation, 3: _image, 6: _extended}
"""Those of the corpus; Rust knows all."""


def _stored(text: str) -> str:
    return text.replace("\0", "") if "\0" in text else text


def _jid(jid: pb.JID) -> str | None:
    return f"{jid.User}@{jid.Server}" if jid.User else None


def _repaired(value: int) -> tuple[int, bool]:
    """Seconds, of whatever unit; the time of receipt for nonsense."""
    seconds = value
    while seconds > 100_000_000_000:
        seconds //= 1000
    return (seconds, False) if EARLIEST <= seconds <= NOW + 86_400 else (NOW, True)


def described(image: e2e.ImageMessage) -> bytes:
    """The `media` column."""
    media = {
        "type": "image", "ext": "jpg", "mime": image.mimetype, "size": image.fileLength, "height": image.height,
        "width": image.width, "sha256": _base64(image.fileSHA256), "media_key": _base64(image.mediaKey),
        "enc_sha256": _base64(image.fileEncSHA256), "direct_path": image.directPath,
    }  # fmt: skip
    return msgspec.json.encode(media)


def copy_row(found: Record, chat_id: int, device_no: int, tenant_id: int, created_at: int) -> bytes:
    """The row of `messages` as binary COPY has it; `created_at` in microseconds since 1970."""
    fixed = _FIXED.pack(
        COLUMNS, 8, chat_id, 8, found.key, 8, created_at - EPOCH, 8, found.packed_sender, 4, device_no, 4, tenant_id,
        2, found.kind, 2, found.flags, 2, 0,
    )  # fmt: skip
    media = _NULL if found.media is None else _value(b"\1" + described(found.media))
    return b"".join(
        (
            fixed,
            _value(found.id.encode()),
            _NULL if found.name is None else _value(found.name.encode()),
            _value(found.body.encode()),
            media,
            _NULL if found.quoted is None else _value(found.quoted.encode()),
            _NULL,
            _NULL,
        )
    )


def _value(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def _base64(value: bytes) -> str:
    return b64encode(value).decode()
