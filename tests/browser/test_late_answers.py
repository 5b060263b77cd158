"""What comes late: it loses nothing, and does nothing to what has come in the place of what it was asked for."""

from __future__ import annotations

import re
import secrets
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.app import App
from tests.browser.test_full_path import new_number
from tests.browser.test_habits import PICTURE


def _lead(page: Page, name: str, **fields: Any) -> dict[str, Any]:
    answer = page.request.post("/api/v1/leads", data={"phone": f"+{new_number()}", "name": name, **fields})
    assert answer.status == 201, answer.text()
    lead: dict[str, Any] = answer.json()
    return lead


def _is_suppressed(page: Page, lead: dict[str, Any]) -> bool:
    return bool(page.request.get(f"/api/v1/leads/{lead['id']}").json()["is_suppressed"])


def _panel(app: App, name: str) -> Locator:
    """Closes the panel that is open, if one is, and opens this lead's."""
    page = app.page
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("[data-lead]").filter(has_text=name).get_by_role("button").click()
    panel = page.get_by_role("dialog", name=name)
    expect(panel).to_be_visible()
    return panel


def test_a_campaign_waits_for_its_picture_whatever_step_is_looked_at(signed_in: App) -> None:
    app, page, tag = signed_in, signed_in.page, f"late-{secrets.token_hex(3)}"
    _lead(page, "Siti", tags=[tag])
    body = {"name": f"Late {tag}", "audience": {"tags": [tag]}, "message": {"text": "Hi"}}
    made = page.request.post("/api/v1/campaigns", data=body).json()
    on_its_way = app.hold("**/api/v1/media")
    page.goto(f"/campaigns/{made['id']}/edit")
    expect(page.get_by_text("1 person", exact=True)).to_be_visible()
    following = page.get_by_role("button", name="Next", exact=True)
    following.click()
    page.locator("input[type=file]").set_input_files(PICTURE)
    expect(page.get_by_role("progressbar", name="Uploading")).to_be_visible()
    following.click()
    following.click()
    start = page.get_by_role("button", name="Start", exact=True)
    expect(start).to_be_disabled()
    expect(page.get_by_text("The file is still being uploaded.")).to_be_visible()
    app.until(lambda: on_its_way)
    on_its_way.pop().continue_()
    expect(start).to_be_enabled()
    page.get_by_role("button", name="Back", exact=True).click()
    page.get_by_role("button", name="Back", exact=True).click()
    expect(page.get_by_text(PICTURE.name)).to_be_visible()
    app.until(lambda: page.request.get(f"/api/v1/campaigns/{made['id']}").json()["message"].get("media_id"))


def test_a_step_waits_for_its_picture(signed_in: App) -> None:
    app, page = signed_in, signed_in.page
    made = page.request.post("/api/v1/sequences", data={"name": f"Late {secrets.token_hex(3)}"})
    assert made.status == 201, made.text()
    on_its_way = app.hold("**/api/v1/media")
    page.goto(f"/sequences/{made.json()['id']}")
    page.get_by_role("button", name="Add step").click()
    dialog = page.get_by_role("dialog", name="Add step")
    dialog.get_by_role("textbox", name="Message").fill("Hi")
    dialog.locator("input[type=file]").set_input_files(PICTURE)
    expect(dialog.get_by_text("The file is still being uploaded.")).to_be_visible()
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    app.until(lambda: on_its_way)
    on_its_way.pop().abort()
    expect(dialog.get_by_text("The file could not be uploaded.")).to_be_visible()
    dialog.get_by_role("button", name="Try again").click()
    app.until(lambda: on_its_way)
    on_its_way.pop().continue_()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    [step] = page.request.get(f"/api/v1/sequences/{made.json()['id']}").json()["steps"]
    assert step["message"]["media_id"]


def test_what_was_asked_of_one_lead_is_not_done_to_the_next(signed_in: App) -> None:
    app, page, mark = signed_in, signed_in.page, secrets.token_hex(3)
    first, second = (_lead(page, f"{name} {mark}") for name in ("Aina", "Bala"))
    page.goto(f"/leads?search={mark}")
    panel = _panel(app, "Aina")
    panel.get_by_label("New note").fill("half a thou")
    panel.get_by_role("button", name="Opt out").click()
    app.told("Campaigns leave this number alone now")
    panel = _panel(app, "Bala")
    expect(panel.get_by_label("New note")).to_have_value("")
    page.get_by_role("button", name="Undo").click()
    app.until(lambda: not _is_suppressed(page, first))

    held = app.hold("**/api/v1/suppressions")
    panel.get_by_role("button", name="Opt out").click()
    app.until(lambda: held)
    panel = _panel(app, "Aina")
    with page.expect_response(f"**/api/v1/leads/{second['id']}"):
        held.pop().continue_()
    app.told("Campaigns leave this number alone now")
    expect(panel.get_by_role("heading", name=f"Aina {mark}")).to_be_visible()
    assert [_is_suppressed(page, lead) for lead in (first, second)] == [False, True]


def test_whom_a_lead_can_be_merged_with_is_who_was_looked_for_last(signed_in: App) -> None:
    app, page, mark = signed_in, signed_in.page, secrets.token_hex(3)
    for name in ("Aina", "Bala", "Chong"):
        _lead(page, f"{name} {mark}")
    page.goto(f"/leads?search={mark}")
    panel = _panel(app, "Chong")
    panel.get_by_role("button", name="Merge").click()
    aina, bala = (app.hold(f"**/api/v1/leads?search={name}*") for name in ("Aina", "Bala"))
    field = panel.get_by_placeholder("Search name or number")
    field.fill(f"Aina {mark}")
    app.until(lambda: aina)
    field.fill(f"Bala {mark}")
    app.until(lambda: bala)
    bala.pop().continue_()
    expect(panel.get_by_role("button", name=re.compile("Bala"))).to_be_visible()
    with page.expect_response("**/api/v1/leads?search=Aina*"):
        aina.pop().continue_()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(panel.get_by_role("button", name=re.compile("Bala"))).to_be_visible()
