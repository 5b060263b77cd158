"""A live session of one device, as the rest of wafast sees it: what it can be asked, and what it tells by itself.

Nothing of the engine underneath shows here, so that another one can stand beside `neonize_session`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

import msgspec

from wafast.inbox.media import Film

#: What is wrong with a session file.
StoreFault = Literal["damaged", "unlinked", "full", "unusable"]
MediaKind = Literal["image", "video", "audio", "voice", "document"]
ChangeKind = Literal["reaction", "edit", "delete"]


class Own(msgspec.Struct, frozen=True, tag=True):
    """The session knows whose it is: phone-number JID and LID without device suffix, WhatsApp's number of this linked
    device, and the name the phone gives itself (empty until it is known)."""

    jid: str
    lid: str | None
    wa_device: int
    push_name: str


class Qr(msgspec.Struct, frozen=True, tag=True):
    """A code to scan; the next one takes its place."""

    code: str


class PairingEnded(msgspec.Struct, frozen=True, tag=True):
    """No code is shown any more; `outcome` is `success`, `timeout`, or what went wrong."""

    outcome: str


class PairingRefused(msgspec.Struct, frozen=True, tag=True):
    """WhatsApp or the phone refused the pairing."""

    reason: str


class Paired(msgspec.Struct, frozen=True, tag=True):
    """A phone has linked this device."""

    jid: str
    wa_device: int


class Connected(msgspec.Struct, frozen=True, tag=True):
    """Logged in: messages come and go."""


class Disconnected(msgspec.Struct, frozen=True, tag=True):
    """The connection is gone; the session dials again by itself, through the connect gate."""


class KeepAliveTimeout(msgspec.Struct, frozen=True, tag=True):
    """The server has not answered for `errors` pings."""

    errors: int


class KeepAliveRestored(msgspec.Struct, frozen=True, tag=True):
    """The server answers again."""


class LoggedOut(msgspec.Struct, frozen=True, tag=True):
    """The link to the phone is over; the session's keys are worthless."""

    reason: str


class Banned(msgspec.Struct, frozen=True, tag=True):
    """WhatsApp bans the number for `seconds` (0: it did not say how long)."""

    reason: str
    seconds: int


class Replaced(msgspec.Struct, frozen=True, tag=True):
    """The same linked device has logged in from another place."""


class Outdated(msgspec.Struct, frozen=True, tag=True):
    """WhatsApp wants a newer client."""


class StreamError(msgspec.Struct, frozen=True, tag=True):
    """The server ended the stream with this code; the session dials again by itself."""

    code: str


class ConnectFailure(msgspec.Struct, frozen=True, tag=True):
    """The server refused the login; the session does not try again."""

    reason: str


class StoreFailed(msgspec.Struct, frozen=True, tag=True):
    """The session can't read or write its file: what comes in now is not taken, and waits at WhatsApp. `error` is what
    the engine said."""

    fault: StoreFault
    error: str


class Silent(msgspec.Struct, frozen=True, tag=True):
    """Nothing was heard on the connection for too long (`devices.health`)."""


class Stuck(msgspec.Struct, frozen=True, tag=True):
    """A request was left unanswered for too long (`devices.health`)."""


class Ended(msgspec.Struct, frozen=True, tag=True):
    """The session has ended; `error` is empty when it was asked to."""

    error: str


ControlEvent = (
    Own
    | Qr
    | PairingEnded
    | PairingRefused
    | Paired
    | Connected
    | Disconnected
    | KeepAliveTimeout
    | KeepAliveRestored
    | LoggedOut
    | Banned
    | Replaced
    | Outdated
    | StreamError
    | ConnectFailure
    | StoreFailed
    | Silent
    | Stuck
    | Ended
)


class Quoted(msgspec.Struct, frozen=True):
    """The message a send answers: its id, its sender's JID, and its text."""

    message_id: str
    sender: str
    text: str


class Media(msgspec.Struct, frozen=True):
    """A file to send: where it lies, and the hash of its bytes, which are read only to be uploaded. `name` is a
    document's file name; of a sound `seconds` say how long it is, and `waveform` how loud, in 64 steps from 0 to 100.
    """

    kind: MediaKind
    path: Path
    sha256: bytes
    mime: str
    name: str | None = None
    seconds: int | None = None
    waveform: bytes | None = None
    film: Film | None = None


class Content(msgspec.Struct, frozen=True):
    """What a send carries: a text, or a file with a caption. `forwarded`: it was somebody's message before."""

    text: str
    media: Media | None = None
    quoted: Quoted | None = None
    forwarded: bool = False


class Change(msgspec.Struct, frozen=True):
    """What a send does to a message that is there.

    Args:
        kind: what.
        message_id: of the message.
        author: who wrote it: its JID; None when we did.
        text: the emoji of a reaction (empty takes it back), or the words of an edit.
    """

    kind: ChangeKind
    message_id: str
    author: str | None
    text: str = ""


class Sent(msgspec.Struct, frozen=True):
    """The server took a message: its id, and the server's time in Unix seconds. Where there was a file, `media`
    describes it for the message row, and `thumbnail` is the JPEG preview that went with it."""

    message_id: str
    timestamp: int
    media: dict[str, object] | None = None
    thumbnail: bytes | None = None


class Download(msgspec.Struct, frozen=True):
    """Where a message's file lies at WhatsApp, and the keys to open it."""

    kind: str
    direct_path: str
    media_key: bytes
    sha256: bytes
    enc_sha256: bytes
    size: int


class Member(msgspec.Struct, frozen=True):
    """Who is in a group: by the number's JID where WhatsApp says it, else by the LID."""

    jid: str
    is_admin: bool


class SessionError(Exception):
    """The session could not do what it was asked; the text says why, for people."""


class Offline(SessionError):
    """There is no connection now, so nothing has left."""


class NotSent(SessionError):
    """The message has surely not left, for a passing reason: it may be sent again."""


class Busy(NotSent):
    """WhatsApp takes nothing from this device for a moment. `code` is the server's."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Refused(SessionError):
    """WhatsApp refused, and would again. `code` is the server's, 0 when it has none; `cause` says whether it is the
    number that has no WhatsApp."""

    def __init__(self, message: str, code: int = 0, cause: Literal["refused", "not_on_whatsapp"] = "refused") -> None:
        super().__init__(message)
        self.code = code
        self.cause = cause


class Unanswered(SessionError):
    """The message may have left, and nobody can say."""


class Expired(SessionError):
    """WhatsApp does not keep this file any more."""


class Session(Protocol):
    """One device's live session. It tells its events to the callback it was made with, on the worker's loop."""

    device_no: int

    def receive(self, code: int, data: bytes) -> None:
        """Take a control event of this session from the inlet, as the engine encodes it."""

    async def start(self) -> None:
        """Begin to connect, or to show codes when the device was never paired; returns once that is under way."""

    def heard_at(self) -> float | None:
        """When the server last said something, on the monotonic clock; None without a connection."""

    def waiting_since(self) -> float | None:
        """Since when the oldest request waits that was not answered, on the monotonic clock; None without one."""

    def redial(self) -> None:
        """Cut the connection, which does not answer: the session dials anew by itself."""

    async def stop(self) -> None:
        """End it; returns within seconds, whatever state it is in. Nothing is told after that."""

    async def pair_by_code(self, phone: str) -> str:
        """The code to type on the phone (E.164). Only after the first `Qr`. Raises SessionError."""

    async def introduce(self, to_jid: str) -> str:
        """Make known who is written to; gives how WhatsApp names the number: in Brazil without the 9, in Mexico with a
        1, whatever people dial. Raises Offline, NotSent, Refused."""

    async def prepare(self, content: Content | Change) -> None:
        """Upload what it needs, so that `send` leaves at once. Raises as `send` does; nothing has left."""

    async def send(self, to_jid: str, content: Content | Change) -> Sent:
        """Send one message, or change one, to who was introduced; returns when the server has taken it.

        Raises Offline, NotSent (Busy), Refused, Unanswered, FileNotFoundError.
        """

    def changed(self, chat_jid: str, change: Change, sent: Sent) -> None:
        """Tell the core of a change that has left, as the phone would tell of its own: our copy changes with it. Told
        twice it is one. Returns once the news survives the process."""

    async def show_typing(self, chat_jid: str, state: str) -> None:
        """Show `composing`, `recording` or `paused` in a chat. Raises SessionError."""

    async def mark_read(self, chat_jid: str, sender_jid: str, message_ids: list[str]) -> None:
        """Tell a sender that messages were read. Raises SessionError."""

    async def mark_played(self, chat_jid: str, sender_jid: str, message_id: str) -> None:
        """Tell a sender that a voice note was heard. Raises SessionError."""

    async def is_on_whatsapp(self, phones: list[str]) -> dict[str, str | None]:
        """The JID of each phone (E.164), None where it has no WhatsApp. Raises SessionError."""

    async def name_group(self, group_jid: str) -> None:
        """Ask for a group's subject; it takes the way of everything that comes in. Raises SessionError."""

    async def members(self, group_jid: str) -> list[Member]:
        """Ask who is in a group. Raises SessionError."""

    async def download(self, file: Download) -> bytes:
        """The bytes of a message's file. Raises SessionError, Expired."""

    async def own(self) -> Own:
        """Whose session it is, as known now: the push name comes a while after a pairing. Raises SessionError."""

    async def log_out(self) -> None:
        """Unlink from the phone; the session is over after that. Raises SessionError."""
