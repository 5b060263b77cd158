"""What the owner does on the phone shows here: reading, pinning, muting, archiving."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number


def test_what_the_phone_reads_pins_mutes_and_archives_shows_at_once(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    phone, first, second, third = link(app, stack, "Owner"), new_number(), new_number(), new_number()
    stack.phones.text(phone=phone, contact=third, text="oldest")
    ids = stack.phones.text(phone=phone, contact=first, text="older ", count=3)
    app.open_inbox("Owner")
    rows = page.locator("a[data-chat]")
    older = rows.filter(has_text="older")
    expect(older.locator(".badge")).to_contain_text("3")
    page.wait_for_timeout(1000)  # WhatsApp tells whole seconds: of those of one, none is the newest
    stack.phones.text(phone=phone, contact=second, text="newer")
    expect(rows.first).to_contain_text("newer")

    stack.phones.own_read(phone=phone, contact=first, ids=ids)
    expect(older.locator(".badge")).to_have_count(0)

    # together, as a worker looks at what the phone has set every ten seconds
    stack.phones.settings(phone=phone, contact=first, pinned=True, mute_until=-1)
    stack.phones.settings(phone=phone, contact=third, archived=True)
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("older")
    expect(older.get_by_role("img", name="Pinned")).to_be_visible()
    expect(older.get_by_role("img", name="Muted")).to_be_visible()
    app.expect_accessible()
    page.get_by_role("button", name="Archived").click()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("oldest")
    app.expect_accessible()

    stack.phones.settings(phone=phone, contact=first, pinned=False, mute_until=0)
    stack.phones.settings(phone=phone, contact=third, archived=False)
    expect(rows).to_have_count(0)
    page.get_by_role("button", name="Archived").click()
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("newer")
    expect(older.get_by_role("img", name="Muted")).to_have_count(0)
