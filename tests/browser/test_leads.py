"""Leads: from a file to a list, and what is done with many of them."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.test_full_path import new_number, new_word
from tests.integration.api.world import Tenant


def _row(app: App, text: str) -> Locator:
    return app.page.locator("[data-lead]").filter(has_text=text)


def _open(app: App) -> None:
    app.page.goto("/leads")
    expect(app.page.get_by_role("heading", name="Leads", level=1)).to_be_visible()


@pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)
def test_a_file_becomes_leads(signed_in: App, look: Look, tmp_path: Path) -> None:
    app, page, tag = signed_in, signed_in.page, f"expo {secrets.token_hex(3)}"
    numbers = [new_number() for _ in range(3)]
    file = tmp_path / "expo.csv"
    rows = [f"Siti {tag},{numbers[0]},Ipoh", f"Ahmad {tag},{numbers[1]},KL", f"Twice,{numbers[1]},", "Nobody,12,"]
    file.write_text("\n".join(["Full name,Phone no.,Town", *rows]), "utf-8")
    _open(app)
    page.get_by_role("button", name="Import", exact=True).first.click()
    dialog = page.get_by_role("dialog", name="Import leads")
    app.expect_accessible()
    dialog.locator("input[type=file]").set_input_files(file)
    expect(dialog.get_by_label("Phone no. is")).to_have_value("phone")
    expect(dialog.get_by_label("Full name is")).to_have_value("name")
    expect(dialog.get_by_label("Town is")).to_have_value("field:")
    dialog.get_by_label("Tags for all of them").fill(tag)
    app.expect_accessible()
    dialog.get_by_role("button", name="Check the file").click()
    expect(dialog.get_by_text("4 rows in all")).to_be_visible()
    for what, count in (("New", "2"), ("Double in the file", "1"), ("With a mistake", "1")):
        expect(dialog.locator("dl div").filter(has=page.get_by_text(what, exact=True))).to_contain_text(count)
    app.expect_accessible()
    with page.expect_download() as problems:
        dialog.get_by_role("link", name="Download rows with problems").click()
    assert "the same number as in row 3" in Path(problems.value.path()).read_text("utf-8")
    dialog.get_by_role("button", name="Import now").click()
    expect(dialog.get_by_text("Done.")).to_be_visible()
    dialog.get_by_role("button", name="Close", exact=True).last.click()

    page.get_by_label("Tag", exact=True).select_option(tag)
    expect(page.locator("[data-lead]")).to_have_count(2)
    expect(page.get_by_text("2 leads", exact=True)).to_be_visible()
    app.expect_accessible()
    page.get_by_label("Search name or number").fill("siti")
    expect(page.locator("[data-lead]")).to_have_count(1)
    page.reload()
    expect(page.locator("[data-lead]")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"search=siti"))

    _row(app, f"Siti {tag}").get_by_role("button").click()
    panel = page.get_by_role("dialog", name=f"Siti {tag}")
    expect(panel).to_contain_text("Ipoh")
    panel.get_by_label("New note").fill("Wants the red one")
    panel.get_by_role("button", name="Save note").click()
    expect(panel.get_by_text("Wants the red one")).to_be_visible()
    panel.get_by_role("button", name="Delete note").click()
    asked = page.get_by_role("dialog", name="Delete this note?")
    app.expect_accessible()
    page.keyboard.press("Escape")
    expect(asked).to_have_count(0)
    expect(panel.get_by_text("Wants the red one")).to_be_visible()
    panel.get_by_role("button", name="Delete note").click()
    asked.get_by_role("button", name="Delete note").click()
    expect(panel.get_by_text("Wants the red one")).to_have_count(0)
    panel.get_by_role("button", name="Opt out").click()
    expect(panel.get_by_text("Opted out: campaigns and sequences")).to_be_visible()
    app.expect_accessible()
    panel.get_by_role("button", name="Close").click()
    page.goto("/leads/suppressions")
    listed = page.locator(f"[data-suppression='+{numbers[0]}']")
    expect(listed).to_contain_text(f"Siti {tag}")
    app.expect_accessible()
    listed.get_by_role("button").click()
    expect(listed).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(listed).to_be_visible()


@pytest.mark.parametrize("look", [DESKTOP_DARK, PHONE], indirect=True, ids=lambda look: look.name)
def test_one_is_added_and_many_are_changed_and_back(signed_in: App, look: Look) -> None:
    app, page, mark = signed_in, signed_in.page, new_word()
    _open(app)
    for name in ("Lim", "Ravi"):
        page.get_by_role("button", name="Add lead").click()
        dialog = page.get_by_role("dialog", name="Add lead")
        dialog.get_by_label("Phone number").fill("12" if name == "Lim" else "")
        dialog.get_by_role("button", name="Add", exact=True).click()
        expect(dialog.get_by_label("Phone number")).to_have_attribute("aria-invalid", "true")
        dialog.get_by_label("Phone number").fill(new_number())
        dialog.get_by_label("Name", exact=True).fill(f"{name} {mark}")
        dialog.get_by_label("Tags").fill(f"list {mark}")
        dialog.get_by_role("button", name="Add a field").click()
        dialog.get_by_label("Field", exact=True).fill("city")
        dialog.get_by_label("Value").fill("Melaka")
        app.expect_accessible()
        dialog.get_by_role("button", name="Add", exact=True).click()
        expect(dialog).to_have_count(0)
    page.get_by_label("Search name or number").fill(mark)
    expect(page.locator("[data-lead]")).to_have_count(2)
    page.get_by_label("Select all shown").check()
    page.get_by_role("button", name="Tags", exact=True).click()
    page.get_by_role("dialog").get_by_label("Tags").fill(f"vip {mark}")
    page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
    app.told("2 leads changed")
    expect(_row(app, f"Lim {mark}")).to_contain_text(f"vip {mark}")
    page.get_by_role("button", name="Undo").click()
    expect(_row(app, f"Lim {mark}")).not_to_contain_text(f"vip {mark}")

    page.get_by_role("button", name="Save as segment").click()
    page.get_by_label("Name of the segment").fill(f"Segment {mark}")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_label("Segment", exact=True)).to_have_value(re.compile(r"\d+"))
    expect(page.locator("[data-lead]")).to_have_count(2)
    # other words would find people outside of it
    search = page.get_by_label("Search name or number")
    expect(search).to_be_disabled()
    expect(search).to_have_value(mark)
    page.get_by_label("Select all shown").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("textbox").fill("2")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No lead fits")).to_be_visible()
    app.expect_accessible()


def test_what_a_lead_was_sent_is_not_taken_away_when_the_lead_changes(signed_in: App) -> None:
    page, mark = signed_in.page, "m" + secrets.token_hex(3)
    lead = page.request.post("/api/v1/leads", data={"phone": new_number(), "name": f"Aina {mark}"}).json()
    page.goto(f"/leads?search={mark}")
    _row(signed_in, "Aina").get_by_role("button").click()
    notes = page.get_by_role("dialog").get_by_role("region", name="Notes").locator("ul")
    notes.evaluate("one => (one.dataset.seen = 'yes')")
    assert page.request.patch(f"/api/v1/leads/{lead['id']}", data={"name": f"Nur Aina {mark}"}).ok
    expect(page.get_by_role("dialog", name=f"Nur Aina {mark}")).to_be_visible()
    expect(notes).to_have_attribute("data-seen", "yes")


@pytest.mark.parametrize("look", [PHONE_DARK], indirect=True, ids=lambda look: look.name)
def test_an_import_of_numbers_that_was_cancelled_says_how_many_stay(alone: App, tenant: Tenant, look: Look) -> None:
    page, world = alone.page, tenant.world
    id = world.sql(
        "INSERT INTO imports (tenant_id, kind, file_name, size, state, read, written, options, created_by)"
        " VALUES ($1, 'suppressions', 'stop.csv', 9000, 'running', 12000, 5000, '{}', 'user:1') RETURNING id",
        tenant.id,
    )
    page.goto("/leads/suppressions")
    page.get_by_role("button", name="Show import").click()
    dialog = page.get_by_role("dialog", name="Import opted-out numbers")
    expect(dialog.get_by_text("Writing what was read")).to_be_visible()

    counts = '{"new": 4990, "changed": 0, "unchanged": 10, "doubles": 0, "errors": 0}'
    world.sql(f"UPDATE imports SET state = 'cancelled', ended_at = now(), counts = '{counts}' WHERE id = $1", id)
    world.publish({"k": "import", "t": tenant.id, "i": id})

    expect(dialog.get_by_text("Cancelled before the end of the file.")).to_be_visible()
    expect(dialog.get_by_text("and stay there: 4,990")).to_be_visible()
    alone.expect_accessible()


def test_a_file_in_which_every_row_is_wrong_can_be_mended_and_not_taken_in(alone: App) -> None:
    page = alone.page
    page.goto("/leads")
    page.get_by_role("button", name="Import").first.click()
    dialog = page.get_by_role("dialog", name="Import leads")
    rows = b"name,phone\nAli,abc\nSiti,12\n"
    dialog.locator("input[type=file]").set_input_files({"name": "bad.csv", "mimeType": "text/csv", "buffer": rows})
    dialog.get_by_role("button", name="Check the file").click()
    expect(dialog.get_by_text("Nothing can be taken in: every row has a mistake.")).to_be_visible()
    expect(dialog.get_by_text("'abc' is not a phone number")).to_be_visible()
    expect(dialog.get_by_role("button", name="Import now")).to_have_count(0)
    alone.expect_accessible()


@pytest.mark.parametrize("look", [PHONE_DARK], indirect=True, ids=lambda look: look.name)
@pytest.mark.parametrize(
    ("kind", "place", "title"),
    [("leads", "/leads", "Import leads"), ("suppressions", "/leads/suppressions", "Import opted-out numbers")],
)
def test_an_import_that_was_left_is_seen_and_told_of(
    alone: App, tenant: Tenant, look: Look, kind: str, place: str, title: str
) -> None:
    app, page, world = alone, alone.page, tenant.world
    id = world.sql(
        "INSERT INTO imports (tenant_id, kind, file_name, size, state, rows, read, written, options, created_by)"
        " VALUES ($1, $2, 'expo.csv', 9000, 'running', 1200, 1200, 300, '{}', 'user:1') RETURNING id",
        tenant.id,
        kind,
    )
    page.goto(place)
    state = page.get_by_role("group", name="Import of expo.csv")
    expect(state).to_contain_text("being taken in")
    expect(state).to_contain_text("300 of 1,200")
    expect(state.get_by_role("progressbar")).to_have_js_property("position", 0.25)
    app.expect_accessible()
    state.get_by_role("button", name="Show import").click()
    dialog = page.get_by_role("dialog", name=title)
    expect(dialog.get_by_text("Writing what was read")).to_be_visible()
    expect(dialog.get_by_text("300 of 1,200")).to_be_visible()
    expect(dialog.get_by_role("progressbar")).to_have_js_property("position", 0.25)
    page.go_back()
    expect(dialog).to_have_count(0)
    counts = '{"new": 1200, "changed": 0, "unchanged": 0, "doubles": 0, "errors": 0}'
    world.sql(f"UPDATE imports SET state = 'done', ended_at = now(), counts = '{counts}' WHERE id = $1", id)
    world.publish({"k": "import", "t": tenant.id, "i": id})
    app.told("Import of expo.csv · done")
    expect(state).to_have_count(0)
    page.get_by_role("button", name="Show import").click()
    expect(dialog.get_by_text("1,200 rows in all")).to_be_visible()
