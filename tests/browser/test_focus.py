"""Where the focus is after a button has taken itself away: with who works by keyboard, never nowhere."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, expect

from tests.browser.app import App
from tests.integration.api.world import Chat, Tenant

#: What has the focus: nothing is the page itself.
FOCUSED = "() => document.activeElement === document.body ? '' : document.activeElement.outerHTML.slice(0, 80)"


def expect_focus(app: App, after: str) -> None:
    """Something has the focus soon, and keeps it."""
    for _ in range(2):
        app.until(lambda: app.page.evaluate(FOCUSED) != "")
        app.page.wait_for_timeout(300)
    assert app.page.evaluate(FOCUSED) != "", after


def press(button: Locator) -> None:
    """As who has no mouse does."""
    button.focus()
    button.press("Enter")


def _chat(app: App, tenant: Tenant) -> Chat:
    """One that is open, with a note."""
    device = tenant.device()
    tenant.world.sql("UPDATE devices SET paired_at = now() WHERE tenant_id = $1", tenant.id)
    chat = tenant.chat(device)
    assert app.page.request.post(f"/api/v1/chats/{chat.id}/notes", data={"text": "Call back"}).ok
    tenant.message(chat, "Is it still there?")
    app.page.goto(f"/inbox/{chat.id}")
    expect(app.bubble("Is it still there?")).to_be_visible()
    return chat


def test_a_note_that_is_no_longer_changed_gives_the_focus_to_what_changes_it(alone: App, tenant: Tenant) -> None:
    app, page = alone, alone.page
    _chat(app, tenant)
    note = page.get_by_role("note")
    change = note.get_by_role("button", name="Edit note")
    for key in ("Escape", "Enter"):
        press(change)
        expect(note.get_by_role("textbox")).to_be_focused()
        page.keyboard.type(" today")
        page.keyboard.press(key)
        expect(change).to_be_focused()
    expect(note).to_contain_text("Call back today")
    press(change)
    press(note.get_by_role("button", name="Cancel"))
    expect(change).to_be_focused()
    press(note.get_by_role("button", name="Delete note"))
    page.get_by_role("dialog").get_by_role("button", name="Delete note").press("Enter")
    expect(note).to_have_count(0)
    expect_focus(app, "a note was deleted")


def test_what_takes_itself_away_leaves_the_focus_near(alone: App, tenant: Tenant) -> None:
    app, page = alone, alone.page
    chat = _chat(app, tenant)
    app.message_menu(app.bubble("Is it still")).get_by_role("menuitem", name="Reply").press("Enter")
    press(page.get_by_role("button", name="Do not reply to this message"))
    expect(app.composer).to_be_focused()
    press(page.get_by_role("button", name="Private note"))
    page.get_by_role("textbox", name="Private note").press("Escape")
    expect_focus(app, "the place for notes was left")
    app.composer.press("Control+f")
    page.get_by_role("searchbox", name="Search in this chat").press("Escape")
    expect_focus(app, "the search in the chat was left")
    page.goto(f"/inbox/{chat.id}?unread=true")
    clear = page.get_by_role("button", name="No filters")
    press(clear)
    expect(clear).to_have_count(0)
    expect_focus(app, "filters were cleared")


def test_a_voice_message_takes_the_focus_and_gives_it_back_and_is_thrown_away_only_when_asked(
    alone: App, tenant: Tenant
) -> None:
    app, page = alone, alone.page
    _chat(app, tenant)
    bin_, asked = page.get_by_role("button", name="Cancel the recording"), page.get_by_role("dialog", name="Discard")
    ways: list[Callable[[], None]] = [lambda: page.keyboard.press("Escape"), lambda: press(bin_)]
    for leave in ways:
        press(page.get_by_role("button", name="Record a voice message"))
        app.expect_recorded(1)
        expect_focus(app, "a recording was begun")
        leave()
        asked.get_by_role("button", name="Cancel").press("Enter")
        expect_focus(app, "a recording was kept")
        press(page.get_by_role("button", name="Stop and listen"))
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        expect_focus(app, "a recording was ended")
        leave()
        asked.get_by_role("button", name="Discard").press("Enter")
        expect(app.composer).to_be_focused()
