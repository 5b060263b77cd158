"""What strangers can write: it is shown as it is written, runs nothing, and breaks no layout."""

from __future__ import annotations

import pytest
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import DocumentMessage, Message, PollCreationMessage
from playwright.sync_api import TimeoutError, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number

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
