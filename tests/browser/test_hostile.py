"""What strangers can write: it is shown as it is written, runs nothing, and breaks no layout."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import DocumentMessage, Message, PollCreationMessage
from playwright.sync_api import TimeoutError, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number
from tests.integration.api.world import Tenant

every_look = pytest.mark.parametrize(
    "look", [DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK], indirect=True, ids=lambda look: look.name
)
SCRIPT = "<script>window.broken = 1</script><img src=x onerror='window.broken = 2'><svg onload=window.broken=3>"
LINK = "javascript:alert(1) https://example.com/\"onmouseover='window.broken=4'"
ARABIC = "\u202eمرحبا بالعالم، هل ما زال متوفرا؟ *نعم* 123"
FAMILY = "👨‍👩‍👧‍👦🏳️‍🌈🏴󠁧󠁢󠁷󠁬󠁳󠁿" * 30
ZALGO = "Z" + "\u0301\u0327\u0489" * 200
UNBROKEN = "W" * 64_000
TEXTS = [
    SCRIPT,
    LINK,
    ARABIC,
    FAMILY,
    ZALGO,
    UNBROKEN,
    "{{constructor}} ${7*7} %s \x00 \u2028 </textarea>",
    "*_~```" * 2_000,
]


#: What reaches over an edge of the screen, or makes the page wider than it.
OVER_THE_EDGE = """() => {
  const shown = [...document.querySelectorAll('.bubble, a[data-chat], header')];
  const found = shown.map(one => [one.className, one.getBoundingClientRect()])
    .filter(([, box]) => box.right > innerWidth + 1 || box.left < -1)
    .map(([name, box]) => `${name} from ${box.left} to ${box.right}`);
  const width = document.documentElement.scrollWidth;
  return width > innerWidth ? [...found, `the page is ${width} wide, the screen ${innerWidth}`] : found;
}"""


def expect_in_its_place(app: App) -> None:
    """Nothing ran, and nothing reaches over an edge, once what slides in has come to rest."""
    page = app.page
    assert page.evaluate("window.broken") is None
    try:
        page.wait_for_function(f"() => ({OVER_THE_EDGE})().length === 0")
    except TimeoutError:
        assert page.evaluate(OVER_THE_EDGE) == []


@every_look
def test_hostile_contents_are_only_contents(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Hostile {look.name}"
    phone, customer = link(app, stack, name), new_number()
    stack.phones.push_name(customer, f"{SCRIPT}{ARABIC}")
    for text in TEXTS:
        stack.phones.text(phone, customer, text)
    document = DocumentMessage(mimetype="text/html", fileName=f"{SCRIPT}.html", fileLength=9, caption=SCRIPT)
    stack.phones.raw(phone, customer, Message(documentMessage=document).SerializeToString())
    options = [PollCreationMessage.Option(optionName=f"{SCRIPT}{number}") for number in range(3)]
    poll = PollCreationMessage(name=SCRIPT, options=options)
    stack.phones.raw(phone, customer, Message(pollCreationMessage=poll).SerializeToString())
    stack.phones.text(phone, customer, "The end")
    app.open_inbox(name)
    row = page.locator("a[data-chat]").first
    expect(row).to_contain_text("The end")
    expect_in_its_place(app)
    app.expect_accessible()
    row.click()
    expect(app.messages.locator(".bubble").first).to_be_visible()
    seen = app.messages
    for _ in range(12):
        seen.hover()
        page.mouse.wheel(0, 600)
        expect_in_its_place(app)
    app.expect_accessible()
    # by script: a button may be taken away, with the row it is in, between being found and being pressed
    while seen.get_by_role("button", name="Read more").evaluate_all(
        "all => (all.forEach(one => one.click()), all.length)"
    ):
        pass
    expect_in_its_place(app)
    assert page.locator("main script, main img[src='x'], main a[href^='javascript']").count() == 0


@pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)
def test_a_group_of_five_hundred_is_read_like_any_other(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Large {look.name}"
    phone = link(app, stack, name)
    members = [new_number() for _ in range(499)]
    group = stack.phones.group(phone, SCRIPT, members)
    for number, member in enumerate(members[:12]):
        stack.phones.push_name(member, f"{number} {'Long name ' * 20}")
        stack.phones.text(phone, member, f"Message {number}", group=group)
    app.open_inbox(name)
    row = page.locator("a[data-chat]").first
    expect(row).to_contain_text("Message 11")
    row.click()
    expect(app.bubble("Message 0")).to_be_visible()
    expect_in_its_place(app)
    sent = app.send("To all of you")
    app.expect_ticks(sent, "delivered")
    app.expect_accessible()


#: As wide as a page is at 400 %, and the smallest phones.
NARROWEST = Look("narrowest", 320, 640, "light", touch=True)
#: What ends beyond the edge of the screen, of what lies in an element.
BEYOND = """(whole) => [whole, ...whole.querySelectorAll('*')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.visually-hidden'))
  .map((one) => `${one.tagName} ${one.className} to ${one.getBoundingClientRect().right}`)"""


@pytest.mark.parametrize("look", [NARROWEST], indirect=True, ids=lambda look: look.name)
def test_the_narrowest_screen_cuts_nothing_off(alone: App, tenant: Tenant, look: Look) -> None:
    app, page, device = alone, alone.page, tenant.device(name="A shop with a long name in the north of the country")
    tenant.device(name="Another")
    tenant.world.sql("UPDATE devices SET paired_at = now() WHERE tenant_id = $1", tenant.id)
    chat = tenant.chat(device, name="Somebody whose name is long as well")
    voice: dict[str, Any] = {"type": "audio", "mime": "audio/ogg", "ext": "ogg", "sha256": "0" * 64, "seconds": 12}
    voice["waveform"] = base64.b64encode(bytes([50] * 64)).decode()
    tenant.message(chat, "", kind="voice", media=voice)
    tenant.message(chat, "Is it still there?")
    label = tenant.label("Waits for what its maker sends from so very far away")
    assert page.request.put(f"/api/v1/chats/{chat.id}/labels/{label}").ok
    assert page.request.post(f"/api/v1/chats/{chat.id}/notes", data={"text": "Call back"}).ok
    page.goto("/inbox")
    page.get_by_role("button", name="More filters").click()
    assert page.get_by_role("menu").evaluate(BEYOND) == []
    page.get_by_role("menuitem", name="Manage labels").click()
    box = page.get_by_role("dialog", name="Labels").get_by_label("Name of the label").bounding_box()
    assert box is not None
    assert box["width"] > 150, "a name that is changed can be read"
    page.keyboard.press("Escape")
    app.chat("Somebody").click()
    waves = app.messages.locator(".track")
    expect(waves).to_be_visible()
    ends = waves.evaluate(
        "track => [track, track.querySelector('.waveform').lastElementChild]"
        ".map((one) => one.getBoundingClientRect().right)"
    )
    assert ends[1] <= ends[0] + 1, "waves end before what stands behind them"
    parts = app.messages.get_by_role("note").locator(".end > *")
    expect(parts).to_have_count(3)
    middles = parts.evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect()).map((box) => (box.top + box.bottom) / 2)"
    )
    assert max(middles) - min(middles) <= 1, "what can be done to a note stands in one row"
    menu = app.message_menu(app.bubble("Is it still there?"))
    assert menu.evaluate(BEYOND) == []
    app.expect_accessible()
    menu.get_by_role("menuitem", name="Forward").click()
    row = page.get_by_role("dialog", name="Forward to").locator("label")
    box = row.get_by_role("checkbox").bounding_box()
    name = row.locator(".name").bounding_box()
    assert box is not None
    assert name is not None
    assert (round(box["width"]), name["width"] > 80) == (20, True), "the name is what one chooses by"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Details").click()
    details = page.get_by_role("dialog", name="Details")
    expect(details.get_by_label("Waits for")).to_be_checked()
    assert details.evaluate(BEYOND) == []
    app.expect_accessible()


def test_what_is_long_stays_in_the_panel_and_a_low_window_leaves_no_list_without_room(
    alone: App, tenant: Tenant
) -> None:
    app, page = alone, alone.page
    device = tenant.device()
    tenant.world.sql("UPDATE devices SET paired_at = now() WHERE tenant_id = $1", tenant.id)
    chat = tenant.chat(device)
    tenant.message(chat, "Is it still there?")
    tenant.label("Waits for what its maker sends from so very far away")
    assert page.request.post("/api/v1/quick-replies", data={"name": "bank", "text": "Maybank 1"}).ok
    page.goto(f"/inbox/{chat.id}")
    page.get_by_role("button", name="Details", exact=True).click()
    panel = page.get_by_role("complementary", name="Details")
    expect(panel.get_by_label("Waits for")).to_be_visible()
    assert panel.evaluate(BEYOND) == []
    # a window of 1440 by 900 at 200 %
    page.set_viewport_size({"width": 720, "height": 450})
    page.goto(f"/inbox/{chat.id}")
    app.composer.fill("/")
    page.get_by_role("button", name="Manage quick replies").click()
    reply = page.get_by_role("dialog", name="Quick replies").get_by_text("/bank")
    reply.scroll_into_view_if_needed()
    expect(reply).to_be_in_viewport(ratio=1)
