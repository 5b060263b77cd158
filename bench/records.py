"""What a Python program would make of an event: a record by neonize's protobuf classes, a row of COPY by struct."""

from __future__ import annotations

import struct
from base64 import b64encode
from zlib import crc32

import msgspec
from neonize.proto import Neonize_pb2 as pb

TEXT, IMAGE = 0, 1
"""`messages.kind`."""
COLUMNS = 15
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
EPOCH = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL's clock begins."""
_FIXED = struct.Struct(">hiqiqiqiqiiiiihihih")
_LENGTH = struct.Struct(">i")
_NULL = _LENGTH.pack(-1)


class Record(msgspec.Struct):
    """What is stored of a message."""

    chat: str
    sender: str
    id: str
    at: int
    name: str
    kind: int = TEXT
    body: str = ""
    quoted: str | None = None
    media: bytes | None = None
    thumbnail: bytes | None = None

    @property
    def key(self) -> int:
        """`messages.key`."""
        return self.at << 32 | crc32(self.id.encode())

    @property
    def packed_sender(self) -> int:
        """`messages.sender`."""
        return int(self.sender.partition("@")[0]) << 3


def record(event: bytes) -> Record:
    """An event's record by neonize's protobuf classes."""
    message = pb.Message.FromString(event)
    info, content = message.Info, message.Message
    source = info.MessageSource
    found = Record(
        f"{source.Chat.User}@{source.Chat.Server}",
        f"{source.Sender.User}@{source.Sender.Server}",
        info.ID,
        info.Timestamp // 1000,
        info.Pushname,
    )
    if content.HasField("conversation"):
        found.body = content.conversation
    elif content.HasField("extendedTextMessage"):
        text = content.extendedTextMessage
        found.body, found.quoted = text.text, text.contextInfo.stanzaID
    else:
        image = content.imageMessage
        found.kind, found.body, found.thumbnail = IMAGE, image.caption, image.JPEGThumbnail
        media = {
            "type": "image", "ext": "jpg", "mime": image.mimetype, "size": image.fileLength, "height": image.height,
            "width": image.width, "sha256": _base64(image.fileSHA256), "media_key": _base64(image.mediaKey),
            "enc_sha256": _base64(image.fileEncSHA256), "direct_path": image.directPath,
        }  # fmt: skip
        found.media = msgspec.json.encode(media)
    return found


def copy_row(found: Record, chat_id: int, device_no: int, tenant_id: int, created_at: int) -> bytes:
    """The row of `messages` as binary COPY has it; `created_at` in microseconds since 1970."""
    fixed = _FIXED.pack(
        COLUMNS, 8, chat_id, 8, found.key, 8, created_at - EPOCH, 8, found.packed_sender, 4, device_no, 4, tenant_id,
        2, found.kind, 2, 0, 2, 0,
    )  # fmt: skip
    media = _NULL if found.media is None else _value(b"\1" + found.media)
    return b"".join(
        (
            fixed,
            _value(found.id.encode()),
            _value(found.name.encode()),
            _value(found.body.encode()),
            media,
            _NULL if found.quoted is None else _value(found.quoted.encode()),
            _NULL,
        )
    )


def _value(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def _base64(value: bytes) -> str:
    return b64encode(value).decode()
