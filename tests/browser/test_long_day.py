"""A long day at the inbox: by keyboard alone, with one thumb, in haste, and in whatever zone."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, PHONE
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
