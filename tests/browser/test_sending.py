"""What a person does in the composer and to a message: the contact sees it, and both sides of it are right."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, VideoMessage
from PIL import Image
from playwright.sync_api import FilePayload, Locator, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number

LOOKS = pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)
OTHER_LOOKS = pytest.mark.parametrize("look", [DESKTOP_DARK, PHONE], indirect=True, ids=lambda look: look.name)


def _chat(app: App, stack: Stack, name: str, text: str = "Is it still available?") -> tuple[str, str]:
    """An open chat in which a customer has written; the line's number and the customer's."""
    phone, customer = link(app, stack, name), new_number()
    stack.phones.text(phone=phone, contact=customer, text=text)
    app.open_inbox(name)
    app.page.locator("a[data-chat]").first.click()
    expect(app.bubble(text)).to_be_visible()
    return phone, customer


def _got(stack: Stack, phone: str, customer: str, count: int) -> list[tuple[str, str]]:
    received: list[tuple[str, str]] = []
    after = 0
    while len(received) < count:
        inbox = stack.phones.inbox(phone=phone, contact=customer, after=after, wait=60)
        assert inbox, f"only {received} arrived"
        received += [(one.kind, one.text) for one in inbox]
        after = inbox[-1].seq
    return received


@LOOKS
def test_react_edit_and_delete_reach_the_contact(signed_in: App, stack: Stack, look: Look) -> None:
    app = signed_in
    phone, customer = _chat(app, stack, f"Acts {look.name}")
    theirs = app.bubble("Is it still available?")
    menu = app.message_menu(theirs)
    app.expect_accessible()
    menu.get_by_role("menuitem", name="React with 👍").click()
    own = app.messages.get_by_role("button", name="Reactions: 👍")
    expect(own).to_be_visible()
    assert _got(stack, phone, customer, 1) == [("reaction", "👍")]
    app.page.reload()
    own.click()
    app.page.get_by_role("dialog", name="1 reaction").get_by_role("button", name="You").click()
    expect(own).to_have_count(0)
    assert _got(stack, phone, customer, 2)[1:] == [("reaction", "")]

    answer = app.send("Yes, ten ringit")
    app.expect_ticks(answer, "delivered")
    app.message_menu(answer).get_by_role("menuitem", name="Edit").click()
    expect(app.page.get_by_text("Edit message")).to_be_visible()
    expect(app.composer).to_have_value("Yes, ten ringit")
    app.composer.fill("Yes, ten ringgit")
    app.composer.press("Enter")
    edited = app.bubble("Yes, ten ringgit")
    expect(edited.get_by_text("edited")).to_be_visible()
    app.expect_ticks(edited, "delivered")

    app.message_menu(edited).get_by_role("menuitem", name="Delete for everyone").click()
    dialog = app.page.get_by_role("dialog", name="Delete for everyone?")
    app.expect_accessible()
    dialog.get_by_role("button", name="Delete for everyone").click()
    expect(app.bubble("You deleted this message")).to_be_visible()
    assert _got(stack, phone, customer, 5)[2:] == [
        ("text", "Yes, ten ringit"), ("edit", "Yes, ten ringgit"), ("revoke", ""),
    ]  # fmt: skip
    app.expect_accessible()


def test_an_edit_whatsapp_refuses_is_taken_back_with_the_reason(signed_in: App, stack: Stack, look: Look) -> None:
    app = signed_in
    phone, _ = _chat(app, stack, "Refused")
    answer = app.send("As it was")
    app.expect_ticks(answer, "delivered")
    stack.phones.refuse_send(phone, 400, count=1)
    app.message_menu(answer).get_by_role("menuitem", name="Edit").click()
    expect(app.composer).to_have_value("As it was")
    app.composer.fill("Otherwise")
    app.composer.press("Enter")
    notice, composer = app.page.locator(".toast.error").bounding_box(), app.composer.bounding_box()
    assert notice is not None
    assert composer is not None
    assert notice["y"] + notice["height"] < composer["y"], "a notice does not cover what is being written"
    app.told("Your edit was not sent: WhatsApp refused the message with error 400")
    expect(app.bubble("As it was")).to_be_visible()
    expect(app.bubble("Otherwise")).to_have_count(0)


@OTHER_LOOKS
def test_a_message_is_forwarded_to_another_chat(signed_in: App, stack: Stack, look: Look) -> None:
    app = signed_in
    phone, _ = _chat(app, stack, f"Forwards {look.name}", "Price list: ten ringgit")
    colleague = new_number()
    name = f"{'Devi' * 50} {colleague}"
    stack.phones.push_name(phone=colleague, name=name)
    stack.phones.text(phone=phone, contact=colleague, text="Send me the prices")
    app.until_found(colleague, chats=1)
    app.message_menu(app.bubble("Price list")).get_by_role("menuitem", name="Forward").click()
    dialog = app.page.get_by_role("dialog", name="Forward to")
    row = dialog.locator("label").filter(has_text=name)
    box = row.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] < look.width, "a long name makes the rows wider than the screen"
    dialog.get_by_role("searchbox").fill(colleague)
    expect(dialog.locator("label")).to_have_count(1)
    row.get_by_role("checkbox").check()
    app.expect_accessible()
    dialog.get_by_role("button", name="Forward").click()
    app.told("Forwarded to 1 chat")
    assert _got(stack, phone, colleague, 1) == [("text", "Price list: ten ringgit")]


def test_a_text_is_copied_also_where_the_page_has_no_clipboard(signed_in: App, stack: Stack) -> None:
    app = signed_in
    _chat(app, stack, "Copies", "Ten ringgit a piece")
    app.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    app.message_menu(app.bubble("Ten ringgit")).get_by_role("menuitem", name="Copy text").click()
    app.told("Copied")
    app.composer.press("Control+v")
    expect(app.composer).to_have_value("Ten ringgit a piece")


def test_a_picture_is_saved_by_its_menu(signed_in: App, stack: Stack) -> None:
    app = signed_in
    phone, customer = _chat(app, stack, "Saves", "Look")
    stack.phones.image(phone=phone, contact=customer, caption="This one")
    picture = app.bubble("This one")
    expect(picture.locator("img.whole")).to_be_visible()
    with app.page.expect_download() as saved:
        app.message_menu(picture).get_by_role("menuitem", name="Download").click()
    assert saved.value.suggested_filename.endswith((".jpg", ".jpeg"))


def _picture(path: Path, colour: str) -> Path:
    noise = Image.effect_noise((2400, 1800), 90).convert("RGB")
    Image.blend(noise, Image.new("RGB", noise.size, colour), 0.5).save(path, "PNG", compress_level=1)
    return path


@LOOKS
def test_several_files_go_at_once_each_with_its_caption(
    signed_in: App, stack: Stack, look: Look, tmp_path: Path
) -> None:
    app = signed_in
    phone, customer = _chat(app, stack, f"Files {look.name}")
    liar = tmp_path / "invoice.pdf"
    liar.write_bytes(b"MZ this is a program")
    files = [_picture(tmp_path / "one.png", "green"), _picture(tmp_path / "two.png", "red"), liar]
    app.page.locator("input[data-attach]").set_input_files(files)
    dialog = app.page.get_by_role("dialog", name="Send 3 files")
    expect(dialog.get_by_text(re.compile(r"MB, sent as \d+ KB"))).to_be_visible()
    dialog.get_by_label("Add a caption").fill("Green")
    expect(dialog.get_by_role("alert")).to_contain_text("1 file cannot be sent")
    dialog.get_by_role("button", name="See why").click()
    expect(dialog.get_by_role("button", name="invoice.pdf", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(dialog.get_by_role("alert")).to_contain_text("says to be application/pdf, but is not")
    expect(dialog.get_by_role("alert").get_by_role("button"), "another try ends as this one").to_have_count(0)
    send = dialog.get_by_role("button", name="Send", exact=True)
    expect(send).to_be_disabled()
    app.expect_accessible()
    app.page.set_viewport_size({"width": look.width, "height": look.height // 2})
    expect(send).to_be_in_viewport(ratio=1)
    app.page.set_viewport_size({"width": look.width, "height": look.height})
    dialog.get_by_role("button", name="Remove invoice.pdf").click()
    dialog = app.page.get_by_role("dialog", name="Send 2 files")
    dialog.get_by_role("button", name="two.png", exact=True).click()
    caption = dialog.get_by_label("Add a caption")
    caption.press_sequentially("Red")
    caption.press("Shift+Enter")
    caption.press_sequentially("and round")
    caption.press("Enter")
    for words in ("Green", "and round"):
        app.expect_ticks(app.bubble(words), "delivered")
    assert sorted(_got(stack, phone, customer, 2)) == [("image", "Green"), ("image", "Red\nand round")]


def test_a_document_goes_with_its_name_and_can_be_stopped(signed_in: App, stack: Stack, tmp_path: Path) -> None:
    app = signed_in
    phone, customer = _chat(app, stack, "Documents")
    document = tmp_path / "Senarai harga.txt"
    document.write_text("ten ringgit\n" * 1000)
    app.page.locator("input[data-attach]").set_input_files(document)
    app.page.get_by_role("dialog", name="Send document").get_by_role("button", name="Send", exact=True).click()
    app.expect_ticks(app.bubble("Senarai harga.txt"), "delivered")
    assert _got(stack, phone, customer, 1) == [("document", "Senarai harga.txt")]
    large = tmp_path / "large.bin"
    large.write_bytes(b"\0" * (20 << 20))
    app.page.route("**/api/v1/media", lambda route: None)  # it never gets there
    app.page.locator("input[data-attach]").set_input_files(large)
    app.page.get_by_role("dialog", name="Send document").get_by_role("button", name="Send", exact=True).click()
    bubble = app.bubble("large.bin")
    expect(bubble.get_by_role("progressbar")).to_be_visible()
    app.messages.get_by_role("button", name="Remove").click()
    expect(bubble).to_have_count(0)


#: A second of a green film of 320 by 180 pixels, as a browser records it.
RECORD = """async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
  const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: 'video/mp4' });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.start();
  const pen = canvas.getContext('2d');
  for (let frame = 0; frame < 30; frame++) {
    pen.fillStyle = `rgb(${frame}, 160, 40)`;
    pen.fillRect(0, 0, 320, 180);
    await new Promise((done) => setTimeout(done, 33));
  }
  await new Promise((done) => ((recorder.onstop = done), recorder.stop()));
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(String.fromCharCode(...bytes));
}"""


def _colour(picture: Locator) -> list[int]:
    """Of the middle of a picture, once it is there."""
    expect(picture).to_have_js_property("complete", value=True)
    middle: list[int] = picture.evaluate(
        "image => { const canvas = document.createElement('canvas'); const pen = canvas.getContext('2d');"
        " pen.drawImage(image, 0, 0); return [...pen.getImageData(image.naturalWidth / 2, 20, 1, 1).data] }"
    )
    return middle


@LOOKS
def test_a_film_is_seen_before_it_is_played(signed_in: App, stack: Stack, look: Look, tmp_path: Path) -> None:
    app = signed_in
    phone, customer = _chat(app, stack, f"Films {look.name}")
    film = tmp_path / "shop.mp4"
    film.write_bytes(base64.b64decode(app.page.evaluate(RECORD)))
    app.page.locator("input[data-attach]").set_input_files(film)
    dialog = app.page.get_by_role("dialog", name="Send video")
    expect(dialog.get_by_role("button", name="shop.mp4", exact=True).locator("img")).to_be_visible()
    app.expect_accessible()
    dialog.get_by_label("Add a caption").fill("Our shop")
    dialog.get_by_role("button", name="Send", exact=True).click()
    bubble = app.bubble("Our shop")
    app.expect_ticks(bubble, "delivered")
    assert _got(stack, phone, customer, 1) == [("video", "Our shop")]
    app.page.reload()
    poster = bubble.locator("img.thumbnail")
    red, green, blue, _ = _colour(poster)
    assert red < 90 < green > blue, "the poster is a frame of the film"
    box = bubble.get_by_role("button", name="Play video").bounding_box()
    assert box is not None
    assert abs(box["width"] / box["height"] - 320 / 180) < 0.05
    app.expect_accessible()

    # one that came without a poster has its shape
    where: dict[str, Any] = {"mediaKey": bytes(32), "directPath": "/v/t62", "width": 480, "height": 640}
    video = VideoMessage(mimetype="video/mp4", seconds=83, fileLength=9000, caption="No poster", **where)
    stack.phones.raw(phone, customer, Message(videoMessage=video).SerializeToString())
    place = app.bubble("No poster").get_by_role("button", name="Play video")
    expect(place).to_be_visible()
    box = place.bounding_box()
    assert box is not None
    assert abs(box["width"] / box["height"] - 480 / 640) < 0.05
    expect(place.locator("img")).to_have_count(0)
    app.expect_accessible()


#: Drops a file on an element, as a hand does: `[name, type, bytes]`.
DROP = """(target, [name, type, bytes]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([new Uint8Array(bytes)], name, {type}));
  for (const kind of ['dragenter', 'dragover', 'drop'])
    target.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer}));
}"""
#: The beginning of every MP4, which is all that is looked at before it is sent.
FILM = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + b"\0\0\0\x08free" * 40


def test_a_film_is_dropped_and_sent_also_where_a_note_is_being_written(
    signed_in: App, stack: Stack, tmp_path: Path
) -> None:
    app, page = signed_in, signed_in.page
    phone, customer = _chat(app, stack, "Drops")
    page.get_by_role("button", name="Private note").click()
    page.get_by_role("textbox", name="Private note").fill("half a no")
    page.locator("div[data-chat]").evaluate(DROP, ["tour.mp4", "video/mp4", list(FILM)])
    dialog = page.get_by_role("dialog", name="Send video")
    dialog.get_by_label("Caption").fill("The house")
    app.expect_accessible()
    dialog.get_by_role("button", name="Send", exact=True).click()
    app.expect_ticks(app.bubble("The house"), "delivered")
    assert _got(stack, phone, customer, 1) == [("video", "The house")]
    page.get_by_role("button", name="Private note").click()
    expect(page.get_by_role("textbox", name="Private note")).to_have_value("half a no")


#: Whether a sound begins anew at its end: so it is heard for as long as a test needs to look.
AGAIN_AND_AGAIN = "(sound, again) => { sound.loop = again }"


def test_a_recording_outlives_its_chat_and_is_not_thrown_away_by_a_key(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    phone, customer = _chat(app, stack, "Kept voice")
    stack.phones.text(phone=phone, contact=new_number(), text="Another chat")
    page.get_by_role("button", name="Record a voice message").click()
    recorder = page.get_by_role("group", name="Voice message")
    app.expect_recorded(1)
    app.expect_accessible()
    recorder.get_by_role("button", name="Stop and listen").focus()
    page.keyboard.press("Escape")
    asked = page.get_by_role("dialog", name="Discard this voice message?")
    app.expect_accessible()
    asked.get_by_role("button", name="Cancel").click()
    expect(recorder).to_be_visible()
    page.locator("a[data-chat]").filter(has_text="Another chat").click()
    expect(app.bubble("Another chat")).to_be_visible()
    expect(recorder).to_have_count(0)
    page.locator("a[data-chat]").filter(has_text="Is it still available?").click()
    expect(recorder.get_by_role("button", name="Play", exact=True)).to_be_visible()
    recorder.get_by_role("button", name="Send voice message").click()
    assert _got(stack, phone, customer, 1) == [("voice", "")]


@LOOKS
def test_a_voice_note_is_recorded_heard_and_sent(signed_in: App, stack: Stack, look: Look) -> None:
    app, page = signed_in, signed_in.page
    phone, customer = _chat(app, stack, f"Voice {look.name}")
    page.get_by_role("button", name="Record a voice message").click()
    recorder = page.get_by_role("group", name="Voice message")
    app.expect_recorded(2)
    recorder.get_by_role("button", name="Stop and listen").click()
    length = recorder.locator(".length").inner_text()
    recorder.get_by_role("button", name="Play", exact=True).click()
    recorder.get_by_role("button", name="Send voice message").click()
    bubble = app.messages.locator(".bubble").filter(has=page.locator(".waveform"))
    app.expect_ticks(bubble, "delivered")
    assert _got(stack, phone, customer, 1) == [("voice", "")]
    chat = page.locator("div[data-chat]").get_attribute("data-chat")
    voice = page.request.get(f"/api/v1/chats/{chat}/messages").json()["items"][0]
    assert (voice["message_type"], voice["media"]["mime"]) == ("voice", "audio/ogg; codecs=opus")
    minutes, seconds = map(int, length.split(":"))
    assert abs(voice["media"]["seconds"] - (60 * minutes + seconds)) <= 1, "as long as it was spoken"
    waveform = voice["media"]["waveform"]
    assert (len(waveform), max(waveform)) == (64, 100)
    assert min(waveform) < 20, "between the beeps of the microphone it is silent"
    page.locator("audio").evaluate(AGAIN_AND_AGAIN, True)
    bubble.get_by_role("button", name="Play", exact=True).click()
    expect(bubble.get_by_role("button", name="Pause")).to_be_visible()
    page.locator("audio").evaluate(AGAIN_AND_AGAIN, False)
    expect(bubble.get_by_role("button", name="Play", exact=True)).to_be_visible()
    app.expect_accessible()


def test_one_voice_note_is_heard_at_a_time(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    phone, customer = _chat(app, stack, "Voices")
    stack.phones.text(phone=phone, contact=new_number(), text="Another chat")
    page.get_by_role("button", name="Record a voice message").click()
    recorder = page.get_by_role("group", name="Voice message")
    app.expect_recorded(1)
    recorder.get_by_role("button", name="Send voice message").click()
    voices = app.messages.locator(".bubble").filter(has=page.locator(".waveform"))
    app.expect_ticks(voices.first, "delivered")
    chat = page.locator("div[data-chat]").get_attribute("data-chat")
    voice = page.request.get(f"/api/v1/chats/{chat}/messages").json()["items"][0]["id"]
    assert page.request.post(f"/api/v1/messages/{voice}/forward", data={"chat_ids": [chat]}).status == 202
    app.expect_ticks(voices.nth(1), "delivered")
    for number in range(2):
        page.locator("audio").evaluate(AGAIN_AND_AGAIN, True)
        voices.nth(number).get_by_role("button", name="Play", exact=True).click()
        expect(voices.nth(number).get_by_role("button", name="Pause")).to_be_visible()
    expect(voices.nth(0).get_by_role("button", name="Play", exact=True)).to_be_visible()

    heard = page.get_by_role("group", name="Now playing")
    expect(heard).to_have_count(0)
    for _ in range(8):
        stack.phones.text(phone=phone, contact=customer, text="Line\n" * 20 + "Last of them")
    # the conversation follows what comes, and the voice note goes off the screen
    expect(heard.get_by_role("button", name="Pause")).to_be_visible()
    app.expect_accessible()
    app.chat("Another chat").click()
    expect(app.bubble("Another chat")).to_be_visible()
    heard.get_by_role("button", name="Pause").click()
    heard.get_by_role("button", name="Play", exact=True).click()
    heard.get_by_role("button", name="Speed 1×").click()
    expect(page.locator("audio")).to_have_js_property("playbackRate", 1.5)
    expect(page.locator("audio")).to_have_js_property("paused", value=False)
    heard.get_by_role("button", name="Stop playing").click()
    expect(heard).to_have_count(0)
    expect(page.locator("audio")).to_have_js_property("paused", value=True)


@OTHER_LOOKS
def test_quick_replies_emojis_and_marks_by_keyboard(signed_in: App, stack: Stack, look: Look) -> None:
    app, page = signed_in, signed_in.page
    phone, customer = _chat(app, stack, f"Keys {look.name}")
    word = f"bank{look.name.replace('-', '')}"
    app.composer.fill("/")
    page.get_by_role("button", name="Manage quick replies").click()
    dialog = page.get_by_role("dialog", name="Quick replies")
    dialog.get_by_label("Name, typed after the slash").fill(word)
    dialog.get_by_label("Text", exact=True).fill("Hi {name|there}, Maybank 5140")
    app.expect_accessible()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text(f"/{word}")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    app.composer.fill("")
    app.composer.press_sequentially(f"/{word[:6]}")
    expect(page.get_by_role("listbox", name="Quick replies").get_by_role("option").first).to_be_visible()
    app.expect_accessible()
    app.composer.press_sequentially(word[6:])
    app.composer.press("Enter")
    expect(app.composer).to_have_value(re.compile("^Hi .+, Maybank 5140$"))
    # whose name is not known is not called by a number
    expect(app.composer).not_to_have_value(re.compile("[+]60"))
    app.composer.fill("so good ")
    app.composer.evaluate("field => field.setSelectionRange(3, 7)")
    app.composer.press("Control+b")
    expect(app.composer).to_have_value("so *good* ")
    page.get_by_role("button", name="Emoji").click()
    picker = page.get_by_role("dialog", name="Emoji")
    picker.get_by_role("searchbox").fill("terima")
    app.expect_accessible()
    picker.get_by_role("searchbox").press("Enter")
    page.keyboard.press("Escape")
    expect(app.composer).to_have_value(re.compile("🙏"))
    app.composer.fill("one")
    app.composer.press("Shift+Enter")
    app.composer.press_sequentially("two 🙏")
    app.composer.press("Enter")
    assert _got(stack, phone, customer, 1) == [("text", "one\ntwo 🙏")]


def test_a_key_that_comes_before_the_next_drawing_finds_the_place_to_write_at(signed_in: App, stack: Stack) -> None:
    app = signed_in
    _chat(app, stack, "Quick hands")
    app.composer.fill("so good ")
    app.composer.evaluate("field => field.setSelectionRange(3, 7)")
    app.page.evaluate("window.requestAnimationFrame = () => 0")
    app.composer.press("Control+b")
    app.page.keyboard.type("bad")
    expect(app.composer).to_have_value("so *bad* ")


def test_the_help_sheet_of_keys_opens_by_a_question_mark(signed_in: App, stack: Stack) -> None:
    _chat(signed_in, stack, "Help")
    signed_in.messages.focus()
    signed_in.page.keyboard.press("?")
    expect(signed_in.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    signed_in.expect_accessible()
    signed_in.page.keyboard.press("Escape")
    expect(signed_in.page.get_by_role("dialog")).to_have_count(0)


#: What a browser does where files are dropped on an element: gives whether anybody took them.
DROP_HERE = """(element, names) => {
  const dataTransfer = new DataTransfer();
  for (const name of names) dataTransfer.items.add(new File(['x'], name, { type: 'text/plain' }));
  const told = { bubbles: true, cancelable: true, dataTransfer };
  return ['dragover', 'drop'].every((type) => !element.dispatchEvent(new DragEvent(type, told)));
}"""


@LOOKS
def test_files_dropped_on_the_open_dialog_join_it_and_the_focus_stays_where_there_is_something_to_press(
    signed_in: App, stack: Stack, look: Look
) -> None:
    app, page = signed_in, signed_in.page
    _chat(app, stack, f"Dropped {look.name}")
    assert page.locator("body").evaluate(DROP_HERE, ["beside.txt"]), "no browser opens it in the place of the page"
    liar = FilePayload(name="liar.pdf", mimeType="application/pdf", buffer=b"MZ this is a program")
    page.locator("input[data-attach]").set_input_files(liar)
    dialog = page.get_by_role("dialog", name=re.compile("^Send"))
    expect(dialog.get_by_role("alert")).to_be_visible()
    assert dialog.evaluate(DROP_HERE, ["a.txt", "b.txt"])
    assert page.locator(".scrim").evaluate(DROP_HERE, ["c.txt"])
    expect(page.get_by_role("heading", name="Send 4 files")).to_be_visible()

    dialog.get_by_role("button", name="b.txt", exact=True).click()
    dialog.get_by_role("button", name="See why").press("Enter")
    expect(dialog.get_by_role("button", name="liar.pdf", exact=True)).to_be_focused()
    dialog.get_by_role("button", name="Remove a.txt").press("Enter")
    expect(dialog.get_by_role("button", name="Remove b.txt")).to_be_focused()
    expect(dialog.get_by_role("button", name="liar.pdf", exact=True)).to_have_attribute("aria-pressed", "true")
    dialog.get_by_role("button", name="Remove liar.pdf").press("Enter")
    expect(dialog.get_by_role("button", name="Remove b.txt")).to_be_focused()

    page.route("**/api/v1/media", lambda route: route.abort())
    assert dialog.evaluate(DROP_HERE, ["d.txt"])
    dialog.get_by_role("button", name="d.txt", exact=True).click()
    page.unroute("**/api/v1/media")
    dialog.get_by_role("button", name="Try again").press("Enter")
    expect(dialog.get_by_role("alert")).to_have_count(0)
    expect(dialog.get_by_role("button", name="d.txt", exact=True)).to_be_focused()
    app.expect_accessible()


def test_of_more_files_than_go_at_once_those_left_out_are_named(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    _chat(app, stack, "Very many")
    names = [f"{number}.txt" for number in range(32)]
    assert page.locator(".conversation").evaluate(DROP_HERE, names)
    expect(page.get_by_role("heading", name="Send 30 files")).to_be_visible()
    expect(page.get_by_text("At most 30 files go at once. Left out: 30.txt, 31.txt.")).to_be_visible()
