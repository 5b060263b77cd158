"""What neonize's control events say, as events of ours. Codes and messages are those of `neonize/events.py`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from wafast.devices import session as ev
from wafast.devices.neonize_package import history, pb
from wafast.devices.whatsmeow_store import PhoneChat

#: WhatsApp's reasons of a temporary ban (whatsmeow TempBanReason), as neonize's enumeration numbers them.
BAN_REASONS = {
    1: "too many messages to people who do not know this number",
    2: "blocked by too many people",
    3: "too many groups made with people who do not know this number",
    4: "the same message sent too often",
    5: "too many messages to a broadcast list",
}

#: What neonize's ConnectFailureReason means to a person; its numbers are in Neonize.proto.
FAILURES = {
    1: "WhatsApp refused the login",
    2: "the phone logged this device out",
    3: "WhatsApp banned this number for some time",
    4: "the account on the phone is gone",
    5: "WhatsApp ended the link to the phone",
    6: "WhatsApp wants a newer client",
    7: "WhatsApp refused this client",
    8: "WhatsApp has an internal error",
    9: "WhatsApp refused the login as experimental",
    10: "WhatsApp is not available",
}


def jid_text(jid: Any) -> str:
    """`user@server` of neonize's JID, without device suffix; empty when there is none."""
    return f"{jid.User}@{jid.Server}" if jid.User else ""


def _own(data: bytes) -> ev.ControlEvent:
    device = pb.Device.FromString(data)
    return ev.Own(jid_text(device.JID), jid_text(device.LID) or None, device.JID.Device, device.PushName)


def _pair_status(data: bytes) -> ev.ControlEvent:
    status = pb.PairStatus.FromString(data)
    if status.Status == pb.PairStatus.SUCCESS:
        return ev.Paired(jid_text(status.ID), status.ID.Device)
    return ev.PairingRefused(status.Error or "WhatsApp refused the pairing")


def _keepalive_timeout(data: bytes) -> ev.ControlEvent:
    return ev.KeepAliveTimeout(pb.KeepAliveTimeout.FromString(data).ErrorCount)


def _logged_out(data: bytes) -> ev.ControlEvent:
    event = pb.LoggedOut.FromString(data)
    return ev.LoggedOut(FAILURES.get(event.Reason, FAILURES[2]) if event.OnConnect else FAILURES[2])


def _banned(data: bytes) -> ev.ControlEvent:
    event = pb.TemporaryBan.FromString(data)
    return ev.Banned(BAN_REASONS.get(event.Code, "WhatsApp does not say why"), _seconds(event.Expire))


def _seconds(expire: int) -> int:
    # neonize hands over Go's time.Duration, which counts nanoseconds
    return expire // 1_000_000_000 if expire >= 1_000_000_000 else expire


def _connect_failure(data: bytes) -> ev.ControlEvent:
    event = pb.ConnectFailure.FromString(data)
    reason = FAILURES.get(event.Reason, "WhatsApp refused the login")
    return ev.ConnectFailure(f"{reason}: {event.Message}" if event.Message else reason)


_PARSERS: dict[int, Callable[[bytes], ev.ControlEvent]] = {
    0: _own,
    2: _pair_status,
    3: lambda _: ev.Connected(),
    4: _keepalive_timeout,
    5: lambda _: ev.KeepAliveRestored(),
    6: _logged_out,
    7: lambda _: ev.Replaced(),
    8: _banned,
    9: _connect_failure,
    10: lambda _: ev.Outdated(),
    11: lambda data: ev.StreamError(pb.StreamError.FromString(data).Code),
    12: lambda _: ev.Disconnected(),
}


#: Codes of events which the core takes.
HISTORY_SYNC, MESSAGE, GROUP_INFO, UNDECRYPTABLE = 13, 17, 22, 44

#: What whatsmeow says of a message whose key was used up before (message.go, types/message.go): "Ignoring message ID
#: from SENDER in CHAT: …", or only the chat where that is who wrote; libsignal's words follow.
OLD_COUNTER = re.compile(r"Ignoring message (?P<id>\S+) from (?:(?P<sender>\S+) in )?(?P<chat>\S+): .*old counter")

#: SQLite's words when a session file fails it. They end a line: what stands before may be a stranger's.
STORE_FAULTS: tuple[tuple[re.Pattern[str], ev.StoreFault], ...] = (
    (re.compile(r"(?:^|: )database or disk is full$"), "full"),
    (
        re.compile(
            r"(?:^|: )(?:file is not a database|database disk image is malformed|malformed database schema \(\w+\)"
            r"|no such (?:table|column): \w+)$"
        ),
        "damaged",
    ),
    (
        re.compile(
            r"(?:^|: )(?:disk I/O error|unable to open database file|attempt to write a readonly database)"
            r"(?:: [a-z /]+)?$"
        ),
        "unusable",
    ),
)


def introduction(number_jid: str, lid: str) -> bytes:
    """An event for the core (a history sync that holds nothing else) that says whose LID this is."""
    pair = history.PhoneNumberToLIDMapping(pnJID=number_jid, lidJID=lid)
    data = history.HistorySync(syncType=history.HistorySync.PUSH_NAME, phoneNumberToLidMappings=[pair])
    encoded: bytes = pb.HistorySync(Data=data).SerializeToString()
    return encoded


def chats_described(chats: Sequence[PhoneChat]) -> bytes:
    """An event for the core that says how the phone has chats. As an answer to a question it may leave things out, and
    makes no chat."""
    data = history.HistorySync(syncType=history.HistorySync.ON_DEMAND, conversations=[_described(c) for c in chats])
    encoded: bytes = pb.HistorySync(Data=data).SerializeToString()
    return encoded


def _described(chat: PhoneChat) -> history.Conversation:
    said = history.Conversation(ID=chat.jid, name=chat.name)
    if chat.muted_until is not None:
        said.muteEndTime = chat.muted_until % 2**64
    if chat.pinned is not None:
        said.pinned = int(time.time()) if chat.pinned else 0
    if chat.archived is not None:
        said.archived = bool(chat.archived)
    return said


def renamed(group: pb.JID, subject: str) -> bytes:
    """An event for the core that says what a group is called and nothing else."""
    encoded: bytes = pb.GroupInfoEvent(JID=group, Name=pb.GroupName(Name=subject)).SerializePartialToString()
    return encoded


def member(participant: pb.GroupParticipant) -> ev.Member:
    """Somebody in a group, as `GetGroupInfo` names them."""
    jid = jid_text(participant.PhoneNumber) or jid_text(participant.JID)
    return ev.Member(jid, participant.IsAdmin or participant.IsSuperAdmin)


def own_message(chat: pb.JID, message_id: str, sent_at: int, content: bytes) -> bytes:
    """An event for the core, as of a message that was written on the phone itself.

    Args:
        chat: where.
        message_id: WhatsApp's id of it.
        sent_at: Unix seconds.
        content: the encoded `waE2E.Message`.
    """
    info = pb.MessageInfo(MessageSource=pb.MessageSource(Chat=chat, IsFromMe=True), ID=message_id, Timestamp=sent_at)
    event = pb.Message(Info=info)
    event.Message.MergeFromString(content)
    encoded: bytes = event.SerializePartialToString()
    return encoded


def lost_message(line: str) -> bytes | None:
    """An event for the core, as of any message that can't be decrypted, when a line of whatsmeow's log tells of one
    that it can't decrypt a second time; None for every other line. When it was sent is not said: it counts as sent now.
    """
    said = OLD_COUNTER.match(line)
    if said is None:
        return None
    chat, sender = _jid(said["chat"]), _jid(said["sender"] or said["chat"])
    info = pb.MessageInfo(
        MessageSource=pb.MessageSource(Chat=chat, Sender=sender), ID=said["id"], Timestamp=int(time.time())
    )
    event = pb.UndecryptableMessage(Info=info, DecryptFailMode=pb.UndecryptableMessage.DECRYPT_FAIL_SHOW)
    encoded: bytes = event.SerializePartialToString()
    return encoded


def store_failure(line: str) -> ev.StoreFailed | None:
    """The event when a line of whatsmeow, or the error a session ended with, says that the session file failed."""
    for words, fault in STORE_FAULTS:
        if words.search(line):
            return ev.StoreFailed(fault, line)
    return None


def _jid(text: str) -> pb.JID:
    """neonize's form of a JID as whatsmeow prints it: `user[.agent][:device]@server`."""
    user, _, server = text.partition("@")
    return pb.JID(User=re.split("[.:]", user)[0], Server=server)


def parse(code: int, data: bytes) -> ev.ControlEvent | None:
    """The event, or None for one that is none of a worker's business. Raises DecodeError when `data` is another's."""
    parser = _PARSERS.get(code)
    return parser(data) if parser else None
