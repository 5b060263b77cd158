"""What a person wrote is never lost: not with the network, not with the chat, not with the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, WebSocketRoute, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number

LOOKS = [DESKTOP, PHONE_DARK]


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


def test_what_is_sent_without_a_network_outlives_the_page(
    signed_in: App, context: BrowserContext, stack: Stack
) -> None:
    app, page = signed_in, signed_in.page
    phone, customer = _two_chats(app, stack, "Unsent page")
    _open(app, "first")
    context.set_offline(True)
    app.send("written in the lift")
    expect(page.get_by_text("Leaves as soon as there is a connection")).to_be_visible()
    # as a phone ends a tab: without asking
    page.close(run_before_unload=False)
    context.set_offline(False)
    with context.new_page() as next_page:
        next_page.goto("/")
        received = stack.phones.inbox(phone=phone, contact=customer, wait=60)
        assert [message.text for message in received] == ["written in the lift"]


def test_a_file_on_its_way_arrives_though_another_chat_is_opened(signed_in: App, stack: Stack, tmp_path: Path) -> None:
    app, page = signed_in, signed_in.page
    phone, customer = _two_chats(app, stack, "Unsent file")
    _open(app, "first")
    report = tmp_path / "report.bin"
    report.write_bytes(bytes(range(256)) * 256)
    on_its_way = app.hold("**/api/v1/media")
    page.locator("input[data-attach]").set_input_files(report)
    page.get_by_role("dialog").get_by_role("button", name="Send", exact=True).click()
    expect(app.messages.get_by_role("progressbar")).to_be_visible()
    _open(app, "second")
    app.until(lambda: on_its_way)
    on_its_way.pop().continue_()
    received = stack.phones.inbox(phone=phone, contact=customer, wait=60)
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


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=lambda look: look.name)
def test_what_is_being_written_and_spoken_goes_over_to_the_chat_it_becomes(
    signed_in: App, stack: Stack, look: Look
) -> None:
    app, page = signed_in, signed_in.page
    sockets: list[WebSocketRoute] = []

    def watch(route: WebSocketRoute) -> None:
        route.connect_to_server()
        sockets.append(route)

    page.route_web_socket(re.compile("/ws"), watch)
    page.reload()
    _two_chats(app, stack, f"Becomes {look.name}")
    rows = {words: page.locator("a[data-chat]").filter(has_text=words) for words in ("first", "second")}
    chats = {words: row.get_attribute("data-chat") for words, row in rows.items()}

    def become(gone: str, into: str) -> None:
        result = {"id": chats[gone], "became": chats[into], "device_id": "0"}
        sockets[-1].send(json.dumps({"id": "0:1", "code": "CHAT_GONE", "message": "", "result": result}))
        expect(page).to_have_url(re.compile(f"/{chats[into]}$"))
        expect(app.bubble(into)).to_be_visible()

    _open(app, "first")
    app.composer.fill("half a")
    become("first", "second")
    expect(app.composer).to_be_focused()
    app.composer.press_sequentially(" sentence")
    expect(app.composer).to_have_value("half a sentence")
    app.composer.fill("")
    page.get_by_role("button", name="Record a voice message").click()
    expect(page.get_by_role("timer")).to_be_visible()
    become("second", "first")
    expect(page.get_by_role("timer")).to_be_visible()
    page.get_by_role("button", name="Send voice message").click()
    expect(app.messages.locator(".own .bubble")).to_have_count(1)


def test_what_one_tab_sends_is_no_draft_of_the_other(signed_in: App, context: BrowserContext, stack: Stack) -> None:
    app, other = signed_in, App(context.new_page(), narrow=False)
    _two_chats(app, stack, "Two tabs")
    _open(app, "first")
    other.page.goto(app.page.url)
    expect(other.bubble("first")).to_be_visible()
    app.composer.fill("only once")
    other.page.reload()
    expect(other.composer).to_have_value("only once")
    app.send("only once")
    expect(other.composer).to_have_value("")


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=lambda look: look.name)
def test_a_text_that_is_too_long_is_kept_and_told_of(signed_in: App, stack: Stack, look: Look, tmp_path: Path) -> None:
    app, page = signed_in, signed_in.page
    _two_chats(app, stack, f"Too long {look.name}")
    _open(app, "first")
    app.composer.focus()
    page.keyboard.insert_text("x" * 65_538)
    expect(page.get_by_text("2 characters too many. 65,536 fit.")).to_be_visible()
    app.expect_accessible()
    app.composer.press("Enter")
    expect(app.composer).to_have_value("x" * 65_538)
    for _ in range(2):
        app.composer.press("Backspace")
    expect(page.get_by_text("characters too many")).to_have_count(0)
    app.composer.press("Enter")
    expect(app.messages.locator(".own .bubble")).to_have_count(1)
    expect(app.composer).to_have_value("")

    report = tmp_path / "report.txt"
    report.write_text("numbers", "utf-8")
    page.locator("input[data-attach]").set_input_files(report)
    files = page.get_by_role("dialog", name="Send document")
    files.get_by_label("Caption").focus()
    page.keyboard.insert_text("x" * 65_538)
    expect(files.get_by_text("2 characters too many. 65,536 fit.")).to_be_visible()
    expect(files.get_by_role("button", name="Send")).to_be_disabled()


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


def test_what_one_answers_or_changes_stays_with_the_draft(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    phone, customer = _two_chats(app, stack, "Kept answer")
    _open(app, "first")
    app.expect_ticks(app.send("Ten oclock"), "delivered")
    app.message_menu(app.bubble("Ten oclock")).get_by_role("menuitem", name="Edit", exact=True).click()
    app.composer.fill("Ten o'clock")
    _open(app, "second")
    row = page.locator("a[data-chat]").filter(has_text="Editing: Ten o'clock")
    expect(row).to_be_visible()
    page.reload()
    row.click()
    expect(page.get_by_text("Edit message")).to_be_visible()
    expect(app.composer).to_have_value("Ten o'clock")
    app.composer.press("Enter")
    expect(app.bubble("Ten o'clock")).to_be_visible()
    app.message_menu(app.bubble("first")).get_by_role("menuitem", name="Reply", exact=True).click()
    app.composer.fill("an answer")
    _open(app, "second")
    expect(row).to_have_count(0)
    page.reload()
    page.locator("a[data-chat]").filter(has_text="an answer").click()
    expect(page.get_by_role("button", name="Do not reply to this message")).to_be_visible()
    app.composer.press("Enter")
    expect(page.get_by_role("button", name="Do not reply to this message")).to_have_count(0)
    app.expect_ticks(app.bubble("an answer"), "delivered")
    received = stack.phones.inbox(phone=phone, contact=customer)
    assert [one.quoted is not None for one in received if one.text == "an answer"] == [True]


def test_signing_out_asks_while_something_is_unsent(signed_in: App, context: BrowserContext, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    phone, customer = _two_chats(app, stack, "Sign out")
    _open(app, "first")
    context.set_offline(True)
    app.send("do not lose me")
    expect(page.get_by_text("Leaves as soon as there is a connection")).to_be_visible()
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    asked = page.get_by_role("dialog", name="Sign out with messages unsent?")
    app.expect_accessible()
    asked.get_by_role("button", name="Cancel").click()
    context.set_offline(False)
    app.expect_ticks(app.bubble("do not lose me"), "delivered")
    assert len(stack.phones.inbox(phone=phone, contact=customer)) == 1
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_label("E-mail")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=lambda look: look.name)
def test_files_are_not_lost_by_a_key_and_blank_words_are_not_sent(
    signed_in: App, stack: Stack, look: Look, tmp_path: Path
) -> None:
    app, page = signed_in, signed_in.page
    _two_chats(app, stack, f"Kept files {look.name}")
    _open(app, "first")
    report = tmp_path / "report.txt"
    report.write_text("numbers", "utf-8")
    page.locator("input[data-attach]").set_input_files(report)
    files = page.get_by_role("dialog", name="Send document")
    files.get_by_label("Caption").fill("for you")
    page.keyboard.press("Escape")
    asked = page.get_by_role("dialog", name="Leave 1 file unsent?")
    expect(asked).to_be_visible()
    app.expect_accessible()
    page.keyboard.press("Escape")
    expect(asked).to_be_hidden()
    expect(files.get_by_label("Caption")).to_have_value("for you")
    # Back is for what lies over the chat, and what is chosen stays with the chat however it is left
    page.go_back()
    expect(asked).to_be_visible()
    page.go_back()
    expect(asked).to_be_hidden()
    first = page.url
    page.evaluate("navigator.serviceWorker.dispatchEvent(new MessageEvent('message', {data: {show: '/inbox'}}))")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.go_back()
    expect(page).to_have_url(first)
    expect(files.get_by_label("Caption")).to_have_value("for you")
    page.keyboard.press("Escape")
    asked.get_by_role("button", name="Leave unsent").click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    app.composer.fill("\u200b\u2060 \u3164")
    app.composer.press("Enter")
    app.told("Nothing of this text can be seen")

    app.composer.fill("so good")
    app.composer.evaluate("field => { field.focus(); field.setSelectionRange(3, 7) }")
    marks = page.get_by_role("toolbar", name="Marks for the selected words")
    app.expect_accessible()
    marks.get_by_role("button", name="Bold").click()
    expect(app.composer).to_have_value("so *good*")
    chosen = "field => field.value.slice(field.selectionStart, field.selectionEnd) === 'good'"
    page.wait_for_function(chosen, arg=app.composer.element_handle())
    app.composer.press("Shift+Tab")
    if not app.narrow:
        while not marks.get_by_role("button", name="Italic").evaluate("one => one === document.activeElement"):
            page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        expect(app.composer).to_have_value("so *_good_*")
    app.composer.fill("")
    expect(marks).to_have_count(0)


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=lambda look: look.name)
def test_a_failed_bubble_is_taken_off_for_everybody(signed_in: App, stack: Stack, look: Look) -> None:
    app, page = signed_in, signed_in.page
    phone, _ = _two_chats(app, stack, f"Take off {look.name}")
    _open(app, "first")
    chat = page.locator("div[data-chat]").get_attribute("data-chat")
    stack.phones.refuse_send(phone, 400, count=1)
    bubble = app.send("never mind")
    app.expect_ticks(bubble, "failed")
    page.reload()
    app.expect_ticks(bubble, "failed")
    page.get_by_role("button", name="Remove").click()
    expect(app.bubble("never mind")).to_have_count(0)
    app.until(lambda: page.request.get(f"/api/v1/chats/{chat}/outbox").json()["items"] == [])
    page.reload()
    expect(app.bubble("first")).to_be_visible()
    expect(app.bubble("never mind")).to_have_count(0)


def test_the_text_of_a_change_that_failed_is_kept(signed_in: App, context: BrowserContext, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    _two_chats(app, stack, "Kept edit")
    _open(app, "first")
    sent = app.send("Ten oclock")
    app.expect_ticks(sent, "delivered")
    context.set_offline(True)
    app.message_menu(sent).get_by_role("menuitem", name="Edit", exact=True).click()
    expect(app.composer).to_have_value("Ten oclock")
    app.composer.fill("Ten o'clock sharp")
    app.composer.press("Enter")
    app.told("Your text is kept")
    context.set_offline(False)
    page.reload()
    app.message_menu(app.bubble("Ten oclock")).get_by_role("menuitem", name="Edit", exact=True).click()
    expect(app.composer).to_have_value("Ten o'clock sharp")
    app.composer.press("Enter")
    expect(app.bubble("Ten o'clock sharp")).to_be_visible()
