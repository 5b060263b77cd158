"""What a person wrote is never lost: not with the network, not with the chat, not with the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number

LOOKS = [DESKTOP, PHONE_DARK]
SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 512 << 10}


def _two_chats(app: App, stack: Stack, name: str) -> tuple[str, str]:
    """Of a new line, with the inbox open: its phone, and the customer of the chat `first`; the other is `second`."""
    phone, customer = link(app, stack, name), new_number()
    stack.phones.text(phone=phone, contact=customer, text="first")
    stack.phones.text(phone=phone, contact=new_number(), text="second")
    app.open_inbox(name)
    expect(app.page.locator("a[data-chat]")).to_have_count(2)
    return phone, customer


def _back_to_list(app: App) -> None:
    if app.narrow:
        app.page.get_by_role("link", name="Back").click()


def _open(app: App, words: str) -> None:
    app.page.locator("a[data-chat]").filter(has_text=words).click()
    expect(app.bubble(words)).to_be_visible()


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=lambda look: look.name)
def test_what_is_sent_without_a_network_leaves_once_there_is_one(
    signed_in: App, context: BrowserContext, stack: Stack, look: Look
) -> None:
    app = signed_in
    phone, customer = _two_chats(app, stack, f"Unsent {look.name}")
    _open(app, "second")
    _back_to_list(app)
    _open(app, "first")
    context.set_offline(True)
    for words in ("written in the lift", "and another"):
        expect(app.send(words)).to_be_visible()
    expect(app.page.get_by_text("Leaves as soon as there is a connection")).to_have_count(2)
    _back_to_list(app)
    app.page.locator("a[data-chat]").filter(has_text="second").click()
    context.set_offline(False)
    _back_to_list(app)
    app.page.locator("a[data-chat]").filter(has_text="and another").click()
    for words in ("written in the lift", "and another"):
        expect(app.bubble(words)).to_have_count(1)
        app.expect_ticks(app.bubble(words), "delivered")
    received = stack.phones.inbox(phone=phone, contact=customer)
    assert [message.text for message in received] == ["written in the lift", "and another"]


def test_a_file_on_its_way_arrives_though_another_chat_is_opened(
    signed_in: App, context: BrowserContext, stack: Stack, tmp_path: Path
) -> None:
    app, page = signed_in, signed_in.page
    phone, customer = _two_chats(app, stack, "Unsent file")
    _open(app, "first")
    report = tmp_path / "report.bin"
    report.write_bytes(bytes(range(256)) * 8192)
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", SLOW)
    page.locator("input[data-attach]").set_input_files(report)
    page.get_by_role("dialog").get_by_role("button", name="Send", exact=True).click()
    expect(app.messages.get_by_role("progressbar")).to_be_visible()
    _open(app, "second")
    received = stack.phones.inbox(phone=phone, contact=customer, wait=30)
    assert [message.kind for message in received] == ["document"]


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=lambda look: look.name)
def test_a_draft_outlives_other_pages_and_a_reload(signed_in: App, stack: Stack, look: Look) -> None:
    app, page = signed_in, signed_in.page
    _two_chats(app, stack, f"Draft {look.name}")
    _open(app, "first")
    app.composer.fill("half a sen")
    _back_to_list(app)
    _open(app, "second")
    _back_to_list(app)
    draft = page.locator("a[data-chat]").filter(has_text="half a sen")
    expect(draft).to_contain_text("Draft:")
    app.expect_accessible()
    page.goto("/")
    page.go_back()
    expect(draft).to_be_visible()
    page.reload()
    draft.click()
    expect(app.composer).to_have_value("half a sen")
    app.send("half a sentence")
    _back_to_list(app)
    _open(app, "second")
    _back_to_list(app)
    expect(page.locator("a[data-chat]").filter(has_text="half a sentence")).not_to_contain_text("Draft:")


def test_changing_a_message_does_not_cost_what_was_being_written(signed_in: App, stack: Stack) -> None:
    app = signed_in
    _two_chats(app, stack, "Draft and edit")
    _open(app, "first")
    sent = app.send("Ten oclock")
    app.expect_ticks(sent, "delivered")
    for leave in ("Escape", "Enter"):
        app.composer.fill("the next thought")
        app.message_menu(sent).get_by_role("menuitem", name="Edit", exact=True).click()
        expect(app.composer).to_have_value("Ten oclock")
        if leave == "Enter":
            app.composer.fill("Ten o'clock")
        app.composer.press(leave)
        expect(app.composer).to_have_value("the next thought")
    expect(app.bubble("Ten o'clock")).to_be_visible()
