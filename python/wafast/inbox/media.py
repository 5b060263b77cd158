"""The file a message has: what is known of it, its type, and where it is served."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from typing import TYPE_CHECKING, Any

import msgspec

from wafast.database.queries import load

if TYPE_CHECKING:
    from uuid import UUID

    import asyncpg

    from wafast.inbox.reach import Reach

q = load(__file__)

OCTETS = "application/octet-stream"
#: what Python's own table has no ending for, or an odd one
ENDINGS = {
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "audio/ogg": "ogg",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "video/3gpp": "3gp",
    "text/plain": "txt",
}


class MessageMedia(msgspec.Struct, frozen=True):
    """The file a message has.

    Args:
        device_no: the device that can fetch it.
        device_id: its public id.
        sha256: of the file, as the message says; None when it does not.
        mime: as the sender says.
        name: file name of a document.
        expired: why WhatsApp has it no more, and isn't asked again for a while; None where it may have it.
    """

    device_no: int
    device_id: UUID
    sha256: bytes | None
    mime: str
    name: str | None
    expired: str | None


class Sound(msgspec.Struct, frozen=True):
    """What is known of a voice note without hearing it.

    Args:
        seconds: how long it is.
        waveform: its loudness in 64 steps from 0 to 100; None when that is not known.
    """

    seconds: int
    waveform: bytes | None


class Film(msgspec.Struct, frozen=True):
    """What is known of a film without playing it; None is not known.

    Args:
        seconds: how long it is.
        width: pixels.
        height: pixels.
        poster: one frame of it, a small JPEG.
    """

    seconds: int | None
    width: int | None
    height: int | None
    poster: bytes | None


#: Steps of a waveform, as WhatsApp has them.
WAVEFORM_STEPS = 64


def sound_of(media: dict[str, Any]) -> Sound | None:
    """What a message's `media` says of its sound, or None when it is none or says nothing."""
    seconds = _whole(media, "seconds")
    if media.get("type") != "audio" or seconds is None:
        return None
    waveform = base64.b64decode(media.get("waveform") or "")
    return Sound(seconds, waveform if len(waveform) == WAVEFORM_STEPS else None)


def film_of(media: dict[str, Any], poster: bytes | None) -> Film:
    """What a message's `media` and the preview that came with it say of its film."""
    return Film(_whole(media, "seconds"), _whole(media, "width") or None, _whole(media, "height") or None, poster)


def _whole(media: dict[str, Any], name: str) -> int | None:
    """A number that somebody else's program wrote, where it can be one."""
    number: int | None = media.get(name)
    return number if number is not None and number < 1 << 31 else None


def ending_of(mime: str) -> str:
    """File ending for a MIME type, without the dot; ``bin`` when unknown."""
    kind = mime.partition(";")[0].strip().lower()
    return ENDINGS.get(kind) or (mimetypes.guess_extension(kind) or ".bin").lstrip(".")


def file_url(sha256: bytes, mime: str) -> str:
    """Where a stored file is served."""
    return f"/media/{sha256.hex()}.{ending_of(mime)}"


async def message_media(pool: asyncpg.Pool, reach: Reach, chat_id: int, key: int) -> MessageMedia | None:
    """The file of a message within reach, or None when there is no such message or it has none."""
    row = await pool.fetchrow(q.message_media, reach.tenant_id, reach.device_ids, chat_id, key)
    if row is None:
        return None
    media = row["media"]
    return MessageMedia(
        device_no=row["device_no"],
        device_id=row["device_id"],
        sha256=hash_of(media.get("sha256")),
        mime=media.get("mime") or OCTETS,
        name=media.get("name"),
        expired=row["expired"],
    )


async def message_thumbnail(pool: asyncpg.Pool, reach: Reach, chat_id: int, key: int) -> bytes | None:
    """The JPEG preview that came with a message within reach, or None."""
    found: bytes | None = await pool.fetchval(q.message_thumbnail, reach.tenant_id, reach.device_ids, chat_id, key)
    return found


async def mime_of_stored(pool: asyncpg.Pool, tenant_id: int, sha256: bytes) -> str | None:
    """MIME type of a file the tenant has, or None when it has none of that hash."""
    mime: str | None = await pool.fetchval(q.stored_mime, tenant_id, sha256)
    return mime


def hash_of(text: str | None) -> bytes | None:
    """A SHA-256 written as hex or, as messages have it, base64; None when it is neither."""
    if not text:
        return None
    try:
        found = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    return found if len(found) == 32 else None
