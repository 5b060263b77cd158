"""A long day at the inbox: by keyboard alone, with one thumb, in haste, and in whatever zone."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, PHONE, Look
from tests.integration.api.world import Chat, Device, Tenant

both = pytest.mark.parametrize("look", [DESKTOP, PHONE], indirect=True, ids=lambda look: look.name)


def _line(tenant: Tenant, **fields: Any) -> Device:
    """A device that can be written with."""
    device = tenant.device(**fields)
    tenant.world.sql("UPDATE devices SET paired_at = now() WHERE id = $1", device.id)
    return device


def _chat(tenant: Tenant, device: Device, name: str, **fields: Any) -> Chat:
    """A chat in which somebody has written `NAME is here`."""
    chat = tenant.chat(device, name=name, **fields)
    tenant.message(chat, f"{name} is here")
    return chat


def _find(app: App, chat: Chat, messages: int) -> Locator:
    """What is looked for finds the chat, and so many of its messages, whatever the words; gives the rows."""
    api = app.page.request
    [found] = [one for one in api.get("/api/v1/chats").json()["items"] if one["id"] == str(chat.id)]
    page = api.get(f"/api/v1/chats/{chat.id}/messages", params={"limit": messages}).json()
    answer = {
        "chats": [{"chat": found, "name_highlights": [], "phone_highlights": []}],
        "chats_next": None,
        "messages": {
            "items": [{"message": one, "chat": found, "highlights": []} for one in page["items"]],
            "next": None,
        },
    }
    app.page.route("**/api/v1/search?*", lambda route: route.fulfill(json=answer))
    app.page.get_by_role("searchbox", name="Search name, number or message").fill("here")
    rows = app.page.locator("a[data-found]")
    expect(rows).to_have_count(messages + 1)
    return rows


def _members(page: Page, count: int) -> None:
    """So many are in every group."""
    members = [
        {"jid": f"6012{n:07}@s.whatsapp.net", "name": f"Member {n}", "phone": f"+6012{n:07}"}
        | {"is_admin": False, "is_own": False}
        for n in range(count)
    ]
    answer = {"items": members, "is_current": True, "told_at": "2026-11-28T00:00:00Z"}
    page.route("**/members", lambda route: route.fulfill(json=answer))


@both
def test_tab_leads_to_one_of_what_was_found_and_whoever_leaves_a_chat_is_back_there(
    alone: App, tenant: Tenant, look: Look
) -> None:
    app, page, chat = alone, alone.page, tenant.chat(_line(tenant))
    for number in range(5):
        tenant.message(chat, f"Number {number} is here", at=int(time.time()) - 60 + number)
    page.goto("/inbox")
    rows = _find(app, chat, 5)
    page.keyboard.press("Tab")  # over what empties the field
    page.keyboard.press("Tab")
    expect(rows.nth(0)).to_be_focused()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(rows.nth(3)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("a[data-found]:focus")).to_have_count(0)
    page.keyboard.press("Shift+Tab")
    expect(rows.nth(3)).to_be_focused()
    page.keyboard.press("Enter")
    expect(app.bubble("Number 2")).to_be_visible()
    if not app.narrow:
        expect(app.composer).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows.nth(3)).to_be_focused()


@both
@pytest.mark.parametrize("way", ["arrow", "back", "Escape"])
def test_the_focus_goes_into_a_chat_and_back_to_its_row(alone: App, tenant: Tenant, look: Look, way: str) -> None:
    app, page, device = alone, alone.page, _line(tenant)
    for name in ("Aina", "Bala", "Chong"):
        _chat(tenant, device, name)
    page.goto("/inbox")
    row = app.chat("Bala")
    row.focus()
    page.keyboard.press("Enter")
    expect(app.bubble("Bala is here")).to_be_visible()
    back = page.get_by_role("link", name="Back")
    expect(back if app.narrow else app.composer).to_be_focused()
    if way == "back":
        page.go_back()
    elif way == "arrow" and app.narrow:
        page.keyboard.press("Enter")
    else:
        page.keyboard.press("Escape")
    expect(row).to_be_focused()
    expect(app.messages).to_have_count(0)


@pytest.mark.parametrize("look", [PHONE], indirect=True, ids=lambda look: look.name)
def test_back_leads_into_no_chat_that_was_left(alone: App, tenant: Tenant, look: Look) -> None:
    app, page, device = alone, alone.page, _line(tenant)
    for name in ("Aina", "Bala"):
        _chat(tenant, device, name)
    page.goto("/")
    page.get_by_role("link", name=re.compile("Inbox")).first.click()
    for name in ("Aina", "Bala"):
        app.open_chat(name)
        # a sheet that was opened and closed there is passed over
        page.get_by_role("button", name="Details").click()
        page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).click()
        page.get_by_role("link", name="Back").click()
        expect(app.messages).to_have_count(0)
        expect(page).to_have_url(re.compile("/inbox$"))
    page.go_back()
    expect(page.get_by_role("heading", name="Devices", level=1, exact=True)).to_be_visible()


def test_a_message_is_forwarded_to_all_that_were_chosen_and_to_no_line_that_cannot_send(
    alone: App, tenant: Tenant
) -> None:
    app, page, device, lost = alone, alone.page, _line(tenant), _line(tenant, name="Old line")
    tenant.world.sql("UPDATE devices SET state = 'logged_out' WHERE id = $1", lost.id)
    chats = {name: _chat(tenant, device, name) for name in ("Aina", "Bala")}
    chats["Family"] = _chat(tenant, device, "Family", jid="120363000000000001@g.us")
    _chat(tenant, lost, "Chong")
    page.goto(f"/inbox/{chats['Aina'].id}")
    expect(app.bubble("Aina is here")).to_be_visible()
    held = app.hold("**/api/v1/chats?*")
    app.message_menu(app.bubble("Aina is here")).get_by_role("menuitem", name="Forward").click()
    dialog = page.get_by_role("dialog", name="Forward to")
    app.until(lambda: held)
    expect(dialog.get_by_role("status", name="Loading")).to_be_visible()
    expect(dialog.get_by_text("Nothing found")).to_have_count(0)
    for route in held:
        route.abort()
    expect(dialog.get_by_role("alert")).to_be_visible()
    page.unroute("**/api/v1/chats?*")
    dialog.get_by_role("button", name="Try again").click()
    row = {name: dialog.locator("label").filter(has_text=name) for name in (*chats, "Chong")}
    expect(row["Chong"].get_by_role("checkbox")).to_be_disabled()
    expect(row["Chong"]).to_contain_text("Logged out")
    row["Family"].get_by_role("checkbox").check()
    found = next(one for one in page.request.get("/api/v1/chats").json()["items"] if one["chat_name"] == "Bala")
    answer: dict[str, Any] = {
        "chats": [{"chat": found, "name_highlights": [], "phone_highlights": []}],
        "chats_next": None,
        "messages": {"items": [], "next": None},
    }
    page.route("**/api/v1/search?*", lambda route: route.fulfill(json=answer))
    dialog.get_by_role("searchbox").fill("Bala")
    expect(dialog.locator("label")).to_have_count(1)
    row["Bala"].get_by_role("checkbox").check()
    expect(dialog.get_by_text("Family, Bala")).to_be_visible()
    app.expect_accessible()
    dialog.get_by_role("button", name="Forward").click()
    app.told("Forwarded to 2 chats")
    asked = "SELECT array_agg(to_jid ORDER BY to_jid) FROM outbox WHERE tenant_id = $1"
    assert tenant.world.sql(asked, tenant.id) == sorted(chats[name].jid for name in ("Family", "Bala"))


def test_whoever_changes_a_message_for_too_long_keeps_the_words(alone: App, tenant: Tenant) -> None:
    app, page, chat = alone, alone.page, tenant.chat(_line(tenant))
    tenant.message(chat, "We open at ten", at=int(time.time()) - 905, from_me=True)
    # a computer whose clock is slow offers it for longer than WhatsApp
    page.clock.set_system_time(time.time() - 60)
    page.goto(f"/inbox/{chat.id}")
    app.composer.fill("The next thought")
    app.message_menu(app.bubble("We open at ten")).get_by_role("menuitem", name="Edit", exact=True).click()
    expect(app.composer).to_have_value("We open at ten")
    app.composer.fill("We open at eleven")
    app.composer.press("Enter")
    app.told("to be sent as one of its own")
    expect(app.composer).to_have_value("The next thought\nWe open at eleven")
    page.reload()
    expect(app.composer).to_have_value("The next thought\nWe open at eleven")


def test_the_quick_reply_that_enter_takes_is_seen_and_said(alone: App, tenant: Tenant) -> None:
    app, page, chat = alone, alone.page, _chat(tenant, _line(tenant), "Aina")
    for number in range(8):
        made = page.request.post("/api/v1/quick-replies", data={"name": f"r{number}", "text": f"Reply {number}"})
        assert made.status == 201, made.text()
    page.set_viewport_size({"width": 1280, "height": 600})
    page.goto(f"/inbox/{chat.id}")
    app.composer.press_sequentially("/")
    options = page.get_by_role("listbox").get_by_role("option")
    expect(options).to_have_count(8)
    app.composer.press("ArrowUp")
    expect(options.nth(7)).to_have_attribute("aria-selected", "true")
    expect(options.nth(7)).to_be_in_viewport(ratio=0.9)
    said = app.composer.get_attribute("aria-activedescendant")
    assert said == options.nth(7).get_attribute("id")
    app.expect_accessible()
    app.composer.press("Enter")
    expect(app.composer).to_have_value("Reply 7")
    assert app.composer.get_attribute("aria-activedescendant") is None
    app.composer.fill("/")
    page.get_by_role("button", name="Manage quick replies").press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    expect(app.composer).to_be_focused()


def test_escape_empties_a_search_before_it_leaves_the_chat(alone: App, tenant: Tenant) -> None:
    app, page, device = alone, alone.page, _line(tenant)
    group = _chat(tenant, device, "Family", jid="120363000000000001@g.us")
    _members(page, 20)
    page.goto(f"/inbox/{group.id}")
    page.get_by_role("button", name="Details", exact=True).click()
    field = page.get_by_role("searchbox", name="Find a member")
    # by what stands there
    field.fill("12-000 0019")
    expect(page.get_by_role("button", name="Member 19")).to_be_visible()
    field.press("Escape")
    expect(field).to_have_value("")
    expect(app.messages).to_be_visible()
    field.press("Escape")
    expect(app.messages).to_have_count(0)


def test_a_day_is_gone_to_also_where_it_has_no_midnight_or_its_year_is_half_typed(alone: App, tenant: Tenant) -> None:
    app, page, chat, zone = alone, alone.page, tenant.chat(_line(tenant)), ZoneInfo("America/Santiago")
    for hour in (
        datetime(2026, 9, 5, 12, tzinfo=zone),
        datetime(2026, 9, 5, 23, tzinfo=zone),
        datetime(2026, 9, 6, 2, tzinfo=zone),
    ):
        tenant.message(chat, f"Written {hour:%d %H}", at=int(hour.timestamp()) + 1800)
    assert page.request.patch("/api/v1/session", data={"time_zone": zone.key}).ok
    page.goto(f"/inbox/{chat.id}")
    expect(app.bubble("Written 06 02")).to_be_visible()

    def go(day: str) -> str:
        page.get_by_role("button", name="More about this chat").press("Enter")
        page.get_by_role("menuitem", name="Go to a date").press("Enter")
        field = page.get_by_role("dialog", name="Go to a date").get_by_label("Day")
        field.fill(day)
        with page.expect_response(re.compile("around=")) as answered:
            field.press("Enter")
        window = answered.value.json()
        found: str = next(one["message_text"] for one in window["items"] if one["id"] == window["target"])
        return found

    assert go("2026-09-06") == "Written 06 02"
    assert go("0026-09-06") == "Written 05 12"


def test_tab_leads_to_one_member_of_a_group(alone: App, tenant: Tenant) -> None:
    app, page, device = alone, alone.page, _line(tenant)
    group = _chat(tenant, device, "Family", jid="120363000000000001@g.us")
    _members(page, 500)
    page.goto(f"/inbox/{group.id}")
    page.get_by_role("button", name="Details", exact=True).click()
    panel = page.get_by_role("complementary", name="Details")
    members = panel.get_by_role("button", name=re.compile("^Member"))
    expect(members).to_have_count(500)
    panel.get_by_role("searchbox").focus()
    page.keyboard.press("Tab")
    expect(members.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(members.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(members.nth(499)).to_be_focused()
    page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Answered by")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    expect(panel.get_by_role("searchbox")).to_be_focused()
    app.expect_accessible()


@both
def test_what_the_team_shares_is_deleted_after_a_question_and_made_once(alone: App, tenant: Tenant, look: Look) -> None:
    app, page, chat = alone, alone.page, _chat(tenant, _line(tenant), "Aina")
    api = page.request
    assert api.post("/api/v1/quick-replies", data={"name": "bank", "text": "Maybank 1"}).status == 201
    assert api.post(f"/api/v1/chats/{chat.id}/notes", data={"text": "Wants the blue one"}).status == 201
    page.goto("/inbox")
    page.get_by_role("button", name="More filters").click()
    page.get_by_role("menuitem", name="Manage labels").click()
    dialog = page.get_by_role("dialog", name="Labels")
    field = dialog.get_by_label("New label")
    field.fill("Paid")
    field.press("Enter")
    field.press("Enter")
    expect(field).to_have_value("")
    expect(dialog.get_by_label("Name of the label")).to_have_value("Paid")
    expect(dialog.locator(".mistake")).to_have_count(0)

    def delete(button: Locator, asked: str) -> None:
        button.click()
        question = page.get_by_role("dialog", name=asked)
        expect(question).to_be_visible()
        page.keyboard.press("Escape")
        expect(question).to_have_count(0)
        button.click()
        app.expect_accessible()
        question.get_by_role("button", name=re.compile("^Delete")).click()
        expect(question).to_have_count(0)
        expect(button).to_have_count(0)

    delete(dialog.get_by_role("button", name="Delete label: Paid"), "Delete the label Paid?")
    dialog.get_by_role("button", name="Close").click()
    app.open_chat("Aina")
    delete(page.get_by_role("button", name="Delete note"), "Delete this note?")
    app.composer.fill("/")
    page.get_by_role("button", name="Manage quick replies").click()
    dialog = page.get_by_role("dialog", name="Quick replies")
    delete(dialog.get_by_role("button", name="Delete /bank"), "Delete /bank?")
    dialog.get_by_role("button", name="Close").click()

    page.get_by_role("button", name="Details", exact=True).click()
    page.get_by_role("button", name="Make a lead").dblclick()
    expect(page.get_by_role("button", name="Edit lead")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("noticed") == []


def test_what_nobody_has_opened_yet_opens_without_a_connection(alone: App, tenant: Tenant) -> None:
    app, page, chat = alone, alone.page, _chat(tenant, _line(tenant), "Aina")
    page.add_init_script("Object.defineProperty(navigator, 'connection', {value: {saveData: false}})")
    came: set[str] = set()
    page.on("requestfinished", lambda request: came.add(re.sub(r"^.*/|-[^-]*$", "", request.url)))
    page.goto(f"/inbox/{chat.id}")
    expect(app.bubble("Aina is here")).to_be_visible()
    app.until(lambda: {"EmojiPicker", "ForwardDialog", "ShortcutsDialog", "Viewer"} <= came)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.get_by_role("button", name="Emoji", exact=True).click()
    expect(page.get_by_role("dialog", name="Emoji")).to_be_visible()
    page.keyboard.press("Escape")
    app.message_menu(app.bubble("Aina is here")).get_by_role("menuitem", name="Forward").click()
    expect(page.get_by_role("dialog", name="Forward to")).to_be_visible()


def test_a_name_that_is_written_from_the_right_stands_beside_its_picture(alone: App, tenant: Tenant) -> None:
    app, page, device = alone, alone.page, _line(tenant)
    group = _chat(tenant, device, "Family", jid="120363000000000001@g.us")
    tenant.message(group, "Dinner at eight?", from_me=True)
    somebody = {"jid": "60120000001@s.whatsapp.net", "name": "أحمد", "phone": "+60120000001"}
    members = {"items": [somebody | {"is_admin": False, "is_own": False}], "is_current": True}
    page.route("**/members", lambda route: route.fulfill(json=members | {"told_at": "2026-11-28T00:00:00Z"}))
    at = {"delivered_at": "2026-11-28T00:00:00Z", "read_at": None, "played_at": None}
    receipts = {"is_group": True, "status": "delivered", "sent_at": "2026-11-28T00:00:00Z", "people": [somebody | at]}
    page.route("**/receipts", lambda route: route.fulfill(json=receipts | at))
    page.goto(f"/inbox/{group.id}")
    page.get_by_role("button", name="Details", exact=True).click()

    def expect_beside(row: Locator) -> None:
        name = row.locator("bdi", has_text="أحمد")
        expect(name).to_be_visible()
        begins = """(one) => {
          const letters = document.createRange();
          letters.selectNodeContents(one);
          return letters.getBoundingClientRect().x;
        }"""
        below = name.locator("xpath=following-sibling::*")
        assert abs(name.evaluate(begins) - below.evaluate(begins)) < 2

    expect_beside(page.get_by_role("complementary", name="Details").locator("li"))
    app.message_menu(app.bubble("Dinner")).get_by_role("menuitem", name="Message details").click()
    expect_beside(page.get_by_role("dialog").locator("li"))
