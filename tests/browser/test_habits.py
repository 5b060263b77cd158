"""What hands do without thinking, because every messenger answers to it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number
from tests.integration.api.world import Tenant

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
    page.get_by_role("button", name="Unread", exact=True).click()
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


@pytest.mark.parametrize("language", ["en", "ms"])
def test_no_filter_is_cut_off_in_either_language(alone: App, language: str) -> None:
    page = alone.page
    assert page.request.patch("/api/v1/session", data={"language": language}).ok
    page.goto("/inbox")
    filters = page.locator(".bar[role=group]")
    expect(filters.get_by_role("button")).to_have_count(5)
    assert filters.evaluate("bar => bar.scrollWidth - bar.clientWidth") <= 0


@pytest.mark.parametrize("look", [DESKTOP], indirect=True, ids=lambda look: look.name)
def test_a_press_arrives_while_the_list_moves(alone: App, tenant: Tenant, look: Look) -> None:
    app, page, chat = alone, alone.page, tenant.chat(tenant.device())
    for number in range(20):
        tenant.message(chat, f"Line {number}\n" * 6, at=int(time.time()) - 60 + number, from_me=True)
    page.goto(f"/inbox/{chat.id}")
    last = app.bubble("Line 19")
    expect(last).to_be_in_viewport(ratio=1)
    # what the list does to itself while it scrolls, for a moment that a slow machine may miss
    deaf = app.messages.evaluate(
        """(list) => {
          const rows = [...list.children].find((part) => part.style.contain === 'size style');
          rows.style.pointerEvents = 'none';
          return getComputedStyle(rows).pointerEvents;
        }"""
    )
    assert deaf == "auto"
    # at rest: what still moves is no end to be followed
    app.messages.evaluate(
        """(list) => new Promise((rested) => {
          list.scrollTop = list.scrollHeight;
          requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(rested)));
        })"""
    )
    pressed = app.bubble("Line 18")
    box = pressed.bounding_box()
    assert box is not None
    pressed.evaluate("bubble => bubble.addEventListener('click', () => (bubble.dataset.heard = ''))")
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    # a picture gets its size meanwhile
    last.evaluate(
        """(bubble) => new Promise((grown) => {
          const rows = bubble.closest('[style*="contain: size"]'), before = rows.clientHeight;
          new ResizeObserver((_, seen) => {
            if (rows.clientHeight < before + 290) return;
            seen.disconnect();
            requestAnimationFrame(() => requestAnimationFrame(grown));
          }).observe(rows);
          bubble.style.height = `${bubble.clientHeight + 300}px`;
        })"""
    )
    page.mouse.up()
    expect(pressed).to_have_attribute("data-heard", "")
    # what came below is seen once nothing is pressed
    at_end = "list => list.scrollHeight - list.scrollTop - list.clientHeight < 20"
    app.until(lambda: app.messages.evaluate(at_end))
    # and so is what grows in the frame of a scroll
    height = app.messages.evaluate("list => list.scrollHeight")
    last.evaluate(
        """(bubble) => {
          bubble.style.height = `${bubble.clientHeight + 300}px`;
          bubble.closest('[role=region]').dispatchEvent(new Event('scroll'));
        }"""
    )
    app.until(lambda: app.messages.evaluate("list => list.scrollHeight") >= height + 290)
    app.until(lambda: app.messages.evaluate(at_end))
    # but whoever goes up stays there
    page.mouse.wheel(0, -400)
    expect(page.get_by_role("button", name="To the newest message")).to_be_visible()


@pytest.mark.parametrize("look", [PHONE], indirect=True, ids=lambda look: look.name)
def test_back_closes_what_lies_over_the_page_first(alone: App, tenant: Tenant, look: Look) -> None:
    app, page, device = alone, alone.page, tenant.device()
    tenant.world.sql("UPDATE devices SET paired_at = now() WHERE id = $1", device.id)
    tenant.message(tenant.chat(device), "Is it still available?")
    page.goto("/inbox")
    page.locator("a[data-chat]").click()
    expect(app.bubble("still available")).to_be_visible()
    here = page.url
    menu = app.message_menu(app.bubble("still available"))
    page.go_back()
    expect(menu).to_have_count(0)
    page.get_by_role("button", name="More about this chat").click()
    page.go_back()
    expect(page.get_by_role("menu")).to_have_count(0)
    page.get_by_role("button", name="Emoji", exact=True).click()
    picker = page.get_by_role("dialog", name="Emoji")
    expect(picker).to_be_visible()
    page.go_back()
    expect(picker).to_have_count(0)
    page.get_by_role("button", name="More about this chat").click()
    page.get_by_role("menuitem", name="Search in this chat").click()
    search = page.get_by_role("search", name="Search in this chat")
    expect(search).to_be_visible()
    page.go_back()
    expect(search).to_have_count(0)
    assert page.url == here
    page.go_back()
    expect(app.messages).to_have_count(0)
