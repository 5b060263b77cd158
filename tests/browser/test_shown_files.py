"""Files are shown as what they are: pictures over words with buttons, films that go round, stickers that no browser can
draw; and where there is none to be had, that is said."""

from __future__ import annotations

import base64
import io
import re

import pytest
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    ButtonsMessage,
    DocumentMessage,
    FutureProofMessage,
    ImageMessage,
    InteractiveMessage,
    Message,
    StickerMessage,
    VideoMessage,
)
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number
from tests.browser.test_sending import RECORD

every_look = pytest.mark.parametrize(
    "look", [DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK], indirect=True, ids=lambda look: look.name
)
#: Where a file would be at WhatsApp.
PLACE = {"mediaKey": bytes(32), "directPath": "/v/t62/file"}


def _picture(kind: str = "JPEG", size: tuple[int, int] = (200, 120)) -> bytes:
    encoded = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").resize(size).save(encoded, kind)
    return encoded.getvalue()


def _serve(page: Page, **files: bytes) -> None:
    """What WhatsApp keeps, by its extension; the simulator has only pictures of its own."""

    def serve(route: Route) -> None:
        extension = route.request.url.partition("?")[0].rpartition(".")[2]
        types = {"jpg": "image/jpeg", "mp4": "video/mp4"}
        route.fulfill(body=files[extension], content_type=types[extension])

    page.route(re.compile(r"/media/[-0-9]+\.(jpg|mp4)"), serve)


def _open(app: App, stack: Stack, name: str, *messages: Message) -> None:
    """A chat in which these came."""
    phone, customer = link(app, stack, name), new_number()
    for message in messages:
        stack.phones.raw(phone, customer, message.SerializeToString())
    stack.phones.text(phone, customer, "That is all")
    app.open_inbox(name)
    app.page.locator("a[data-chat]").filter(has_text="That is all").click()
    expect(app.bubble("That is all")).to_be_visible()


@every_look
def test_what_stands_over_words_is_shown(signed_in: App, stack: Stack, look: Look) -> None:
    app, page = signed_in, signed_in.page
    picture = ImageMessage(mimetype="image/jpeg", width=200, height=120, JPEGThumbnail=_picture(), **PLACE)
    menu = DocumentMessage(mimetype="application/pdf", fileName="Menu.pdf", fileLength=9000, **PLACE)
    film = VideoMessage(mimetype="video/mp4", seconds=83, **PLACE)
    _serve(page, jpg=_picture())
    _open(
        app, stack, f"Headers {look.name}",
        Message(
            interactiveMessage=InteractiveMessage(
                header=InteractiveMessage.Header(imageMessage=picture), body=InteractiveMessage.Body(text="Buy one")
            )
        ),
        Message(buttonsMessage=ButtonsMessage(documentMessage=menu, contentText="Read it")),
        Message(buttonsMessage=ButtonsMessage(videoMessage=film, contentText="See it")),
    )  # fmt: skip
    expect(app.bubble("Buy one").locator("img.whole.loaded")).to_be_visible()
    expect(app.bubble("Read it").get_by_role("link", name="Menu.pdf")).to_be_visible()
    expect(app.bubble("Read it").locator(".body")).to_have_text("Read it")
    expect(app.bubble("See it").get_by_role("button", name="Play video")).to_be_visible()
    app.expect_accessible()
    app.bubble("Buy one").get_by_role("button", name="Open photo").press("Enter")
    viewer = page.get_by_role("dialog")
    expect(viewer.locator(".caption")).to_have_text("Buy one")
    expect(viewer.locator("img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)


@every_look
def test_a_gif_goes_round_and_can_be_stopped(signed_in: App, stack: Stack, look: Look) -> None:
    app, page = signed_in, signed_in.page
    gif = VideoMessage(
        mimetype="video/mp4",
        width=320,
        height=180,
        caption="Hooray",
        gifPlayback=True,
        JPEGThumbnail=_picture(),
        **PLACE,
    )
    _serve(page, mp4=base64.b64decode(page.evaluate(RECORD)))
    _open(app, stack, f"GIFs {look.name}", Message(videoMessage=gif))
    bubble = app.bubble("Hooray")
    film = bubble.locator("video.loaded")
    expect(film).to_have_js_property("paused", value=False)
    expect(film).to_have_js_property("loop", value=True)
    expect(film).to_have_js_property("muted", value=True)
    app.expect_accessible()
    bubble.get_by_role("button", name="Pause GIF").click()
    expect(film).to_have_js_property("paused", value=True)
    bubble.get_by_role("button", name="Play GIF").click()
    expect(film).to_have_js_property("paused", value=False)
    bubble.get_by_role("button", name="Open GIF").press("Enter")
    large = page.get_by_role("dialog").locator("video")
    expect(large).to_have_js_property("loop", value=True)
    page.keyboard.press("Escape")

    page.emulate_media(reduced_motion="reduce")
    page.reload()
    play = bubble.get_by_role("button", name="Play GIF")
    expect(play).to_be_visible()
    expect(bubble.locator("video")).to_have_count(0)
    app.expect_accessible()
    play.click()
    expect(film).to_have_js_property("paused", value=False)


@every_look
def test_what_cannot_be_had_or_drawn_is_said_or_shown_by_its_preview(signed_in: App, stack: Stack, look: Look) -> None:
    app = signed_in
    sticker = StickerMessage(
        mimetype="application/was", isLottie=True, pngThumbnail=_picture("PNG", (128, 128)), **PLACE
    )
    _open(
        app, stack, f"Nowhere {look.name}",
        Message(imageMessage=ImageMessage(mimetype="image/jpeg", caption="A lamp", JPEGThumbnail=_picture())),
        Message(videoMessage=VideoMessage(mimetype="video/mp4", caption="Its shop")),
        Message(documentMessage=DocumentMessage(mimetype="application/pdf", fileName="Terms.pdf")),
        Message(lottieStickerMessage=FutureProofMessage(message=Message(stickerMessage=sticker))),
    )  # fmt: skip
    for text in ("A lamp", "Its shop", "Terms.pdf"):
        bubble = app.bubble(text)
        expect(bubble).to_contain_text("The file cannot be fetched. Look for it on the phone.")
        expect(bubble.get_by_role("button")).to_have_count(1)  # what can be done to the message
    expect(app.bubble("A lamp").locator("img")).to_have_js_property("naturalWidth", value=200)
    expect(app.messages.get_by_role("img", name="Sticker")).to_have_js_property("naturalWidth", value=128)
    app.expect_accessible()


def test_files_that_are_long_on_their_way_hold_up_nothing_else(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    phone, customer, other = link(app, stack, "Slow files"), new_number(), new_number()
    stack.phones.text(phone, other, "Another chat")
    stack.phones.downloads("held")
    try:
        for number in range(8):
            stack.phones.image(phone=phone, contact=customer, caption=f"Picture {number}")
        app.open_inbox("Slow files")
        app.chat("Picture 7").click()
        # more of them are on the screen than a browser has connections
        page.set_viewport_size({"width": 1440, "height": 4000})
        expect(app.messages.locator(".picture .spinner")).to_have_count(8)
        app.expect_ticks(app.send("Which of these?"), "delivered")
        app.chat("Another chat").click()
        expect(app.bubble("Another chat")).to_be_visible()
    finally:
        stack.phones.downloads("served")


def test_what_the_server_has_waits_for_nothing_that_comes_through_the_phone(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    phone, customer = link(app, stack, "Here and there"), new_number()
    stack.phones.text(phone, customer, "Where is it?")
    app.open_inbox("Here and there")
    app.chat("Where is it?").click()
    page.locator("input[data-attach]").set_input_files(
        {"name": "here.jpg", "mimeType": "image/jpeg", "buffer": _picture()}
    )
    dialog = page.get_by_role("dialog", name="Send photo")
    dialog.get_by_label("Add a caption").fill("It is here")
    dialog.get_by_role("button", name="Send", exact=True).click()
    app.expect_ticks(app.bubble("It is here"), "delivered")
    stack.phones.downloads("held")
    try:
        for number in range(6):
            stack.phones.image(phone=phone, contact=customer, caption=f"Picture {number}")
        expect(app.bubble("Picture 5")).to_be_visible()
        page.set_viewport_size({"width": 1440, "height": 4000})
        page.reload()
        expect(app.messages.locator(".picture .spinner")).to_have_count(6)
        expect(app.bubble("It is here").locator("img.whole.loaded")).to_be_visible()
    finally:
        stack.phones.downloads("served")
