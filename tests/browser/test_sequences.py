"""Sequences as a person uses them: written, started, answered; and the lead beside its conversation."""

from __future__ import annotations

import re
import secrets

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number


def _lead(app: App, name: str, phone: str, tag: str, device: str) -> None:
    """A lead of a device, by the API with the administrator's cookie."""
    [found] = app.page.request.get("/api/v1/devices", params={"search": device}).json()["items"]
    pacing = {"min_seconds": 0, "max_seconds": 0, "typing": False, "ramp": False}
    assert app.page.request.patch(f"/api/v1/devices/{found['id']}", data={"pacing": pacing}).ok
    body = {"phone": f"+{phone}", "name": name, "tags": [tag], "device_id": found["id"]}
    answer = app.page.request.post("/api/v1/leads", data=body)
    assert answer.status == 201, answer.text()


def _add_step(app: App, text: str, wait: str, unit: str, late: str = "") -> Locator:
    """By the dialog, at most so many days late; gives the step's card."""
    page = app.page
    count = page.locator("[data-step]").count()
    page.get_by_role("button", name="Add step").click()
    dialog = page.get_by_role("dialog", name="Add step")
    dialog.get_by_label("How many").fill(wait)
    dialog.get_by_label("Unit").select_option(unit)
    dialog.get_by_role("textbox", name="Message").fill(text)
    if late:
        dialog.get_by_label("Not later than").check()
        dialog.get_by_label("How much later").fill(late)
    app.expect_accessible()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(page.locator("[data-step]")).to_have_count(count + 1)
    return page.locator("[data-step]").last


def test_what_is_written_of_a_step_is_not_lost_by_a_key(signed_in: App) -> None:
    app, page = signed_in, signed_in.page
    made = page.request.post("/api/v1/sequences", data={"name": f"Kept {secrets.token_hex(3)}"})
    assert made.status == 201, made.text()
    page.goto(f"/sequences/{made.json()['id']}")
    add = page.get_by_role("button", name="Add step")
    dialog = page.get_by_role("dialog", name="Add step")
    question = page.get_by_role("dialog", name="Discard what you wrote?")
    add.click()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    add.click()
    words = dialog.get_by_role("textbox", name="Message")
    words.fill("Any questions?")
    page.keyboard.press("Escape")
    expect(question).to_be_visible()
    app.expect_accessible()
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(words).to_have_value("Any questions?")
    page.go_back()
    question.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(add).to_be_visible()


@pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)
def test_a_sequence_is_written_started_and_ends_with_an_answer(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, tag = signed_in, signed_in.page, f"tag-{secrets.token_hex(3)}"
    device = f"Steps {look.name}"
    phone, customer, name = link(app, stack, device), new_number(), f"Welcome {secrets.token_hex(2)}"
    _lead(app, "Siti", customer, tag, device)

    if app.narrow:
        page.get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name="Sequences").click()
    else:
        page.get_by_role("link", name="Sequences").click()
    page.get_by_role("button", name="New sequence").click()
    dialog = page.get_by_role("dialog", name="New sequence")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Give it a name.")
    dialog.get_by_label("Name").fill(name)
    app.expect_accessible()
    dialog.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect(page.get_by_role("button", name="Start")).to_be_disabled()

    expect(_add_step(app, "Hi {name|friend}, welcome!", "0", "days")).to_contain_text("At once")
    asking = _add_step(app, "Any questions?", "1", "days", late="2")
    expect(asking).to_contain_text("1 day later")
    expect(asking).to_contain_text("at most 2 days late")
    last = _add_step(app, "Bye", "90", "minutes")
    expect(last).to_contain_text("1 hour 30 minutes later")
    page.get_by_role("button", name="Move step 3 up").click()
    expect(page.locator("[data-step='2']")).to_contain_text("Bye")
    page.get_by_role("button", name="Delete step 2").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("[data-step]")).to_have_count(2)

    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("button", name="Add leads").click()
    dialog = page.get_by_role("dialog", name=f"Add leads to “{name}”")
    dialog.get_by_label("Tag", exact=True).fill(tag)
    expect(dialog).to_contain_text("1 lead fits.")
    app.expect_accessible()
    dialog.get_by_role("button", name="Add leads").click()
    app.told("1 lead has entered")

    # it leaves, and the page counts it
    [got] = stack.phones.inbox(phone=phone, contact=customer, wait=60)
    assert got.text == "Hi Siti, welcome!"
    first = page.locator("[data-step='1']")
    expect(first).to_contain_text(re.compile("Sent|Delivered|Read"))
    expect(page.locator("[data-step='2']")).to_contain_text("Waiting")
    app.expect_accessible()
    page.get_by_role("tab", name="People").click()
    row = page.locator("[data-enrolment]")
    expect(row).to_contain_text("Step 2 of 2")
    row.get_by_role("button", name="Actions for Siti").click()
    page.get_by_role("menuitem", name="Pause").click()
    expect(row).to_contain_text("Paused")
    app.expect_accessible()
    row.get_by_role("button", name="Actions for Siti").click()
    page.get_by_role("menuitem", name="Resume").click()
    expect(row).to_contain_text("On the way")

    # an answer ends it
    stack.phones.text(phone=phone, contact=customer, text="How much is it?")
    expect(row).to_contain_text("the lead has written")
    page.get_by_role("tab", name="Steps").click()
    expect(first).to_contain_text("Replied")


@pytest.mark.parametrize("look", [DESKTOP_DARK, PHONE], indirect=True, ids=lambda look: look.name)
def test_the_lead_stands_beside_its_conversation(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, device = signed_in, signed_in.page, f"Leads {look.name}"
    phone, customer, tag = link(app, stack, device), new_number(), f"vip-{secrets.token_hex(2)}"
    stack.phones.text(phone=phone, contact=customer, text="Is it still there?")
    app.open_inbox(device)
    page.locator("a[data-chat]").filter(has_text="Is it still there?").click()
    page.get_by_role("button", name="Details").click()
    panel = page.get_by_role("dialog" if app.narrow else "complementary", name="Details")
    lead = panel.get_by_role("region", name="Lead")
    lead.get_by_role("button", name="Make a lead").click()
    lead.get_by_role("button", name="Edit lead").click()
    dialog = page.get_by_role("dialog", name="Edit lead")
    dialog.get_by_label("Name").fill("Puan Siti")
    dialog.get_by_label("Status").select_option("customer")
    dialog.get_by_label("Tags").fill(tag)
    app.expect_accessible()
    dialog.get_by_role("button", name="Save").click()
    expect(lead).to_contain_text("Puan Siti")
    expect(lead).to_contain_text(tag)
    expect(lead).to_contain_text(device)
    app.expect_accessible()

    # it says stop, and is told so once
    stack.phones.text(phone=phone, contact=customer, text="STOP!")
    expect(lead).to_contain_text("Wants no campaigns (replied STOP!)")
    expect(page.get_by_text("Opted out").first).to_be_attached()
    app.expect_accessible()
    [told] = stack.phones.inbox(phone=phone, contact=customer, wait=60)
    assert told.text == "You will get no more of these messages."
    lead.get_by_role("button", name="Allow again").click()
    expect(lead.get_by_role("button", name="Stop campaigns")).to_be_visible()
    lead.get_by_role("button", name="Stop campaigns").click()
    page.get_by_role("dialog", name="Send no more campaigns?").get_by_role("button", name="Stop campaigns").click()
    expect(lead).to_contain_text("Wants no campaigns (by a person)")


@pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)
def test_how_many_follow_an_edit_or_enter_is_told(signed_in: App, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Long {secrets.token_hex(2)}"
    made = page.request.post("/api/v1/sequences", data={"name": name}).json()
    stopped: list[str] = []

    def stop(route: Route) -> None:
        stopped.append(route.request.url)
        route.fulfill(json={})

    def as_while_edited(route: Route) -> None:
        answer = route.fetch()
        found = answer.json()
        for one in found.get("items", [found]):
            if one["id"] == made["id"]:
                one["following"] = {"done": 12_000, "total": 1_000_000}
        if "intakes" in found:
            entering = {"state": "running", "leads": 250_000, "looked": 48_000, "entered": 47_120, "ended_at": None}
            made_by = {"created_by": "user:1", "created_at": made["created_at"]}
            found["intakes"] = [] if stopped else [{"id": "3", "sequence_id": made["id"], **entering, **made_by}]
        route.fulfill(response=answer, json=found)

    page.route(re.compile(r"/api/v1/sequences(\?|/\d+$|$)"), as_while_edited)
    page.route(re.compile(r"/intakes/3/cancel$"), stop)
    page.goto("/sequences")
    told = "12,000 of 1,000,000 leads follow the change"
    expect(page.locator(f"[data-sequence='{made['id']}']")).to_contain_text(told)
    app.expect_accessible()
    page.get_by_role("link", name=name).click()
    expect(page.get_by_text(told)).to_be_visible()
    bar = page.get_by_role("group", name="Leads enter")
    expect(bar.get_by_role("progressbar", name="Leads enter")).to_be_visible()
    expect(bar).to_contain_text("48,000 of 250,000")
    app.expect_accessible()
    bar.get_by_role("button", name="Stop").click()
    expect(bar).to_be_hidden()
    assert len(stopped) == 1


def test_who_enters_is_chosen_among_tags_and_a_sequence_that_is_gone_says_so(alone: App) -> None:
    page = alone.page
    assert page.request.post("/api/v1/leads", data={"phone": "+60123456789", "tags": ["kl"]}).ok
    made = page.request.post("/api/v1/sequences", data={"name": "Welcome"}).json()["id"]
    page.goto(f"/sequences/{made}")
    page.get_by_role("button", name="Add leads").click()
    dialog = page.get_by_role("dialog", name="Add leads to “Welcome”")
    expect(dialog.locator("option[value=kl]")).to_be_attached()
    for told in "1 lead has entered", "Nobody has entered":
        dialog.get_by_label("Tag", exact=True).fill("kl")
        dialog.get_by_role("button", name="Add leads").click()
        alone.told(told)
        expect(dialog).to_have_count(0)
        page.get_by_role("button", name="Add leads").click()
    expect(dialog).to_be_visible()
    assert page.request.delete(f"/api/v1/sequences/{made}").ok
    for _ in "live", "loaded":
        expect(page.get_by_role("heading", name="This sequence is not here any more")).to_be_visible()
        page.reload()
    page.get_by_role("link", name="All sequences").click()
    page.get_by_role("button", name="New sequence").first.click()
    expect(page.get_by_role("dialog", name="New sequence").locator("option[value=kl]")).to_be_attached()
