"""Events as neonize hands them to its callback, for feeding the core without a client."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from neonize.proto import Neonize_pb2 as pb
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    ContextInfo,
    ExtendedTextMessage,
    ImageMessage,
    Message,
    MessageContextInfo,
    PinInChatMessage,
    PollCreationMessage,
    PollEncValue,
    PollUpdateMessage,
    ProtocolMessage,
    ReactionMessage,
)
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import Conversation, HistorySync, HistorySyncMsg
from neonize.proto.waSyncAction.WAWebProtobufSyncAction_pb2 import CallLogRecord
from neonize.proto.waWeb.WAWebProtobufsWeb_pb2 import WebMessageInfo

HISTORY_SYNC, MESSAGE, RECEIPT, CHAT_PRESENCE, JOINED_GROUP, GROUP_INFO, PICTURE = 13, 17, 18, 19, 21, 22, 23
CALL_TERMINATE, UNDECRYPTABLE = 42, 44
SITI = "60123456789@s.whatsapp.net"
SITI_LID = "900123@lid"
GROUP = "120363000000000001@g.us"
NOW = int(time.time())


def jid(text: str) -> pb.JID:
    """neonize's form of a JID."""
    user, _, server = text.partition("@")
    user, _, device = user.partition(":")
    return pb.JID(User=user, Server=server, Device=int(device or 0), RawAgent=0, Integrator=0, IsEmpty=not text)


def source(chat: str, sender: str, *, from_me: bool = False, sender_alt: str = "", recipient_alt: str = "") -> Any:
    """Who wrote where."""
    return pb.MessageSource(
        Chat=jid(chat),
        Sender=jid(sender),
        IsFromMe=from_me,
        IsGroup=chat.endswith("@g.us"),
        SenderAlt=jid(sender_alt),
        RecipientAlt=jid(recipient_alt),
        BroadcastListOwner=jid(""),
        AddressingMode=1,
    )


def message(
    id: str,
    content: Message | str,
    *,
    chat: str = SITI,
    sender: str | None = None,
    at: int = NOW,
    name: str = "Siti",
    edit: str = "",
    flags: dict[str, Any] | None = None,
    **of_source: Any,
) -> bytes:
    """A message event; text becomes a conversation."""
    if isinstance(content, str):
        content = Message(conversation=content)
    info = _info(id, chat, sender or chat, at, name, edit=edit, **of_source)
    event = pb.Message(Info=info, Message=content, **(flags or {}))
    return bytes(event.SerializePartialToString())


def _info(
    id: str, chat: str, sender: str, at: int, name: str, *, edit: str = "", category: str = "", **of_source: Any
) -> Any:
    return pb.MessageInfo(
        MessageSource=source(chat, sender, **of_source),
        ID=id,
        Type="text",
        Pushname=name,
        Timestamp=at,
        Category=category,
        Multicast=False,
        MediaType="",
        Edit=edit,
        ServerID=0,
    )


def undecryptable(
    id: str,
    *,
    chat: str = SITI,
    sender: str | None = None,
    at: int = NOW,
    hidden: bool = False,
    unavailable: bool = False,
    **of_info: Any,
) -> bytes:
    """A message came that can't be read, or that only the phone gets."""
    mode = pb.UndecryptableMessage.DECRYPT_FAIL_HIDE if hidden else pb.UndecryptableMessage.DECRYPT_FAIL_SHOW
    info = _info(id, chat, sender or chat, at, "Siti", **of_info)
    event = pb.UndecryptableMessage(Info=info, IsUnavailable=unavailable, DecryptFailMode=mode)
    return bytes(event.SerializePartialToString())


def message_of(id: str, content: bytes, **options: Any) -> bytes:
    """A message event whose content is these bytes, whatever they are."""
    head = message(id, Message(), **options)
    assert head.endswith(b"\x12\0")
    return head[:-2] + raw(2, content)


def raw(number: int, value: bytes) -> bytes:
    """A length-delimited field of any number."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    """A number as protobuf writes it."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def image(caption: str, **fields: Any) -> Message:
    """A picture."""
    return Message(
        imageMessage=ImageMessage(
            mimetype="image/jpeg", caption=caption, fileSHA256=b"\1" * 32, fileLength=1234, width=640, height=480,
            mediaKey=b"\2" * 32, fileEncSHA256=b"\3" * 32, directPath="/v/t62", JPEGThumbnail=b"\xff\xd8jpeg", **fields,
        )
    )  # fmt: skip


def answer(text: str, quoted: str) -> Message:
    """A text that answers a message."""
    return Message(extendedTextMessage=ExtendedTextMessage(text=text, contextInfo=ContextInfo(stanzaID=quoted)))


def edit(of: str, text: str) -> Message:
    """The new text of a message."""
    return Message(
        protocolMessage=ProtocolMessage(
            key=MessageKey(ID=of), type=ProtocolMessage.MESSAGE_EDIT, editedMessage=Message(conversation=text)
        )
    )


def revoke(of: str) -> Message:
    """Deletes a message for everyone."""
    return Message(protocolMessage=ProtocolMessage(key=MessageKey(ID=of), type=ProtocolMessage.REVOKE))


def reaction(of: str, emoji: str, at: int = NOW) -> Message:
    """A reaction; an empty one takes it back."""
    return Message(reactionMessage=ReactionMessage(key=MessageKey(ID=of), text=emoji, senderTimestampMS=at * 1000))


def pin(of: str, *, is_pinned: bool = True, seconds: int = 0) -> Message:
    """A message is pinned for all for so long, or no longer."""
    kind = PinInChatMessage.PIN_FOR_ALL if is_pinned else PinInChatMessage.UNPIN_FOR_ALL
    return Message(
        pinInChatMessage=PinInChatMessage(key=MessageKey(ID=of), type=kind),
        messageContextInfo=MessageContextInfo(messageAddOnDurationInSecs=seconds or None),
    )


def poll(question: str, options: list[str], secret: bytes) -> Message:
    """A poll with the secret that its votes are sealed with."""
    named = [PollCreationMessage.Option(optionName=option) for option in options]
    return Message(
        pollCreationMessageV3=PollCreationMessage(name=question, options=named),
        messageContextInfo=MessageContextInfo(messageSecret=secret),
    )


def vote(key: MessageKey, payload: bytes, nonce: bytes, at: int = NOW) -> Message:
    """A sealed vote on the poll with this key."""
    sealed = PollEncValue(encPayload=payload, encIV=nonce)
    return Message(
        pollUpdateMessage=PollUpdateMessage(pollCreationMessageKey=key, vote=sealed, senderTimestampMS=at * 1000)
    )


def group_info(chat: str = GROUP, sender: str = SITI, at: int = NOW, **changes: Any) -> bytes:
    """Something about a group is now otherwise; neonize fills every field that Go has as a value."""
    event = pb.GroupInfoEvent(JID=jid(chat), Sender=jid(sender), Timestamp=at, **changes)
    return bytes(event.SerializePartialToString())


def joined_group(
    chat: str = GROUP, *, reason: str = "", kind: str = "", sender: str = "", sender_pn: str = ""
) -> bytes:
    """We are in a group now; it says nothing of when."""
    event = pb.JoinedGroup(Reason=reason, Type=kind, CreateKey="")
    event.GroupInfo.JID.CopyFrom(jid(chat))
    event.GroupInfo.GroupName.Name = "Keluarga"
    for field, who in ((event.Sender, sender), (event.SenderPN, sender_pn)):
        if who:
            field.CopyFrom(jid(who))
    return bytes(event.SerializePartialToString())


def picture(chat: str = GROUP, sender: str = SITI, *, removed: bool = False) -> bytes:
    """A group or a person has another picture, or none any more."""
    event = pb.Picture(JID=jid(chat), Author=jid(sender), Timestamp=NOW, Remove=removed)
    return bytes(event.SerializePartialToString())


def ended_call(
    id: str,
    *,
    chat: str = SITI,
    creator: str | None = None,
    creator_alt: str = "",
    at: int = NOW,
    reason: str = "timeout",
) -> bytes:
    """A call is over."""
    fields = {"from": jid(chat), "timestamp": at, "callCreator": jid(creator or chat), "callID": id}
    meta = pb.BasicCallMeta(**fields, callCreatorAlt=jid(creator_alt))
    return bytes(pb.CallTerminate(basicCallMeta=meta, reason=reason).SerializePartialToString())


def receipt(ids: list[str], kind: str, *, chat: str = SITI, sender: str = SITI, from_me: bool = False) -> bytes:
    """A receipt: DELIVERED, READ, READ_SELF, PLAYED …"""
    event = pb.Receipt(
        MessageSource=source(chat, sender, from_me=from_me),
        MessageIDs=ids,
        Timestamp=NOW,
        Type=pb.Receipt.ReceiptType.Value(kind),
    )
    return bytes(event.SerializePartialToString())


def described(*chats: dict[str, Any]) -> bytes:
    """What the phone has changed of chats, and nothing else."""
    conversations = [Conversation(**chat) for chat in chats]
    sync = HistorySync(syncType=HistorySync.ON_DEMAND, conversations=conversations)
    return bytes(pb.HistorySync(Data=sync).SerializePartialToString())


def history(chat: str, texts: Sequence[tuple[str, str | Message, int]], **fields: Any) -> bytes:
    """A history sync of one chat: (id, text or content, time) of each message."""
    return told(chat, [told_message(chat, id, text, messageTimestamp=at) for id, text, at in texts], **fields)


def told_message(chat: str, id: str, text: str | Message | None = None, **fields: Any) -> WebMessageInfo:
    """A message as a history has it."""
    content = Message(conversation=text) if isinstance(text, str) else text
    fields = {"messageTimestamp": NOW} | fields
    return WebMessageInfo(key=MessageKey(remoteJID=chat, fromMe=False, ID=id), message=content, **fields)


def told(
    chat: str,
    messages: Sequence[WebMessageInfo],
    *,
    numbers: Sequence[int] | None = None,
    calls: Sequence[CallLogRecord] = (),
    **fields: Any,
) -> bytes:
    """A history sync of one chat, its messages with the phone's numbers if it gives some, and of calls."""
    numbered = [
        HistorySyncMsg(message=message, msgOrderID=None if numbers is None else numbers[place])
        for place, message in enumerate(messages)
    ]
    sync = HistorySync(
        syncType=HistorySync.INITIAL_BOOTSTRAP,
        conversations=[Conversation(ID=chat, messages=numbered, **fields)],
        callLogRecords=calls,
    )
    return bytes(pb.HistorySync(Data=sync).SerializePartialToString())
