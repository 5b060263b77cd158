"""What hands do without thinking, because every messenger answers to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, PHONE_DARK, Look
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
