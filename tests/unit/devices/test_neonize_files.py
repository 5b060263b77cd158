"""A file is uploaded once, whoever gets it, and again when that has failed or is long ago."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from neonize.proto import Neonize_pb2 as pb

from wafast.devices import neonize_files
from wafast.devices.neonize_files import Files
from wafast.devices.session import Media, NotSent
from wafast.devices.uploads import Uploads


class NothingKept(Uploads):
    """No worker before has uploaded anything."""

    def __init__(self) -> None: ...

    async def find(self, _device_no: int, _media: Media) -> None: ...

    async def keep(self, _device_no: int, _media: Media, _answer: bytes) -> None: ...


class Server:
    """Counts uploads; the first `failing` fail."""

    def __init__(self, failing: int = 0) -> None:
        self.count, self._failing = 0, failing
        self.begun = asyncio.Event()

    async def __call__(self, media: Media) -> pb.UploadResponse:
        self.count += 1
        self.begun.set()
        await asyncio.sleep(0)
        if self.count <= self._failing:
            raise NotSent("the file could not be uploaded: away")
        return pb.UploadResponse(
            url=f"https://example.com/{self.count}", DirectPath="/", Handle="", FileSHA256=media.sha256, FileLength=1
        )


def document(content: bytes = b"prices", name: str = "prices.txt") -> Media:
    """One that lies nowhere: only its upload would read it."""
    return Media("document", Path("/nowhere"), content, "text/plain", name)


async def test_many_sends_of_a_file_are_one_upload() -> None:
    server = Server()
    files = Files(1, NothingKept(), server)
    found = await asyncio.gather(*(files.of(document()) for _ in range(20)))
    assert server.count == 1
    assert len({file.message.documentMessage.URL for file in found}) == 1


async def test_another_file_and_the_same_under_another_name_are_others() -> None:
    server = Server()
    files = Files(1, NothingKept(), server)
    for media in (document(), document(b"other"), document(name="list.txt")):
        await files.of(media)
    assert server.count == 3


async def test_an_upload_that_failed_is_tried_again() -> None:
    server = Server(failing=1)
    files = Files(1, NothingKept(), server)
    with pytest.raises(NotSent):
        await files.of(document())
    await files.of(document())
    await files.of(document())
    assert server.count == 2


async def test_a_picture_that_was_uploaded_and_can_not_be_read_now_is_not_sent(tmp_path: Path) -> None:
    """As one that can't be read for its upload; an OSError would say that the database is away."""
    picture = Media("image", tmp_path, b"a folder", "image/jpeg", "a.jpg")
    with pytest.raises(NotSent, match="could not be read"):
        await Files(1, NothingKept(), Server()).of(picture)
    with pytest.raises(FileNotFoundError):
        await Files(1, NothingKept(), Server()).of(msgspec.structs.replace(picture, path=tmp_path / "none"))


async def test_who_gives_up_does_not_take_the_upload_away_from_others() -> None:
    server = Server()
    files = Files(1, NothingKept(), server)
    first = asyncio.create_task(files.of(document()))
    await server.begun.wait()
    second = asyncio.create_task(files.of(document()))
    first.cancel()
    await second
    assert server.count == 1


async def test_old_uploads_and_too_many_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    files = Files(1, NothingKept(), server)
    for number in range(neonize_files.MOST + 1):
        await files.of(document(bytes([number])))
    await files.of(document(bytes([1])))
    assert server.count == neonize_files.MOST + 1
    await files.of(document(bytes([0])))
    assert server.count == neonize_files.MOST + 2
    monkeypatch.setattr(neonize_files, "KEPT_SECONDS", 0.0)
    await files.of(document(bytes([0])))
    assert server.count == neonize_files.MOST + 3
