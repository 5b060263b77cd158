"""As an app of its own: installable, telling of messages while nobody looks, in the person's own zone and language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect

from tests.browser.app import App
from tests.browser.looks import BRIEF, CHROMIUM, DESKTOP, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number
from tests.browser.test_pages import is_change_of_session

two_looks = pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)
#: A page nobody looks at, as its own script sees it.
LOOKED_AWAY = "Object.defineProperty(document, 'visibilityState', {get: () => window.away ? 'hidden' : 'visible'})"
#: What the system is given to show.
NOTED = """window.told = [];
const show = ServiceWorkerRegistration.prototype.showNotification;
ServiceWorkerRegistration.prototype.showNotification = function (title, options) {
  window.told.push([title, options.body, options.data.address]);
  return show.call(this, title, options);
};"""


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, whole: the other knows nothing of installing and of notices."""
    with playwright.chromium.launch(executable_path=CHROMIUM, args=BRIEF) as chromium:
        yield chromium


def test_the_app_can_be_installed(app: App, context: BrowserContext) -> None:
    app.page.goto("/")
    found = context.new_cdp_session(app.page).send("Page.getInstallabilityErrors")["installabilityErrors"]
    # a test's profile is like a private window, where no browser installs anything
    assert [error["errorId"] for error in found if error["errorId"] != "in-incognito"] == []
    manifest = app.page.request.get("/manifest.webmanifest")
    assert manifest.headers["content-type"] == "application/manifest+json"
    for icon in manifest.json()["icons"]:
        assert app.page.request.get(icon["src"]).headers["content-type"] == "image/png"


def test_messages_are_told_of_only_when_asked_for_and_only_while_nobody_looks(
    signed_in: App, context: BrowserContext, stack: Stack
) -> None:
    app, page = signed_in, signed_in.page
    page.add_init_script(LOOKED_AWAY)
    page.add_init_script(NOTED)
    page.reload()
    phone, customer = link(app, stack, "Notices"), new_number()
    assert page.evaluate("Notification.permission") != "granted"
    context.grant_permissions(["notifications"])
    page.get_by_role("button", name="Account").click()
    switch = page.get_by_role("menuitemcheckbox", name="Notifications")
    expect(switch).not_to_be_checked()
    app.expect_accessible()
    switch.click()
    expect(switch).to_be_checked()
    page.keyboard.press("Escape")
    stack.phones.push_name(customer, "Aisyah")
    app.open_inbox("Notices")
    stack.phones.text(phone, customer, "While you look")
    expect(page.locator("a[data-chat]").first).to_contain_text("While you look")
    expect(page).to_have_title(re.compile(r"^\(\d+\) Notices · wafast$"))
    page.evaluate("window.away = true")
    stack.phones.text(phone, customer, "While you are away")
    # lines of other tests may still be written to
    page.wait_for_function("() => window.told.some(([title]) => title === 'Aisyah')")
    [(body, address)] = [(body, address) for title, body, address in page.evaluate("window.told") if title == "Aisyah"]
    assert body == "While you are away"
    page.goto(address)
    expect(app.bubble("While you are away")).to_be_visible()


@two_looks
def test_zone_and_language_follow_the_person(signed_in: App, context: BrowserContext, look: Look) -> None:
    page = signed_in.page
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Time zone").click()
    dialog = page.get_by_role("dialog", name="Time zone")
    signed_in.expect_accessible()
    dialog.get_by_label("Show times in").select_option("Pacific/Kiritimati")
    # whatever day it is by then
    signed_in.until(lambda: f"{datetime.now(ZoneInfo('Pacific/Kiritimati')).day} " in dialog.inner_text())
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    try:
        assert page.request.get("/api/v1/session").json()["time_zone"] == "Pacific/Kiritimati"
        page.get_by_role("button", name="Account").click()
        with page.expect_response(is_change_of_session):
            page.get_by_role("menuitemradio", name="Bahasa Melayu").click()
        page.keyboard.press("Escape")
        other = context.browser.new_context(base_url=page.url, storage_state=context.storage_state())  # type: ignore[union-attr]
        fresh = other.new_page()
        fresh.goto("/")
        fresh.evaluate("localStorage.clear()")
        fresh.reload()
        expect(fresh.get_by_role("heading", name="Peranti", level=1)).to_be_visible()
        other.close()
    finally:
        page.request.patch("/api/v1/session", data={"time_zone": None, "language": None})
