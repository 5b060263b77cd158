"""Files: uploaded, shown in parts, fetched through their device."""

from __future__ import annotations

import base64
import hashlib
import io
import multiprocessing
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.integration.api.world import Chat, FakeWorker, Tenant
from wafast.events.calls import CallFailed
from wafast.inbox.media_store import MediaStore

UPLOAD = "/api/v1/media"


def _picture(kind: str = "PNG", size: tuple[int, int] = (2400, 1200), mode: str = "RGBA") -> bytes:
    encoded = io.BytesIO()
    Image.new(mode, size, (200, 30, 30, 128)[: len(mode)]).save(encoded, kind)
    return encoded.getvalue()


def _upload(client: httpx.Client, name: str, content: bytes, kind: str | None = None, **headers: str) -> httpx.Response:
    return client.post(
        UPLOAD, files={"file": (name, content)}, data={} if kind is None else {"type": kind}, headers=headers
    )


def test_a_picture_is_made_small_and_upright(tenant: Tenant) -> None:
    answer = _upload(tenant.client("send"), "Menü.png", _picture())
    assert answer.status_code == 201, answer.text
    upload = answer.json()
    assert (upload["mime"], upload["width"], upload["height"], upload["name"]) == ("image/jpeg", 1600, 800, "Menü.png")
    assert upload["size"] <= 350_000
    file = tenant.client("read").get(upload["media_url"])
    assert hashlib.sha256(file.content).hexdigest() == upload["media_id"]
    with Image.open(io.BytesIO(file.content)) as shown:
        assert (shown.format, shown.size) == ("JPEG", (1600, 800))


def test_an_uploaded_file_can_be_sent(tenant: Tenant) -> None:
    device = tenant.device()
    upload = _upload(tenant.client(), "a.png", _picture()).json()
    body = {"device_id": str(device.id), "to": "60123456789", "type": "image", "text": "Look"}
    body["media_id"] = upload["media_id"]
    row = tenant.client().post("/api/v1/messages", json=body)
    assert row.status_code == 202, row.text
    assert row.json()["media_url"] == upload["media_url"]
    wrong = tenant.client().post("/api/v1/messages", json=body | {"type": "voice"})
    assert wrong.status_code == 400


FILM = b"\0\0\0\x18ftypmp42 as far as anybody here looks"


def _upload_film(tenant: Tenant, poster: bytes | None, **form: str) -> httpx.Response:
    files = {"file": ("shop.mp4", FILM)} | ({} if poster is None else {"poster": ("poster.jpg", poster)})
    return tenant.client().post(UPLOAD, files=files, data={"type": "video"} | form)


def test_a_video_is_known_by_what_was_told_of_it(tenant: Tenant) -> None:
    told = _upload_film(tenant, _picture("JPEG", (640, 360), "RGB"), seconds="83").json()
    assert (told["width"], told["height"], told["seconds"]) == (640, 360, 83)
    again = _upload_film(tenant, None)
    assert (again.status_code, again.json()["width"]) == (201, None)
    kept = "SELECT ARRAY[seconds, width, height] FROM media WHERE tenant_id = $1"
    assert tenant.world.sql(kept, tenant.id) == [83, 640, 360], "what is not told stays as it was"
    poster = tenant.world.sql("SELECT poster FROM media WHERE tenant_id = $1", tenant.id)
    with Image.open(io.BytesIO(poster)) as shown:
        assert (shown.format, shown.size) == ("JPEG", (100, 56))
    assert _upload_film(tenant, b"<html>").status_code == 415
    assert _upload_film(tenant, None, seconds="-1").status_code == 400


def test_documents_and_sounds_stay_as_they_are(tenant: Tenant) -> None:
    content = _picture()
    document = _upload(tenant.client(), "a.png", content, "document").json()
    assert (document["mime"], document["size"], document["width"]) == ("image/png", len(content), None)
    sound = _upload(tenant.client(), "song.mp3", b"ID3" * 10, "audio").json()
    assert sound["mime"] == "audio/mpeg"
    unknown = _upload(tenant.client(), "data.zzz", b"\x00\x01").json()
    assert (unknown["mime"], unknown["media_url"].endswith(".bin")) == ("application/octet-stream", True)


def test_the_largest_document_goes_in_and_out_and_never_lies_in_memory(tenant: Tenant, tmp_path: Path) -> None:
    largest = tmp_path / "largest.bin"
    with largest.open("wb") as made:
        made.truncate(100 << 20)
    api = [Path(f"/proc/{process.pid}") for process in multiprocessing.active_children()]

    def memory(figure: str) -> int:
        found = [re.search(rf"{figure}:\s+(\d+) kB", (one / "status").read_text()) for one in api]
        return sum(int(one[1]) >> 10 for one in found if one)

    client = tenant.client()
    _upload(client, "small.bin", b"for what is loaded once", "document")
    for one in api:
        (one / "clear_refs").write_text("5")  # its peak begins anew
    before = memory("VmRSS")
    assert before > 0
    with largest.open("rb") as file:
        stored = client.post(UPLOAD, files={"file": ("largest.bin", file)}, data={"type": "document"}).json()
    assert stored["size"] == 100 << 20
    with client.stream("GET", stored["media_url"]) as answer:
        assert sum(map(len, answer.iter_bytes())) == 100 << 20
    assert memory("VmHWM") - before < 50, "MiB, of 100"


@pytest.mark.parametrize(
    ("name", "content", "kind", "status"),
    [
        ("a.txt", b"hello", "image", 415),
        ("a.png", b"\x89PNG\r\n\x1a\n broken", "image", 415),
        ("a.gif", _picture(size=(8, 8)), "image", 415),
        ("song.mp3", b"RIFF", "audio", 415),
        ("a.txt", b"hello", "voice", 415),
        ("note.ogg", b"OggS" * 10, "voice", 415),
        ("invoice.pdf", b"MZ a program", "document", 415),
        ("clip.mp4", b"<html>", "video", 415),
        ("clip.mkv", b"\x1a\x45\xdf\xa3", "video", 415),
        ("a.txt", b"hello", "sticker", 400),
        ("a.txt", b"", "document", 400),
        ("a.bin", b"\0" * (101 << 20), None, 413),
    ],
    ids=[
        "text as image",
        "broken",
        "PNG as GIF",
        "not the sound it says",
        "text as voice",
        "no sound",
        "program as PDF",
        "page as video",
        "film phones don't play",
        "unknown type",
        "empty",
        "too large",
    ],
)
def test_an_upload_that_is_refused(tenant: Tenant, name: str, content: bytes, kind: str | None, status: int) -> None:
    answer = _upload(tenant.client(), name, content, kind)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("name", "content", "problem"), [("a.pdf", b"MZ", "not-what-it-says"), ("a", b"", "empty-file")]
)
def test_why_a_file_is_refused_is_a_kind_of_its_own(tenant: Tenant, name: str, content: bytes, problem: str) -> None:
    assert _upload(tenant.client(), name, content).json()["type"] == f"urn:wafast:problem:{problem}"


def test_a_form_without_a_file(tenant: Tenant) -> None:
    assert tenant.client().post(UPLOAD, data={"type": "image"}).status_code in (400, 415)
    assert tenant.client().post(UPLOAD, files={"other": ("a", b"a")}).status_code == 400
    assert tenant.client().post(UPLOAD, json={}).status_code == 400
    broken = tenant.client().post(UPLOAD, content=b"x", headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert broken.status_code == 400


def test_the_same_key_is_for_the_same_file(tenant: Tenant) -> None:
    client = tenant.client()
    first = _upload(client, "a.txt", b"hello", **{"Idempotency-Key": "file-1"})
    assert first.json() == _upload(client, "a.txt", b"hello", **{"Idempotency-Key": "file-1"}).json()
    assert _upload(client, "a.txt", b"other", **{"Idempotency-Key": "file-1"}).status_code == 422


def test_ranges_and_etags(tenant: Tenant) -> None:
    content = b"ID3" + bytes(range(256)) * 4096
    client = tenant.client()
    url = _upload(client, "a.mp3", content, "audio").json()["media_url"]
    whole = client.get(url)
    assert (whole.status_code, whole.content == content) == (200, True)
    headers = whole.headers
    assert headers["content-type"] == "audio/mpeg"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["accept-ranges"] == "bytes"
    assert "private" in headers["cache-control"] and "immutable" in headers["cache-control"]
    assert headers["content-length"] == str(len(content))
    for wanted, first, last in (("bytes=0-0", 0, 0), ("bytes=1000-", 1000, len(content) - 1), (
        "bytes=-10", len(content) - 10, len(content) - 1), ("bytes=5-99999999", 5, len(content) - 1)):  # fmt: skip
        part = client.get(url, headers={"Range": wanted})
        assert (part.status_code, part.content == content[first : last + 1]) == (206, True), wanted
        assert part.headers["content-range"] == f"bytes {first}-{last}/{len(content)}"
    outside = client.get(url, headers={"Range": f"bytes={len(content)}-"})
    assert (outside.status_code, outside.headers["content-range"]) == (416, f"bytes */{len(content)}")
    known = client.get(url, headers={"If-None-Match": headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    changed = client.get(url, headers={"Range": "bytes=0-0", "If-Range": '"other"'})
    assert changed.status_code == 200
    head = client.head(url)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(content)), b"")


@pytest.mark.parametrize(
    ("wanted", "status", "first", "last"),
    [
        ("bytes=-999999", 206, 0, 999),
        ("bytes=-1", 206, 999, 999),
        ("bytes=999-", 206, 999, 999),
        ("bytes = 5 - 7", 206, 5, 7),
        ("bytes=0-0,5-7", 200, 0, 999),
        ("bytes=7-5", 200, 0, 999),
        ("bytes=-", 200, 0, 999),
        ("lines=1-2", 200, 0, 999),
        ("bytes=1000-1001", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        ("bytes=99999999999-", 416, 0, 0),
    ],
)
def test_each_form_of_a_range(tenant: Tenant, wanted: str, status: int, first: int, last: int) -> None:
    content = (b"ID3" + bytes(range(250)) * 4)[:1000]
    client = tenant.client()
    url = _upload(client, "a.mp3", content, "audio").json()["media_url"]
    answer = client.get(url, headers={"Range": wanted})
    assert answer.status_code == status
    if status == 416:
        assert answer.headers["content-range"] == "bytes */1000"
        assert answer.headers["content-type"].startswith("application/problem+json")
    else:
        assert answer.content == content[first : last + 1]


def test_a_download_goes_on_where_it_broke_off_if_the_file_is_still_the_same(tenant: Tenant) -> None:
    content = (b"ID3" + bytes(range(250)) * 4)[:1000]
    client = tenant.client()
    url = _upload(client, "a.mp3", content, "audio").json()["media_url"]
    etag = client.get(url, headers={"Range": "bytes=0-99"}).headers["etag"]
    rest = client.get(url, headers={"Range": "bytes=100-", "If-Range": etag})
    assert (rest.status_code, rest.content) == (206, content[100:])
    for other in ('"other"', f"W/{etag}", "Wed, 25 Nov 2026 07:28:00 GMT"):
        whole = client.get(url, headers={"Range": "bytes=100-", "If-Range": other})
        assert (whole.status_code, whole.content) == (200, content)


def test_what_could_run_is_downloaded(tenant: Tenant) -> None:
    url = _upload(tenant.client(), "a.html", b"<script>alert(1)</script>").json()["media_url"]
    answer = tenant.client().get(url)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]


def _with_file(tenant: Tenant, content: bytes, name: str | None = None) -> tuple[Chat, str]:
    chat = tenant.chat(tenant.device())
    sha256 = base64.b64encode(hashlib.sha256(content).digest()).decode()
    media: dict[str, Any] = {"mime": "image/png", "ext": "png", "sha256": sha256}
    if name:
        media["name"] = name
    key = tenant.message(chat, kind="image", media=media)
    return chat, f"/media/{chat.id}-{key}.png"


def test_a_file_is_fetched_through_its_device_on_first_view(tenant: Tenant) -> None:
    content = _picture(size=(20, 20))
    chat, url = _with_file(tenant, content, "Gaji März.png")
    calls: list[Any] = []

    async def answer(device_no: int, verb: str, args: dict[str, Any]) -> dict[str, Any]:
        calls.append((device_no, verb, args))
        sha256 = hashlib.sha256(content).hexdigest()
        path = tenant.world.media_dir / sha256[:2] / sha256
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        await tenant.world.pool.execute(
            "INSERT INTO media (tenant_id, sha256, mime, size) VALUES ($1, decode($2, 'hex'), 'image/png', $3)",
            tenant.id, sha256, len(content),
        )  # fmt: skip
        return {"sha256": sha256, "mime": "image/png", "size": len(content)}

    worker = FakeWorker(tenant.world, tenant, chat.device, answer)
    try:
        with ThreadPoolExecutor(6) as threads:
            answers = list(threads.map(lambda _: tenant.client().get(url), range(6)))
    finally:
        worker.close()
    assert {one.status_code for one in answers} == {200}
    assert all(one.content == content for one in answers)
    assert "Gaji%20M%C3%A4rz.png" in answers[0].headers["content-disposition"]
    assert len(calls) == 1
    assert calls[0][:2] == (chat.device.no, "fetch_media")
    assert tenant.client().get(url).content == content


def test_a_file_that_was_thrown_away_is_fetched_again_on_the_next_view(tenant: Tenant) -> None:
    content = _picture(size=(30, 30))
    chat, url = _with_file(tenant, content)
    world, sha256 = tenant.world, hashlib.sha256(content).digest()
    calls: list[str] = []

    async def answer(_device: int, verb: str, _args: dict[str, Any]) -> dict[str, Any]:
        calls.append(verb)
        stored = await MediaStore(world.pool, world.media_dir).keep(tenant.id, io.BytesIO(content), "image/png", sha256)
        return {"sha256": stored.sha256.hex(), "mime": stored.mime, "size": stored.size}

    async def evict() -> int:
        async with world.pool.acquire() as connection:
            return await MediaStore(world.pool, world.media_dir).evict(connection, sha256)

    worker = FakeWorker(world, tenant, chat.device, answer)
    try:
        assert tenant.client().get(url).content == content
        assert world.background.run(evict()) == 0, "it was viewed a moment ago"
        world.sql("UPDATE media SET viewed_at = now() - interval '1 hour' WHERE sha256 = $1", sha256)
        assert world.background.run(evict()) == len(content)
        assert tenant.client().get(url).content == content
    finally:
        worker.close()
    assert len(calls) == 2


def test_a_hash_another_workspace_has_opens_nothing(tenant: Tenant, stranger: Tenant) -> None:
    content = b"salaries of everybody"
    upload = _upload(stranger.client(), "a.txt", content).json()
    assert tenant.client().get(upload["media_url"]).status_code == 404
    _, url = _with_file(tenant, content)
    assert tenant.client().get(url).status_code == 409


@pytest.mark.parametrize(("code", "status"), [("expired", 410), ("offline", 409), ("failed", 502), ("not_stored", 507)])
def test_a_file_that_cannot_be_fetched(tenant: Tenant, code: str, status: int) -> None:
    chat, url = _with_file(tenant, code.encode())

    async def answer(_device: int, _verb: str, _args: dict[str, Any]) -> dict[str, Any]:
        raise CallFailed(code, "the file is gone")

    worker = FakeWorker(tenant.world, tenant, chat.device, answer)
    try:
        refused = tenant.client().get(url)
    finally:
        worker.close()
    assert (refused.status_code, "The file is gone." in refused.json()["detail"]) == (status, True)


def _expire(tenant: Tenant, chat: Chat, until: str = "1 hour") -> None:
    tenant.world.sql(
        "INSERT INTO media_fetches (chat_id, key, tenant_id, device_no, state, reason, retry_at)"
        " SELECT chat_id, key, tenant_id, device_no, 'expired', 'WhatsApp does not keep this file any more',"
        " now() + $2::text::interval FROM messages WHERE chat_id = $1",
        chat.id, until,
    )  # fmt: skip


def test_whatsapp_is_not_asked_again_for_a_file_it_keeps_no_more_until_somebody_wants_to(tenant: Tenant) -> None:
    chat, url = _with_file(tenant, b"gone")
    _expire(tenant, chat)
    calls: list[Any] = []

    async def answer(_device: int, verb: str, _args: dict[str, Any]) -> dict[str, Any]:
        calls.append(verb)
        raise CallFailed("expired", "WhatsApp does not keep this file any more")

    worker = FakeWorker(tenant.world, tenant, chat.device, answer)
    try:
        for _ in range(3):
            gone = tenant.client().get(url)
            assert (gone.status_code, gone.headers["cache-control"]) == (410, "no-store")
            assert gone.json()["type"] == "urn:wafast:problem:media-expired"
            detail = "WhatsApp does not keep this file any more. Open the message on the phone."
            assert gone.json()["detail"] == detail
        assert calls == []
        assert tenant.client().get(url, params={"again": 1}).status_code == 410
        assert calls == ["fetch_media"]
        tenant.world.sql("UPDATE media_fetches SET retry_at = now() WHERE chat_id = $1", chat.id)
        assert tenant.client().get(url).status_code == 410
        assert len(calls) == 2, "the memory does not hold for ever"
    finally:
        worker.close()


def test_a_message_says_that_its_file_has_expired(tenant: Tenant) -> None:
    chat, _ = _with_file(tenant, b"gone")
    path = f"/api/v1/chats/{chat.id}/messages"
    assert tenant.client().get(path).json()["items"][0]["media"]["expired"] is False
    _expire(tenant, chat)
    assert tenant.client().get(path).json()["items"][0]["media"]["expired"] is True


def test_what_is_here_is_shown_although_whatsapp_has_it_no_more(tenant: Tenant) -> None:
    content = b"kept here"
    _upload(tenant.client(), "a.txt", content, "document")
    chat, url = _with_file(tenant, content)
    _expire(tenant, chat)
    assert tenant.client().get(url).content == content
    shown = tenant.client().get(f"/api/v1/chats/{chat.id}/messages").json()["items"][0]["media"]
    assert (shown["stored"], shown["expired"]) == (True, False)


@pytest.mark.parametrize("sha256", ["", "x", "A" * 44, "=" * 44, "A" * 43 + "=", "zz" * 32])
def test_a_message_says_of_what_is_not_here_that_it_is_not(tenant: Tenant, sha256: str) -> None:
    chat, _ = _with_file(tenant, b"elsewhere")
    _upload(tenant.client(), "a.txt", b"something else", "document")
    path = f"/api/v1/chats/{chat.id}/messages"
    assert tenant.client().get(path).json()["items"][0]["media"]["stored"] is False
    tenant.world.sql(
        "UPDATE messages SET media = media || jsonb_build_object('sha256', $2::text) WHERE chat_id = $1",
        chat.id,
        sha256,
    )
    assert tenant.client().get(path).json()["items"][0]["media"]["stored"] is False


@pytest.mark.parametrize(("picture", "mime"), [(b"jpeg bytes", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png")])
def test_a_thumbnail(tenant: Tenant, picture: bytes, mime: str) -> None:
    chat, url = _with_file(tenant, b"x")
    thumbnail = url.replace(".png", ".thumb.jpg")
    assert tenant.client().get(thumbnail).status_code == 404
    tenant.world.sql(
        "INSERT INTO thumbnails (chat_id, key, tenant_id, jpeg) SELECT chat_id, key, tenant_id, $2"
        " FROM messages WHERE chat_id = $1",
        chat.id, picture,
    )  # fmt: skip
    answer = tenant.client().get(thumbnail)
    assert (answer.content, answer.headers["content-type"]) == (picture, mime)
    assert tenant.client().get(thumbnail, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("name", ["x", "..%2f..%2fetc%2fpasswd", "1-2", "1-2.", "99999999999999999999-1.jpg", "ab.jpg"])
def test_a_name_that_is_no_file(tenant: Tenant, name: str) -> None:
    assert tenant.client().get(f"/media/{name}").status_code == 404
