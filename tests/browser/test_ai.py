"""A reply is drafted and sent by a person; leads get their scores."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.ai_endpoint import KEY, MODEL, AiEndpoint, Reply, gives, says
from tests.browser.app import App
from tests.browser.looks import DESKTOP, PHONE_DARK
from tests.database import Database
from tests.integration.api.world import Tenant, World, running

LOOKS = pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)


@pytest.fixture(scope="module")
def server() -> Iterator[AiEndpoint]:
    with AiEndpoint() as made:
        yield made


@pytest.fixture(scope="module")
def world(database: Database, data_dirs: list[Path], server: AiEndpoint) -> Iterator[World]:
    """An API with an endpoint."""
    data_dirs.append(data_dir := Path(tempfile.mkdtemp(prefix="wafast-browser-")))
    environment = {"WAFAST_AI_URL": server.url, "WAFAST_AI_KEY": KEY, "WAFAST_AI_MODEL": MODEL}
    with running(database.create(), data_dir, environment) as made:
        yield made


@pytest.fixture
def app(alone: App) -> App:
    """In a workspace of the test's own."""
    return alone


@LOOKS
def test_a_reply_is_drafted_over_words_that_can_be_had_back_and_nothing_is_sent(
    app: App, tenant: Tenant, server: AiEndpoint
) -> None:
    device = tenant.device(name="Sales")
    tenant.world.sql("UPDATE devices SET paired_at = now() WHERE id = $1", device.id)
    tenant.message(tenant.chat(device, name="Puan Aminah"), "Is it still there?")
    app.page.goto(f"/device/{device.id}/whatsapp-web")
    app.open_chat("Puan Aminah")
    draft = app.page.get_by_role("button", name="Draft a reply")
    # on a phone the button makes room for words
    words = "" if app.narrow else "Well, "
    app.composer.fill(words)
    server.answer = lambda _: says("<b>Yes</b>, it is!")
    server.open.clear()
    draft.click()
    expect(app.page.get_by_role("button", name="Drafting a reply")).to_have_attribute("aria-busy", "true")
    app.expect_accessible()
    server.open.set()
    expect(app.composer).to_have_value("<b>Yes</b>, it is!")
    app.expect_accessible()
    if words:
        app.page.get_by_role("button", name="Undo").click()
        expect(app.composer).to_have_value(words)
    else:
        expect(draft).to_have_count(0)
        app.composer.fill("")
        expect(draft).to_be_visible()
    server.answer = lambda _: Reply(401, KEY.encode())
    app.composer.press("Control+Shift+D")
    app.told("The AI endpoint refuses the key (401)")
    expect(app.composer).to_have_value(words)
    server.answer = lambda _: says("Yes!")
    app.composer.press("Control+Shift+D")
    expect(app.composer).to_have_value("Yes!")
    # what is written while it is asked stays, and the draft is offered
    server.open.clear()
    app.composer.press("Control+Shift+D")
    expect(app.page.get_by_role("button", name="Drafting a reply")).to_have_attribute("aria-busy", "true")
    app.composer.fill("No")
    server.answer = lambda _: says("Yes!")
    server.open.set()
    offered = app.page.get_by_role("button", name="Use draft")
    expect(offered).to_be_visible()
    expect(app.composer).to_have_value("No")
    app.expect_accessible()
    offered.click()
    expect(app.composer).to_have_value("Yes!")
    assert tenant.world.sql("SELECT count(*) FROM outbox WHERE tenant_id = $1", tenant.id) == 0
    app.composer.press("Enter")
    expect(app.bubble("Yes!")).to_be_visible()
    if not app.narrow:
        app.page.locator("body").click(position={"x": 1, "y": 1})
        app.page.keyboard.press("?")
        expect(app.page.get_by_role("dialog", name="Keyboard shortcuts").get_by_text("Draft a reply")).to_be_visible()


def test_words_come_back_to_the_chat_they_were_written_in(app: App, tenant: Tenant, server: AiEndpoint) -> None:
    device = tenant.device(name="Sales")
    tenant.world.sql("UPDATE devices SET paired_at = now() WHERE id = $1", device.id)
    for name in ("Puan Aminah", "Encik Razak"):
        tenant.message(tenant.chat(device, name=name), f"I am {name}")
    server.answer = lambda _: says("Yes!")
    server.open.set()
    app.page.goto(f"/device/{device.id}/whatsapp-web")
    app.open_chat("Puan Aminah")
    app.composer.fill("Well, ")
    app.composer.press("Control+Shift+D")
    expect(app.composer).to_have_value("Yes!")
    app.open_chat("Encik Razak")
    app.composer.fill("To you")
    app.page.get_by_role("button", name="Undo").click()
    expect(app.composer).to_have_value("To you")
    app.open_chat("Puan Aminah")
    expect(app.composer).to_have_value("Well, ")


@LOOKS
def test_chosen_leads_get_scores_with_a_reason(app: App, tenant: Tenant, server: AiEndpoint) -> None:
    tenant.lead(name="Siti", tags=["warm"])
    tenant.lead(name="Farid", tags=["cold"])
    server.answer = lambda question: (
        gives(90, "Asked <b>twice</b>.") if "warm" in question["messages"][1]["content"] else says("no idea")
    )
    server.open.clear()
    app.page.goto("/leads")
    app.page.get_by_label("Select all shown").check()
    app.page.get_by_role("button", name="Score…").click()
    dialog = app.page.get_by_role("dialog", name="Score 2 leads")
    dialog.get_by_label("What makes a good lead").fill("Restaurants")
    app.expect_accessible()
    dialog.get_by_role("button", name="Score", exact=True).click()
    expect(app.page.get_by_role("group", name="Scoring leads")).to_contain_text("0 of 2")
    app.page.reload()
    expect(app.page.get_by_role("group", name="Scoring leads")).to_be_visible()
    app.expect_accessible()
    server.open.set()
    app.told("1 lead was scored")
    app.told("1 lead got no score; it says why.")
    row = app.page.locator("[data-lead]").filter(has_text="Siti")
    expect(row.get_by_text("Score 90")).to_be_visible()
    row.get_by_role("button").click()
    panel = app.page.get_by_role("dialog", name="Siti")
    expect(panel.get_by_text("Asked <b>twice</b>.")).to_be_visible()
    app.expect_accessible()
    app.page.keyboard.press("Escape")
    app.page.locator("[data-lead]").filter(has_text="Farid").get_by_role("button").click()
    expect(app.page.get_by_text("The last attempt gave no score: The AI endpoint gave no number")).to_be_visible()
