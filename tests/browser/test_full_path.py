"""The whole path as people walk it: a phone is linked, messages come live, a reply goes out and is read."""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import BrowserContext, Dialog, Route, WebSocketRoute, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PATIENCE_MS, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack

LOOKS = [DESKTOP, PHONE_DARK]
EXPIRED = "WhatsApp does not keep this file any more. Open it on the phone."

#: Another thousand for each run: the system under test may be one that lives on.
_numbers = count(60_170_000_000 + secrets.randbelow(9_000) * 1_000)


def new_number() -> str:
    """A phone number no other test uses."""
    return str(next(_numbers))


def new_word() -> str:
    """One no other test uses, to look for: of letters, since whoever types digits alone looks for numbers."""
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(8))


def link(app: App, stack: Stack, name: str) -> str:
    """Adds a device and scans its code with a new phone, by the API: the dialogs are for the next test. Returns the
    phone's number once the page shows it online."""
    phone, api = new_number(), app.page.request
    device = api.post("/api/v1/devices", data={"name": name, "network": "loopback"}).json()["id"]
    pairing = api.post(f"/api/v1/devices/{device}/pairings", data={"method": "qr"}).json()["id"]
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not (code := api.get(f"/api/v1/pairings/{pairing}").json()["qr"]):
        assert time.monotonic() < deadline, "there is no code"
        app.page.wait_for_timeout(50)
    stack.phones.scan(phone=phone, qr=code)
    expect(app.device(name).locator("[data-state=online]")).to_be_visible()
    return phone


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=lambda look: look.name)
def test_a_phone_pairs_a_message_arrives_an_answer_is_read(signed_in: App, stack: Stack, look: Look) -> None:
    app, name = signed_in, f"Path {look.name}"
    app.add_device(name)
    app.told(f"{name} added")
    app.expect_accessible()
    phone = new_number()
    stack.phones.scan(phone=phone, qr=app.shown_qr())
    app.told(f"{name} is linked")
    expect(app.page.get_by_role("dialog")).to_have_count(0)
    expect(app.device(name).locator("[data-state=online]")).to_be_visible()
    app.open_inbox(name)
    expect(app.page.get_by_text("No messages yet")).to_be_visible()

    customer = new_number()
    stack.phones.text(phone=phone, contact=customer, text="Is it *still* available?")
    row = app.page.locator("a[data-chat]").first
    expect(row).to_contain_text("Is it still available?")
    expect(row.locator(".badge")).to_contain_text("1")
    app.expect_accessible()
    row.click()
    bubble = app.bubble("Is it still available?")
    expect(bubble.locator("strong")).to_have_text("still")
    if not app.narrow:
        expect(row.locator(".badge")).to_have_count(0)

    stack.phones.image(phone=phone, contact=customer, caption="This one")
    picture = app.bubble("This one").locator("img.whole.loaded")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 50

    answer = app.send("Yes, it is!")
    app.expect_ticks(answer, "delivered")
    received = stack.phones.inbox(phone=phone, contact=customer, wait=60)
    assert [message.text for message in received] == ["Yes, it is!"]
    stack.phones.receipt(phone=phone, contact=customer, ids=[received[0].id], type="read")
    app.expect_ticks(answer, "read")
    expect(answer).to_have_count(1)
    app.expect_accessible()


def test_pairing_by_code(signed_in: App, stack: Stack) -> None:
    phone = new_number()
    signed_in.add_device("By code")
    dialog = signed_in.page.get_by_role("dialog", name="Link By code")
    dialog.get_by_role("tab", name="Phone number").click()
    field = dialog.get_by_label("Number of the phone")
    field.fill("12")
    dialog.get_by_role("button", name="Get code").click()
    expect(dialog.get_by_role("alert")).to_contain_text("too short")
    field.fill(f"+{phone}")
    dialog.get_by_role("button", name="Get code").click()
    shown = dialog.get_by_role("group", name=re.compile("^Code to type"))
    expect(shown).to_be_visible()
    code = (shown.get_attribute("aria-label") or "")[-9:]
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", code)
    signed_in.expect_accessible()
    stack.phones.enter_code(phone=phone, code=code.replace("-", ""))
    expect(signed_in.page.get_by_role("dialog")).to_have_count(0)


def test_closing_the_dialog_cancels_the_pairing(signed_in: App) -> None:
    with signed_in.page.expect_response(lambda answer: answer.url.endswith("/pairings")) as started:
        signed_in.add_device("Not now")
    pairing = started.value.json()["id"]
    signed_in.shown_qr()
    with signed_in.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        signed_in.page.keyboard.press("Escape")
    state = signed_in.page.request.get(f"/api/v1/pairings/{pairing}").json()["state"]
    assert state != "waiting"


def test_what_came_while_the_network_was_away_is_there_when_it_is_back(
    signed_in: App, context: BrowserContext, stack: Stack
) -> None:
    phone, customer = link(signed_in, stack, "Away"), new_number()
    stack.phones.text(phone=phone, contact=customer, text="before")
    signed_in.open_inbox("Away")
    signed_in.page.locator("a[data-chat]").first.click()
    expect(signed_in.bubble("before")).to_be_visible()
    context.set_offline(True)
    for text in ("one", "two", "three"):
        stack.phones.text(phone=phone, contact=customer, text=f"meanwhile {text}")
    context.set_offline(False)
    for text in ("one", "two", "three"):
        expect(signed_in.bubble(f"meanwhile {text}")).to_have_count(1)


def test_typing_shows_in_list_and_conversation(signed_in: App, stack: Stack) -> None:
    phone, customer = link(signed_in, stack, "Typing"), new_number()
    stack.phones.text(phone=phone, contact=customer, text="one moment")
    signed_in.open_inbox("Typing")
    signed_in.page.locator("a[data-chat]").first.click()
    expect(signed_in.bubble("one moment")).to_be_visible()
    typing = signed_in.page.get_by_text("typing…")

    def both_tell() -> bool:
        """It ends by itself, so it is begun again."""
        stack.phones.typing(phone=phone, contact=customer, state="composing")
        signed_in.page.wait_for_timeout(200)
        return typing.count() == 2

    signed_in.until(both_tell)
    stack.phones.text(phone=phone, contact=customer, text="done")
    expect(typing).to_have_count(0)


def test_scripts_and_marks_in_names_and_texts_are_only_text(signed_in: App, stack: Stack) -> None:
    phone, customer = link(signed_in, stack, "Hostile <b>"), new_number()
    asked: list[str] = []

    def refuse(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    signed_in.page.on("dialog", refuse)
    hostile = "<img src=x onerror=alert(1)> *<script>alert(2)</script>* javascript:alert(3)"
    group = stack.phones.group(phone=phone, subject="<svg onload=alert(4)> *x*", members=[customer])
    stack.phones.text(phone=phone, contact=customer, text=hostile, group=group)
    signed_in.open_inbox("Hostile <b>")
    signed_in.page.locator("a[data-chat]").first.click()
    expect(signed_in.page.get_by_role("heading", level=2)).to_have_text("<svg onload=alert(4)> *x*")
    bubble = signed_in.bubble("onerror")
    expect(bubble).to_contain_text("<img src=x onerror=alert(1)> <script>alert(2)</script> javascript:alert(3)")
    expect(bubble.locator("a, img, script")).to_have_count(0)
    assert asked == []


def test_a_picture_is_sent_with_its_caption(signed_in: App, stack: Stack) -> None:
    phone, customer = link(signed_in, stack, "Pictures"), new_number()
    stack.phones.text(phone=phone, contact=customer, text="Send me a picture")
    signed_in.open_inbox("Pictures")
    signed_in.page.locator("a[data-chat]").first.click()
    picture = signed_in.page.evaluate_handle(
        """async () => {
          const canvas = Object.assign(document.createElement('canvas'), {width: 640, height: 480});
          canvas.getContext('2d').fillRect(40, 40, 300, 200);
          const blob = await new Promise(done => canvas.toBlob(done, 'image/png'));
          const transfer = new DataTransfer();
          transfer.items.add(new File([blob], 'counter.png', {type: 'image/png'}));
          return transfer;
        }"""
    )
    signed_in.composer.evaluate(
        "(field, clipboardData) =>"
        " field.dispatchEvent(new ClipboardEvent('paste', {clipboardData, bubbles: true, cancelable: true}))",
        picture,
    )
    dialog = signed_in.page.get_by_role("dialog", name="Send photo")
    dialog.get_by_label("Add a caption").fill("Our counter")
    dialog.get_by_role("button", name="Send").click()
    bubble = signed_in.bubble("Our counter")
    signed_in.expect_ticks(bubble, "delivered")
    received = stack.phones.inbox(phone=phone, contact=customer, wait=60)
    assert [(message.kind, message.text, message.media_sha_ok) for message in received] == [
        ("image", "Our counter", True)
    ]


@contextlib.contextmanager
def expired_files(stack: Stack) -> Iterator[None]:
    """WhatsApp keeps no file meanwhile."""
    stack.phones.downloads("expired")
    try:
        yield
    finally:
        stack.phones.downloads("served")


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=lambda look: look.name)
def test_a_picture_whatsapp_keeps_no_more_says_so_and_can_be_tried_again(
    signed_in: App, stack: Stack, look: Look
) -> None:
    name = f"Expired {look.name}"
    phone, customer = link(signed_in, stack, name), new_number()
    with expired_files(stack):
        stack.phones.image(phone=phone, contact=customer, caption="Last year's menu")
        signed_in.open_inbox(name)
        signed_in.page.locator("a[data-chat]").first.click()
        bubble = signed_in.bubble("Last year's menu")
        expect(bubble).to_contain_text(EXPIRED)
        signed_in.expect_accessible()
        with signed_in.page.expect_response(lambda answer: "?again=" in answer.url):
            bubble.get_by_role("button", name="Try again").click()
        expect(bubble).to_contain_text(EXPIRED)
    bubble.get_by_role("button", name="Try again").click()
    expect(bubble.locator("img.whole.loaded")).to_be_visible()
    expect(bubble.get_by_role("status")).to_have_count(0)


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=lambda look: look.name)
def test_files_of_every_kind_say_why_they_are_not_there(signed_in: App, stack: Stack, look: Look) -> None:
    name, page = f"Kinds {look.name}", signed_in.page
    phone, customer = link(signed_in, stack, name), new_number()
    with expired_files(stack):
        for kind in ("video", "voice", "document", "sticker"):
            stack.phones.image(phone=phone, contact=customer, caption=f"A {kind}")

        def as_kinds(route: Route) -> None:
            """The pictures the simulator can send, as what else people send."""
            answer = route.fetch()
            page_of = answer.json()
            for message in page_of["items"]:
                message["message_type"] = message["message_text"].removeprefix("A ")
            route.fulfill(response=answer, json=page_of)

        def without_changes(socket: WebSocketRoute) -> None:
            """They would tell of the pictures again."""
            server = socket.connect_to_server()
            server.on_message(lambda frame: None if "MESSAGE_STATUS" in str(frame) else socket.send(frame))

        page.route("**/api/v1/chats/*/messages**", as_kinds)
        page.route_web_socket("**/ws**", without_changes)
        signed_in.open_inbox(name)
        page.locator("a[data-chat]").first.click()
        expect(signed_in.bubble("A sticker")).to_be_visible()
        page.reload()
        # one at a time: what one says moves those below it
        expect(signed_in.bubble("A sticker")).to_contain_text(EXPIRED)
        signed_in.bubble("A voice").get_by_role("button", name="Play", exact=True).click()
        expect(signed_in.bubble("A voice")).to_contain_text(EXPIRED)
        signed_in.bubble("A document").get_by_role("link").click()
        expect(signed_in.bubble("A document")).to_contain_text(EXPIRED)
        # by a key, as it moves up while what is below it grows
        signed_in.bubble("A video").get_by_role("button", name="Play video").press("Enter")
        viewer = page.get_by_role("dialog")
        expect(viewer).to_contain_text(EXPIRED)
        signed_in.expect_accessible()
        page.keyboard.press("Escape")
        for kind in ("voice", "document", "sticker"):
            expect(signed_in.bubble(f"A {kind}")).to_contain_text(EXPIRED)
        signed_in.expect_accessible()
    with page.expect_download() as saved:
        signed_in.bubble("A document").get_by_role("button", name="Try again").click()
    assert saved.value.path().stat().st_size > 0


@pytest.mark.parametrize("look", [DESKTOP_DARK, PHONE], indirect=True, ids=lambda look: look.name)
def test_the_demo_lives(signed_in: App) -> None:
    signed_in.switch_workspace("Demo")
    expect(signed_in.page.locator("[data-state=online]").first).to_be_visible()
    signed_in.expect_accessible()
    signed_in.page.get_by_role("navigation").get_by_role("link", name="Inbox").click()
    expect(signed_in.page.locator("a[data-chat]").first).to_be_visible()
    signed_in.page.locator("a[data-chat]").first.click()
    expect(signed_in.messages.locator(".bubble").first).to_be_visible()
    signed_in.expect_accessible()
