"""Files: uploads for sending, and every file a message has, fetched through its device on first view."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from wafast.api.authentication import Principal
from wafast.api.parameters import IdempotencyKey
from wafast.api.policy import Policy
from wafast.api.responses import problems
from wafast.api.services import Services


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A stored file, ready to be sent."""

    media_id: Annotated[str, Meta(description="Give it to `POST /messages`.", examples=["9b74c9897bac770f…"])]
    media_url: Annotated[str, Meta(examples=["/media/9b74c9897bac770f….jpg"])]
    mime: Annotated[str, Meta(examples=["image/jpeg"])]
    size: Annotated[int, Meta(description="Bytes as stored; an image is made smaller.", examples=[83211])]
    width: Annotated[int | None, Meta(description="Pixels, for images.", examples=[1600])]
    height: Annotated[int | None, Meta(description="Pixels, for images.", examples=[1200])]
    name: Annotated[str | None, Meta(description="File name as uploaded.", examples=["counter.jpg"])]


class UploadController(Controller):
    """Uploading."""

    tags = ["Media"]

    @post(
        "/media",
        opt={"policy": Policy.SEND},
        operation_id="upload_media",
        summary="Upload a file",
        responses=problems(400, 401, 403, 409, 413, 415, 422),
    )
    async def upload(
        self,
        request: Request,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Upload:
        """Multipart with one part `file` of at most 100 MB and, optionally, a part `type`: `image` makes it a JPEG of
        at most 1600 pixels and 350 KB, `document` stores it as it is. Without `type`, pictures are images."""
        raise NotImplementedError


class FileController(Controller):
    """Downloading."""

    path = "/media"
    tags = ["Media"]

    @get(
        "/{filename:str}",
        opt={"policy": Policy.READ},
        operation_id="get_media",
        summary="A file",
        media_type="application/octet-stream",
        responses=problems(400, 401, 404, 409, 416, 504),
    )
    async def show(
        self,
        filename: FromPath[str],
        request: Request,
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Response[bytes]:
        """The address is in `media_url` and `thumbnail_url`. Ranges and ETags work; a file not seen before is fetched
        through its device, which must be online for that."""
        raise NotImplementedError
