"""Arabic among Malay and English: each is written in its own direction, and turns nothing around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.app import App
from tests.integration.api.world import Tenant

#: Begins what people write here; nothing of the page's own is written so.
MARK = "شركة"
#: Texts with it that are seen and would turn what stands around them, and fields that don't follow theirs.
UNGUARDED = """(mark) => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement: around } = walker.currentNode;
    const at = data.indexOf(mark);
    if (at < 0 || around.closest('option, [dir=auto], bdi, script, style, .visually-hidden')) continue;
    if (data.lastIndexOf('\\u2068', at) > data.lastIndexOf('\\u2069', at)) continue;
    found.push(`${around.tagName}.${around.className}: ${data.trim().slice(0, 60)}`);
  }
  const fields = [...document.querySelectorAll('input:not([type=checkbox], [type=radio]), textarea')];
  const unguarded = fields.filter((one) => one.value.includes(mark) && !one.matches('[dir=auto]'));
  return [...found, ...unguarded.map((one) => `${one.tagName} ${one.getAttribute('aria-label')}: ${one.value}`)];
}"""


def expect_guarded(page: Page, part: str) -> None:
    """Whatever people wrote that is seen now has its own direction."""
    assert page.evaluate(UNGUARDED, MARK) == [], part


def _post(page: Page, path: str, data: dict[str, Any]) -> Any:
    answer = page.request.post(f"/api/v1{path}", data=data)
    assert answer.ok, answer.text()
    return answer.json()


def _step(page: Page, part: str, press: Callable[[], None], shown: str) -> None:
    press()
    expect(page.locator(shown).first).to_be_visible()
    expect_guarded(page, part)


def test_what_people_write_in_the_inbox_has_its_own_direction(alone: App, tenant: Tenant) -> None:
    app, page = alone, alone.page
    tenant.world.sql("UPDATE users SET name = $1 WHERE email = $2", f"{MARK} Aisyah", _email(page))
    tenant.world.sql("UPDATE tenants SET name = $1 WHERE id = $2", f"{MARK} workspace", tenant.id)
    device = tenant.device(name=f"{MARK} device")
    tenant.device(name=f"{MARK} other")
    tenant.world.sql("UPDATE devices SET paired_at = now() WHERE tenant_id = $1", tenant.id)
    chat = tenant.chat(device, name=f"{MARK} 1")
    group = tenant.chat(device, name=f"{MARK} group", jid="120363000000000001@g.us")
    for one in (chat, group):
        tenant.message(one, f"{MARK} message")
    tenant.world.sql("UPDATE messages SET sender_name = $1 WHERE tenant_id = $2", f"{MARK} Farid", tenant.id)
    label = tenant.label(f"{MARK} label")
    assert page.request.put(f"/api/v1/chats/{chat.id}/labels/{label}").ok
    _post(page, f"/chats/{chat.id}/notes", {"text": f"{MARK} note"})
    _post(page, "/quick-replies", {"name": "bank", "text": f"{MARK} reply"})
    lead = {"name": f"{MARK} lead", "tags": [f"{MARK} tag"], "fields": {f"{MARK} field": f"{MARK} value"}}
    _post(page, "/leads", {"phone": f"+{chat.jid.partition('@')[0]}", **lead})
    me = page.request.get("/api/v1/session").json()["user"]["id"]
    assert page.request.patch(f"/api/v1/chats/{chat.id}", data={"assignee_id": me}).ok

    page.goto(f"/inbox/{chat.id}")
    expect(app.bubble(f"{MARK} message")).to_be_visible()
    expect(page.get_by_role("note")).to_be_visible()
    expect_guarded(page, "a chat")
    details = page.get_by_role("button", name="Details", exact=True)
    _step(page, "its panel", details.click, ".facts >> text=value")
    _step(page, "whom to assign it to", page.get_by_title("Assigned to").click, "[role=menu] >> text=Aisyah")
    page.keyboard.press("Escape")
    _step(page, "a quick reply", lambda: app.composer.fill("/ba"), "text=reply")
    _step(
        page,
        "quick replies",
        page.get_by_role("button", name="Manage quick replies").click,
        "[role=dialog] >> text=reply",
    )
    page.get_by_role("button", name="Edit /bank").click()
    expect_guarded(page, "a quick reply that is changed")
    page.keyboard.press("Escape")
    app.composer.fill("")
    _step(page, "devices", page.get_by_role("button", name="All devices").click, "[role=menu] >> text=other")
    page.keyboard.press("Escape")
    _step(page, "filters", page.get_by_role("button", name="More filters").click, "[role=menu] >> text=label")
    _step(page, "labels", page.get_by_role("menuitem", name="Manage labels").click, "[role=dialog]")
    page.keyboard.press("Escape")
    menu = app.message_menu(app.bubble(f"{MARK} message"))
    _step(page, "forwarding", menu.get_by_role("menuitem", name="Forward").click, "[role=dialog] >> text=group")
    page.keyboard.press("Escape")
    search = page.get_by_role("searchbox", name="Search name, number or message")
    _step(page, "what is found", lambda: search.fill(MARK), "a[data-found] >> text=group")
    page.goto(f"/inbox/{group.id}")
    expect(app.bubble(f"{MARK} message")).to_be_visible()
    expect_guarded(page, "a group")


def test_what_people_write_of_leads_has_its_own_direction(alone: App, tenant: Tenant) -> None:
    page = alone.page
    device = tenant.device(name=f"{MARK} device")
    lead = {"name": f"{MARK} lead", "tags": [f"{MARK} tag"], "fields": {f"{MARK} field": f"{MARK} value"}}
    made = _post(page, "/leads", {"phone": "+60123456789", "device_id": str(device.id), **lead})
    _post(page, f"/leads/{made['id']}/notes", {"text": f"{MARK} note"})
    page.goto("/leads")
    expect(page.locator("[data-lead]").first).to_be_visible()
    expect_guarded(page, "leads")
    page.locator("[data-lead]").get_by_role("button").click()
    _step(page, "a lead", lambda: None, "[role=dialog] >> text=note")
    _step(page, "a lead that is changed", page.get_by_role("button", name="Edit").first.click, "[role=dialog] input")


def _email(page: Page) -> str:
    email: str = page.request.get("/api/v1/session").json()["user"]["email"]
    return email
