"""A campaign as a new user does it: from people to the report."""

from __future__ import annotations

import codecs
import re
import secrets
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number
from tests.browser.test_reading import MALAYSIA
from tests.integration.api.world import PASSWORD, Tenant


def _people(app: App, device: str, count: int, tag: str) -> list[str]:
    """Leads of a device, made by the API with the administrator's cookie; gives their numbers."""
    found = app.page.request.get("/api/v1/devices", params={"search": device}).json()["items"]
    numbers = [new_number() for _ in range(count)]
    for index, number in enumerate(numbers):
        lead = {"phone": f"+{number}", "name": f"Siti {index}", "tags": [tag], "device_id": found[0]["id"]}
        answer = app.page.request.post("/api/v1/leads", data=lead)
        assert answer.status == 201, answer.text()
    pacing = {"min_seconds": 0, "max_seconds": 0, "per_hour": 1000, "per_day": 1000, "typing": False, "ramp": False}
    changed = app.page.request.patch(f"/api/v1/devices/{found[0]['id']}", data={"pacing": pacing})
    assert changed.status == 200, changed.text()
    return numbers


def _next(app: App) -> None:
    app.page.get_by_role("button", name="Next", exact=True).click()


@pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)
def test_a_campaign_from_people_to_the_report(signed_in: App, stack: Stack, look: Look) -> None:
    app, page = signed_in, signed_in.page
    device, tag, name = f"Sender {look.name}", f"raya-{secrets.token_hex(3)}", f"Raya {secrets.token_hex(3)}"
    phone = link(app, stack, device)
    numbers = _people(app, device, 4, tag)

    page.goto("/campaigns")
    page.get_by_role("link", name="New campaign").first.click()
    page.get_by_label("Name of the campaign").fill(name)
    tags = page.get_by_label("Has all of these tags")
    tags.fill(tag)
    tags.press("Enter")
    expect(page.get_by_text("4 people")).to_be_visible()
    app.expect_accessible()
    _next(app)

    page.get_by_label("Message", exact=True).fill("Hi ")
    page.get_by_role("button", name="Name", exact=True).click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Hi {name|friend}")
    expect(page.get_by_role("figure", name="The message on a phone")).to_contain_text("Hi Siti 3")
    app.expect_accessible()
    _next(app)

    page.get_by_label("Shortest gap (s)").fill("0")
    longest = page.get_by_label("Longest gap (s)")
    longest.press("ControlOrMeta+a")
    longest.press_sequentially("50")
    expect(longest).to_have_value("50")
    longest.fill("0")
    expect(page.get_by_text(re.compile("Done about")).first).to_be_visible()
    expect(page.get_by_role("table")).to_contain_text(device)
    app.expect_accessible()
    _next(app)

    expect(page.get_by_text("Nothing stands against it.")).to_be_visible()
    nobody = new_number()
    stack.phones.not_on_whatsapp(nobody)
    for tester, told in ((nobody, "The test was not sent to"), (new_number(), "The test was sent to")):
        page.get_by_label("Send a test to").fill(f"+{tester}")
        page.get_by_role("button", name="Send test").click()
        expect(page.get_by_role("status").filter(has_text=told)).to_be_visible()
        app.expect_accessible()
    expect(page.get_by_text("Draft saved")).to_be_visible()
    app.expect_accessible()
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="Send to 4").click()

    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect(page.locator("[data-state=finished]")).to_be_visible()
    expect(page.get_by_text("of 4 sent")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Siti 2")).to_be_visible()
    app.expect_accessible()
    for index, number in enumerate(numbers):
        assert [one.text for one in stack.phones.inbox(phone=phone, contact=number)] == [f"Hi Siti {index}"]
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    file = download.value.path().read_bytes()
    assert (file[:3], len(file.splitlines())) == (codecs.BOM_UTF8, 5)

    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Copy").click()
    expect(page.get_by_label("Name of the campaign")).to_have_value(f"{name} (copy)")
    page.goto("/campaigns")
    expect(page.locator("[data-campaign]").filter(has_text=name)).to_have_count(2)
    app.expect_accessible()


@pytest.mark.parametrize("look", [DESKTOP_DARK, PHONE], indirect=True, ids=lambda look: look.name)
def test_one_that_runs_is_paused_resumed_and_cancelled(signed_in: App, stack: Stack, look: Look) -> None:
    app, page = signed_in, signed_in.page
    device, tag, name = f"Slow {look.name}", f"slow-{secrets.token_hex(3)}", f"Slow {secrets.token_hex(3)}"
    link(app, stack, device)
    _people(app, device, 3, tag)
    body = {
        "name": name,
        "audience": {"tags": [tag]},
        "message": {"text": "Hi {name|friend}"},
        "pace": {"min_seconds": 600, "max_seconds": 600},
    }
    made = page.request.post("/api/v1/campaigns", data=body).json()
    page.goto(f"/campaigns/{made['id']}")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="Send to 3").click()
    expect(page.locator("[data-state=running]")).to_be_visible()
    expect(page.get_by_text("of 3 sent")).to_contain_text("1")
    one_of_three = page.get_by_role("listitem").filter(has_text="Siti").filter(has_text="Delivered")
    expect(one_of_three).to_have_count(1)
    page.get_by_role("button", name="Pause").press("Enter")
    expect(page.locator("[data-state=paused]")).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_be_focused()
    app.expect_accessible()
    page.get_by_role("button", name="Resume").press("Enter")
    expect(page.locator("[data-state=running]")).to_be_visible()
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Cancel campaign").click()
    page.get_by_role("button", name="Cancel campaign").click()
    expect(page.locator("[data-state=cancelled]")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("Cancelled 2"))).to_be_visible()
    # each row of a table sums to its recipients
    expect(page.get_by_role("row", name=f"{device} 3 1 1 0 0 0 0 2")).to_be_visible()


@pytest.mark.parametrize("look", [DESKTOP_DARK, PHONE], indirect=True, ids=lambda look: look.name)
def test_the_calendar_shows_what_comes(alone: App, tenant: Tenant) -> None:
    app, page = alone, alone.page
    tenant.lead()
    # the middle of a month is shown with no other month, and a day shows three of its campaigns at first
    day = (datetime.now(MALAYSIA).replace(day=1) + timedelta(days=70)).replace(day=15)
    for hour in (9, 10, 11, 12):
        begins = {"date": f"{day:%Y-%m-%d}", "time": f"{hour:02}:30:00", "zone": "Asia/Kuala_Lumpur"}
        body = {"name": f"Raya at {hour}", "audience": {"tags": ["kl"]}, "message": {"text": "Hi"}, "schedule": begins}
        answer = tenant.client().post("/api/v1/campaigns", json=body)
        assert answer.status_code == 201, answer.text
    page.goto("/campaigns?view=calendar")
    calendar = page.get_by_role("region", name="Calendar")
    month = calendar.get_by_role("heading")
    while (shown := month.inner_text()) != f"{day:%B %Y}":
        calendar.get_by_role("button", name="Next month").click()
        expect(month).not_to_have_text(shown)
    links = calendar.get_by_role("link")
    expect(links).to_have_text([re.compile(rf"{hour:02}:30\s*Raya at {hour}$") for hour in (9, 10, 11)])
    app.expect_accessible()
    calendar.get_by_role("button", name="1 more").click()
    expect(links).to_have_count(4)
    calendar.get_by_role("button", name="Next month").click()
    expect(links).to_have_count(0)
    calendar.get_by_role("button", name="Month before").click()

    calendar.get_by_role("link", name=re.compile("Raya at 12")).click()
    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_text("It is scheduled. A change makes it a draft again.")).to_be_visible()
    page.get_by_label("Name of the campaign").fill("Raya at noon")
    expect(page.get_by_text("no longer scheduled")).to_be_visible()
    app.expect_accessible()


def test_who_is_chosen_before_all_tags_are_known_stays_chosen(signed_in: App) -> None:
    page = signed_in.page
    held = signed_in.hold("**/api/v1/leads/terms")
    page.goto("/campaigns/new")
    page.get_by_label("Has all of these tags").fill("early bird")
    page.get_by_label("Has all of these tags").press("Enter")
    chosen = page.get_by_role("button", name="Remove tag early bird")
    expect(chosen).to_be_visible()
    signed_in.until(lambda: held)
    held.pop().fulfill(json={"tags": ["late riser"], "fields": []})
    expect(page.locator("option[value='late riser']").first).to_be_attached()
    expect(chosen).to_be_visible()


@pytest.mark.parametrize("look", [PHONE], indirect=True, ids=lambda look: look.name)
def test_a_page_that_is_loaded_again_goes_on_where_it_was_and_back_is_the_step_before(
    alone: App, tenant: Tenant, look: Look
) -> None:
    app, page = alone, alone.page
    tenant.lead()
    page.goto("/campaigns")
    page.get_by_role("link", name="New campaign").first.click()
    page.get_by_label("Name of the campaign").fill("Raya")
    page.get_by_label("Has all of these tags").fill("kl")
    _next(app)
    page.get_by_label("Message", exact=True).fill("Hi")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Hi")
    expect(page.get_by_label("Name of the campaign")).to_have_value("Raya")
    _next(app)
    page.get_by_label("At a day and time").check()
    page.get_by_label("Time", exact=True).fill("10:15")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Time", exact=True)).to_have_value("10:15")
    page.go_back()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Hi")
    page.go_back()
    expect(page.get_by_role("button", name="Remove tag kl")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/campaigns/\d+/edit"))
    page.go_back()
    expect(page.get_by_role("heading", name="Campaigns", level=1)).to_be_visible()
    assert len(page.request.get("/api/v1/campaigns").json()["items"]) == 1


def test_two_who_write_one_campaign_lose_nothing_of_each_other_and_see_it_begin(alone: App, tenant: Tenant) -> None:
    page, other = alone.page, alone.page.context.new_page()
    tenant.lead()
    body = {"name": "Raya", "audience": {"tags": ["kl"]}, "message": {"text": "Hi"}}
    made = page.request.post("/api/v1/campaigns", data=body).json()["id"]
    page.goto(f"/campaigns/{made}/edit?step=message")
    other.goto(f"/campaigns/{made}/edit?step=message")
    expect(other.get_by_label("Name of the campaign")).to_have_value("Raya")
    page.get_by_label("Message", exact=True).fill("Salam")
    expect(other.get_by_label("Message", exact=True)).to_have_value("Salam")
    other.get_by_label("Name of the campaign").fill("Raya sale")
    expect(page.get_by_label("Name of the campaign")).to_have_value("Raya sale")
    expect(page.get_by_label("Message", exact=True)).to_have_value("Salam")

    # where it begins goes to its page, and where it is still written says so, and keeps what is written
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="Send to 1").click()
    expect(page.get_by_role("heading", name="Raya sale", level=1)).to_be_visible()
    expect(other.get_by_role("link", name="Show the campaign")).to_be_visible()
    other.get_by_role("button", name="Keep this as a new draft").click()
    expect(other.get_by_label("Message", exact=True)).to_have_value("Salam")
    expect(other).not_to_have_url(re.compile(f"/campaigns/{made}/"))

    # the address of one that is deleted says so, with the way back
    kept = re.findall(r"/campaigns/(\d+)/edit", other.url)[0]
    assert page.request.delete(f"/api/v1/campaigns/{kept}").ok
    for _ in "live", "loaded":
        expect(other.get_by_role("heading", name="This campaign is not here any more")).to_be_visible()
        expect(other.get_by_text("All campaigns")).to_be_visible()
        other.reload()
    other.close()


def test_who_may_not_write_campaigns_is_told_so_and_not_given_the_form(alone: App, tenant: Tenant) -> None:
    app, page = alone, alone.page
    app.enter(tenant.world.user(tenant, role="agent"), PASSWORD)
    page.goto("/campaigns/new")
    expect(page.get_by_role("heading", name="Only administrators write campaigns")).to_be_visible()
    expect(page.get_by_label("Name of the campaign")).to_have_count(0)
    page.get_by_role("link", name="All campaigns").click()
    expect(page.get_by_text("No campaigns yet")).to_be_visible()
