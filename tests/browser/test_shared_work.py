"""Several people at one inbox: what one does, the others see at once."""

from __future__ import annotations

import re
import secrets

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.team import Team, add_person
from tests.browser.test_full_path import link, new_number
from tests.integration.api.world import Tenant

LOOKS = [DESKTOP, PHONE_DARK]


def _row(app: App, text: str) -> Locator:
    return app.page.locator("a[data-chat]").filter(has_text=text)


def _open(app: App, text: str) -> None:
    """From the list of all devices, the chat whose last message this is."""
    app.page.goto("/inbox")
    _row(app, text).click()
    expect(app.bubble(text)).to_be_visible()


def _asked(app: App, stack: Stack, name: str) -> tuple[str, str, str]:
    """A line on which a customer has asked: its phone, the customer, the words."""
    phone, customer = link(app, stack, name), new_number()
    text = f"Is it in stock? {secrets.token_hex(3)}"
    stack.phones.text(phone=phone, contact=customer, text=text)
    return phone, customer, text


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=lambda look: look.name)
def test_a_colleague_sees_at_once_what_was_agreed(signed_in: App, stack: Stack, team: Team, look: Look) -> None:
    admin, name = signed_in, f"Team {look.name}"
    phone, customer, text = _asked(admin, stack, name)
    who = f"Aina {secrets.token_hex(2)}"
    aina = team.sign_in(add_person(admin, name=who))
    _open(admin, text)
    _open(aina, text)

    # who else looks, and types
    expect(admin.page.get_by_text(f"{who} has this chat open").first).to_be_attached()
    typing = admin.page.locator(".strip").get_by_text(f"{who} is typing…")
    while not typing.is_visible():  # five seconds after the last letter it ends
        aina.composer.press_sequentially("la")
    admin.expect_accessible()
    aina.composer.fill("")
    expect(typing).to_have_count(0)

    # who answers
    if admin.narrow:
        admin.page.get_by_role("button", name="Details").click()
        admin.page.get_by_role("button", name="Answered by: Nobody in particular").click()
        admin.page.get_by_role("menuitem", name=who).click()
        expect(admin.page.get_by_role("button", name=f"Answered by: {who}")).to_be_visible()
        admin.page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).click()
    else:
        admin.page.get_by_role("button", name="Assign to").click()
        admin.page.get_by_role("menuitem", name=who).click()
    expect(aina.page.get_by_role("button", name=f"Assigned to {who}").first).to_be_visible()
    aina.page.evaluate("document.querySelector('.conversation').dataset.same = 'yes'")
    aina.page.get_by_role("button", name="Mine", exact=True).click()
    expect(_row(aina, text)).to_have_count(1)
    expect(aina.page.locator(".conversation[data-same=yes]"), "what is open stays as it is").to_be_visible()
    expect(aina.page).to_have_url(re.compile(r"/inbox/\d+\?assignee=me$"))

    # a private note
    aina.page.get_by_role("button", name="Private note").click()
    field = aina.page.get_by_role("textbox", name="Private note")
    field.fill("Wants the blue one")
    # a word of an input method is accepted by an Enter that Safari tells by its code alone
    field.dispatch_event("keydown", {"key": "Enter", "keyCode": 229})
    expect(aina.page.get_by_role("button", name="Save note")).to_be_enabled()
    aina.page.get_by_role("button", name="Save note").click()
    note = admin.page.get_by_role("note", name=f"Private note by {who}")
    expect(note).to_contain_text("Wants the blue one")
    expect(note.get_by_role("button", name="Edit note")).to_have_count(0)
    # what is written next is for the team too, until somebody asks for the customer
    expect(field).to_have_value("")
    expect(field).to_be_focused()
    aina.message_menu(aina.bubble(text)).get_by_role("menuitem", name="Reply").click()
    expect(aina.composer).to_be_focused()
    own = aina.page.get_by_role("note", name=f"Private note by {who}")
    own.get_by_role("button", name="Edit note").click()
    own.get_by_role("textbox").fill("Wants the red one")
    own.get_by_role("button", name="Save").click()
    expect(note).to_contain_text("Wants the red one")
    admin.expect_accessible()

    # done, until the customer writes again
    admin.page.get_by_role("button", name="Close chat").first.click()
    expect(aina.page.get_by_role("button", name="Open again").first).to_be_visible()
    stack.phones.text(phone=phone, contact=customer, text="One more thing")
    expect(admin.page.get_by_role("button", name="Close chat").first).to_be_visible()
    expect(aina.page.get_by_role("button", name="Close chat").first).to_be_visible()

    own.get_by_role("button", name="Delete note").click()
    aina.page.get_by_role("dialog").get_by_role("button", name="Delete note").click()
    expect(note).to_have_count(0)
    # nothing of all that went to the customer
    assert stack.phones.inbox(phone=phone, contact=customer) == []


@pytest.mark.parametrize("look", [DESKTOP_DARK, PHONE], indirect=True, ids=lambda look: look.name)
def test_labels_and_the_panel(signed_in: App, stack: Stack, look: Look) -> None:
    app, label = signed_in, f"Paid {secrets.token_hex(3)}"
    _, customer, text = _asked(app, stack, f"Panel {look.name}")
    app.page.goto("/inbox")
    expect(_row(app, text)).to_be_visible()
    app.page.get_by_role("button", name="More filters").click()
    app.page.get_by_role("menuitem", name="Manage labels").click()
    dialog = app.page.get_by_role("dialog", name="Labels")
    dialog.get_by_label("New label").fill(label)
    with app.page.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith("/labels")):
        dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_label("Name of the label").last).to_be_visible()
    app.expect_accessible()
    dialog.get_by_role("button", name="Close").click()

    _row(app, text).click()
    app.page.get_by_role("button", name="Details").click()
    panel = app.page.get_by_role("dialog" if app.narrow else "complementary", name="Details")
    expect(panel).to_contain_text(f"{customer}@s.whatsapp.net")
    expect(panel).to_contain_text(f"Panel {look.name}")
    with app.page.expect_response(lambda answer: answer.request.method == "PUT"):
        panel.get_by_label(label).check()
    app.expect_accessible()
    panel.get_by_role("button", name="Close", exact=True).click()

    app.page.goto("/inbox")
    expect(_row(app, text)).to_contain_text(label)
    app.page.get_by_role("button", name="More filters").click()
    app.page.get_by_role("menuitemradio", name=label).click()
    expect(app.page.locator("a[data-chat]")).to_have_count(1)
    app.page.reload()
    expect(app.page.locator("a[data-chat]")).to_have_count(1)
    app.page.get_by_role("button", name="Groups", exact=True).click()
    expect(app.page.get_by_text("No chat passes these filters")).to_be_visible()
    app.expect_accessible()
    app.page.go_back()
    expect(_row(app, text)).to_have_count(1)


def test_who_may_see_less_sees_less_and_who_may_only_read_only_reads(signed_in: App, stack: Stack, team: Team) -> None:
    _, _, text = _asked(signed_in, stack, "Seen by all")
    _, _, hidden = _asked(signed_in, stack, "Seen by few")
    api = signed_in.page.request
    every, few = (api.get("/api/v1/devices", params={"search": f"Seen by {by}"}).json() for by in ("all", "few"))
    person = add_person(signed_in, device_ids=[every["items"][0]["id"]])
    limited = team.sign_in(person)
    limited.page.goto("/inbox")
    expect(_row(limited, text)).to_be_visible()
    expect(_row(limited, hidden)).to_have_count(0)
    expect(limited.page.get_by_role("link", name="People")).to_have_count(0)

    # who gets another line in place of the one whose chat is open is led away from it
    _open(limited, text)
    assert api.patch(f"/api/v1/users/{person['id']}", data={"device_ids": [few["items"][0]["id"]]}).ok
    expect(limited.page).to_have_url(re.compile("/inbox$"))
    limited.told("This chat is no more")
    expect(_row(limited, hidden)).to_be_visible()
    expect(_row(limited, text)).to_have_count(0)

    viewer = team.sign_in(add_person(signed_in, name="Wei", role="viewer"))
    _open(viewer, hidden)
    expect(viewer.page.get_by_text("You may read here, not write.")).to_be_visible()
    expect(viewer.page.get_by_role("button", name="Private note")).to_have_count(0)
    expect(viewer.page.get_by_role("button", name="Close chat")).to_have_count(0)
    expect(_row(viewer, hidden).locator(".badge")).to_contain_text("1")


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=lambda look: look.name)
def test_people_are_added_changed_and_removed(signed_in: App, team: Team, look: Look) -> None:
    page, email = signed_in.page, f"wei-{secrets.token_hex(4)}@example.com"
    page.goto("/people")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Country and time zone").click()
    expect(dialog.get_by_label("Country", exact=True)).to_have_value("MY")
    signed_in.expect_accessible()
    dialog.get_by_role("button", name="Save").click()
    signed_in.told("Country and time zone are saved")
    page.get_by_role("button", name="Add person").click()
    dialog.get_by_label("Name").fill("Wei")
    dialog.get_by_label("E-mail").fill(email)
    dialog.get_by_text("Only some").click()
    signed_in.expect_accessible()
    dialog.get_by_text("All devices").click()
    dialog.get_by_role("button", name="Add", exact=True).click()
    password = dialog.locator("code").inner_text()
    signed_in.expect_accessible()
    dialog.get_by_role("button", name="Close").last.click()
    row = page.locator(f"[data-user='{email}']")
    expect(row).to_contain_text("Agent")
    signed_in.expect_accessible()
    wei = team.sign_in({"email": email, "password": password}, look)

    row.get_by_role("button", name="Actions for Wei").click()
    page.get_by_role("menuitem", name="Edit").click()
    dialog.get_by_label("Role").select_option("viewer")
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Viewer")

    row.get_by_role("button", name="Actions for Wei").click()
    page.get_by_role("menuitem", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    wei.page.reload()
    expect(wei.page.get_by_label("E-mail")).to_be_visible()


def test_colleagues_who_could_not_be_loaded_are_asked_for_once_more(alone: App, tenant: Tenant) -> None:
    page, chat = alone.page, tenant.chat(tenant.device())
    tenant.message(chat)
    page.goto(f"/inbox/{chat.id}")

    def refuse(route: Route) -> None:
        route.fulfill(status=503, json={"title": "Starting", "status": 503, "detail": "the server is starting"})

    page.route("**/colleagues?*", refuse)
    page.get_by_role("button", name="Assign to").click()
    menu = page.get_by_role("menu")
    expect(menu.get_by_role("alert")).to_contain_text("Colleagues could not be loaded.")
    expect(menu.get_by_role("status", name="Loading")).to_have_count(0)
    page.unroute("**/colleagues?*")
    menu.get_by_role("menuitem", name="Try again").click()
    expect(menu.get_by_role("menuitem", name="Aisyah")).to_be_visible()


def test_what_a_note_was_changed_to_is_forgotten_with_the_note(alone: App, tenant: Tenant) -> None:
    page, chat = alone.page, tenant.chat(tenant.device())
    tenant.message(chat)
    note = page.request.post(f"/api/v1/chats/{chat.id}/notes", data={"text": "Call back"}).json()["id"]
    page.goto(f"/inbox/{chat.id}")
    page.get_by_role("button", name="Edit note").click()
    page.get_by_role("note").get_by_role("textbox").fill("Call her back")
    kept = "() => Object.keys(localStorage).filter((key) => key.includes('.edit-')).length"
    assert page.evaluate(kept) == 1
    page.goto("/inbox")
    assert page.request.delete(f"/api/v1/chats/{chat.id}/notes/{note}").ok
    page.goto(f"/inbox/{chat.id}")
    alone.until(lambda: page.evaluate(kept) == 0)
