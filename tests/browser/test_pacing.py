"""How fast lines write: seen and changed for one line, for many, and for those that will be added."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look, open_context
from tests.browser.mistakes import watch
from tests.integration.api.world import PASSWORD, Tenant, World

ALL_LOOKS = [DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK]


@pytest.fixture
def app(browser: Browser, tenant: Tenant, look: Look) -> Iterator[App]:
    """Its admin, on the page of three lines; a mistake there fails the test."""
    context = open_context(browser, tenant.world.url, look)
    page = context.new_page()
    mistakes = watch(page)
    for number in (1, 2, 3):
        device = tenant.device()
        tenant.world.sql("UPDATE devices SET name = $2, state = 'online' WHERE id = $1", device.id, f"Line {number}")
    app = App(page, narrow=look.width <= 768)
    app.enter(tenant.world.user(tenant), PASSWORD)
    yield app
    assert mistakes == []
    context.close()


def _pace(tenant: Tenant, line: int, columns: str) -> str:
    found: str = tenant.world.sql(
        f"SELECT concat_ws(' ', {columns}) FROM devices WHERE tenant_id = $1 AND name = $2", tenant.id, f"Line {line}"
    )
    return found


def _field(dialog: Locator, group: str, label: str) -> Locator:
    return dialog.get_by_role("group", name=group).get_by_label(label)


def _toast(app: App, text: str) -> Locator:
    found = app.page.locator(".toast").filter(has_text=text)
    expect(found).to_be_visible()
    return found


@pytest.mark.parametrize("look", ALL_LOOKS, indirect=True, ids=lambda look: look.name)
def test_the_pace_of_a_line_is_seen_changed_and_taken_back(app: App, tenant: Tenant, look: Look) -> None:
    tenant.world.sql(
        "UPDATE devices SET hour_sends = '{12}', hour_slot = slot_of(now(), 300), day_sends = '{25}',"
        " day_slot = slot_of(now(), 3600), per_hour = 40, paired_at = now() - interval '2 days 1 hour',"
        " last_paced_at = now(), min_seconds = 900, max_seconds = 900 WHERE tenant_id = $1 AND name = 'Line 1'",
        tenant.id,
    )
    app.page.reload()
    app.device_action("Line 1", "Pace")
    dialog = app.page.get_by_role("dialog", name="Pace of Line 1")
    expect(dialog.get_by_text("12 of 40 in the last hour")).to_be_visible()
    expect(dialog.get_by_text("25 of 35 in the last 24 hours (warming up)")).to_be_visible()
    expect(dialog.get_by_text(re.compile(r"the next message not before .*\d\d:\d\d"))).to_be_visible()

    gap, caps = "Gap between two messages", "No more messages than"
    _field(dialog, gap, "At least").fill("20")
    _field(dialog, gap, "At most").fill("10")
    _field(dialog, caps, "In an hour").fill("0")
    dialog.get_by_label("Quiet hours").check()
    dialog.get_by_label("From").fill("22:00")
    dialog.get_by_label("Until").fill("22:00")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("10 is less than the shortest gap, 20.")).to_be_visible()
    expect(dialog.get_by_text("0 is not between 1 and 100,000.")).to_be_visible()
    expect(dialog.get_by_text("Both are 22:00: quiet hours need two different times.")).to_be_visible()
    expect(_field(dialog, gap, "At most")).to_be_focused()
    app.expect_accessible()

    # by keyboard from here
    app.page.keyboard.press("ControlOrMeta+A")
    app.page.keyboard.type("45")
    app.page.keyboard.press("Tab")
    app.page.keyboard.type("30")
    dialog.get_by_label("Until").fill("07:30")
    dialog.get_by_label("Warm up after linking").uncheck()
    _field(dialog, caps, "In an hour").press("Enter")
    expect(dialog).to_be_hidden()
    columns = "min_seconds, max_seconds, per_hour, quiet_from, quiet_until, ramp, per_day"
    assert _pace(tenant, 1, columns) == "20 45 30 22:00:00 07:30:00 f 800"
    _toast(app, "Pace of Line 1 saved").get_by_role("button", name="Undo").click()
    app.told("The pace is as it was")
    assert _pace(tenant, 1, columns) == "900 900 40 t 800"


@pytest.mark.parametrize("look", [DESKTOP], indirect=True, ids=lambda look: look.name)
def test_how_a_line_stands_is_not_taken_away_when_the_line_changes(app: App, tenant: Tenant) -> None:
    app.device_action("Line 1", "Pace")
    said = app.page.get_by_role("dialog", name="Pace of Line 1").locator(".state strong")
    said.evaluate("one => (one.dataset.seen = 'yes')")
    line = tenant.world.sql("SELECT id::text FROM devices WHERE tenant_id = $1 AND name = 'Line 1'", tenant.id)
    assert app.page.request.patch(f"/api/v1/devices/{line}", data={"name": "Line 1 again"}).ok
    expect(app.page.locator("[data-device]").filter(has_text="Line 1 again")).to_be_attached()
    expect(said).to_have_attribute("data-seen", "yes")


@pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)
def test_many_lines_get_a_pace_and_each_gets_its_own_back(app: App, tenant: Tenant) -> None:
    tenant.world.sql("UPDATE devices SET per_hour = 10 WHERE tenant_id = $1 AND name = 'Line 2'", tenant.id)
    app.page.reload()
    expect(app.page.locator("[data-device]")).to_have_count(3)
    if app.narrow:
        app.page.get_by_role("button", name="Select", exact=True).click()
    app.page.get_by_role("checkbox", name="Select all shown").click()
    bar = app.page.get_by_role("group", name="Selected devices")
    bar.get_by_role("button", name="Pace", exact=True).click()
    dialog = app.page.get_by_role("dialog", name="Pace of 3 devices")
    per_hour = dialog.get_by_label("In an hour")
    expect(per_hour).to_have_value("")
    expect(per_hour).to_have_attribute("placeholder", "differ")
    expect(dialog.get_by_label("In a day")).to_have_value("800")
    app.expect_accessible()
    per_hour.fill("25")
    dialog.get_by_role("button", name="Save").click()
    toast = _toast(app, "Pace of 3 devices changed")
    assert [_pace(tenant, line, "per_hour, per_day") for line in (1, 2, 3)] == ["25 800"] * 3
    toast.get_by_role("button", name="Undo").click()
    app.until(lambda: [_pace(tenant, line, "per_hour") for line in (1, 2, 3)] == ["80", "10", "80"])


@pytest.mark.parametrize("look", [PHONE, DESKTOP_DARK], indirect=True, ids=lambda look: look.name)
def test_new_lines_begin_with_the_pace_a_workspace_wants(app: App, tenant: Tenant) -> None:
    app.page.get_by_role("button", name="Pace of new devices").click()
    dialog = app.page.get_by_role("dialog", name="Pace of devices you add from now on")
    dialog.get_by_label("In a day").fill("120")
    app.expect_accessible()
    dialog.get_by_role("button", name="Save").click()
    toast = _toast(app, "Devices you add from now on begin with this pace")
    added = tenant.client().post("/api/v1/devices", json={"name": "Line 4"}).json()
    assert added["pacing"]["per_day"] == 120
    toast.get_by_role("button", name="Undo").click()
    app.told("The pace is as it was")
    assert tenant.client().get("/api/v1/devices/pacing").json()["per_day"] == 800


def test_who_may_not_change_a_pace_sees_it(browser: Browser, world: World, tenant: Tenant) -> None:
    tenant.device()
    context = open_context(browser, world.url, DESKTOP)
    app = App(context.new_page(), narrow=False)
    app.enter(world.user(tenant, role="viewer"), PASSWORD)
    app.page.get_by_role("button", name=re.compile("^Actions for")).click()
    app.page.get_by_role("menuitem", name="Pace").click()
    dialog = app.page.get_by_role("dialog")
    expect(dialog.get_by_label("In a day")).to_be_disabled()
    expect(dialog.get_by_role("button", name="Save")).to_have_count(0)
    context.close()
