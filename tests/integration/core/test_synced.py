"""What a history tells beside plain messages: what stands in the place of one, calls, and what was done to one."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, PollUpdateMessage, PollVoteMessage
from neonize.proto.waSyncAction.WAWebProtobufSyncAction_pb2 import CallLogRecord
from neonize.proto.waWeb.WAWebProtobufsWeb_pb2 import (
    LegacyMessage,
    MessageAddOn,
    MessageAddOnContextInfo,
    PollUpdate,
    WebMessageInfo,
)

from tests.integration.core import events
from tests.integration.core.conftest import OWN, World
from tests.integration.core.events import GROUP, HISTORY_SYNC, MESSAGE, NOW, SITI, SITI_LID

STUBS: EnumTypeWrapper = WebMessageInfo.StubType
NUMBER = "+60123456789"
#: What becomes of each, by the start of its name where several are one.
ROWS: dict[str, tuple[str, str]] = {
    "REVOKE": ("deleted", ""),
    "ADMIN_REVOKE": ("deleted", ""),
    "CIPHERTEXT": ("unsupported", "Waiting for this message"),
    "PAYMENT_CIPHERTEXT": ("unsupported", "Waiting for this message"),
    "FUTUREPROOF": ("unsupported", "FUTUREPROOF"),
    "PAYMENT_FUTUREPROOF": ("unsupported", "PAYMENT_FUTUREPROOF"),
    "OVERSIZED": ("unsupported", "OVERSIZED"),
    "CALL_MISSED_VOICE": ("call", ""),
    "CALL_MISSED_VIDEO": ("call", ""),
    "CALL_MISSED_GROUP_VOICE": ("call", ""),
    "CALL_MISSED_GROUP_VIDEO": ("call", ""),
    "SILENCED_UNKNOWN_CALLER_AUDIO": ("call", ""),
    "SILENCED_UNKNOWN_CALLER_VIDEO": ("call", ""),
    "GROUP_CREATE": ("system", f"{NUMBER} created the group “{SITI}”"),
    "GROUP_CHANGE_SUBJECT": ("system", f"{NUMBER} changed the group name to “{SITI}”"),
    "GROUP_CHANGE_ICON": ("system", f"{NUMBER} changed the group's picture"),
    "GROUP_CHANGE_INVITE_LINK": ("system", f"{NUMBER} reset the invite link"),
    "GROUP_CHANGE_DESCRIPTION": ("system", f"{NUMBER} changed the group description"),
    "GROUP_CHANGE_RESTRICT": ("system", f"{NUMBER} changed who can edit the group info"),
    "GROUP_CHANGE_ANNOUNCE": ("system", f"{NUMBER} changed who can send messages"),
    "GROUP_PARTICIPANT_ADD": ("system", f"{NUMBER} added {NUMBER}"),
    "GROUP_PARTICIPANT_REMOVE": ("system", f"{NUMBER} removed {NUMBER}"),
    "GROUP_PARTICIPANT_PROMOTE": ("system", f"{NUMBER} is now an admin"),
    "GROUP_PARTICIPANT_DEMOTE": ("system", f"{NUMBER} is no longer an admin"),
    "GROUP_PARTICIPANT_INVITE": ("system", f"{NUMBER} joined"),
    "GROUP_PARTICIPANT_LEAVE": ("system", f"{NUMBER} left"),
    "GROUP_PARTICIPANT_CHANGE_NUMBER": ("system", f"{NUMBER} has another phone number now"),
    "GROUP_DELETE": ("system", f"{NUMBER} deleted the group"),
    "GROUP_PARTICIPANT_ADD_REQUEST_JOIN": ("system", f"{NUMBER} joined"),
    "COMMUNITY_LINK_PARENT_GROUP": ("system", f"{NUMBER} linked this group with another"),
    "COMMUNITY_LINK_SIBLING_GROUP": ("system", f"{NUMBER} linked this group with another"),
    "COMMUNITY_LINK_SUB_GROUP": ("system", f"{NUMBER} linked this group with another"),
    "COMMUNITY_UNLINK_PARENT_GROUP": ("system", f"{NUMBER} unlinked this group from another"),
    "COMMUNITY_UNLINK_SIBLING_GROUP": ("system", f"{NUMBER} unlinked this group from another"),
    "COMMUNITY_UNLINK_SUB_GROUP": ("system", f"{NUMBER} unlinked this group from another"),
    "GROUP_PARTICIPANT_ACCEPT": ("system", f"{NUMBER} joined"),
    "GROUP_PARTICIPANT_LINKED_GROUP_JOIN": ("system", f"{NUMBER} joined"),
    "COMMUNITY_CREATE": ("system", f"{NUMBER} created the community “{SITI}”"),
    "GROUP_MEMBERSHIP_JOIN_APPROVAL_REQUEST": ("system", f"{NUMBER} asked to join"),
    "GROUP_MEMBERSHIP_JOIN_APPROVAL_MODE": ("system", f"{NUMBER} changed who has to ask to join"),
    "INTEGRITY_UNLINK_PARENT_GROUP": ("system", "WhatsApp unlinked this group from another"),
    "COMMUNITY_PARTICIPANT_PROMOTE": ("system", f"{NUMBER} is now an admin"),
    "COMMUNITY_PARTICIPANT_DEMOTE": ("system", f"{NUMBER} is no longer an admin"),
    "COMMUNITY_PARENT_GROUP_DELETED": ("system", f"{NUMBER} deleted the community of this group"),
    "GROUP_PARTICIPANT_JOINED_GROUP_AND_PARENT_GROUP": ("system", f"{NUMBER} joined"),
    "COMMUNITY_PARENT_GROUP_SUBJECT_CHANGED": (
        "system", f"{NUMBER} changed the name of the community to “{SITI}”"),
    "SUB_GROUP_PARTICIPANT_ADD_RICH": ("system", f"{NUMBER} added {NUMBER}"),
    "COMMUNITY_PARTICIPANT_ADD_RICH": ("system", f"{NUMBER} added {NUMBER}"),
    "GROUP_MEMBER_ADD_MODE": ("system", f"{NUMBER} changed who can add people"),
    "GROUP_MEMBERSHIP_JOIN_APPROVAL_REQUEST_NON_ADMIN_ADD": ("system", f"{NUMBER} asked to add {NUMBER}"),
    "COMMUNITY_CHANGE_DESCRIPTION": ("system", f"{NUMBER} changed the description of the community"),
    "GROUP_MEMBER_LINK_MODE": ("system", f"{NUMBER} changed who can share the invite link"),
}  # fmt: skip
#: Notes of the app: of encryption, of companies and their hosts, of payments, timers, settings and suggestions.
NO_ROW = """
    UNKNOWN NON_VERIFIED_TRANSITION UNVERIFIED_TRANSITION VERIFIED_* BROADCAST_* GENERIC_NOTIFICATION E2E_*
    INDIVIDUAL_CHANGE_NUMBER GROUP_ANNOUNCE_MODE_MESSAGE_BOUNCE PAYMENT_* BIZ_* GROUP_CHANGE_NO_FREQUENTLY_FORWARDED
    GROUP_V4_ADD_INVITE_SENT CHANGE_EPHEMERAL_SETTING VIEWED_ONCE BLUE_MSG_* GROUP_CREATING GROUP_CREATE_FAILED
    GROUP_BOUNCED BLOCK_CONTACT EPHEMERAL_* SYNC_FAILED SYNCING DISAPPEARING_MODE GROUP_INVITE_LINK_GROWTH_LOCKED
    COMMUNITY_LINK_PARENT_GROUP_* MASKED_THREAD_* CHAT_* CAG_* SCHEDULED_* COMMUNITY_INVITE_* SUB_GROUP_INVITE_RICH
    SENDER_* RECEIVER_INVITE COMMUNITY_ALLOW_MEMBER_ADDED_GROUPS PINNED_MESSAGE_IN_CHAT LINKED_GROUP_CALL_START
    REPORT_TO_ADMIN_ENABLED_STATUS EMPTY_SUBGROUP_CREATE SUBGROUP_ADMIN_TRIGGERED_AUTO_ADD_RICH
    GROUP_CHANGE_RECENT_HISTORY_SHARING PAID_MESSAGE_SERVER_CAMPAIGN_ID GENERAL_CHAT_* SUGGESTED_SUBGROUP_ANNOUNCE
    CHANGE_* SUPPORT_* REMINDER_* GROUP_DEACTIVATED COMMUNITY_DEACTIVATE_SIBLING_GROUP EVENT_* COMMUNITY_OWNER_UPDATED
    COMMUNITY_SUB_GROUP_VISIBILITY_HIDDEN CAPI_* STATUS_MENTION USER_CONTROLS_* PHONE_NUMBER_HIDING_*
    QUARANTINED_MESSAGE GROUP_MEMBER_SHARE_GROUP_HISTORY_MODE GROUP_OPEN_BOT_ADDED GROUP_TEE_BOT_ADDED CONTACT_INFO
    IDENTITY_* CTWA_CONSUMER_DISCLOSURE UGC_* ORDER_EPHEMERAL_EXEMPTION CAMEO_*
""".split()


def is_silent(name: str) -> bool:
    """Whether it is one of those that make no row."""
    return name not in ROWS and any(name == one or (one[-1] == "*" and name.startswith(one[:-1])) for one in NO_ROW)


def test_every_stub_is_a_row_or_known_to_be_none(world: World) -> None:
    world.start(messages_per_chat=0)
    stubs = [
        events.told_message(
            GROUP, name, messageTimestamp=NOW - 60, messageStubType=number, participant=SITI,
            messageStubParameters=[SITI],
        )
        for name, number in STUBS.items()
    ]  # fmt: skip
    assert [name for name, _ in STUBS.items() if name not in ROWS and not is_silent(name)] == []
    world.feed((HISTORY_SYNC, events.told(GROUP, stubs)))
    found = {row["message_id"]: (row["message_type"], row["message_text"]) for row in world.messages()}
    assert found == ROWS


def test_who_is_not_named_is_somebody_or_whoever_did_it(world: World) -> None:
    stubs = [
        events.told_message(
            GROUP, name, messageTimestamp=NOW + place, messageStubType=STUBS.Value(name), participant=SITI
        )
        for place, name in enumerate(["GROUP_PARTICIPANT_LEAVE", "GROUP_PARTICIPANT_ADD"])
    ]
    world.feed((HISTORY_SYNC, events.told(GROUP, stubs)))
    assert [row["message_text"] for row in world.messages()] == [f"{NUMBER} left", f"{NUMBER} added somebody"]


def test_what_the_phone_could_not_read_may_still_come(world: World) -> None:
    stub = events.told_message(SITI, "C1", messageStubType=STUBS.Value("CIPHERTEXT"))
    world.feed((HISTORY_SYNC, events.told(SITI, [stub])))
    world.feed((MESSAGE, events.message("C1", "dah sampai", at=NOW + 5)))
    assert [(row["message_type"], row["message_text"]) for row in world.messages()] == [("text", "dah sampai")]


@pytest.mark.parametrize("stub", ["CIPHERTEXT", "FUTUREPROOF", "OVERSIZED"])
def test_a_message_beside_a_stub_is_the_message(world: World, stub: str) -> None:
    message = events.told_message(SITI, "C1", "hai", messageStubType=STUBS.Value(stub))
    world.feed((HISTORY_SYNC, events.told(SITI, [message])))
    assert [(row["message_type"], row["message_text"]) for row in world.messages()] == [("text", "hai")]
    assert world.value("SELECT max(flags & 32) FROM messages") == 0


def call(id: str, **fields: Any) -> CallLogRecord:
    """A call in the phone's log, from Siti."""
    told = {"callID": id, "isIncoming": True, "callCreatorJID": SITI, "startTime": NOW * 1000}
    return CallLogRecord(**told | fields)


def calls(world: World) -> list[tuple[str, str, bool, str | None]]:
    """Id, chat, whether ours, and sender of each."""
    assert {row["message_type"] for row in world.messages()} <= {"call"}
    return [(row["message_id"], row["chat_jid"], row["from_me"], row["sender_jid"]) for row in world.messages()]


def test_a_call_in_the_phones_log_is_a_row(world: World) -> None:
    info = CallLogRecord.ParticipantInfo
    log = [
        call("C1"),
        call("C2", startTime=NOW + 60, isIncoming=False, callCreatorJID=OWN,
             participants=[info(userJID=OWN), info(userJID=SITI)]),
        call("C3", startTime=NOW + 120, groupJID=GROUP),
        call("C4", startTime=NOW - 40 * 86_400),
        call("C5", callResult=CallLogRecord.UPCOMING, startTime=NOW + 180),
        call(""),
        call("C6", callCreatorJID=""),
    ]  # fmt: skip
    history = (HISTORY_SYNC, events.told(SITI, [], calls=log))
    world.feed(history)
    world.feed(history)
    assert calls(world) == [("C1", SITI, False, SITI), ("C2", SITI, True, OWN), ("C3", GROUP, False, SITI)]
    assert {chat["unread_count"] for chat in world.chats()} == {0}


@pytest.mark.parametrize("first", ["log", "end"])
def test_a_call_that_was_heard_is_no_second_row(world: World, first: str) -> None:
    told = [(HISTORY_SYNC, events.told(SITI, [], calls=[call("C1")])), (events.CALL_TERMINATE, events.ended_call("C1"))]
    for event in told if first == "log" else reversed(told):
        world.feed(event)
    assert calls(world) == [("C1", SITI, False, SITI)]


def test_a_call_that_its_chat_tells_of_under_another_id_is_no_second_row(world: World) -> None:
    stub = events.told_message(SITI, "M1", messageStubType=STUBS.Value("CALL_MISSED_VOICE"))
    log = [call("C1", startTime=NOW + 1), call("C2", startTime=NOW + 60)]
    world.feed((HISTORY_SYNC, events.told(SITI, [stub], calls=log)))
    assert [row[0] for row in calls(world)] == ["M1", "C2"]


def missed(id: str = "M1", *, chat: str = SITI, at: int = NOW) -> tuple[int, bytes]:
    """The chat of who called tells of a call that nobody took."""
    stub = events.told_message(chat, id, messageStubType=STUBS.Value("CALL_MISSED_VOICE"), messageTimestamp=at)
    return HISTORY_SYNC, events.told(chat, [stub])


def in_log(*log: CallLogRecord) -> tuple[int, bytes]:
    """The phone's log."""
    return HISTORY_SYNC, events.told(SITI, [], calls=log)


def ended(id: str = "C1", *, at: int = NOW) -> tuple[int, bytes]:
    """A call is over just now."""
    return events.CALL_TERMINATE, events.ended_call(id, at=at)


#: The number behind Siti's LID becomes known.
SITI_KNOWN = (MESSAGE, events.message("A1", "hai", chat=SITI_LID, sender=SITI_LID, sender_alt=SITI))


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ([SITI_KNOWN, missed(chat=SITI_LID), in_log(call("C1"))], ["M1"]),
        ([missed(chat=SITI_LID), in_log(call("C1")), SITI_KNOWN], ["M1"]),
        ([in_log(call("C1")), missed(at=NOW - 5)], ["C1"]),
        ([ended(), missed(at=NOW - 60)], ["C1"]),
        ([ended(), missed(at=NOW - 91)], ["M1", "C1"]),
        # Each is one with the nearest, and with no second one.
        ([missed(), in_log(call("C1", startTime=NOW + 1), call("C2", startTime=NOW + 3))], ["M1", "C2"]),
        ([ended("C1", at=NOW), ended("C2", at=NOW + 60), missed("M1", at=NOW - 30), missed("M2", at=NOW + 30)],
         ["C1", "C2"]),
    ],
    ids=["by LID", "by LID, known later", "log first", "heard", "another", "two in the log", "two heard"],
)  # fmt: skip
def test_a_call_that_is_told_under_two_ids_is_one_row(
    world: World, told: list[tuple[int, bytes]], wanted: list[str]
) -> None:
    for _ in range(2):  # a history may come again
        for event in told:
            world.feed(event)
        rows = [row for row in world.messages() if row["message_type"] == "call"]
        assert [row["message_id"] for row in rows] == wanted
        stored = world.value("SELECT sum(stored) FROM chats")
        assert (stored, world.value("SELECT count(*) FROM messages")) == (len(world.messages()),) * 2


def add_on(id: str, **fields: Any) -> MessageAddOn:
    """What Siti did to a message."""
    key = MessageKey(remoteJID=SITI, ID=id)
    return MessageAddOn(messageAddOnKey=key, senderTimestampMS=NOW * 1000, **fields)


def test_what_was_done_to_a_message_is_told_beside_it(world: World) -> None:
    nasi = PollVoteMessage(selectedOptions=[sha256(b"Nasi").digest()])
    message = events.told_message(
        SITI, "P1", events.poll("Makan apa?", ["Nasi", "Mee"], b"s" * 32), messageTimestamp=NOW - 60,
        messageAddOns=[
            add_on("R1", messageAddOnType=MessageAddOn.REACTION, messageAddOn=events.reaction("P1", "👍")),
            add_on("V1", messageAddOnType=MessageAddOn.POLL_UPDATE, legacyMessage=LegacyMessage(pollVote=nasi)),
            add_on("I1", messageAddOnType=MessageAddOn.PIN_IN_CHAT, messageAddOn=events.pin("P1"),
                   addOnContextInfo=MessageAddOnContextInfo(messageAddOnDurationInSecs=86_400)),
            add_on("X1", messageAddOn=Message(conversation="bukan mesej")),
            add_on("X2", messageAddOnType=MessageAddOn.POLL_UPDATE,
                   messageAddOn=Message(pollUpdateMessage=PollUpdateMessage())),
        ],
    )  # fmt: skip
    world.feed((HISTORY_SYNC, events.told(SITI, [message])))
    [row] = world.messages()
    assert json.loads(row["reactions"]) == [{"sender_jid": SITI, "emoji": "👍", "at": NOW}]
    assert json.loads(row["poll_votes"]) == [{"sender_jid": SITI, "options": ["Nasi"], "at": NOW}]
    until = world.value("SELECT extract(epoch FROM pinned_until)::int8 FROM messages")
    assert (row["is_pinned"], until) == (True, NOW + 86_400)


def test_a_history_tells_of_a_vote_that_was_taken_back_and_not_of_one_it_does_not_have(world: World) -> None:
    nasi, nothing = PollVoteMessage(selectedOptions=[sha256(b"Nasi").digest()]), PollVoteMessage()
    poll = events.poll("Makan apa?", ["Nasi", "Mee"], b"s" * 32)

    def synced(*votes: MessageAddOn, **fields: Any) -> None:
        told = events.told_message(SITI, "P1", poll, messageTimestamp=NOW - 60, messageAddOns=votes, **fields)
        world.feed((HISTORY_SYNC, events.told(SITI, [told])))

    def voted(vote: PollVoteMessage) -> MessageAddOn:
        return add_on("V1", messageAddOnType=MessageAddOn.POLL_UPDATE, legacyMessage=LegacyMessage(pollVote=vote))

    synced(voted(nasi))
    synced(
        pollUpdates=[PollUpdate(pollUpdateMessageKey=MessageKey(remoteJID=SITI, ID="V2"), senderTimestampMS=NOW * 1000)]
    )
    assert json.loads(world.messages()[0]["poll_votes"]) == [{"sender_jid": SITI, "options": ["Nasi"], "at": NOW}]
    synced(voted(nothing))
    assert world.messages()[0]["poll_votes"] is None


def order(world: World, times: list[int], numbers: list[int] | None = None) -> str:
    """The order that messages A, B, C … of a history have, as the phone tells them at these times."""
    ids = "ABCDEF"[: len(times)]
    messages = [events.told_message(SITI, id, id, messageTimestamp=at) for id, at in zip(ids, times, strict=True)]
    world.feed((HISTORY_SYNC, events.told(SITI, messages, numbers=numbers)))
    rows = world.rows("SELECT message_id FROM whatsapp_messages ORDER BY timestamp, created_at")
    return "".join(row["message_id"] for row in rows)


@pytest.mark.parametrize(
    ("times", "numbers", "wanted"),
    [
        ([NOW, NOW, NOW], None, "CBA"),
        ([NOW, NOW, NOW - 9, NOW - 9], None, "DCBA"),
        ([NOW - 9, NOW - 9, NOW, NOW], None, "ABCD"),
        ([NOW, NOW, NOW], [1, 2, 3], "ABC"),
        ([NOW, NOW, NOW - 9], [1, 2, 3], "CAB"),
        # Of one second although one is told in milliseconds.
        ([NOW, NOW * 1000, NOW - 9], None, "CBA"),
    ],
)
def test_a_history_is_in_order(world: World, times: list[int], numbers: list[int] | None, wanted: str) -> None:
    assert order(world, times, numbers) == wanted
