"""A number that is lost is replaced on the page of devices, and leads get a device on the page of leads."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, PHONE_DARK
from tests.integration.api.world import Tenant

LOOKS = [DESKTOP, PHONE_DARK]


@pytest.fixture
def app(alone: App) -> App:
    """In a workspace of the test's own."""
    return alone


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=lambda look: look.name)
def test_a_banned_number_is_replaced_by_another(app: App, tenant: Tenant) -> None:
    old, new = tenant.device(name="Old number"), tenant.device(name="New number")
    tenant.world.sql("UPDATE devices SET state = 'banned', paired_at = now() WHERE id = $1", old.id)
    chat = tenant.chat(old, name="Puan Aminah")
    tenant.message(chat, "Is it still there?")
    tenant.lead(old)
    app.page.goto("/devices")
    app.device_action("Old number", "Replace number…")
    dialog = app.page.get_by_role("dialog", name="Replace Old number")
    expect(dialog.get_by_label("Replaced by")).to_contain_text("New number")
    app.expect_accessible()
    dialog.get_by_role("button", name="Replace", exact=True).click()
    app.told("New number took the place of Old number: 1 chats, 1 leads, 0 waiting messages")
    app.page.goto(f"/device/{new.id}/whatsapp-web")
    app.open_chat("Puan Aminah")
    expect(app.bubble("Is it still there?")).to_be_visible()


def test_a_number_in_use_is_not_replaced(app: App, tenant: Tenant) -> None:
    old = tenant.device(name="In use")
    tenant.world.sql("UPDATE devices SET paired_at = now() WHERE id = $1", old.id)
    app.page.goto("/devices")
    app.device_action("In use", "Replace number…")
    dialog = app.page.get_by_role("dialog", name="Replace In use")
    expect(dialog.get_by_text("disconnect it first")).to_be_visible()
    expect(dialog.get_by_role("button", name="Replace", exact=True)).to_be_disabled()


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=lambda look: look.name)
def test_leads_get_a_device_as_was_shown_before_and_lose_it_again(app: App, tenant: Tenant) -> None:
    for name in ("Sales 1", "Sales 2"):
        tenant.device(name=name)
    for _ in range(6):
        tenant.lead()
    app.page.goto("/leads")
    app.page.get_by_role("main").get_by_role("button", name="More").click()
    app.page.get_by_role("menuitem", name="Distribute…").click()
    dialog = app.page.get_by_role("dialog", name="Distribute leads")
    expect(dialog.get_by_text("6 leads get a device")).to_be_visible()
    expect(dialog.get_by_role("listitem").filter(has_text="Sales 1")).to_contain_text("3")
    app.expect_accessible()
    dialog.get_by_label("At most so many leads each").fill("2")
    expect(dialog.get_by_text("2 leads are left over. Each device gets 2 at most")).to_be_visible()
    dialog.get_by_text("Chosen devices").click()
    dialog.get_by_label("Sales 2").check()
    expect(dialog.get_by_text("2 leads get a device")).to_be_visible()
    dialog.get_by_role("button", name="Distribute", exact=True).click()
    app.told("2 leads got a device")
    counted = "SELECT count(*) FROM leads WHERE tenant_id = $1 AND device_no IS NOT NULL"
    assert tenant.world.sql(counted, tenant.id) == 2
    app.page.get_by_role("button", name="Undo").click()
    app.told("They have no device again")
    assert tenant.world.sql(counted, tenant.id) == 0
