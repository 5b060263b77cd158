"""An answer shows what it answers although that is not kept here, or never was."""

from __future__ import annotations

from typing import Any

import pytest
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    ContextInfo,
    DocumentMessage,
    ExtendedTextMessage,
    ImageMessage,
    Message,
)
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number

every_look = pytest.mark.parametrize(
    "look", [DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK], indirect=True, ids=lambda look: look.name
)


def _answer(text: str, quoted: Message, **context: Any) -> bytes:
    said = ContextInfo(stanzaID="GONE", quotedMessage=quoted, **context)
    message = Message(extendedTextMessage=ExtendedTextMessage(text=text, contextInfo=said))
    return bytes(message.SerializeToString())


@every_look
def test_what_is_answered_is_shown_although_it_is_not_here(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Quotes {look.name}"
    phone, customer = link(app, stack, name), new_number()
    them, us = f"{customer}@s.whatsapp.net", f"{phone}@s.whatsapp.net"
    group = stack.phones.group(phone, "Family", [customer])
    stack.phones.text(phone, customer, "Hello all", group=group)
    for answer in (
        _answer("To ours", Message(conversation="*Ten* ringgit " + "each " * 90), participant=us),
        _answer("To a file", Message(documentMessage=DocumentMessage(fileName="Price list.pdf")), participant=them),
        _answer("To a status", Message(imageMessage=ImageMessage()), participant=us, remoteJID="status@broadcast"),
        _answer("From the group", Message(conversation="Who comes?"), participant=them, remoteJID=group),
    ):
        stack.phones.raw(phone, customer, answer)
    app.open_inbox(name)
    page.locator("a[data-chat]").filter(has_text="From the group").click()
    for text, said in {
        "To ours": "You Ten ringgit each",
        "To a file": "Price list.pdf",
        "To a status": "You · Status Photo",
        "From the group": "· Family Who comes?",
    }.items():
        expect(app.bubble(text).locator("button.jump")).to_contain_text(said)
    app.expect_accessible()
    for text, told in {
        "To ours": "That message is not kept here any more.",
        "To a status": "That message is not in this chat: Status",
        "From the group": "That message is not in this chat: Family",
    }.items():
        app.bubble(text).locator("button.jump").press("Enter")
        app.told(told)
