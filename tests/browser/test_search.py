"""Searching as an agent does: a few letters, what is found with its words marked, and straight to the message."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number
from tests.browser.test_reading import small_pages

FIELD = "Search name, number or message"


def field(app: App) -> Locator:
    """Where one types what to look for."""
    return app.page.get_by_role("searchbox", name=FIELD)


def look_when_found(app: App, words: str, *, messages: int) -> None:
    """Whenever the page looks from now on, that waits until there is so much to be found."""

    def wait(route: Route) -> None:
        app.until_found(words, messages=messages)
        route.continue_()

    app.page.route("**/api/v1/search?*", wait)


def found(app: App, section: str) -> Locator:
    """Rows of a section of what is found."""
    return app.page.get_by_role("list", name=section, exact=True).locator("a[data-found]")


@pytest.mark.parametrize("look", [DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK], indirect=True, ids=lambda look: look.name)
def test_half_a_word_leads_to_an_old_message(signed_in: App, stack: Stack, look: Look) -> None:
    app, name = signed_in, f"Search {look.name}"
    phone, customer, other = link(app, stack, name), new_number(), new_number()
    small_pages(app.page)
    stack.phones.text(phone=phone, contact=customer, text="Adakah kotak *manggis* masih ada? 🎉")
    for number in range(14):
        stack.phones.text(phone=phone, contact=customer, text=f"Filler {number}")
    stack.phones.text(phone=phone, contact=other, text="这个价格是多少")
    app.open_inbox(name)
    expect(app.page.locator("a[data-chat]")).to_have_count(2)
    app.until_found("angg", messages=1)

    field(app).fill("angg")
    hit = found(app, "Messages")
    expect(hit).to_have_count(1)
    expect(hit.locator("mark")).to_have_text("angg")
    app.expect_accessible()
    hit.click()
    bubble = app.bubble("Adakah kotak")
    expect(bubble).to_be_in_viewport()
    app.expect_accessible()
    if app.narrow:
        app.page.go_back()
    else:
        # once more, from somewhere else
        app.page.get_by_role("button", name="To the newest message").click()
        expect(app.bubble("Filler 13")).to_be_in_viewport()
        expect(bubble).not_to_be_in_viewport()
        hit.click()
        expect(bubble).to_be_in_viewport()

    app.until_found("价格", messages=1)
    field(app).fill("价格")
    expect(found(app, "Messages").locator("mark")).to_have_text("价格")
    typed = f"0{other[2:5]}-{other[5:8]} {other[8:]}"
    app.until_found(typed, chats=1)
    field(app).fill(typed)
    by_number = found(app, "Chats")
    expect(by_number).to_have_count(1)
    expect(by_number.locator("mark")).to_have_text(other[2:])
    field(app).fill("zqxwvk")
    expect(app.page.get_by_text("Nothing found for “zqxwvk”")).to_be_visible()
    app.expect_accessible()


def test_the_keyboard_is_enough(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    phone = link(app, stack, "Search keys")
    first, second = new_number(), new_number()
    stack.phones.text(phone=phone, contact=first, text="parcel one")
    time.sleep(1)  # WhatsApp's clock has whole seconds, and the newest is to be first
    stack.phones.text(phone=phone, contact=second, text="parcel two")
    app.open_inbox("Search keys")
    expect(page.locator("a[data-chat]")).to_have_count(2)
    app.until_found("parcel", messages=2)
    page.keyboard.press("/")
    page.keyboard.type("parcel")
    rows = found(app, "Messages")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("parcel one")
    # Enter opens what these words find, not what stands there for the letters before
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/search?*", hold)
    with page.expect_request("**/api/v1/search?*"):
        page.keyboard.type(" one")
        page.keyboard.press("Enter")
    page.unroute("**/api/v1/search?*")
    for route in held:
        route.continue_()
    expect(app.bubble("parcel one")).to_be_visible()
    field(app).fill("parcel")
    expect(rows).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    expect(app.bubble("parcel two")).to_be_visible()
    expect(rows.nth(0)).to_have_attribute("aria-current", "true")
    field(app).focus()
    page.keyboard.press("Escape")
    expect(page.locator("a[data-chat]")).to_have_count(2)


def test_the_list_of_all_devices_searches_all_of_them(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    for name in ("Search all 1", "Search all 2"):
        stack.phones.text(phone=link(app, stack, name), contact=new_number(), text=f"Rambutan for {name}")
        page.goto("/")
    page.goto("/inbox")
    app.until_found("rambut", messages=2)
    field(app).fill("rambut")
    expect(found(app, "Messages")).to_have_count(2)
    hit = found(app, "Messages").filter(has_text="Rambutan for Search all 1")
    expect(hit.get_by_text("Search all 1", exact=True)).to_be_visible()  # the line it is on
    hit.click()
    expect(app.bubble("Rambutan for Search all 1")).to_be_visible()
    expect(page).to_have_url(re.compile("/inbox/"))


def test_what_arrives_while_one_looks_is_found_too(signed_in: App, stack: Stack) -> None:
    app = signed_in
    phone, customer = link(app, stack, "Search live"), new_number()
    stack.phones.text(phone=phone, contact=customer, text="voucher one")
    app.open_inbox("Search live")
    app.until_found("vouch", messages=1)
    field(app).fill("vouch")
    expect(found(app, "Messages")).to_have_count(1)
    look_when_found(app, "vouch", messages=2)
    stack.phones.text(phone=phone, contact=customer, text="Voucher two")
    expect(found(app, "Messages")).to_have_count(2)
    expect(found(app, "Messages").filter(has_text="Voucher two")).to_have_count(1)


def test_a_search_that_fails_says_so_and_can_be_tried_again(signed_in: App, stack: Stack) -> None:
    app = signed_in
    link(app, stack, "Search fails")
    app.open_inbox("Search fails")

    def fail_until_asked_again(route: Route) -> None:
        if app.page.evaluate("window.pressed"):
            route.continue_()
        else:
            route.fulfill(status=503, body="")

    # what has just come may be found a moment later: the page looks again by itself
    app.page.evaluate("addEventListener('click', () => (window.pressed = true))")
    app.page.route("**/api/v1/search?*", fail_until_asked_again)
    field(app).fill("anything")
    expect(app.page.get_by_text("The search did not work")).to_be_visible()
    app.expect_accessible()
    app.page.get_by_role("button", name="Try again").click()
    expect(app.page.get_by_text("Nothing found for “anything”")).to_be_visible()
