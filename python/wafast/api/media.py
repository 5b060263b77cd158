"""Files: uploads for sending, and every file a message has, fetched through its device on first view."""

from __future__ import annotations

import re
from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from wafast.accounts.principal import Principal
from wafast.api.authentication import reach_of
from wafast.api.calls import media_expired
from wafast.api.files import serve, serve_bytes
from wafast.api.ids import MAX_INT8
from wafast.api.parameters import IdempotencyKey
from wafast.api.policy import Policy
from wafast.api.problems import Problem, not_found
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.api.uploads import Described, Upload, store_upload
from wafast.inbox import media

#: Bytes of a whole upload: WhatsApp takes documents of 100 MB, and the form around it needs a little.
MAX_UPLOAD = (100 << 20) + (64 << 10)


#: How a PNG begins: the preview of a sticker is one.
PNG = b"\x89PNG\r\n\x1a\n"
#: Names of files: by content, for what was uploaded here, or by the message they belong to.
STORED = r"([0-9a-f]{64})\.[a-z0-9]{1,10}"
OF_MESSAGE = r"([0-9]{1,19})-(-?[0-9]{1,19})\.(thumb\.jpg|[A-Za-z0-9]{1,10})"

Again = Annotated[
    int | None,
    QueryParameter(
        name="again", required=False, description="Ask WhatsApp again for a file it did not have; any number."
    ),
]


class UploadController(Controller):
    """Uploading."""

    tags = ["Media"]

    @post(
        "/media",
        opt={"policy": Policy.SEND},
        operation_id="upload_media",
        summary="Upload a file",
        request_max_body_size=MAX_UPLOAD,
        responses=problems(400, 401, 403, 409, 413, 415, 422, 507),
    )
    async def upload(
        self,
        request: Request[Any, Any, Any],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Upload:
        """Multipart with one part `file` of at most 100 MB and, optionally, a part `type`: `image` makes it a JPEG of
        at most 1600 pixels and 350 KB, `document` stores it as it is, `voice` makes an Opus recording in WebM or Ogg a
        voice note (a part `waveform` of 64 numbers from 0 to 100 says how loud it is; else that is estimated), `video`
        is shown by its part `poster`, a picture as large as the video, until it is played, and a part `seconds` says
        how long it is. Without `type`, pictures are images. What is not what it says is refused."""
        form = await request.form()
        file, kind = form.get("file"), form.get("type")
        described = Described(form.get("waveform"), form.get("poster"), form.get("seconds"))
        try:
            if not isinstance(file, UploadFile):
                raise Problem(400, "invalid-request", "The form needs one part `file` with a file name.")
            return await store_upload(
                services, principal.tenant_id, file, kind, described, idempotency_key, principal.actor
            )
        finally:
            await form.close()


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
        responses=problems(400, 401, 404, 409, 410, 416, 502, 504, 507),
    )
    async def show(
        self,
        filename: FromPath[str],
        request: Request[Any, Any, Any],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        again: Again = None,
    ) -> Response[bytes]:
        """The address is in `media_url` and `thumbnail_url`. Ranges and ETags work; a file not seen before is fetched
        through its device, which must be online for that. 410 says that WhatsApp does not keep the file any more; that
        is remembered for a day, unless `again` is given."""
        stored = re.fullmatch(STORED, filename)
        if stored is not None:
            return await _stored_file(services, principal, bytes.fromhex(stored[1]), filename, request)
        of_message = re.fullmatch(OF_MESSAGE, filename)
        if of_message is None or int(of_message[1]) > MAX_INT8 or abs(int(of_message[2])) > MAX_INT8:
            raise not_found("file", filename)
        chat_id, key = int(of_message[1]), int(of_message[2])
        if of_message[3] == "thumb.jpg":
            jpeg = await media.message_thumbnail(services.pool, reach_of(principal), chat_id, key)
            if jpeg is None:
                raise not_found("file", filename)
            mime = "image/png" if jpeg.startswith(PNG) else "image/jpeg"
            return serve_bytes(jpeg, mime, f'"thumb-{chat_id}-{key}-{len(jpeg)}"', request.headers)
        return await _file_of_message(services, principal, (chat_id, key), filename, request, again is not None)


async def _stored_file(
    services: Services, principal: Principal, sha256: bytes, filename: str, request: Request[Any, Any, Any]
) -> Response[Any]:
    file = await services.media.open(principal.tenant_id, sha256)
    if file is None:
        raise not_found("file", filename)
    return serve(file, request.headers)


async def _file_of_message(
    services: Services,
    principal: Principal,
    message: tuple[int, int],
    filename: str,
    request: Request[Any, Any, Any],
    again: bool,
) -> Response[Any]:
    found = await media.message_media(services.pool, reach_of(principal), *message)
    if found is None:
        raise not_found("file", filename)
    # That another tenant has it says nothing: a message can name any hash it likes.
    file = None if found.sha256 is None else await services.media.open(principal.tenant_id, found.sha256)
    if file is None and found.expired is not None and not again:
        raise media_expired(found.expired)
    if file is None:
        sha256 = await services.fetches.fetch(principal.tenant_id, found.sha256, found.device_no, *message)
        file = await services.media.open(principal.tenant_id, sha256)
    if file is None:
        raise Problem(502, "device-failed", "The device fetched the file, but it is not on this machine.")
    return serve(file, request.headers, found.name)
