"""Storing an upload: what it is to become decides what is done to it."""

from __future__ import annotations

import asyncio
import io
import mimetypes
import os
import re
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

import msgspec
from litestar.datastructures import UploadFile
from msgspec import Meta

from wafast import _core
from wafast.api.calls import not_stored
from wafast.api.idempotency import Answer, digest
from wafast.api.problems import Problem, refused_field
from wafast.inbox import file_types, images, media
from wafast.inbox.media_store import NotStored

if TYPE_CHECKING:
    from wafast.api.services import Services
    from wafast.inbox.media_store import StoredFile

ROUTE = "POST /api/v1/media"
#: What a file must be to become one of these; a document may be anything.
WANTED = {"video": "video/", "audio": "audio/", "voice": "audio/", "document": ""}
#: Bytes of the longest recording taken as a voice note: an hour at a browser's 128 kbit/s, with some room.
MAX_VOICE = 64 << 20
#: Types a browser names when it does not know.
VAGUE = ("", "text/plain", media.OCTETS)


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A stored file, ready to be sent."""

    media_id: Annotated[str, Meta(description="Give it to `POST /messages`.", examples=["9b74c9897bac770f…"])]
    media_url: Annotated[str, Meta(examples=["/media/9b74c9897bac770f….jpg"])]
    mime: Annotated[str, Meta(examples=["image/jpeg"])]
    size: Annotated[int, Meta(description="Bytes as stored; an image is made smaller.", examples=[83211])]
    original_size: Annotated[int, Meta(description="Bytes as uploaded.", examples=[2411724])]
    width: Annotated[int | None, Meta(description="Pixels, for images and videos with a poster.", examples=[1600])]
    height: Annotated[int | None, Meta(description="Pixels, for images and videos with a poster.", examples=[1200])]
    seconds: Annotated[int | None, Meta(description="Length of a voice note, or of a video as told.", examples=[7])]
    waveform: Annotated[
        list[int] | None,
        Meta(description="Loudness of a voice note in 64 steps from 0 to 100.", examples=[[3, 40, 72]]),
    ]
    name: Annotated[str | None, Meta(description="File name as uploaded.", examples=["counter.jpg"])]


class Described(msgspec.Struct, frozen=True):
    """Parts of a form that say more of its file, as they came; None where one did not."""

    waveform: object
    poster: object
    seconds: object


async def store_upload(
    services: Services,
    tenant_id: int,
    file: UploadFile,
    kind: object,
    described: Described,
    key: str | None,
    actor: str,
) -> Upload:
    """Stores a file of a form for its tenant.

    Args:
        services: of the process.
        tenant_id: whose it is.
        file: the part with the file.
        kind: the part `type`, or None.
        described: what other parts say of it.
        key: Idempotency-Key, if one came.
        actor: who uploads.

    Raises:
        Problem: 400, 409, 415, 422, 507.
    """
    if kind not in (None, "image", *WANTED):
        raise refused_field("type", kind, "one of image, video, audio, voice, document is wanted")
    try:
        upload = await _stored(services, tenant_id, file, None if kind is None else str(kind), described)
    except NotStored as error:
        raise not_stored(str(error)) from error
    if key is None:
        return upload
    # storing a file twice is storing it once, so the key is only looked at for being used for another file
    first = await services.idempotency.claim(tenant_id, key, ROUTE, digest(actor, upload.media_id.encode()))
    if first is not None:
        return msgspec.json.decode(first.body, type=Upload)
    await services.idempotency.finish(tenant_id, key, Answer(201, msgspec.json.encode(upload)))
    return upload


async def _stored(
    services: Services, tenant_id: int, file: UploadFile, kind: str | None, described: Described
) -> Upload:
    source = cast(BinaryIO, file.file)
    mime = mime_of(file.content_type, file.filename)
    original_size = source.seek(0, os.SEEK_END)
    if original_size == 0:
        raise Problem(400, "empty-file", f"{file.filename!r} is empty.")
    if kind != "voice" and not file_types.is_what_it_says(source, mime):
        raise Problem(415, "not-what-it-says", f"{file.filename!r} says to be {mime}, but is not.")
    source.seek(0)
    picture: images.Picture | None = None
    sound: media.Sound | None = None
    film: media.Film | None = None
    waveform = _steps_of(described.waveform)
    if kind == "image" or (kind is None and await asyncio.to_thread(images.is_image, source)):
        source.seek(0)
        try:
            stored, picture = await services.media.keep_picture(tenant_id, source)
        except images.NotAnImage as error:
            raise _not_that(file, f"can't be sent as image: {error}") from None
    elif kind == "voice":
        stored, sound = await _keep_voice(services, tenant_id, file, waveform)
    else:
        source.seek(0)
        _check_type(file, mime, kind or "document")
        film = await _film_of(services, described) if kind == "video" else None
        stored = await services.media.keep(tenant_id, source, mime)
        if film is not None:
            await services.media.describe_film(tenant_id, stored.sha256, film)
    return Upload(
        media_id=stored.sha256.hex(),
        media_url=media.file_url(stored.sha256, stored.mime),
        mime=stored.mime,
        size=stored.size,
        original_size=original_size,
        width=picture.width if picture else film.width if film else None,
        height=picture.height if picture else film.height if film else None,
        seconds=sound.seconds if sound else film.seconds if film else None,
        waveform=list(sound.waveform) if sound and sound.waveform else None,
        name=file.filename or None,
    )


def _steps_of(waveform: object) -> bytes | None:
    """A waveform out of a form: 64 numbers from 0 to 100 with commas.

    Raises:
        Problem: 400.
    """
    if waveform is None:
        return None
    steps = str(waveform).split(",")
    if len(steps) != media.WAVEFORM_STEPS or not all(re.fullmatch("[0-9]{1,2}|100", step) for step in steps):
        raise refused_field(
            "waveform", waveform, f"{media.WAVEFORM_STEPS} numbers from 0 to 100 with commas are wanted"
        )
    return bytes(map(int, steps))


async def _film_of(services: Services, described: Described) -> media.Film:
    """What a form says of its video.

    Raises:
        Problem: 400, 415.
    """
    seconds, poster = described.seconds, described.poster
    if seconds is not None and not re.fullmatch("[0-9]{1,6}", str(seconds)):
        raise refused_field("seconds", seconds, "a whole number of seconds is wanted")
    length = None if seconds is None else int(str(seconds))
    if not isinstance(poster, UploadFile):
        return media.Film(length, None, None, None)
    try:
        preview = await services.media.preview(cast(BinaryIO, poster.file))
    except images.NotAnImage as error:
        raise Problem(415, "unsupported-media-type", f"The poster can't be shown: {error}.") from None
    return media.Film(length, preview.width, preview.height, preview.jpeg)


async def _keep_voice(
    services: Services, tenant_id: int, file: UploadFile, measured: bytes | None
) -> tuple[StoredFile, media.Sound]:
    """Makes a voice note of a recording and stores it."""
    recorded = cast(BinaryIO, file.file).read(MAX_VOICE + 1)
    if len(recorded) > MAX_VOICE:
        raise Problem(413, "too-large", f"{file.filename!r} is larger than the {MAX_VOICE >> 20} MB of a voice note.")
    try:
        ogg, seconds, estimated = await asyncio.to_thread(_core.voice_note, recorded)
    except ValueError as error:
        raise _not_that(file, f"can't be sent as voice: {error}. Opus in WebM or Ogg is wanted") from None
    stored = await services.media.keep(tenant_id, io.BytesIO(ogg), "audio/ogg; codecs=opus")
    sound = media.Sound(seconds, measured or estimated)
    await services.media.describe_sound(tenant_id, stored.sha256, sound)
    return stored, sound


def _check_type(file: UploadFile, mime: str, kind: str) -> None:
    """Refuses what can't be sent as `kind`.

    Raises:
        Problem: 415.
    """
    if not mime.startswith(WANTED[kind]):
        raise _not_that(file, f"is {mime}, which can't be sent as {kind}")
    if kind == "video" and mime not in file_types.VIDEOS:
        why = f"is {mime}, which phones don't play: MP4 and 3GP can be sent as video, others as document"
        raise _not_that(file, why)


def _not_that(file: UploadFile, why: str) -> Problem:
    return Problem(415, "unsupported-media-type", f"{file.filename!r} {why}.")


def mime_of(declared: str, name: str) -> str:
    """A file's type: what the form says, or what its name suggests where the form does not know."""
    kind = declared.partition(";")[0].strip().lower()
    if kind in VAGUE:
        kind = mimetypes.guess_type(name)[0] or kind
    return kind if re.fullmatch(r"[a-z0-9.+-]+/[a-z0-9.+-]+", kind) else media.OCTETS
