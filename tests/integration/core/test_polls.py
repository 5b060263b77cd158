"""Votes on polls: opened with the poll's secret, by whichever JIDs they were sealed with; one current vote a person."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from neonize.proto import Neonize_pb2 as pb
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E import WAWebProtobufsE2E_pb2 as e2e
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import PollVoteMessage
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import Conversation, HistorySync, HistorySyncMsg
from neonize.proto.waWeb.WAWebProtobufsWeb_pb2 import PollUpdate, WebMessageInfo

from tests.integration.core import events
from tests.integration.core.conftest import OWN, World
from tests.integration.core.events import GROUP, MESSAGE, NOW, SITI, SITI_LID

OWN_LID, ALI_LID = "77@lid", "900555@lid"
ID, SECRET, NONCE = "POLL1", bytes(range(32)), b"\1" * 12
BOTH = ("Nasi", "Mee")
#: What a client sends for these options, by poll's sender and voter as it names them (made with another AES-GCM).
SEALED = {
    (SITI, SITI, ("Nasi",)): "6cd49d52bae6825aa8323bd259642733a83a2b88a2d27876e95915c56c7b661ba0b3a5f6eee51792fcb7a8a8"
    "05774ef7545c",
    (SITI, SITI, BOTH): "6cd49d52bae6825aa8323bd259642733a83a2b88a2d27876e95915c56c7b661ba0b34ae44909a60809cf63bb1ae67a"
    "aacdb5d378284f64a564706ecb7ae5ded4975bf104645a1abf20aec0a7856f939025ff075b",
    (SITI, SITI, ()): "ca97bdd6cec5c2fc2b5528558bfa57d2",
    (SITI_LID, SITI_LID, ("Mee",)): "01d7f3d48f84128fff72a7b7c3f094846ba768f6a7e70bcd2a468b934254f2ed55636663e8021ce9a1"
    "6840d0104199d5e176",
    (
        OWN,
        SITI,
        ("Nasi",),
    ): "64d44f2e3c6005284ee237fb170a9ec5f1d68859e945368f82835bafadf10033f130298880dc165a7b831cceb762a40abbd4",
    (
        OWN_LID,
        SITI_LID,
        ("Mee",),
    ): "c4983b9a164e5f0cbdb3409d01fc37e53473a5d1cde359722cd3dde2d3f5115d5c3a47a614686f9ef54d4a1101a321a51899",
    (
        SITI,
        OWN,
        ("Mee",),
    ): "1720f6d7f1409f85c078163f9f373a2b651c76b3ef56411ee64e5a8238c46de0448ae14648a7bc525b6f27aadb325fb44f7a",
    (
        SITI_LID,
        OWN_LID,
        ("Nasi",),
    ): "8b65ff3b0e550e6e561d6532bf8101e4257a4791bf6f43327583f296d48efbe3ddbe9426ae3dbb8d0a67695575eb10b12576",
    (
        SITI_LID,
        ALI_LID,
        ("Nasi",),
    ): "6a9b1ad369eaafbfa94391dd8e67d4dfca8ef6433c34bf4c15c35f2cce92eab32db4e3ed81ea83d1aa461bcf5d79420ad82e",
    (
        SITI,
        SITI_LID,
        ("Nasi",),
    ): "b71edb12dae7fc25ff908ee5557ed9979f24ade6fb36809c589eafc9fd51233837e8addc19a16a704af3199a52b05d975d8f",
}
POLL = events.poll("Makan apa?", ["Nasi", "Mee"], SECRET)
THEIRS: dict[str, Any] = {"chat": SITI_LID, "sender": SITI_LID, "sender_alt": SITI}


def asked(**of_source: Any) -> tuple[int, bytes]:
    """The poll."""
    return MESSAGE, events.message(ID, POLL, **of_source)


def voted(
    author: str, voter: str, options: tuple[str, ...], at: int = NOW, key: MessageKey | None = None, **of_source: Any
) -> tuple[int, bytes]:
    """A vote for these options, sealed for these two people."""
    payload = bytes.fromhex(SEALED[author, voter, options])
    content = events.vote(key or MessageKey(ID=ID, remoteJID=SITI, fromMe=False), payload, NONCE, at)
    return MESSAGE, events.message(f"V{voter}{options}{at}", content, at=at, **of_source)


def votes(world: World) -> list[dict[str, Any]] | None:
    """The poll's votes; it is the only row."""
    [message] = world.messages()
    assert (message["message_type"], message["message_text"]) == ("poll", "Makan apa?")
    return None if message["poll_votes"] is None else list(json.loads(message["poll_votes"]))


def test_a_persons_last_vote_counts(world: World) -> None:
    world.feed(asked(), voted(SITI, SITI, ("Nasi",)))
    assert votes(world) == [{"sender_jid": SITI, "options": ["Nasi"], "at": NOW}]
    world.feed(voted(SITI, SITI, BOTH, NOW + 5))
    world.feed(voted(SITI, SITI, ("Nasi",), NOW + 3))
    assert votes(world) == [{"sender_jid": SITI, "options": ["Nasi", "Mee"], "at": NOW + 5}]
    world.feed(voted(SITI, SITI, (), NOW + 9))
    assert votes(world) is None
    world.feed(voted(SITI, SITI, ("Nasi",), NOW + 8))
    assert votes(world) is None


def test_a_vote_that_comes_first_waits(world: World) -> None:
    world.feed(voted(SITI, SITI, ("Nasi",)))
    world.feed(asked())
    assert votes(world) == [{"sender_jid": SITI, "options": ["Nasi"], "at": NOW}]


@pytest.mark.parametrize("poll", [{}, THEIRS])
@pytest.mark.parametrize(
    "sealed", [(SITI, SITI, ("Nasi",)), (SITI_LID, SITI_LID, ("Mee",)), (SITI, SITI_LID, ("Nasi",))]
)
@pytest.mark.parametrize("vote", [{}, THEIRS])
def test_numbers_and_lids_both_open_it(
    world: World, poll: dict[str, Any], sealed: tuple[str, str, tuple[str, ...]], vote: dict[str, Any]
) -> None:
    # The number of the LID may have been told long before.
    known = (MESSAGE, events.message("R", events.reaction("NONE", "👍"), **THEIRS))
    world.feed(known, asked(**poll), voted(*sealed, **vote))
    assert votes(world) == [{"sender_jid": SITI, "options": list(sealed[2]), "at": NOW}]


@pytest.mark.parametrize("sealed", [(OWN, SITI, ("Nasi",)), (OWN_LID, SITI_LID, ("Mee",))])
def test_they_vote_on_ours(world: World, sealed: tuple[str, str, tuple[str, ...]]) -> None:
    key = MessageKey(ID=ID, remoteJID=OWN, fromMe=True)
    world.feed(asked(sender=OWN, from_me=True), voted(*sealed, key=key, **THEIRS))
    assert votes(world) == [{"sender_jid": SITI, "options": list(sealed[2]), "at": NOW}]


@pytest.mark.parametrize("sealed", [(SITI, OWN, ("Mee",)), (SITI_LID, OWN_LID, ("Nasi",))])
def test_we_vote_on_theirs(world: World, sealed: tuple[str, str, tuple[str, ...]]) -> None:
    ours: dict[str, Any] = {"chat": SITI_LID, "sender": OWN_LID, "from_me": True, "recipient_alt": SITI}
    world.feed(asked(**THEIRS), voted(*sealed, **ours))
    assert votes(world) == [{"sender_jid": OWN, "options": list(sealed[2]), "at": NOW}]


def test_a_group_votes_by_lids(world: World) -> None:
    key = MessageKey(ID=ID, remoteJID=GROUP, fromMe=False, participant=SITI_LID)
    ali = "60111111111@s.whatsapp.net"
    world.feed(
        asked(chat=GROUP, sender=SITI),
        voted(SITI_LID, ALI_LID, ("Nasi",), key=key, chat=GROUP, sender=ali, sender_alt=ALI_LID),
        voted(SITI_LID, SITI_LID, ("Mee",), key=key, chat=GROUP, sender=SITI, sender_alt=SITI_LID),
    )
    found = votes(world) or []
    assert [(vote["sender_jid"], vote["options"]) for vote in found] == [(ali, ["Nasi"]), (SITI, ["Mee"])]


def test_a_vote_that_does_not_open_changes_nothing(world: World) -> None:
    world.feed(asked(), voted(OWN, SITI, ("Nasi",)))
    assert votes(world) is None
    assert world.ingest is not None and world.ingest.stats()["poisoned"] == 0


def test_a_history_brings_votes_and_secret(world: World) -> None:
    content = events.poll("Makan apa?", ["Nasi", "Mee"], b"")
    content.ClearField("messageContextInfo")
    info = WebMessageInfo(
        key=MessageKey(remoteJID=SITI, fromMe=True, ID=ID), message=content, messageTimestamp=NOW, messageSecret=SECRET
    )
    info.pollUpdates.append(
        PollUpdate(
            pollUpdateMessageKey=MessageKey(remoteJID=SITI, fromMe=False, ID="V"),
            vote=PollVoteMessage(selectedOptions=[sha256(b"Nasi").digest(), bytes(32)]),
            senderTimestampMS=NOW * 1000,
        )
    )
    sync = HistorySync(
        syncType=HistorySync.RECENT, conversations=[Conversation(ID=SITI, messages=[HistorySyncMsg(message=info)])]
    )
    world.feed((events.HISTORY_SYNC, bytes(pb.HistorySync(Data=sync).SerializePartialToString())))
    assert votes(world) == [{"sender_jid": SITI, "options": ["Nasi"], "at": NOW}]
    world.feed(voted(OWN, SITI, ("Nasi",), NOW + 9, key=MessageKey(ID=ID, fromMe=True)))
    assert votes(world) == [{"sender_jid": SITI, "options": ["Nasi"], "at": NOW + 9}]


@pytest.mark.parametrize(("said", "choices"), [({}, 0), ({"selectableOptionsCount": 1}, 1)])
def test_a_poll_says_how_many_may_be_chosen(world: World, said: dict[str, int], choices: int) -> None:
    named = [e2e.PollCreationMessage.Option(optionName=option) for option in ("Nasi", "Mee")]
    content = e2e.Message(pollCreationMessageV3=e2e.PollCreationMessage(name="Makan apa?", options=named, **said))
    world.feed((MESSAGE, events.message(ID, content)))
    assert world.value("SELECT poll ->> 'choices' FROM messages") == str(choices)


def test_what_came_of_a_poll_keeps_its_counts(world: World) -> None:
    option = e2e.PollResultSnapshotMessage.PollVote
    results = e2e.PollResultSnapshotMessage(
        name="Makan apa?", pollVotes=[option(optionName="Nasi", optionVoteCount=3), option(optionName="Mee")]
    )
    world.feed((MESSAGE, events.message(ID, e2e.Message(pollResultSnapshotMessage=results))))
    [message] = world.messages()
    assert (message["message_type"], message["message_text"], message["media_url"]) == ("poll", "Makan apa?", None)
    wanted = {"type": "results", "options": [{"name": "Nasi", "votes": 3}, {"name": "Mee", "votes": 0}]}
    assert json.loads(world.value("SELECT media::text FROM messages")) == wanted
