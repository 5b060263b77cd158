"""What hands do without thinking, because every messenger answers to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number

PICTURE = Path(__file__).parents[2] / "docs/inbox-phone.png"


@pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)
def test_typing_finds_its_field_and_names_are_read_whole(signed_in: App, stack: Stack, look: Look) -> None:
    app, page = signed_in, signed_in.page
    line = f"Habits of a line whose name is far too long {look.name}"
    stack.phones.text(phone=link(app, stack, line), contact=new_number(), text=look.name)
    page.goto("/inbox")
    row = page.locator("a[data-chat]").filter(has_text=line)
    expect(row).to_be_visible()
    assert row.locator(".name").evaluate("name => name.scrollWidth <= name.clientWidth")
    row.click()
    app.bubble(look.name).click()
    menu = app.bubble(look.name).get_by_role("button", name="Message actions")
    expect(menu).to_have_css("opacity", "0" if look.touch else "1")
    page.keyboard.type("Hi there")
    expect(app.composer).to_have_value("Hi there")
    app.composer.select_text()
    marks = page.get_by_role("toolbar")
    expect(marks).to_be_visible()
    page.get_by_role("button", name="Emoji").click()
    expect(marks).to_have_count(0)
    page.keyboard.press("Escape")
    page.locator("[data-attach]").set_input_files(PICTURE)
    caption = page.get_by_role("dialog").get_by_role("textbox")
    expect(caption).to_be_visible()
    if not look.touch:
        expect(caption).to_be_focused()


@pytest.mark.parametrize("look", [DESKTOP, PHONE], ids=lambda look: look.name, indirect=True)
def test_one_can_write_first(signed_in: App, stack: Stack, look: Look) -> None:
    app, page = signed_in, signed_in.page
    phone, customer, nobody = link(app, stack, f"First {look.name}"), new_number(), new_number()
    stack.phones.not_on_whatsapp(nobody)
    app.open_inbox(f"First {look.name}")
    page.get_by_role("searchbox").fill(nobody)
    page.get_by_role("button", name="New chat").click()
    dialog = page.get_by_role("dialog", name="New chat")
    number = dialog.get_by_label("Phone number")
    expect(number).to_be_focused()
    expect(number).to_have_value(nobody)
    app.expect_accessible()
    # a number of here, by its country code
    number.fill(f"+{nobody}")
    number.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("is not on WhatsApp")
    number.fill(f"+{customer}")
    number.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("Write the first one.")).to_be_visible()
    app.expect_accessible()
    app.expect_ticks(app.send("Good morning"), "delivered")
    (got,) = stack.phones.inbox(phone=phone, contact=customer, wait=60)
    assert got.text == "Good morning"
    if app.narrow:
        number = page.locator(".conversation header h2")
        assert number.evaluate("one => one.scrollWidth <= one.clientWidth"), "its end is what tells it from others"
        page.get_by_role("button", name="Details").click()
        expect(page.get_by_role("dialog", name="Details")).to_be_visible()
        app.expect_accessible()


def test_who_writes_first_by_another_line_is_shown_that_line(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    link(app, stack, "First here")
    link(app, stack, "First there")
    app.open_inbox("First here")
    here = page.url
    page.get_by_role("button", name="New chat").click()
    dialog = page.get_by_role("dialog", name="New chat")
    dialog.get_by_label("Device").select_option("First there")
    dialog.get_by_label("Phone number").fill(f"+{new_number()}")
    dialog.get_by_role("button", name="Open chat").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("Write the first one.")).to_be_visible()
    expect(page.get_by_text("First there", exact=True).first).to_be_visible()
    assert not page.url.startswith(here)
