"""WhatsApp messages out of what is to be sent."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any, NamedTuple

from wafast.devices.neonize_package import common, e2e, pb
from wafast.devices.session import Change, Content, Media, MediaKind, Quoted
from wafast.inbox import images
from wafast.inbox.media import Film, ending_of

#: whatsmeow's MediaType by kind, as neonize numbers them; and the word its media servers use.
MEDIA_TYPES: dict[str, tuple[int, str]] = {
    "image": (0, "image"),
    "sticker": (0, "image"),
    "video": (1, "video"),
    "audio": (2, "audio"),
    "voice": (2, "audio"),
    "document": (3, "document"),
}


def to_jid(text: str) -> pb.JID:
    """neonize's JID of `user@server`."""
    user, _, server = text.partition("@")
    return pb.JID(User=user, RawAgent=0, Device=0, Integrator=0, Server=server or "s.whatsapp.net", IsEmpty=False)


def text_message(content: Content) -> bytes:
    """A text, encoded; one that answers another, or was forwarded, carries its context."""
    context = _context(content)
    if context is None:
        message = e2e.Message(conversation=content.text)
    else:
        message = e2e.Message(extendedTextMessage=e2e.ExtendedTextMessage(text=content.text, contextInfo=context))
    encoded: bytes = message.SerializeToString()
    return encoded


def change_message(chat_jid: str, change: Change) -> bytes:
    """What is done to a message of a chat, encoded. The author of a message is only named in groups."""
    key = common.MessageKey(remoteJID=chat_jid, fromMe=change.author is None, ID=change.message_id)
    if change.author is not None and chat_jid.endswith("@g.us"):
        key.participant = change.author
    now = time.time_ns() // 1_000_000
    protocol = e2e.ProtocolMessage
    match change.kind:
        case "reaction":
            reaction = e2e.ReactionMessage(key=key, text=change.text, senderTimestampMS=now)
            message = e2e.Message(reactionMessage=reaction)
        case "edit":
            words = e2e.Message(conversation=change.text)
            edit = protocol(key=key, type=protocol.MESSAGE_EDIT, editedMessage=words, timestampMS=now)
            wrapped = e2e.FutureProofMessage(message=e2e.Message(protocolMessage=edit))
            message = e2e.Message(editedMessage=wrapped)
        case "delete":
            message = e2e.Message(protocolMessage=protocol(key=key, type=protocol.REVOKE))
    encoded: bytes = message.SerializeToString()
    return encoded


class File(NamedTuple):
    """A file that was uploaded: the message it is sent as, still without words and context; what the message row says
    of it; and its JPEG preview."""

    message: e2e.Message
    described: dict[str, object]
    preview: bytes | None


def file_of(media: Media, upload: pb.UploadResponse) -> File:
    """What a file that was uploaded is sent as. A picture's preview takes 20 ms of CPU: call it in a thread."""
    fields: dict[str, Any] = {
        "URL": upload.url,
        "directPath": upload.DirectPath,
        "mediaKey": upload.MediaKey,
        "fileEncSHA256": upload.FileEncSHA256,
        "fileSHA256": upload.FileSHA256,
        "fileLength": upload.FileLength,
        "mimetype": media.mime,
    }
    described = _described(media, upload)
    message = _message(media, fields, described)
    return File(message, described, fields.get("JPEGThumbnail"))


def media_message(content: Content, file: File) -> bytes:
    """A file with the words and context it is sent with, encoded."""
    message = e2e.Message()
    message.CopyFrom(file.message)
    [(field, part)] = message.ListFields()
    context = _context(content)
    if context is not None:
        part.contextInfo.CopyFrom(context)
    if content.text and field.name != "audioMessage":
        part.caption = content.text
    encoded: bytes = message.SerializeToString()
    return encoded


def _message(media: Media, fields: dict[str, Any], described: dict[str, object]) -> e2e.Message:
    match media.kind:
        case "image":
            _picture(media.path, fields, described)
            return e2e.Message(imageMessage=e2e.ImageMessage(**fields))
        case "video":
            _film(media.film, fields, described)
            return e2e.Message(videoMessage=e2e.VideoMessage(**fields))
        case "audio" | "voice":
            _sound(media, fields, described)
            return e2e.Message(audioMessage=e2e.AudioMessage(PTT=media.kind == "voice", **fields))
        case "document":
            name = media.name or "file"
            return e2e.Message(documentMessage=e2e.DocumentMessage(fileName=name, title=name, **fields))


def _picture(path: Path, fields: dict[str, Any], described: dict[str, object]) -> None:
    """What cannot be read leaves as it is."""
    try:
        with path.open("rb") as source:
            preview = images.preview(source)
    except images.NotAnImage:
        return
    described |= {"width": preview.width, "height": preview.height}
    fields |= {"width": preview.width, "height": preview.height, "JPEGThumbnail": preview.jpeg}


def _film(film: Film | None, fields: dict[str, Any], described: dict[str, object]) -> None:
    if film is None:
        return
    known = {"seconds": film.seconds, "width": film.width, "height": film.height}
    facts = {name: value for name, value in known.items() if value is not None}
    fields |= facts
    described |= facts
    if film.poster is not None:
        fields["JPEGThumbnail"] = film.poster


def _sound(media: Media, fields: dict[str, Any], described: dict[str, object]) -> None:
    if media.seconds is not None:
        fields["seconds"] = described["seconds"] = media.seconds
    if media.waveform is not None:
        fields["waveform"] = media.waveform
        described["waveform"] = _text(media.waveform)


def _described(media: Media, upload: pb.UploadResponse) -> dict[str, object]:
    described: dict[str, object] = {
        "type": "audio" if media.kind == "voice" else media.kind,
        "mime": media.mime,
        "ext": ending_of(media.mime),
        "size": int(upload.FileLength),
        "sha256": _text(upload.FileSHA256),
        "direct_path": upload.DirectPath,
        "media_key": _text(upload.MediaKey),
        "enc_sha256": _text(upload.FileEncSHA256),
    }
    if media.name:
        described["name"] = media.name
    return described


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _context(content: Content) -> e2e.ContextInfo | None:
    """What stands around a message, if anything does."""
    if content.quoted is None and not content.forwarded:
        return None
    context = e2e.ContextInfo()
    if content.quoted is not None:
        context.MergeFrom(_answered(content.quoted))
    if content.forwarded:
        context.isForwarded, context.forwardingScore = True, 1
    return context


def _answered(quoted: Quoted) -> e2e.ContextInfo:
    return e2e.ContextInfo(
        stanzaID=quoted.message_id, participant=quoted.sender, quotedMessage=e2e.Message(conversation=quoted.text)
    )


def media_type(kind: MediaKind) -> int:
    """neonize's number of a kind's media type."""
    return MEDIA_TYPES[kind][0]
