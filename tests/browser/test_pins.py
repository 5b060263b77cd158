"""What is pinned stands over the conversation, as long as it is, and leads to where it was said."""

from __future__ import annotations

import re
import time

import pytest
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    Message,
    MessageContextInfo,
    PinInChatMessage,
    ProtocolMessage,
)
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number
from tests.browser.test_reading import numbered

every_look = pytest.mark.parametrize(
    "look", [DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK], indirect=True, ids=lambda look: look.name
)
DAY = 24 * 60 * 60


def _pin(message_id: str, *, is_pinned: bool = True) -> bytes:
    kind = PinInChatMessage.PIN_FOR_ALL if is_pinned else PinInChatMessage.UNPIN_FOR_ALL
    pin = PinInChatMessage(key=MessageKey(ID=message_id), type=kind, senderTimestampMS=int(time.time() * 1000))
    said = MessageContextInfo(messageAddOnDurationInSecs=DAY)
    return bytes(Message(pinInChatMessage=pin, messageContextInfo=said).SerializeToString())


@every_look
def test_pins_come_live_lead_to_their_messages_and_go(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Pins {look.name}"
    phone, customer = link(app, stack, name), new_number()
    old = stack.phones.history(phone, customer, 16, text="Old", days=16, name="Puan Rokiah")[0]
    app.open_inbox(name)
    expect(page.locator("a[data-chat]")).to_contain_text("Old")
    [hours] = stack.phones.text(phone, customer, "Open from *nine* to five")
    page.locator("a[data-chat]").filter(has_text="nine").click()
    said = app.bubble("nine")
    expect(said).to_be_in_viewport()
    bar = page.get_by_role("button", name=re.compile("^Pinned message"))
    expect(bar).to_have_count(0)

    stack.phones.raw(phone, customer, _pin(old))
    expect(bar).to_have_accessible_name("Pinned message Old 0")
    stack.phones.raw(phone, customer, _pin(hours))
    expect(bar).to_have_accessible_name("Pinned message 1 of 2 Open from nine to five")
    expect(said.get_by_role("img", name="Pinned")).to_be_visible()
    app.expect_accessible()

    bar.press("Enter")
    expect(bar).to_have_accessible_name("Pinned message 2 of 2 Old 0")
    expect(said).to_be_in_viewport()
    bar.click()
    first = numbered(app, "Old 0")
    expect(first).to_be_in_viewport()
    expect(said).not_to_be_in_viewport()
    expect(bar).to_contain_text("1 of 2")

    stack.phones.raw(phone, customer, _pin(hours, is_pinned=False))
    expect(bar).to_have_accessible_name("Pinned message Old 0")
    revoked = ProtocolMessage(key=MessageKey(ID=old), type=ProtocolMessage.REVOKE)
    stack.phones.raw(phone, customer, Message(protocolMessage=revoked).SerializeToString(), edit="7")
    expect(bar).to_have_count(0)
    expect(first).to_have_count(0)
