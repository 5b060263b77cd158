"""A poll shows what may be chosen, how often each option was, and who chose it."""

from __future__ import annotations

import hashlib
import hmac
import time

import pytest
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    Message,
    MessageContextInfo,
    PollCreationMessage,
    PollEncValue,
    PollResultSnapshotMessage,
    PollUpdateMessage,
    PollVoteMessage,
)
from playwright.sync_api import Page, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number

every_look = pytest.mark.parametrize(
    "look", [DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK], indirect=True, ids=lambda look: look.name
)
OPTIONS = ("Nasi lemak", "Mee goreng", "Roti canai")
SECRET, NONCE = bytes(range(32)), b"\1" * 12
SEAL = """async ([key, nonce, bound, words]) => {
    const bytes = (list) => new Uint8Array(list);
    const sealing = await crypto.subtle.importKey('raw', bytes(key), 'AES-GCM', false, ['encrypt']);
    const how = { name: 'AES-GCM', iv: bytes(nonce), additionalData: bytes(bound) };
    return [...new Uint8Array(await crypto.subtle.encrypt(how, sealing, bytes(words)))];
}"""


def _sealed(page: Page, vote: bytes, poll_id: str, person: str) -> bytes:
    """A vote as its own author seals it (rust/protocol/src/secret.rs); AES-GCM is the browser's."""
    extracted = hmac.digest(bytes(32), SECRET, "sha256")
    key = hmac.digest(extracted, f"{poll_id}{person}{person}Poll Vote".encode() + b"\1", "sha256")
    return bytes(page.evaluate(SEAL, [list(part) for part in (key, NONCE, f"{poll_id}\0{person}".encode(), vote)]))


@every_look
def test_a_poll_shows_its_options_before_anybody_votes(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Polls {look.name}"
    phone, customer = link(app, stack, name), new_number()
    stack.phones.push_name(customer, "Puan Rokiah")
    named = [PollCreationMessage.Option(optionName=option) for option in OPTIONS]
    poll = PollCreationMessage(name="Makan apa?", options=named, selectableOptionsCount=1)
    outcome = PollResultSnapshotMessage.PollVote
    results = PollResultSnapshotMessage(
        name="Last week", pollVotes=[outcome(optionName=OPTIONS[0], optionVoteCount=3), outcome(optionName=OPTIONS[1])]
    )
    asks = Message(pollCreationMessageV3=poll, messageContextInfo=MessageContextInfo(messageSecret=SECRET))
    poll_id = stack.phones.raw(phone, customer, asks.SerializeToString())
    stack.phones.raw(phone, customer, Message(pollResultSnapshotMessage=results).SerializeToString())
    app.open_inbox(name)
    page.locator("a[data-chat]").filter(has_text="Last week").click()
    asked, came = app.bubble("Makan apa?"), app.bubble("Last week")
    expect(asked.get_by_role("listitem")).to_have_text([f"{option} 0 votes" for option in OPTIONS])
    expect(asked).to_contain_text("Select one")
    expect(asked.get_by_role("button", name="View votes")).to_have_count(0)
    expect(came.get_by_role("listitem")).to_have_text(["Nasi lemak 3 votes", "Mee goreng 0 votes"])
    app.expect_accessible()

    vote = PollVoteMessage(selectedOptions=[hashlib.sha256(b"Roti canai").digest()])
    sealed = _sealed(page, vote.SerializeToString(), poll_id, f"{customer}@s.whatsapp.net")
    update = PollUpdateMessage(
        pollCreationMessageKey=MessageKey(ID=poll_id, remoteJID=f"{phone}@s.whatsapp.net", fromMe=True),
        vote=PollEncValue(encPayload=sealed, encIV=NONCE),
        senderTimestampMS=int(time.time() * 1000),
    )
    stack.phones.raw(phone, customer, Message(pollUpdateMessage=update).SerializeToString())
    expect(asked.get_by_role("listitem")).to_have_text(
        ["Nasi lemak 0 votes", "Mee goreng 0 votes", "Roti canai 1 vote"]
    )
    asked.get_by_role("button", name="View votes").click()
    expect(asked.get_by_role("listitem").last).to_contain_text("Puan Rokiah")
    app.expect_accessible()
    asked.get_by_role("button", name="Hide votes").click()
    expect(asked.get_by_role("listitem").last).not_to_contain_text("Puan Rokiah")
