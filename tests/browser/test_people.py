"""Who is in a conversation, and what was said: reactions, names, members of a group, search in one chat."""

from __future__ import annotations

import re

import pytest
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, ReactionMessage
from playwright.sync_api import Page, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number
from tests.browser.test_search import look_when_found

two_looks = pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)


@two_looks
def test_reactions_tell_who_gave_them_and_ones_own_is_taken_back(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Reactions {look.name}"
    phone, members = link(app, stack, name), [new_number() for _ in range(2)]
    group = stack.phones.group(phone, "Family", members)
    for member, called in zip(members, ("Aisyah", "Farid"), strict=True):
        stack.phones.push_name(member, called)
        ids = stack.phones.text(phone, member, f"{called} is here", group=group)
    app.open_inbox(name)
    app.open_chat("Family")
    key = MessageKey(remoteJID=group, fromMe=False, ID=ids[0], participant=f"{members[1]}@s.whatsapp.net")
    for member, emoji in zip(members, ("❤️", "👍"), strict=True):
        reaction = ReactionMessage(key=key, text=emoji)
        stack.phones.raw(phone, member, Message(reactionMessage=reaction).SerializeToString(), group=group)
    expect(app.messages.get_by_role("button", name=re.compile("^Reactions:.*2 people"))).to_be_visible()
    app.message_menu(app.bubble("Farid is here")).get_by_role("menuitem", name="React with 👍").click()

    pill = app.messages.get_by_role("button", name=re.compile("^Reactions:.*3 people"))
    pill.click()
    dialog = page.get_by_role("dialog", name="3 reactions")
    rows = dialog.get_by_role("listitem")
    expect(rows).to_contain_text(["You", "Farid", "Aisyah"])
    expect(rows.nth(2)).to_contain_text("❤️")
    app.expect_accessible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(pill).to_be_focused()

    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="You").click()
    expect(app.messages.get_by_role("button", name=re.compile("^Reactions:.*2 people"))).to_be_focused()

    for member in members:
        taken = ReactionMessage(key=key, text="")
        stack.phones.raw(phone, member, Message(reactionMessage=taken).SerializeToString(), group=group)
    expect(app.messages.get_by_role("button", name=re.compile("^Reactions:"))).to_have_count(0)
    expect(app.messages).to_be_focused()


def test_a_chat_is_called_as_its_lead_until_the_phone_has_a_name(signed_in: App, stack: Stack, look: Look) -> None:
    app, page = signed_in, signed_in.page
    phone, customer = link(app, stack, "Called"), new_number()
    lead = page.request.post("/api/v1/leads", data={"phone": f"+{customer}", "name": "Puan Rokiah"})
    assert lead.status == 201, lead.text()
    stack.phones.push_name(customer, "~rose~")
    stack.phones.text(phone, customer, "Hello")
    app.open_inbox("Called")
    app.open_chat("Puan Rokiah")
    stack.phones.settings(phone, contact=customer, name="Rokiah Kedai")
    expect(page.get_by_role("heading", name="Rokiah Kedai", level=2)).to_be_visible()
    expect(app.chat("Rokiah Kedai")).to_be_visible()


@two_looks
def test_members_of_a_group_are_listed_and_written_to(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Members {look.name}"
    phone, members = link(app, stack, name), [new_number() for _ in range(30)]
    group = stack.phones.group(phone, "Residents", members)
    stack.phones.push_name(members[3], "Aisyah")
    stack.phones.text(phone, members[3], "Hello all", group=group)
    app.open_inbox(name)
    app.open_chat("Residents")
    page.get_by_role("button", name="Details").click()
    panel = page.get_by_role("dialog" if app.narrow else "complementary", name="Details")
    expect(panel.get_by_role("heading", name=re.compile(r"^Members\s*31$"))).to_be_visible()
    rows = panel.get_by_role("list").filter(has_text="You").get_by_role("listitem")
    expect(rows.first).to_contain_text(re.compile("You.*Admin", re.DOTALL))
    expect(rows.nth(1)).to_contain_text("Aisyah")
    app.expect_accessible()

    stack.phones.group(phone, "Residents", members[:-1], id=group)
    expect(panel.get_by_role("heading", name=re.compile(r"^Members\s*30$"))).to_be_visible()
    panel.get_by_role("searchbox", name="Find a member").fill("aisy")
    panel.get_by_role("button", name="Aisyah").click()
    expect(page.get_by_role("heading", name=re.compile(f"{members[3][-4:]}$"), level=2)).to_be_visible()
    expect(page.locator(".conversation").get_by_text("No messages yet")).to_be_visible()


@two_looks
def test_words_are_looked_for_in_one_chat(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Seek {look.name}"
    phone, customer, other = link(app, stack, name), new_number(), new_number()
    stack.phones.text(phone, other, "Teh of somebody else")
    for number in range(4):
        stack.phones.text(phone, customer, f"Kotak teh {number} *Teh* manis")
        stack.phones.text(phone, customer, f"Kopi {number}")
    app.open_inbox(name)
    page.locator("a[data-chat]").filter(has_text="Kopi 3").click()
    expect(app.bubble("Kopi 3")).to_be_visible()
    if app.narrow:
        page.get_by_role("button", name="More about this chat").click()
        page.get_by_role("menuitem", name="Search in this chat").click()
    else:
        app.composer.press("Control+f")
    bar = page.get_by_role("search", name="Search in this chat")
    field, status = bar.get_by_role("searchbox"), bar.get_by_role("status")
    expect(field).to_be_focused()
    app.until_found("kotak teh", messages=4)
    field.press_sequentially("teh")
    expect(status).to_have_text("1 of 4")
    expect(app.bubble("Kotak teh 3")).to_be_visible()
    app.until(lambda: _marked(page) == {"teh", "Teh"})
    app.expect_accessible()
    field.press("Enter")
    expect(status).to_have_text("2 of 4")
    bar.get_by_role("button", name="Older match").click()
    expect(status).to_have_text("3 of 4")
    bar.get_by_role("button", name="Newer match").press("Enter")
    expect(status).to_have_text("2 of 4")
    field.press("Shift+Enter")
    expect(status).to_have_text("1 of 4")
    field.press("Enter")
    expect(status).to_have_text("2 of 4")

    look_when_found(app, "lagi teh", messages=1)
    stack.phones.text(phone, customer, "Lagi teh")
    expect(status).to_have_text("3 of 5")
    field.fill("durian")
    expect(status).to_have_text("Not found")
    field.press("Escape")
    expect(bar).to_have_count(0)
    app.until(lambda: not _marked(page))
    expect(app.messages).to_be_visible()


def _marked(page: Page) -> set[str]:
    """The words that are marked on the page."""
    return set(page.evaluate("() => [...(CSS.highlights.get('found') ?? [])].map(String)"))
