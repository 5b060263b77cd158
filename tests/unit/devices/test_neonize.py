"""What neonize says, in our words. Only its protobuf modules are used here."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from neonize.proto import Neonize_pb2 as pb
from neonize.proto.waE2E import WAWebProtobufsE2E_pb2 as e2e
from PIL import Image

from wafast.devices import neonize_content as content_of
from wafast.devices import neonize_events, neonize_session
from wafast.devices import session as ev
from wafast.devices.gate import Gate
from wafast.devices.neonize_binding import Binding
from wafast.devices.neonize_session import NeonizeSession, _unix, send_error, upload_error
from wafast.devices.uploads import Uploads
from wafast.inbox.media import Film

JID = pb.JID(User="60123456789", Server="s.whatsapp.net", RawAgent=0, Device=3, Integrator=0, IsEmpty=False)
LID = pb.JID(User="99", Server="lid", RawAgent=0, Device=3, Integrator=0, IsEmpty=False)


def own() -> bytes:
    device = pb.Device(JID=JID, LID=LID, Platform="", BussinessName="", PushName="Kedai", Initialized=True)
    encoded: bytes = device.SerializeToString()
    return encoded


@pytest.mark.parametrize(
    ("code", "data", "event"),
    [
        (0, own(), ev.Own("60123456789@s.whatsapp.net", "99@lid", 3, "Kedai")),
        (2, pb.PairStatus(ID=JID, BusinessName="", Platform="", Status=2).SerializeToString(),
         ev.Paired("60123456789@s.whatsapp.net", 3)),
        (2, pb.PairStatus(ID=JID, BusinessName="", Platform="", Status=1, Error="no").SerializeToString(),
         ev.PairingRefused("no")),
        (3, b"", ev.Connected()),
        (4, pb.KeepAliveTimeout(ErrorCount=2, LastSuccess=1).SerializeToString(), ev.KeepAliveTimeout(2)),
        (7, b"", ev.Replaced()),
        (8, pb.TemporaryBan(Code=2, Expire=3600 * 10**9).SerializeToString(),
         ev.Banned("blocked by too many people", 3600)),
        (10, b"", ev.Outdated()),
        (11, pb.StreamError(Code="503").SerializePartialToString(), ev.StreamError("503")),
        (12, b"", ev.Disconnected()),
        (27, b"", None),
    ],
)  # fmt: skip
def test_control_events(code: int, data: bytes, event: ev.ControlEvent | None) -> None:
    assert neonize_events.parse(code, data) == event


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("no LID found for 60@s.whatsapp.net from server", ev.Refused),
        ("server returned error 463", ev.Refused),
        ("failed to get group members: that group does not exist", ev.Refused),
        ("failed to get group members: you're not participating in that group", ev.Refused),
        ("failed to get group members: context deadline exceeded", ev.NotSent),
        ("server returned error 479", ev.Refused),
        ("server returned error 429", ev.Busy),
        ("server returned error 500", ev.Busy),
        ("server returned error 503", ev.Busy),
        ("failed to get user info: info query returned status 429: rate-overlimit", ev.Busy),
        ("failed to get user info: info query returned status 404: item-not-found", ev.NotSent),
        ("websocket not connected", ev.Offline),
        ("failed to get device list: websocket disconnected before info query returned response", ev.NotSent),
        ("failed to send message node: broken pipe", ev.Unanswered),
        ("timed out waiting for message send response", ev.Unanswered),
        ("something new", ev.Unanswered),
    ],
)
def test_what_is_not_known_to_be_unsent_counts_as_perhaps_sent(text: str, kind: type[ev.SessionError]) -> None:
    assert type(send_error(text)) is kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("server returned error 479", ev.Unanswered),
        ("server returned error 503", ev.Unanswered),
        ("websocket not connected", ev.Unanswered),
        ("no LID found for 60@s.whatsapp.net from server", ev.Refused),
        ("failed to get device list: websocket disconnected before info query returned response", ev.NotSent),
    ],
)
def test_of_what_was_tried_on_two_lines_only_what_comes_before_the_message_is_known(
    text: str, kind: type[ev.SessionError]
) -> None:
    assert type(send_error(text, redialled=True)) is kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("upload failed with status code 413", ev.Refused),
        ("upload failed with status code 415", ev.Refused),
        ("upload failed with status code 401", ev.NotSent),
        ("upload failed with status code 503", ev.NotSent),
        ("failed to execute request: connection reset by peer", ev.NotSent),
    ],
)
def test_a_file_that_is_never_taken_is_not_uploaded_again(text: str, kind: type[ev.SessionError]) -> None:
    assert type(upload_error(text)) is kind


def test_the_servers_code_is_kept() -> None:
    error = send_error("server returned error 463")
    assert isinstance(error, ev.Refused)
    assert error.code == 463


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_times_are_seconds(unit: int) -> None:
    assert _unix(1_795_574_838 * unit) == 1_795_574_838


def test_an_answer_names_what_it_answers() -> None:
    content = ev.Content("yes", quoted=ev.Quoted("ABC", "60@s.whatsapp.net", "really?"))
    message = e2e.Message.FromString(content_of.text_message(content))
    assert message.extendedTextMessage.text == "yes"
    assert message.extendedTextMessage.contextInfo.stanzaID == "ABC"
    assert message.extendedTextMessage.contextInfo.quotedMessage.conversation == "really?"


def test_a_picture_carries_its_size_and_a_preview(tmp_path: Path) -> None:
    picture = tmp_path / "picture"
    Image.new("RGBA", (300, 150)).save(picture, "PNG")
    upload = pb.UploadResponse(url="u", DirectPath="/d", Handle="", MediaKey=b"k", FileEncSHA256=b"e", FileSHA256=b"s",
                               FileLength=9)  # fmt: skip
    media = ev.Media("image", picture, b"s", "image/png")
    file = content_of.file_of(media, upload)
    encoded, described, preview = (
        content_of.media_message(ev.Content("look", media), file),
        file.described,
        file.preview,
    )
    image = e2e.Message.FromString(encoded).imageMessage
    assert (image.caption, image.width, image.height, image.JPEGThumbnail) == ("look", 300, 150, preview)
    assert (described["ext"], described["width"], described["type"]) == ("png", 300, "image")


@pytest.mark.parametrize("film", [Film(83, 640, 360, b"\xff\xd8\xff"), Film(None, None, None, None)])
def test_a_film_carries_what_is_known_of_it(film: Film, tmp_path: Path) -> None:
    upload = pb.UploadResponse(url="u", DirectPath="/d", Handle="", MediaKey=b"k", FileEncSHA256=b"e", FileSHA256=b"s",
                               FileLength=9)  # fmt: skip
    file = content_of.file_of(ev.Media("video", tmp_path / "film", b"s", "video/mp4", film=film), upload)
    video = e2e.Message.FromString(content_of.media_message(ev.Content(""), file)).videoMessage
    said = (video.seconds, video.width, video.height, video.JPEGThumbnail)
    assert said == (film.seconds or 0, film.width or 0, film.height or 0, film.poster or b"")
    assert file.preview == film.poster
    described = [file.described.get(name) for name in ("seconds", "width", "height")]
    assert described == [film.seconds, film.width, film.height]


def test_what_is_no_picture_leaves_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(b"broken")
    upload = pb.UploadResponse(url="u", DirectPath="/d", Handle="", MediaKey=b"k", FileEncSHA256=b"e", FileSHA256=b"s",
                               FileLength=9)  # fmt: skip
    media = ev.Media("image", tmp_path / "broken", b"s", "image/png")
    _, described, preview = content_of.file_of(media, upload)
    assert preview is None
    assert "width" not in described


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("Failed to get prekey for retry receipt: database or disk is full", "full"),
        ("failed to upgrade database: failed to check if foreign keys are enabled: file is not a database", "damaged"),
        ("Error decrypting message 3EB0 from 60@s.whatsapp.net: database disk image is malformed", "damaged"),
        ("Failed to save push name of 9@lid in device store: disk I/O error: no such file or directory", "unusable"),
        ("unable to open database file", "unusable"),
    ],
)
def test_lines_that_say_that_the_session_file_failed(line: str, fault: ev.StoreFault) -> None:
    assert neonize_events.store_failure(line) == ev.StoreFailed(fault, line)


@pytest.mark.parametrize(
    "line",
    [
        "Failed to store LID-PN mapping for 9@lid -> 60@s.whatsapp.net: database is locked",
        "Ignoring message A: database or disk is full from 60@s.whatsapp.net: received message with old counter",
    ],
    ids=["locked", "a stranger's message id"],
)
def test_lines_that_say_nothing_of_the_session_file(line: str) -> None:
    assert neonize_events.store_failure(line) is None


class Store:
    """A binding whose session files know everybody's LID."""

    async def call(self, function: str, _uuid: str, *_: object) -> bytes:
        """Only the store is asked."""
        assert function == "GetLIDFromPN"
        answer: bytes = pb.GetJIDFromStoreReturnFunction(Jid=LID).SerializeToString()
        return answer


async def test_whom_it_has_written_to_is_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neonize_session, "MOST_INTRODUCED", 3)
    told: list[int] = []
    binding, gate, uploads = cast(Binding, Store()), cast(Gate, None), cast(Uploads, None)
    session = NeonizeSession(binding, gate, uploads, 1, Path("x.db"), None, lambda *_: None, lambda *_: told.append(1))
    session._live = True
    for number in range(10):
        for _ in range(2):
            await session.introduce(f"6012345678{number}@s.whatsapp.net")
    assert len(told) == 10, "each once while it is remembered"
    assert len(session._introduced) <= 3
