"""Lines of whatsmeow's log that tell of a message it can't decrypt a second time."""

from __future__ import annotations

import pytest
from neonize.proto import Neonize_pb2 as pb

from wafast.devices.neonize_events import jid_text, lost_message

OLD = "failed to decrypt group message: received message with old counter (current: 2, received: 1)"


@pytest.mark.parametrize(
    ("source", "sender", "chat"),
    [
        ("60123456789@s.whatsapp.net", "60123456789@s.whatsapp.net", "60123456789@s.whatsapp.net"),
        ("900:3@lid in 900@lid", "900@lid", "900@lid"),
        ("900@lid in 120363000000000001@g.us", "900@lid", "120363000000000001@g.us"),
        ("60111.1:7@s.whatsapp.net in 900@lid", "60111@s.whatsapp.net", "900@lid"),
    ],
)
def test_a_line_names_the_message_its_sender_and_its_chat(source: str, sender: str, chat: str) -> None:
    event = lost_message(f"Ignoring message 3EB0A1 from {source}: {OLD}")
    assert event is not None
    lost = pb.UndecryptableMessage.FromString(event)
    assert lost.Info.ID == "3EB0A1"
    assert jid_text(lost.Info.MessageSource.Sender) == sender
    assert jid_text(lost.Info.MessageSource.Chat) == chat
    assert lost.DecryptFailMode == pb.UndecryptableMessage.DECRYPT_FAIL_SHOW


@pytest.mark.parametrize(
    "line",
    [
        f"Error decrypting message 3EB0A1 from 900@lid: {OLD}",
        "Ignoring message 3EB0A1 from 900@lid: event was already processed",
        f"Say 'Ignoring message 3EB0A1 from 900@lid: {OLD}'",
    ],
)
def test_other_lines_tell_of_nothing(line: str) -> None:
    assert lost_message(line) is None
