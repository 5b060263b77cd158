"""The page of devices with three thousand lines: found, chosen, and acted on many at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look, open_context
from tests.browser.mistakes import watch
from tests.integration.api.world import PASSWORD, Tenant

ALL_LOOKS = [DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK]
#: Rows in the document, of three thousand: a screenful and what lies around it.
DRAWN = 100
ROW = "[data-device]"


@pytest.fixture
def app(browser: Browser, tenant: Tenant, look: Look) -> Iterator[App]:
    """Its admin, not on the page yet; a mistake there fails the test."""
    context = open_context(browser, tenant.world.url, look)
    page = context.new_page()
    mistakes = watch(page)
    yield App(page, narrow=look.width <= 768)
    assert mistakes == []
    context.close()


def _open(app: App, tenant: Tenant) -> None:
    app.enter(tenant.world.user(tenant), PASSWORD)


def _lines(tenant: Tenant, count: int, *, unpaired: int = 0) -> None:
    """Lines 1 to `count`; the newest `unpaired` of them were never linked, every tenth has the tag Tenth."""
    tenant.world.sql(
        "INSERT INTO devices (tenant_id, name, network, state, jid, phone, paired_at, tags, created_at)"
        " SELECT $1, 'Line ' || n, 'whatsapp', CASE WHEN paired THEN 'offline' ELSE 'new' END,"
        " CASE WHEN paired THEN (60120000000 + n) || '@s.whatsapp.net' END,"
        " CASE WHEN paired THEN '+' || (60120000000 + n) END, CASE WHEN paired THEN now() END,"
        " CASE WHEN n % 10 = 0 THEN '{Tenth}'::text[] ELSE '{}' END, now() + n * interval '1 second'"
        " FROM generate_series(1, $2) n CROSS JOIN LATERAL (SELECT n <= $2 - $3 AS paired) p",
        tenant.id, count, unpaired,
    )  # fmt: skip


def _workers_do_what_is_wished(tenant: Tenant) -> None:
    moved = tenant.world.background.run(
        tenant.world.pool.fetch(
            "UPDATE devices SET state = CASE desired_state WHEN 'connected' THEN 'online' ELSE 'offline' END,"
            " state_at = now() WHERE tenant_id = $1 AND jid IS NOT NULL RETURNING no",
            tenant.id,
        )
    )
    tenant.world.publish(*({"k": "device", "t": tenant.id, "d": row["no"]} for row in moved))


def _choose(app: App, name: str, **how: Any) -> None:
    app.page.get_by_role("checkbox", name=f"Select {name}", exact=True).click(**how)


def _begin_choosing(app: App) -> None:
    if app.narrow:
        app.page.get_by_role("button", name="Select", exact=True).click()


def _filter(app: App, text: str) -> Locator:
    return app.page.get_by_role("group", name="Filter by state").get_by_role("button", name=re.compile(f"^{text}"))


def _act(app: App, action: str) -> None:
    app.page.get_by_role("group", name="Selected devices").get_by_role("button", name=action, exact=True).click()


def _toast(app: App, text: str) -> Locator:
    found = app.page.locator(".toast").filter(has_text=text)
    expect(found).to_be_visible()
    return found


def test_the_inbox_of_three_thousand_lines_leads_to_any_of_them(app: App, tenant: Tenant) -> None:
    _lines(tenant, 3000)
    tenant.world.sql(
        "INSERT INTO chats (tenant_id, device_no, jid, name, is_group, last_key, last_kind, last_flags, last_text,"
        " last_status, unread, stored) SELECT tenant_id, no, replace(jid, '6012', '6019'), 'Customer of ' || name,"
        " false, (extract(epoch FROM now())::int8 - 3000 + split_part(name, ' ', 2)::int8) << 32, 0, 0, 'Hello', 0, 1,"
        " 1 FROM devices WHERE tenant_id = $1",
        tenant.id,
    )
    _open(app, tenant)
    page = app.page
    page.goto("/inbox")
    expect(app.chat("Customer of Line 3000")).to_be_visible()
    rows = page.get_by_role("list", name="Chats")

    def is_further_down() -> bool:
        rows.evaluate("list => list.scrollTop = list.scrollHeight")
        return int(page.locator("a[data-chat]").last.get_attribute("data-index") or 0) >= 200

    app.until(is_further_down)
    assert page.locator("a[data-chat]").count() <= DRAWN
    # of all these rows Tab leads to one, also when it lies far above what is seen
    field = page.get_by_role("searchbox")
    first = page.locator("a[data-index='0']")
    page.get_by_role("button", name="Groups").focus()
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    page.keyboard.press("PageDown")
    expect(page.locator("a[data-index]:focus")).not_to_have_attribute("data-index", re.compile("^[0-5]$"))
    page.keyboard.press("PageUp")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowDown")
    second = page.locator("a[data-index='1']")
    expect(second).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(":focus[data-chat]")).to_have_count(0)
    page.keyboard.press("Shift+Tab")
    expect(second).to_be_focused()
    app.expect_accessible()
    # faster than the page draws
    pressed = "row.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}))"
    second.evaluate(f"row => ['Home', 'ArrowUp'].forEach(key => {pressed})")
    expect(field).to_be_focused()

    page.get_by_role("button", name="Device: All devices").click()
    page.get_by_role("menuitem", name="Find a device").click()
    finder = page.get_by_role("dialog", name="Find a device")
    expect(finder.get_by_text("3,000 devices")).to_be_visible()
    found = finder.get_by_role("link")
    expect(found.first).to_be_visible()
    assert found.count() <= DRAWN
    app.expect_accessible()
    field = finder.get_by_role("searchbox")
    expect(field).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(finder.locator("[data-index='0']")).to_be_focused()
    page.keyboard.press("End")
    expect(finder.locator("[data-index='2999']")).to_be_focused()
    field.fill("012-000 1234")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("Line 1234")
    expect(found.locator(".badge")).to_have_text("1")
    field.press("ArrowDown")
    expect(found).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Device: Line 1234")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(app.chat("Customer of Line 1234")).to_be_visible()


@pytest.mark.parametrize("look", [DESKTOP, PHONE], indirect=True, ids=lambda look: look.name)
def test_three_thousand_lines_are_searched_and_connected_with_few_rows_in_the_document(
    app: App, tenant: Tenant
) -> None:
    _lines(tenant, 3000, unpaired=100)
    _open(app, tenant)
    expect(app.page.get_by_text("3,000 devices · 0 online", exact=True)).to_be_visible()
    expect(app.page.get_by_role("link", name="Open inbox of Line 3000")).to_be_visible()
    assert app.page.locator(ROW).count() <= DRAWN
    expect(_filter(app, "All")).to_contain_text("3,000")
    expect(_filter(app, "Needs you")).to_contain_text("100")

    field = app.page.get_by_role("searchbox", name="Search name, number or tag")
    field.fill("line 1234")
    expect(app.page.locator(ROW)).to_have_count(1)
    field.fill("012-000 0042")
    expect(app.page.get_by_role("link", name="Open inbox of Line 42", exact=True)).to_be_visible()
    field.fill("")

    _begin_choosing(app)
    app.page.get_by_role("checkbox", name="Select all shown").click()
    expect(app.page.get_by_text("3,000 selected")).to_be_visible()
    _act(app, "Connect")
    toast = _toast(app, "2,900 devices are to connect")
    expect(toast).to_contain_text("100 were never linked to a phone (Line 3000, Line 2999, Line 2998, …)")
    wished = "SELECT count(*) FROM devices WHERE tenant_id = $1 AND desired_state = 'connected'"
    assert tenant.world.sql(wished, tenant.id) == 2900
    toast.get_by_role("button", name="Undo").click()
    app.told("2,900 devices are to disconnect")
    assert tenant.world.sql(wished, tenant.id) == 0

    tenant.world.sql("UPDATE devices SET desired_state = 'connected' WHERE tenant_id = $1", tenant.id)
    _workers_do_what_is_wished(tenant)
    expect(app.page.get_by_text("3,000 devices · 2,900 online", exact=True)).to_be_visible()
    expect(_filter(app, "Online")).to_contain_text("2,900")
    expect(_filter(app, "Not online")).to_contain_text("0")
    assert app.page.locator(ROW).count() <= DRAWN


@pytest.mark.parametrize("look", ALL_LOOKS, indirect=True, ids=lambda look: look.name)
def test_lines_are_chosen_tagged_and_deleted(app: App, tenant: Tenant) -> None:
    _lines(tenant, 60)
    _open(app, tenant)
    expect(app.page.locator(ROW).first).to_be_visible()
    app.expect_accessible()
    _begin_choosing(app)
    _choose(app, "Line 60")
    _choose(app, "Line 57", modifiers=["Shift"])
    expect(app.page.get_by_text("4 selected")).to_be_visible()
    app.expect_accessible()

    _act(app, "Tags")
    dialog = app.page.get_by_role("dialog", name="Tags of 4 devices")
    dialog.get_by_role("combobox", name="Tags").fill("north")
    dialog.get_by_role("combobox", name="Tags").press("Enter")
    dialog.get_by_role("combobox", name="Tags").fill("tenth")
    app.expect_accessible()
    dialog.get_by_role("button", name="Add").click()
    toast = _toast(app, "4 devices tagged")
    tagged = "SELECT count(*) FROM devices WHERE tenant_id = $1 AND $2 = ANY (tags)"
    assert [tenant.world.sql(tagged, tenant.id, tag) for tag in ("north", "tenth", "Tenth")] == [4, 3, 6]
    toast.get_by_role("button", name="Undo").click()
    app.told("Tags taken from 4 devices")
    # the one that had it before keeps it
    assert [tenant.world.sql(tagged, tenant.id, tag) for tag in ("north", "tenth", "Tenth")] == [0, 0, 6]

    _act(app, "Delete")
    dialog = app.page.get_by_role("dialog", name="Delete 4 devices?")
    confirm = dialog.get_by_role("button", name="Delete")
    expect(confirm).to_be_disabled()
    dialog.get_by_label("Type 4 to confirm").fill("4")
    confirm.click()
    app.told("4 devices deleted")
    expect(app.page.get_by_text("56 devices · 0 online", exact=True)).to_be_visible()
    expect(app.page.get_by_role("group", name="Selected devices")).to_have_count(0)
    assert tenant.world.sql("SELECT count(*) FROM devices WHERE tenant_id = $1", tenant.id) == 56


def test_many_are_deleted_part_by_part_and_the_rest_is_kept_when_stopped(app: App, tenant: Tenant) -> None:
    _lines(tenant, 200)
    _open(app, tenant)
    expect(app.page.get_by_text("200 devices · 0 online", exact=True)).to_be_visible()
    app.page.get_by_role("checkbox", name="Select all shown").click()
    _act(app, "Delete")
    held = app.hold("**/devices/bulk")
    dialog = app.page.get_by_role("dialog")
    dialog.get_by_label("Type 200 to confirm").fill("200")
    dialog.get_by_role("button", name="Delete").click()
    expect(app.page.get_by_text("0 of 200")).to_be_visible()
    app.until(lambda: held)
    held.pop().continue_()
    expect(app.page.get_by_text("25 of 200")).to_be_visible()
    app.expect_accessible()
    app.page.get_by_role("button", name="Stop").click()
    app.until(lambda: held)
    held.pop().continue_()
    app.told("50 devices deleted · 150 were left")
    expect(app.page.get_by_text("150 selected")).to_be_visible()
    assert tenant.world.sql("SELECT count(*) FROM devices WHERE tenant_id = $1", tenant.id) == 150


def test_lines_are_chosen_by_keyboard(app: App, tenant: Tenant) -> None:
    _lines(tenant, 300)
    _open(app, tenant)
    expect(app.page.get_by_text("300 devices · 0 online", exact=True)).to_be_visible()
    app.page.get_by_role("checkbox", name="Select Line 300", exact=True).focus()
    for number in range(299, 269, -1):
        app.page.keyboard.press("ArrowDown")
        box = app.page.get_by_role("checkbox", name=f"Select Line {number}", exact=True)
        expect(box).to_be_focused()
    app.page.keyboard.press("Space")
    expect(box).to_be_checked()
    app.page.keyboard.press("Shift+ArrowDown")
    expect(app.page.get_by_role("checkbox", name="Select Line 269", exact=True)).to_be_focused()
    expect(app.page.get_by_text("2 selected")).to_be_visible()
    app.page.keyboard.press("ControlOrMeta+a")
    expect(app.page.get_by_text("300 selected")).to_be_visible()
    app.page.keyboard.press("Escape")
    expect(app.page.get_by_role("group", name="Selected devices")).to_have_count(0)


def test_what_is_not_shown_any_more_stays_chosen_and_is_told(app: App, tenant: Tenant) -> None:
    _lines(tenant, 40)
    _open(app, tenant)
    _choose(app, "Line 40")
    _choose(app, "Line 39")
    app.page.get_by_label("Tag", exact=True).select_option("tenth")
    expect(app.page.locator(ROW)).to_have_count(4)
    expect(app.page.get_by_text("2 selected")).to_be_visible()
    expect(app.page.get_by_text("1 not shown")).to_be_visible()


def test_exact_state_tag_and_order(app: App, tenant: Tenant) -> None:
    _lines(tenant, 40, unpaired=2)
    tenant.world.sql("UPDATE devices SET state = 'banned' WHERE tenant_id = $1 AND name = 'Line 5'", tenant.id)
    _open(app, tenant)
    names = app.page.locator(f"{ROW} .name")
    expect(names.first).to_have_text("Line 40")
    app.page.get_by_label("Order").select_option("By name")
    expect(names.first).to_have_text("Line 1")
    app.page.get_by_label("Order").select_option("By state")
    expect(names.nth(0)).to_have_text("Line 5")
    expect(names.nth(1)).to_have_text("Line 39")
    app.page.get_by_label("State", exact=True).select_option("banned")
    expect(names).to_have_text(["Line 5"])
    app.page.get_by_label("Tag", exact=True).select_option("tenth")
    expect(app.page.get_by_text("No device matches")).to_be_visible()
    app.expect_accessible()
    _filter(app, "All").click()
    expect(app.page.locator(ROW)).to_have_count(4)


def test_tags_of_one_line_are_edited_with_its_name(app: App, tenant: Tenant) -> None:
    _lines(tenant, 10)
    _open(app, tenant)
    app.device_action("Line 10", "Edit")
    dialog = app.page.get_by_role("dialog", name="Edit device")
    dialog.get_by_label("Name").fill("Front desk")
    dialog.get_by_role("button", name="Remove tag Tenth").click()
    dialog.get_by_role("combobox", name="Tags").fill("KL")
    app.expect_accessible()
    dialog.get_by_role("button", name="Save").click()
    expect(app.device("Front desk").locator(".tag")).to_have_text(["KL"])


def test_how_long_a_state_lasts_and_why_stand_in_the_row(app: App, tenant: Tenant) -> None:
    _lines(tenant, 1)
    tenant.world.sql(
        "UPDATE devices SET state_reason = 'The connection was lost', state_at = now() - interval '3 hours 1 second'"
        " WHERE tenant_id = $1",
        tenant.id,
    )
    _open(app, tenant)
    row = app.page.locator(ROW)
    expect(row).to_contain_text("for 3 h")
    expect(row).to_contain_text("The connection was lost")


def test_a_viewer_chooses_nothing_and_an_agent_connects_only(app: App, tenant: Tenant) -> None:
    _lines(tenant, 3)
    app.enter(tenant.world.user(tenant, role="viewer"), PASSWORD)
    expect(app.page.locator(ROW)).to_have_count(3)
    expect(app.page.get_by_role("checkbox")).to_have_count(0)
    app.page.goto("about:blank")  # or an answer that is still on its way brings the cookie back
    app.page.context.clear_cookies()
    app.enter(tenant.world.user(tenant, role="agent"), PASSWORD)
    expect(app.page.locator(ROW)).to_have_count(3)
    app.page.get_by_role("checkbox", name="Select all shown").click()
    bar = app.page.get_by_role("group", name="Selected devices")
    expect(bar.get_by_role("button", name="Connect", exact=True)).to_be_visible()
    expect(bar.get_by_role("button", name="Delete")).to_have_count(0)
    expect(bar.get_by_role("button", name="Tags")).to_have_count(0)
