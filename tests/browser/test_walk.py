"""The whole walk of somebody new: an Excel file, its people, a campaign to them, what came of it."""

from __future__ import annotations

import csv
import re
import secrets
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, PHONE, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number
from tests.workbook import workbook


@pytest.mark.parametrize("look", [DESKTOP, PHONE], indirect=True, ids=lambda look: look.name)
def test_from_an_excel_file_to_the_report(signed_in: App, stack: Stack, look: Look, tmp_path: Path) -> None:
    app, page, mark = signed_in, signed_in.page, "m" + secrets.token_hex(3)
    line, tag, segment = f"Walk {look.name}", f"expo {mark}", f"Expo people {mark}"
    phone = link(app, stack, line)
    # new lines begin slowly; who wants to see it done now says so
    app.device_action(line, "Pace")
    pace = page.get_by_role("dialog", name=f"Pace of {line}")
    pace.get_by_label("At least (seconds)").fill("0")
    pace.get_by_label("At most (seconds)").fill("1")
    pace.get_by_label("Show “typing…” first").uncheck()
    pace.get_by_role("button", name="Save").click()
    expect(pace).to_be_hidden()

    numbers = [new_number() for _ in range(6)]
    people = [[f"Siti {n}", int(number), "Ipoh" if n % 2 else "Klang"] for n, number in enumerate(numbers)]
    people[1][1] = f"+60 {numbers[1][2:4]}-{numbers[1][4:]}"
    table: list[list[str | int]] = [["Full name", "Phone no.", "Town"], *people, ["Twice", int(numbers[0]), "Ipoh"]]
    book = tmp_path / "expo.xlsx"
    visitors: list[list[str | int]] = [["Visitors of the expo"], [], *table]
    book.write_bytes(workbook({"Prices": [["Item", "Price"], ["Stand", 900]], "Visitors": visitors}))
    page.goto("/leads")
    page.get_by_role("button", name="Import", exact=True).first.click()
    dialog = page.get_by_role("dialog", name="Import leads")
    dialog.locator("input[type=file]").set_input_files(book)
    expect(dialog.get_by_label("Price is")).to_be_visible()
    dialog.get_by_label("Sheet").select_option("Visitors")
    expect(dialog.get_by_label("Phone no. is")).to_have_value("phone")
    expect(dialog.get_by_label("Full name is")).to_have_value("name")
    expect(dialog.get_by_label("Town is")).to_have_value("field:")
    dialog.get_by_label("Tags for all of them").fill(tag)
    dialog.get_by_role("button", name="Check the file").click()
    expect(dialog.get_by_text("7 rows in all")).to_be_visible()
    dialog.get_by_role("button", name="Import now").click()
    expect(dialog.get_by_text("Done.")).to_be_visible()
    app.expect_accessible()
    dialog.get_by_role("button", name="Show them").click()

    expect(page.get_by_text("6 leads", exact=True)).to_be_visible()
    page.get_by_role("button", name="Save as segment").click()
    page.get_by_label("Name of the segment").fill(segment)
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_label("Segment", exact=True)).to_have_value(re.compile(r"\d+"))
    page.get_by_role("link", name="Campaign to these").click()

    page.get_by_label("Name of the campaign").fill(f"Expo {mark}")
    expect(page.get_by_label("Segment")).to_have_value(re.compile(r"\d+"))
    expect(page.get_by_text("6 people")).to_be_visible()
    app.expect_accessible()
    page.get_by_role("button", name="Next", exact=True).click()
    page.get_by_label("Message", exact=True).fill("Hi {name|friend}, how is {town|it}?")
    expect(page.get_by_role("figure", name="The message on a phone")).to_contain_text("Hi Siti")
    page.get_by_role("button", name="Next", exact=True).click()
    page.get_by_label("Shortest gap (s)").fill("0")
    page.get_by_label("Longest gap (s)").fill("1")
    page.get_by_role("checkbox", name=line, exact=True).check()
    expect(page.get_by_role("table")).to_contain_text(line)
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_text("Nothing stands against it.")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="Send to 6").click()

    expect(page.get_by_role("heading", name=f"Expo {mark}", level=1)).to_be_visible()
    expect(page.get_by_text("of 6 sent")).to_be_visible()
    # without a reload
    expect(page.locator("[data-state=finished]")).to_be_visible(timeout=90_000)
    expect(page.get_by_text("of 6 sent")).to_contain_text("6")
    app.expect_accessible()
    for index, number in enumerate(numbers):
        town = "Ipoh" if index % 2 else "Klang"
        got = [one.text for one in stack.phones.inbox(phone=phone, contact=number)]
        assert got == [f"Hi Siti {index}, how is {town}?"]
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as report:
        rows = list(csv.DictReader(report))
    assert sorted(row["phone"].removeprefix("+") for row in rows) == sorted(numbers)
