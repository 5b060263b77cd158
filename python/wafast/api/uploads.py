"""Storing an upload: what it is to become decides what is done to it."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import re
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

import msgspec
from msgspec import Meta

from wafast.api.calls import not_stored
from wafast.api.idempotency import Answer, digest
from wafast.api.problems import Problem, refused_field
from wafast.inbox import images, media
from wafast.inbox.media_store import NotStored

if TYPE_CHECKING:
    from litestar.datastructures import UploadFile

    from wafast.api.services import Services

ROUTE = "POST /api/v1/media"
#: What a file must be to become one of these; a document may be anything.
WANTED = {"video": "video/", "audio": "audio/", "voice": "audio/", "document": ""}
#: Types a browser names when it does not know.
VAGUE = ("", "text/plain", media.OCTETS)


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A stored file, ready to be sent."""

    media_id: Annotated[str, Meta(description="Give it to `POST /messages`.", examples=["9b74c9897bac770f…"])]
    media_url: Annotated[str, Meta(examples=["/media/9b74c9897bac770f….jpg"])]
    mime: Annotated[str, Meta(examples=["image/jpeg"])]
    size: Annotated[int, Meta(description="Bytes as stored; an image is made smaller.", examples=[83211])]
    width: Annotated[int | None, Meta(description="Pixels, for images.", examples=[1600])]
    height: Annotated[int | None, Meta(description="Pixels, for images.", examples=[1200])]
    name: Annotated[str | None, Meta(description="File name as uploaded.", examples=["counter.jpg"])]


async def store_upload(
    services: Services, tenant_id: int, file: UploadFile, kind: object, key: str | None, actor: str
) -> Upload:
    """Stores a file of a form for its tenant.

    Args:
        services: of the process.
        tenant_id: whose it is.
        file: the part with the file.
        kind: the part `type`, or None.
        key: Idempotency-Key, if one came.
        actor: who uploads.

    Raises:
        Problem: 400, 409, 415, 422, 507.
    """
    if kind not in (None, "image", *WANTED):
        raise refused_field("type", kind, "one of image, video, audio, voice, document is wanted")
    try:
        upload = await _stored(services, tenant_id, file, None if kind is None else str(kind))
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


async def _stored(services: Services, tenant_id: int, file: UploadFile, kind: str | None) -> Upload:
    source = cast(BinaryIO, file.file)
    mime = mime_of(file.content_type, file.filename)
    picture: images.Picture | None = None
    if kind == "image" or (kind is None and await asyncio.to_thread(images.is_image, source)):
        source.seek(0)
        try:
            stored, picture = await services.media.keep_picture(tenant_id, source)
        except images.NotAnImage as error:
            raise Problem(
                415, "unsupported-media-type", f"{file.filename!r} can't be sent as image: {error}."
            ) from None
    else:
        if not mime.startswith(WANTED[kind or "document"]):
            detail = f"{file.filename!r} is {mime}, which can't be sent as {kind}."
            raise Problem(415, "unsupported-media-type", detail)
        if source.seek(0, os.SEEK_END) == 0:
            raise refused_field("file", file.filename, "the file is empty")
        source.seek(0)
        stored = await services.media.keep(tenant_id, source, mime)
    return Upload(
        media_id=stored.sha256.hex(),
        media_url=media.file_url(stored.sha256, stored.mime),
        mime=stored.mime,
        size=stored.size,
        width=picture.width if picture else None,
        height=picture.height if picture else None,
        name=file.filename or None,
    )


def mime_of(declared: str, name: str) -> str:
    """A file's type: what the form says, or what its name suggests where the form does not know."""
    kind = declared.partition(";")[0].strip().lower()
    if kind in VAGUE:
        kind = mimetypes.guess_type(name)[0] or kind
    return kind if re.fullmatch(r"[a-z0-9.+-]+/[a-z0-9.+-]+", kind) else media.OCTETS
