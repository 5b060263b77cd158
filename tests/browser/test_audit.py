"""The audit log: found from the people's page, narrowed, read on a phone and in Malay."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, PHONE_DARK, Look

LOOKS = pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)


@LOOKS
def test_who_did_what_is_read_and_narrowed(signed_in: App, look: Look) -> None:
    page, name = signed_in.page, f"Told of {look.name}"
    assert page.request.post("/api/v1/labels", data={"name": name, "colour": "green"}).status == 201
    page.goto("/people")
    page.get_by_role("link", name="Audit log").click()
    expect(page.get_by_role("heading", name="Audit log", level=1)).to_be_visible()
    row = page.locator("[data-audit]").filter(has_text=name)
    expect(row).to_contain_text("Label: made")
    signed_in.expect_accessible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("What").select_option("Label")
    expect(page.locator("[data-audit]:not([data-audit^='label.'])")).to_have_count(0)
    expect(row).to_be_visible()
    page.get_by_label("Who").select_option("Command line")
    expect(page.get_by_text("Nobody has done anything that fits.")).to_be_visible()
    signed_in.expect_accessible()
    page.get_by_label("Who").select_option("Anybody")
    page.get_by_label("To").fill("2020-01-01")
    expect(page.locator("[data-audit]")).to_have_count(0)
    page.get_by_label("To").fill("")
    page.get_by_label("From").fill("2020-01-01")
    expect(row).to_be_visible()


def test_the_log_that_can_not_be_read_says_so_and_is_tried_again(signed_in: App) -> None:
    page = signed_in.page
    asked = signed_in.hold("**/api/v1/audit?*")
    page.goto("/people/audit")
    expect(page.get_by_role("status").filter(has_text="Loading")).to_be_visible()
    signed_in.expect_accessible()
    signed_in.until(lambda: asked)
    asked.pop().fulfill(status=503, body="")
    expect(page.get_by_role("alert")).to_contain_text("The log could not be loaded")
    signed_in.expect_accessible()
    page.unroute("**/api/v1/audit?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-audit]").first).to_be_visible()


def test_the_log_speaks_malay(signed_in: App) -> None:
    page = signed_in.page
    page.request.post("/api/v1/devices", data={"name": "Jualan", "network": "loopback"})
    page.evaluate("localStorage.setItem('wafast.language', 'ms')")
    page.request.patch("/api/v1/session", data={"language": "ms"})
    try:
        page.goto("/people/audit")
        expect(page.get_by_role("heading", name="Log audit", level=1)).to_be_visible()
        expect(page.locator("[data-audit='device.create']").first).to_contain_text("Peranti: dibuat")
    finally:
        # the language is the person's, whom all tests share
        page.request.patch("/api/v1/session", data={"language": None})
