"""A device's live session through neonize 0.5.2."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wafast import logs
from wafast.devices import neonize_content as content_of
from wafast.devices import neonize_events
from wafast.devices import session as ev
from wafast.devices.gate import Gate
from wafast.devices.neonize_binding import Binding, Feed
from wafast.devices.neonize_files import Files, reading
from wafast.devices.neonize_package import pb
from wafast.devices.uploads import Uploads

log = logs.get("devices.session")

Tell = Callable[[int, ev.ControlEvent], None]

#: Requests of one device under way at once: each keeps a thread, and one that gets no answers must not keep them all.
CALLS = 4
#: How long stopping waits for a client that is just connecting: until then it may still look itself up in neonize.
STOP_SECONDS = 5.0
#: A client that is not in so long after its dial does not hold others up any longer.
LOGIN_SECONDS = 10.0
#: A hundred events take the core a millisecond; a busy machine may let it wait a hundred times longer.
DRAIN_SECONDS = 0.1
#: How long after its line is cut a client that shows codes may take to notice.
CODES_STOP_SECONDS = 0.2
#: People a session remembers to have introduced, 130 KB of memory: remembering all, a line that writes to 800 a day
#: doubles what it costs in four days. Whoever is introduced again costs a look into the session's store.
MOST_INTRODUCED = 1_000
#: A person types with a Chrome on Linux, as far as WhatsApp shows it on the phone.
CODE_CLIENT = {"clientType": 1, "clientDisplayName": "Chrome (Linux)", "showPushNotification": True}
#: Types of receipts, as neonize wants them.
READ, PLAYED = b"read", b"played"

#: What whatsmeow says when there is no connection (errors.go), when a message has not left (send.go, user.go) …
NO_CONNECTION = ("websocket not connected", "not logged in", "client is nil")
UNSENT = (
    "the store doesn't contain a device jid",
    "failed to get device list",
    "failed to get user info",
    "failed to get group",
    "failed to upload",
    "failed to refresh media connection",
)
#: … and when the server has answered with an error: of the message, of a question before it, or of a file.
SERVER_ERROR = re.compile(r"server returned error (\d+)")
STATUS = re.compile(r"\b(?:status|status code) (\d{3})\b")
#: A file of which WhatsApp says so is not taken later either: it is too large, or not what it says to be.
NEVER_TAKEN = frozenset({400, 413, 415})
NO_LID = re.compile(r"no lid found for", re.IGNORECASE)
#: Neither will be otherwise in a moment (errors.go).
NO_GROUP = re.compile(r"that group does not exist|not participating in that group", re.IGNORECASE)
#: WhatsApp's media servers say so when a file is gone (errors.go). neonize 0.5.2 exports nothing that could ask the
#: phone to upload it anew: no media retry receipt, and its SendMessage makes no peer message.
GONE = re.compile(r"download failed with status code (403|404|410)\b")


class NeonizeSession:
    """One client. Its control events come from the worker, which reads them at the inlet (`receive`)."""

    def __init__(
        self,
        binding: Binding,
        gate: Gate,
        uploads: Uploads,
        device_no: int,
        store: Path,
        proxy: str | None,
        tell: Tell,
        feed: Feed,
    ) -> None:
        """`tell` hears control events; `feed` takes events of ours for the core, as the inlet would."""
        self.device_no = device_no
        self._uuid = str(device_no)
        self._binding, self._gate, self._store, self._tell_worker = binding, gate, store, tell
        self._proxy, self._feed = proxy, feed
        self._introduced: set[str] = set()
        self._files = Files(device_no, uploads, self._upload)
        self._room = asyncio.Semaphore(CALLS)
        self._dialled = asyncio.Event()
        self._settled = asyncio.Event()  # it has logged in, shows codes, or has ended
        self._ended = False
        self._shows_codes = False
        self._live = False
        self._has_failed = False  # its file has
        self._stopped = False

    def _tell(self, event: ev.ControlEvent) -> None:
        if not self._stopped:
            self._tell_worker(self.device_no, event)

    async def start(self) -> None:
        """See `Session.start`."""
        address = self._gate.admit(self.device_no, self._proxy, self._dialled)
        await self._binding.run(self._uuid, str(self._store), address, self._hear, self._dialled, self._log_in)

    async def _log_in(self) -> None:
        """Let it dial, which may take until its turn comes, and wait until it is in or will never be."""
        passed = self._gate.let_go(self.device_no)
        turns = [asyncio.ensure_future(event.wait()) for event in (passed, self._settled)]
        await asyncio.wait(turns, return_when=asyncio.FIRST_COMPLETED)
        for turn in turns:
            turn.cancel()
        await self._settle(self._settled.wait(), LOGIN_SECONDS)

    def _hear(self, what: str, text: str) -> None:
        match what:
            case "qr":
                self._shows_codes = True
                self._settled.set()
                self._gate.settled(self.device_no)
                self._tell(ev.Qr(text))
            case "login":
                self._tell(ev.PairingEnded(text))
            case "store":
                self._store_failed(text)
            case _:
                self._ended = True
                self._live = False
                self._settled.set()
                if not self._store_failed(text):
                    self._tell(ev.Ended(text))

    def _store_failed(self, text: str) -> bool:
        """Tell once when the session file has failed: a full disk says so thousands of times."""
        failure = neonize_events.store_failure(text)
        if failure is not None and not self._has_failed:
            self._has_failed = True
            self._tell(failure)
        return failure is not None

    def receive(self, code: int, data: bytes) -> None:
        """Take a control event of this client."""
        event = neonize_events.parse(code, data)
        match event:
            case None:
                return
            case ev.Own():
                self._settled.set()
                if self._shows_codes:
                    self._gate.ask_to_redial(self.device_no)
                self._shows_codes = False
            case ev.Connected():
                self._live = True
                self._gate.settled(self.device_no)
            case ev.StreamError():
                self._gate.ask_to_redial(self.device_no)
            case ev.Disconnected() | ev.LoggedOut() | ev.Banned() | ev.Replaced() | ev.Outdated() | ev.ConnectFailure():
                self._live = False
        self._tell(event)

    def heard_at(self) -> float | None:
        """See `Session.heard_at`."""
        return self._gate.heard_at(self.device_no)

    def waiting_since(self) -> float | None:
        """See `Session.waiting_since`."""
        return self._binding.waiting_since(self._uuid)

    def redial(self) -> None:
        """See `Session.redial`."""
        self._gate.cut(self.device_no)

    async def stop(self) -> None:
        """See `Session.stop`."""
        if self._stopped:
            return
        self._stopped = True
        if self._live:
            await self._drain()
        else:
            await self._stop_dialling()
        self._live = False
        await self._binding.stop(self._uuid, str(self._store))
        self._gate.dismiss(self.device_no)

    async def _drain(self) -> None:
        """Neonize's queue holds up to a hundred events that can't be decrypted again, and a client that stops lets them
        fall: cut its line first, and let the core take what is there."""
        await self._settle(self._binding.call("Disconnect", self._uuid), STOP_SECONDS)
        await asyncio.sleep(DRAIN_SECONDS)

    async def _stop_dialling(self) -> None:
        """A client that dials holds the lock that disconnecting wants: cut its line first, and wait until neonize has
        looked it up for the last time."""
        self._gate.dismiss(self.device_no)
        if self._shows_codes and not self._ended:
            # A phone may scan at this very moment; the client must still be known when that ends the codes.
            await self._settle(self._binding.call("Disconnect", self._uuid), CODES_STOP_SECONDS)
            await asyncio.sleep(CODES_STOP_SECONDS)
        elif not self._ended:
            await self._settle(self._settled.wait(), STOP_SECONDS)

    async def _settle(self, step: Any, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(step, seconds)

    async def _call(self, function: str, *arguments: Any) -> bytes:
        if not self._live or self._stopped:
            raise ev.Offline("the device is not connected")
        async with self._room:
            return await self._binding.call(function, self._uuid, *arguments)

    async def _order(self, function: str, *arguments: Any) -> None:
        """A call that answers with the text of an error, or nothing."""
        error = (await self._call(function, *arguments)).decode("utf-8", "replace")
        if error:
            raise ev.SessionError(error)

    async def pair_by_code(self, phone: str) -> str:
        """See `Session.pair_by_code`."""
        if not self._shows_codes or self._stopped or self._ended:
            raise ev.Offline("WhatsApp shows no codes now")
        order = pb.PairPhoneParams(phone=phone.lstrip("+"), **CODE_CLIENT).SerializeToString()
        answer = pb.PairPhoneReturnFunction.FromString(
            await self._binding.call("PairPhone", self._uuid, order, len(order))
        )
        if answer.Error:
            raise ev.SessionError(answer.Error)
        return str(answer.Code)

    async def prepare(self, content: ev.Content | ev.Change) -> None:
        """See `Session.prepare`."""
        if isinstance(content, ev.Content) and content.media is not None:
            await self._files.of(content.media)

    async def send(self, to_jid: str, content: ev.Content | ev.Change) -> ev.Sent:
        """See `Session.send`."""
        described = thumbnail = None
        if isinstance(content, ev.Change):
            message = content_of.change_message(to_jid, content)
        elif content.media is None:
            message = content_of.text_message(content)
        else:
            file = await self._files.of(content.media)
            message, described, thumbnail = content_of.media_message(content, file), file.described, file.preview
        to = content_of.to_jid(to_jid).SerializeToString()
        dialled_at = self._gate.dialled_at(self.device_no)
        answer = pb.SendMessageReturnFunction.FromString(
            await self._call("SendMessage", to, len(to), message, len(message))
        )
        if answer.Error:
            raise send_error(answer.Error, redialled=self._gate.dialled_at(self.device_no) != dialled_at)
        sent = answer.SendResponse
        return ev.Sent(sent.ID, _unix(sent.Timestamp), described, thumbnail)

    def changed(self, chat_jid: str, change: ev.Change, sent: ev.Sent) -> None:
        """See `Session.changed`."""
        told = neonize_events.own_message(
            content_of.to_jid(chat_jid), sent.message_id, sent.timestamp, content_of.change_message(chat_jid, change)
        )
        self._feed(self.device_no, neonize_events.MESSAGE, told)

    async def introduce(self, to_jid: str) -> str:
        """See `Session.introduce`. Tells the core whose LID is behind a number before the first message goes there:
        receipts come from the LID, and belong to the number's chat."""
        if not to_jid.endswith("@s.whatsapp.net") or to_jid in self._introduced:
            return to_jid
        jid = content_of.to_jid(to_jid)
        lid = await self._lid_of(jid)
        if lid is None:
            to_jid = await self._named_account(jid.User)
            jid = content_of.to_jid(to_jid)
            lid = await self._lid_of(jid)
        if lid is None:
            asked = pb.JIDArray(JIDS=[jid]).SerializeToString()
            await self._call("GetUserInfo", asked, len(asked))  # keeps the LID in the session's store
            lid = await self._lid_of(jid)
        if lid is not None:
            if len(self._introduced) >= MOST_INTRODUCED:
                self._introduced.clear()
            self._introduced.add(to_jid)
            self._feed(self.device_no, neonize_events.HISTORY_SYNC, neonize_events.introduction(to_jid, lid))
        return to_jid

    async def _named_account(self, number: str) -> str:
        """How WhatsApp names a number; one of which it says that it has no account is refused. Its answer also tells
        the LID. A server that says nothing of the number leaves the decision to the send."""
        answer = await self._ask_accounts([f"+{number}"])
        if any(not row.IsIn for row in answer.IsOnWhatsAppResponse):
            raise ev.Refused("this number is not on WhatsApp", cause="not_on_whatsapp")
        names = [await self._name_of(row.JID) for row in answer.IsOnWhatsAppResponse]
        return next((name for name in names if name is not None), f"{number}@s.whatsapp.net")

    async def _name_of(self, jid: pb.JID) -> str | None:
        """The phone-number JID; of a LID, as WhatsApp's answer told it. None where it told none."""
        if jid.Server == "lid":
            asked = jid.SerializeToString()
            answer = pb.GetJIDFromStoreReturnFunction.FromString(await self._call("GetPNFromLID", asked, len(asked)))
            jid = answer.Jid
        name = neonize_events.jid_text(jid)
        return name if name.endswith("@s.whatsapp.net") else None

    async def _ask_accounts(self, phones: list[str]) -> pb.IsOnWhatsAppReturnFunction:
        wanted = " ".join(phones).encode()
        return pb.IsOnWhatsAppReturnFunction.FromString(await self._call("IsOnWhatsApp", wanted, len(wanted)))

    async def _lid_of(self, jid: pb.JID) -> str | None:
        asked = jid.SerializeToString()
        answer = pb.GetJIDFromStoreReturnFunction.FromString(await self._call("GetLIDFromPN", asked, len(asked)))
        return neonize_events.jid_text(answer.Jid) or None

    async def _upload(self, media: ev.Media) -> pb.UploadResponse:
        kind = content_of.media_type(media.kind)
        async with self._binding.uploading:
            with reading():
                content = await asyncio.to_thread(media.path.read_bytes)
            answer = pb.UploadReturnFunction.FromString(await self._call("Upload", content, len(content), kind))
        if answer.Error:
            raise upload_error(answer.Error)
        return answer.UploadResponse

    async def show_typing(self, chat_jid: str, state: str) -> None:
        """See `Session.show_typing`."""
        chat = content_of.to_jid(chat_jid).SerializeToString()
        await self._order("SendChatPresence", chat, len(chat), int(state == "paused"), int(state == "recording"))

    async def mark_read(self, chat_jid: str, sender_jid: str, message_ids: list[str]) -> None:
        """See `Session.mark_read`."""
        await self._receipt(chat_jid, sender_jid, message_ids, READ)

    async def mark_played(self, chat_jid: str, sender_jid: str, message_id: str) -> None:
        """See `Session.mark_played`."""
        await self._receipt(chat_jid, sender_jid, [message_id], PLAYED)

    async def _receipt(self, chat_jid: str, sender_jid: str, message_ids: list[str], kind: bytes) -> None:
        chat = content_of.to_jid(chat_jid).SerializeToString()
        sender = content_of.to_jid(sender_jid).SerializeToString()
        ids = " ".join(message_ids).encode()
        await self._order("MarkRead", ids, int(time.time()), chat, len(chat), sender, len(sender), kind)

    async def is_on_whatsapp(self, phones: list[str]) -> dict[str, str | None]:
        """See `Session.is_on_whatsapp`."""
        answer = await self._ask_accounts(phones)
        found: dict[str, str | None] = dict.fromkeys(phones)
        if answer.Error and answer.Error != "Function returned nothing.":
            raise ev.SessionError(answer.Error)
        for row in answer.IsOnWhatsAppResponse:
            digits = row.Query.lstrip("+")
            name = await self._name_of(row.JID) if row.IsIn else None
            found["+" + digits] = name or f"{digits}@s.whatsapp.net" if row.IsIn else None
        return found

    async def name_group(self, group_jid: str) -> None:
        """See `Session.name_group`."""
        group = await self._group(group_jid)
        event = neonize_events.renamed(content_of.to_jid(group_jid), group.GroupName.Name)
        self._feed(self.device_no, neonize_events.GROUP_INFO, event)

    async def members(self, group_jid: str) -> list[ev.Member]:
        """See `Session.members`."""
        group = await self._group(group_jid)
        return [neonize_events.member(one) for one in group.Participants]

    async def _group(self, group_jid: str) -> pb.GroupInfo:
        asked = content_of.to_jid(group_jid).SerializeToString()
        answer = pb.GetGroupInfoReturnFunction.FromString(await self._call("GetGroupInfo", asked, len(asked)))
        if answer.Error:
            raise ev.SessionError(answer.Error)
        return answer.GroupInfo

    async def download(self, file: ev.Download) -> bytes:
        """See `Session.download`."""
        number, word = content_of.MEDIA_TYPES[file.kind]
        hashes = file.enc_sha256, len(file.enc_sha256), file.sha256, len(file.sha256)
        key = file.media_key, len(file.media_key), file.size & 0x7FFFFFFF
        answer = pb.DownloadReturnFunction.FromString(
            await self._call("DownloadMediaWithPath", file.direct_path.encode(), *hashes, *key, number, word.encode())
        )
        if answer.Error:
            if GONE.search(answer.Error):
                raise ev.Expired("WhatsApp does not keep this file any more")
            raise ev.SessionError(f"the file could not be fetched: {answer.Error}")
        return bytes(answer.Binary)

    async def log_out(self) -> None:
        """See `Session.log_out`."""
        await self._order("Logout")
        self._live = False

    async def own(self) -> ev.Own:
        """See `Session.own`."""
        device = await self._call("GetMe")
        event = neonize_events.parse(0, device)
        assert isinstance(event, ev.Own)
        return event


def send_error(text: str, *, redialled: bool = False) -> ev.SessionError:
    """What whatsmeow's error of a send means. What is not known to be unsent counts as perhaps sent: also where the
    line was lost and `redialled` meanwhile, as whatsmeow sends what was not answered once more then (request.go), and
    the error may be of the second time."""
    error = _send_error(text)
    may_be_of_second = isinstance(error, ev.Offline | ev.Busy) or (isinstance(error, ev.Refused) and error.code)
    return ev.Unanswered(f"the line was lost meanwhile; then: {error}") if redialled and may_be_of_second else error


def _send_error(text: str) -> ev.SessionError:
    lower = text.lower()
    if NO_LID.search(text):
        return ev.Refused("this number is not on WhatsApp", cause="not_on_whatsapp")
    if NO_GROUP.search(text):
        return ev.Refused("this group does not exist, or this device's number is not in it")
    server = SERVER_ERROR.search(lower)
    if server is not None:
        code = int(server[1])
        return _busy(code) or ev.Refused(f"WhatsApp refused the message with error {code}", code)
    if any(known in lower for known in NO_CONNECTION):
        return ev.Offline(text)
    if any(known in lower for known in UNSENT):
        status = STATUS.search(lower)
        return (None if status is None else _busy(int(status[1]))) or ev.NotSent(text)
    return ev.Unanswered(text)


def upload_error(text: str) -> ev.SessionError:
    """What whatsmeow's error of an upload means: the message has not left."""
    status = STATUS.search(text.lower())
    if status is not None and int(status[1]) in NEVER_TAKEN:
        return ev.Refused(f"WhatsApp does not take this file (error {status[1]})", int(status[1]))
    return ev.NotSent(f"the file could not be uploaded: {text}")


def _busy(code: int) -> ev.Busy | None:
    """What a server's error means that is over in a moment; None: it is another."""
    if code == 429:
        return ev.Busy("WhatsApp asks this number to send more slowly (error 429)", code)
    if 500 <= code < 600:
        return ev.Busy(f"WhatsApp can't take messages just now (error {code})", code)
    return None


def _unix(timestamp: int) -> int:
    """Seconds of a time that neonize gives in seconds, milli-, micro- or nanoseconds."""
    while timestamp > 100_000_000_000:
        timestamp //= 1000
    return timestamp
