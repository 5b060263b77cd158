"""Finding one's way through what was written: the gallery, its viewer, jumps to messages and days, what is new."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    ContextInfo,
    DocumentMessage,
    ExtendedTextMessage,
    Message,
    VideoMessage,
)
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number

every_look = pytest.mark.parametrize(
    "look", [DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK], indirect=True, ids=lambda look: look.name
)
two_looks = pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)
MENU = "More about this chat"
GALLERY = "Photos, files and links"
MALAYSIA = ZoneInfo("Asia/Kuala_Lumpur")


def open_chat(app: App, device: str, text: str) -> None:
    """The chat whose last message has this text; another one's may have come in the same second."""
    app.open_inbox(device)
    app.page.locator("a[data-chat]").filter(has_text=text).click()
    expect(app.messages).to_be_visible()


def choose(app: App, entry: str) -> None:
    """An entry of the open chat's menu."""
    app.page.get_by_role("button", name=MENU).click()
    app.page.get_by_role("menuitem", name=entry, exact=True).click()


def numbered(app: App, text: str) -> Locator:
    """The bubble of a text that ends with its number; one that quotes it comes later."""
    return app.messages.locator(".bubble").filter(has_text=re.compile(rf"{text}\b")).first


def cells(within: Locator) -> Locator:
    return within.locator("button.cell")


def small_pages(page: Page, limit: int = 6) -> None:
    """A chat keeps twenty messages here; with pages of fifty there would be nothing to fetch."""

    def shrink(route: Route) -> None:
        route.continue_(url=route.request.url.replace("limit=50", f"limit={limit}"))

    page.route(re.compile(r"/messages\?.*limit=50"), shrink)


@every_look
def test_the_gallery_of_a_chat_and_of_its_line(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Gallery {look.name}"
    phone, customer, other = link(app, stack, name), new_number(), new_number()
    began = datetime.now(MALAYSIA)
    stack.phones.push_name(other, "Somebody Else")
    stack.phones.image(phone=phone, contact=other, caption="Of somebody else")
    for number in range(4):
        stack.phones.image(phone=phone, contact=customer, caption=f"Picture {number}")
    where: dict[str, Any] = {"mediaKey": bytes(32), "directPath": "/v/t62"}
    video = VideoMessage(mimetype="video/mp4", seconds=83, fileLength=9000, **where)
    stack.phones.raw(phone, customer, Message(videoMessage=video).SerializeToString())
    document = DocumentMessage(mimetype="application/pdf", fileName="price list.pdf", fileLength=83211, **where)
    stack.phones.raw(phone, customer, Message(documentMessage=document).SerializeToString())
    stack.phones.text(phone, customer, "See https://example.com/catalogue?x=1, or www.example.org")
    open_chat(app, name, "catalogue")
    choose(app, GALLERY)
    dialog = page.get_by_role("dialog", name=re.compile(f"^{GALLERY}"))
    expect(cells(dialog)).to_have_count(4)
    months = {f"{at:%B %Y}" for at in (began, datetime.now(MALAYSIA))}
    expect(dialog.get_by_role("heading", name=re.compile("|".join(months))).first).to_be_visible()
    app.expect_accessible()

    stack.phones.image(phone=phone, contact=customer, caption="Just now")
    expect(cells(dialog)).to_have_count(5)

    dialog.get_by_role("tab", name="Videos").click()
    expect(cells(dialog)).to_have_count(1)
    expect(cells(dialog)).to_contain_text("1:23")
    dialog.get_by_role("tab", name="Documents").click()
    expect(dialog.get_by_role("link", name="price list.pdf")).to_be_visible()
    app.expect_accessible()
    dialog.get_by_role("tab", name="Links").click()
    links = dialog.get_by_role("tabpanel").get_by_role("link")
    expect(links).to_have_text(["https://example.com/catalogue?x=1", "www.example.org"])
    expect(links.first).to_have_attribute("rel", re.compile("noopener"))
    app.expect_accessible()
    dialog.get_by_role("button", name="Show in chat").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(app.bubble("catalogue")).to_be_visible()
    expect(app.messages.get_by_text("1:23")).to_be_visible()

    if app.narrow:
        page.get_by_role("link", name="Back").click()
    page.get_by_role("button", name=re.compile("^Device")).click()
    page.get_by_role("menuitem", name=GALLERY).click()
    expect(cells(dialog)).to_have_count(6)
    app.expect_accessible()
    dialog.get_by_role("button", name=re.compile("Somebody Else")).click()
    viewer = page.get_by_role("dialog").last
    expect(viewer).to_contain_text("Of somebody else")
    viewer.get_by_role("button", name="Show in chat").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(app.bubble("Of somebody else")).to_be_visible()


@two_looks
def test_a_picture_is_enlarged_moved_through_and_saved(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Viewer {look.name}"
    phone, customer = link(app, stack, name), new_number()
    for number in range(3):
        stack.phones.image(phone=phone, contact=customer, caption=f"Picture {number}")
    held = app.hold("**/media/*")
    open_chat(app, name, "Picture 2")
    # a press that begins on what goes when the picture comes would be none
    for going in (".spinner", "img.whole"):
        expect(app.bubble("Picture 1").locator(going)).to_have_css("pointer-events", "none")
    for route in held:
        route.continue_()
    page.unroute("**/media/*")
    app.bubble("Picture 1").get_by_role("button", name="Open photo").press("Enter")
    viewer = page.get_by_role("dialog")
    expect(viewer.locator(".caption")).to_have_text("Picture 1")
    expect(viewer.locator("img")).to_be_visible()
    app.expect_accessible()
    pane = viewer.locator(".pane")
    expect(pane).to_have_attribute("data-scale", "1")
    page.keyboard.press("+")
    expect(pane).to_have_attribute("data-scale", "1.25")
    page.keyboard.press("0")
    pane.dblclick()
    expect(pane).to_have_attribute("data-scale", "2.5")
    pane.dblclick()
    expect(pane).to_have_attribute("data-scale", "1")
    if not app.narrow:
        pane.hover()
        page.mouse.wheel(0, -100)
        expect(pane).to_have_attribute("data-scale", "1.25")
        page.keyboard.press("0")
        expect(pane).to_have_attribute("data-scale", "1")
    page.keyboard.press("ArrowRight")
    expect(viewer.locator(".caption")).to_have_text("Picture 2")
    expect(viewer.get_by_role("button", name="Next")).to_have_attribute("aria-disabled", "true")
    viewer.get_by_role("button", name="Previous").click()
    expect(viewer.locator(".caption")).to_have_text("Picture 1")
    with page.expect_download() as saved:
        viewer.get_by_role("button", name="Download").click()
    assert saved.value.path().read_bytes()[:2] == b"\xff\xd8"
    chat = page.url
    page.go_back()
    expect(viewer).to_have_count(0)
    expect(page).to_have_url(chat)
    # closed in another way it costs no step back
    app.bubble("Picture 1").get_by_role("button", name="Open photo").press("Enter")
    expect(viewer.locator(".caption")).to_have_text("Picture 1")
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    page.go_back()
    expect(app.messages).to_have_count(0)


@two_looks
def test_jumping_to_what_was_quoted_to_a_day_and_back(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Jumps {look.name}"
    phone, customer = link(app, stack, name), new_number()
    small_pages(page)
    ids = stack.phones.history(phone, customer, 18, text="Old", days=17)
    app.open_inbox(name)
    expect(page.locator("a[data-chat]")).to_contain_text("Old")
    context = ContextInfo(
        stanzaID=ids[0], participant=f"{customer}@s.whatsapp.net", quotedMessage=Message(conversation="Old 0")
    )
    answer = ExtendedTextMessage(text="About that first one", contextInfo=context)
    stack.phones.raw(phone, customer, Message(extendedTextMessage=answer).SerializeToString())
    page.locator("a[data-chat]").filter(has_text="About that first").click()
    bubble = app.bubble("About that first one")
    expect(bubble).to_be_in_viewport()
    bubble.locator("button.jump").press("Enter")  # a press of the mouse would be cut in two by an older page that comes
    expect(numbered(app, "Old 0")).to_be_in_viewport()
    expect(bubble).not_to_be_in_viewport()
    app.expect_accessible()
    to_end = page.get_by_role("button", name="To the newest message")
    to_end.click()
    expect(bubble).to_be_in_viewport()
    expect(to_end).to_be_hidden()

    choose(app, "Go to a date")
    dialog = page.get_by_role("dialog", name="Go to a date")
    app.expect_accessible()
    day = datetime.now(MALAYSIA) - timedelta(days=10)
    dialog.get_by_label("Day").fill(f"{day:%Y-%m-%d}")
    with page.expect_response(re.compile("around=")) as answered:
        dialog.get_by_role("button", name="Go").click()
    window = answered.value.json()
    target = next(one for one in window["items"] if one["id"] == window["target"])
    assert datetime.fromtimestamp(target["timestamp"], MALAYSIA).date() >= day.date()
    expect(numbered(app, target["message_text"])).to_be_in_viewport()
    page.get_by_role("button", name="To the newest message").click()
    expect(bubble).to_be_in_viewport()


@two_looks
def test_what_is_new_is_marked_until_the_chat_is_left(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"New {look.name}"
    phone, customer = link(app, stack, name), new_number()
    stack.phones.text(phone, customer, "Long\n" * 30 + "Line", count=3)
    open_chat(app, name, "Line 2")
    line = app.messages.locator(".unread")
    expect(line).to_have_text("3 unread messages")
    expect(line).to_be_in_viewport()
    to_end = page.get_by_role("button", name="3 new messages")
    to_end.click()
    expect(to_end).to_be_hidden()
    app.expect_ticks(app.send("An answer"), "delivered")
    choose(app, "Go to the first unread message")
    expect(line).to_be_in_viewport()
    expect(page.get_by_role("button", name="To the newest message")).to_be_visible()
    stack.phones.text(phone, customer, "While you read above")
    expect(page.get_by_role("button", name="1 new message")).to_be_visible()
    app.expect_accessible()
    page.get_by_role("button", name="1 new message").click()
    expect(app.bubble("While you read above")).to_be_in_viewport()
    expect(line).to_have_text("1 unread message")  # what was read before is not counted
    page.keyboard.press("Escape")
    expect(app.messages).to_have_count(0)
    row = page.locator("a[data-chat]")
    expect(row.locator(".badge")).to_have_count(0)
    row.click()
    expect(app.bubble("While you read above")).to_be_visible()
    expect(line).to_have_count(0)


def test_what_comes_while_another_window_is_used_was_not_read(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    phone, customer = link(app, stack, "Beside"), new_number()
    stack.phones.text(phone, customer, "Seen")
    open_chat(app, "Beside", "Seen")
    badge = page.locator("a[data-chat] .badge")
    expect(badge).to_have_count(0)
    page.evaluate("document.hasFocus = () => false; window.dispatchEvent(new Event('blur'))")
    stack.phones.text(phone, customer, "Not seen")
    expect(app.bubble("Not seen")).to_be_visible()
    expect(badge).to_contain_text("1")
    expect(app.messages.locator(".unread")).to_have_text("1 unread message")
    page.evaluate("delete document.hasFocus; window.dispatchEvent(new Event('focus'))")
    expect(badge).to_have_count(0)


@two_looks
def test_who_read_a_message_in_a_group(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Readers {look.name}"
    phone, members = link(app, stack, name), [new_number() for _ in range(3)]
    group = stack.phones.group(phone, "Family", members)
    for member, called in zip(members, ("Aisyah", "Farid", "Siti"), strict=True):
        stack.phones.push_name(member, called)
        stack.phones.text(phone, member, f"{called} is here", group=group)
    open_chat(app, name, "is here")
    sent = app.send("Dinner at eight?")
    app.expect_ticks(sent, "delivered")
    [got] = stack.phones.inbox(phone=phone, contact=members[0], wait=60)
    stack.phones.receipt(phone=phone, contact=members[0], ids=[got.id], type="read", group=group)
    sent.click(button="right")
    page.get_by_role("menuitem", name="Message details").click()
    dialog = page.get_by_role("dialog", name="Message details")
    read = dialog.locator("section").filter(has=page.get_by_role("heading", name="Read"))
    expect(read).to_contain_text("Aisyah")
    expect(dialog.locator("section").filter(has=page.get_by_role("heading", name="Delivered"))).to_contain_text("Farid")
    app.expect_accessible()
    stack.phones.receipt(phone=phone, contact=members[1], ids=[got.id], type="read", group=group)
    expect(read).to_contain_text("Farid")
    expect(read.get_by_role("heading")).to_contain_text("2")
    expect(app.bubble("Dinner at eight?").locator("[data-status=delivered]")).to_be_attached()
