"""What a browser gets: one JSON frame for each thing that happened, with an id that only grows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from uuid import UUID

Code = Literal[
    "NEW_MESSAGE",
    "CHAT_UPDATE",
    "CHAT_GONE",
    "MESSAGE_STATUS",
    "MESSAGE_GONE",
    "DEVICE_STATUS",
    "QR_UPDATE",
    "DEVICE_PAIRED",
    "DEVICE_CONNECTED",
    "DEVICE_LOGGED_OUT",
    "NOTE_UPDATE",
    "LABELS_UPDATE",
    "SEQUENCE_UPDATE",
    "CAMPAIGN_UPDATE",
    "LEAD_UPDATE",
    "IMPORT_UPDATE",
    "RESYNC",
    "PONG",
]

#: What a person reading the stream sees beside the code.
MESSAGES: dict[Code, str] = {
    "NEW_MESSAGE": "a message was stored",
    "CHAT_UPDATE": "a chat changed",
    "CHAT_GONE": "a chat became part of another of the same person",
    "MESSAGE_STATUS": "a message changed",
    "MESSAGE_GONE": "what stood for a message turned out to be none",
    "DEVICE_STATUS": "a device changed",
    "QR_UPDATE": "a pairing changed",
    "DEVICE_PAIRED": "a device was paired",
    "DEVICE_CONNECTED": "a device came online",
    "DEVICE_LOGGED_OUT": "a device was logged out",
    "NOTE_UPDATE": "a private note was written, changed or deleted",
    "LABELS_UPDATE": "the workspace's labels changed",
    "SEQUENCE_UPDATE": "a sequence changed",
    "CAMPAIGN_UPDATE": "a campaign changed, or its messages went on",
    "LEAD_UPDATE": "leads changed; without ids, many did",
    "IMPORT_UPDATE": "an import changed",
    "RESYNC": "fetch again what is shown: frames may be missing",
    "PONG": "the connection lives",
}


class Draft(msgspec.Struct, frozen=True):
    """A frame before it has its id.

    Args:
        tenant_id: whose it is.
        device_id: the device it is about; None for the whole tenant.
        code: what happened.
        result: the object as the REST route gives it, as JSON.
    """

    tenant_id: int
    device_id: UUID | None
    code: Code
    result: bytes


class Frame(msgspec.Struct, frozen=True):
    """A frame as it goes over the socket.

    Args:
        seq: its number in this process' run.
        device_id: only sockets that see this device get it; None: every socket of the tenant.
        text: the JSON.
    """

    seq: int
    device_id: UUID | None
    text: str

    @property
    def size(self) -> int:
        """Bytes of memory its text takes."""
        return sys.getsizeof(self.text)


class FrameId(msgspec.Struct, frozen=True):
    """``epoch:seq``: the process' start and a number that grows by one a frame.

    Both have a fixed width as text, so that ids also grow for a client that compares them as strings.
    """

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.seq:012}"


def parse_frame_id(text: str) -> FrameId | None:
    """The parts of a frame id, or None when the text is not one."""
    epoch, colon, seq = text.partition(":")
    if not colon or not epoch or not (seq.isascii() and seq.isdigit()) or len(seq) > 18:
        return None
    return FrameId(epoch, int(seq))


def encode(frame_id: FrameId, code: Code, result: bytes) -> str:
    """The JSON of a frame.

    Args:
        result: JSON, put in as it is.
    """
    head = msgspec.json.encode({"id": str(frame_id), "code": code, "message": MESSAGES[code]})
    return f'{head[:-1].decode()},"result":{result.decode()}}}'
