"""What comes late: it loses nothing, and does nothing to what has come in the place of what it was asked for."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Route, WebSocketRoute, expect

from tests.browser.app import App
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number
from tests.browser.test_habits import PICTURE
from tests.integration.api.world import Tenant


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
    app, page, mark = signed_in, signed_in.page, "m" + secrets.token_hex(3)
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
    app, page, mark = signed_in, signed_in.page, "m" + secrets.token_hex(3)
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


def test_a_quick_reply_that_is_not_known_yet_is_not_sent_as_it_is_written(signed_in: App, stack: Stack) -> None:
    app, name = signed_in, _quick_reply(signed_in.page, "Thank you!")
    _chats(app, stack, "Replies", "Aisyah")
    app.open_chat("Aisyah")
    held = app.hold("**/api/v1/quick-replies*")
    app.composer.press_sequentially(f"/{name}")
    app.composer.press("Enter")
    expect(app.composer).to_have_value(f"/{name}")
    app.until(lambda: held)
    for route in held:
        route.continue_()
    expect(app.composer).to_have_value("Thank you!")
    expect(app.messages.locator(".bubble")).to_have_count(1)


def test_a_chat_that_is_not_there_takes_nobody_away_from_the_next(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    _chats(app, stack, "Gone", "Aisyah")
    held = app.hold("**/api/v1/chats/999999999")
    page.goto("/inbox/999999999")
    app.until(lambda: held)
    app.open_chat("Aisyah")
    there = page.url
    for route in held:
        with page.expect_response("**/api/v1/chats/999999999"):
            route.continue_()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(app.composer).to_be_visible()
    assert page.url == there


def test_a_chat_that_was_given_up_is_not_opened(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    _chats(app, stack, "Given up", "Aisyah")
    there = page.url
    held = app.hold("**/api/v1/devices/*/chats")
    page.get_by_role("button", name="New chat").click()
    dialog = page.get_by_role("dialog", name="New chat")
    dialog.get_by_label("Phone number").fill(f"+{new_number()}")
    dialog.get_by_role("button", name="Open chat").click()
    app.until(lambda: held)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    with page.expect_response("**/api/v1/devices/*/chats"):
        held.pop().continue_()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert page.url == there


def test_a_copy_opens_only_for_who_still_waits_for_it(signed_in: App) -> None:
    app, page = signed_in, signed_in.page
    name = f"Copied {secrets.token_hex(3)}"
    made = page.request.post("/api/v1/campaigns", data={"name": name, "message": {"text": "Hi"}}).json()
    page.goto(f"/campaigns/{made['id']}")
    held = app.hold("**/clone")
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Copy").click()
    app.until(lambda: held)
    page.get_by_role("link", name="All campaigns").or_(page.get_by_role("link", name="Campaigns")).first.click()
    expect(page.get_by_role("heading", name="Campaigns", level=1)).to_be_visible()
    with page.expect_response("**/clone"):
        held.pop().continue_()
    expect(page.locator("[data-campaign]").filter(has_text=f"{name} (copy)")).to_be_visible()
    # the page it would go to is fetched first
    page.wait_for_load_state("networkidle")
    expect(page).to_have_url(re.compile(r"/campaigns$"))


def test_an_answer_to_one_dialog_does_not_close_the_next(signed_in: App) -> None:
    app, page, mark = signed_in, signed_in.page, "m" + secrets.token_hex(3)
    lead = _lead(page, f"Aina {mark}")
    page.goto(f"/leads?search={mark}")
    dialog = page.get_by_role("dialog", name="Add lead")
    held = app.hold("**/api/v1/leads")
    page.get_by_role("button", name="Add lead").click()
    dialog.get_by_label("Phone number").fill(lead["phone"])
    dialog.get_by_role("button", name="Add", exact=True).click()
    app.until(lambda: held)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Add lead").click()
    dialog.get_by_label("Name", exact=True).fill("Bala")
    # it is there already: refused, and told though its dialog has gone
    with page.expect_response("**/api/v1/leads"):
        held.pop().continue_()
    app.told("already")
    expect(dialog.get_by_role("alert").filter(has_text=re.compile("already|exists"))).to_have_count(0)
    dialog.get_by_label("Phone number").fill(f"+{new_number()}")
    dialog.get_by_role("button", name="Add", exact=True).click()
    app.until(lambda: held)
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Add lead").click()
    with page.expect_response("**/api/v1/leads"):
        held.pop().continue_()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(dialog).to_be_visible()


def test_what_is_written_while_a_note_of_a_lead_is_saved_stays(signed_in: App) -> None:
    app, page, mark = signed_in, signed_in.page, "m" + secrets.token_hex(3)
    _lead(page, f"Aina {mark}")
    page.goto(f"/leads?search={mark}")
    panel = _panel(app, "Aina")
    held = _hold_changes(app, "**/notes")
    note = panel.get_by_label("New note")
    note.fill("First")
    note.press("Enter")
    note.press("Enter")
    app.until(lambda: held)
    note.fill("Second")
    held.pop().continue_()
    expect(panel.get_by_text("First")).to_have_count(1)
    expect(note).to_have_value("Second")
    assert held == [], "it is saved once"


def test_what_is_written_while_a_note_of_a_chat_is_saved_stays(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    _chats(app, stack, "Noted", "Aisyah")
    app.open_chat("Aisyah")
    page.get_by_role("button", name="Private note").click()
    note = page.get_by_role("textbox", name="Private note")
    held = _hold_changes(app, "**/notes**")
    note.fill("Wants the blue one")
    note.press("Enter")
    app.until(lambda: held)
    note.fill("Wants the blue one. Or the red one?")
    held.pop().continue_()
    saved = page.get_by_role("note")
    expect(saved).to_contain_text("Wants the blue one")
    expect(note).to_have_value("Wants the blue one. Or the red one?")

    saved.get_by_role("button", name="Edit note").click()
    edited = saved.get_by_role("textbox", name="Private note")
    edited.fill("Wants the green one")
    edited.press("Enter")
    app.until(lambda: held)
    edited.fill("Wants the green one, two of them")
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        held.pop().continue_()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(edited).to_have_value("Wants the green one, two of them")


def test_what_is_written_while_something_else_is_saved_stays(alone: App) -> None:
    app, page, mark = alone, alone.page, "m" + secrets.token_hex(3)  # another test's customers say STOP
    before = page.request.get("/api/v1/opt-out").json()["words"]
    page.goto("/leads/suppressions")
    held = _hold_changes(app, "**/api/v1/suppressions")
    number, following = (f"+{new_number()}" for _ in range(2))
    phone = page.get_by_label("Phone number")
    phone.fill(number)
    phone.press("Enter")
    app.until(lambda: held)
    phone.fill(following)
    held.pop().continue_()
    app.told("Campaigns leave this number alone now")
    expect(phone).to_have_value(following)

    words = page.get_by_label("Words that opt out")
    words.fill(f"halt{mark}")
    held = _hold_changes(app, "**/api/v1/opt-out")
    page.get_by_role("button", name="Save words and answer").click()
    app.until(lambda: held)
    words.fill(f"cukup{mark}")
    held.pop().continue_()
    app.told("Saved")
    expect(words).to_have_value(f"cukup{mark}")
    assert set(before) < set(page.request.get("/api/v1/opt-out").json()["words"])


def test_a_quick_reply_that_is_written_stays_while_another_is_deleted(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    name = _quick_reply(page, "Old words")
    _chats(app, stack, "Written", "Aisyah")
    app.open_chat("Aisyah")
    app.composer.press_sequentially("/")
    page.get_by_role("button", name="Manage quick replies").click()
    dialog = page.get_by_role("dialog", name="Quick replies")
    dialog.get_by_label("Text").fill("We are at Jalan Bank 3")
    dialog.get_by_role("button", name=f"Delete /{name}").click()
    page.get_by_role("dialog", name=f"Delete /{name}?").get_by_role("button", name="Delete quick reply").click()
    expect(dialog.get_by_text(f"/{name}")).to_have_count(0)
    expect(dialog.get_by_label("Text")).to_have_value("We are at Jalan Bank 3")


def test_a_voice_message_goes_to_where_it_was_recorded(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    _chats(app, stack, "Spoken", "Aisyah", "Bala")
    app.open_chat("Aisyah")
    page.get_by_role("button", name="Record a voice message").click()
    app.expect_recorded(1)
    page.evaluate(
        """() => {
          const { stop } = MediaRecorder.prototype;
          MediaRecorder.prototype.stop = function () {
            window.stopNow = () => this.state === 'recording' && stop.call(this);
          };
        }"""
    )
    page.get_by_role("button", name="Send voice message").click()
    app.open_chat("Bala")
    page.evaluate("() => window.stopNow()")
    app.open_chat("Aisyah")
    expect(app.messages.locator(".bubble .waveform")).to_have_count(1)
    app.open_chat("Bala")
    expect(app.bubble("Bala is here")).to_be_visible()
    expect(app.messages.locator(".bubble .waveform")).to_have_count(0)


def test_what_is_typed_after_ctrl_f_is_looked_for(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    _chats(app, stack, "Seeking", "Aisyah")
    app.open_chat("Aisyah")
    held = app.hold("**/ChatSearch-*.js")
    app.composer.press("Control+f")
    page.keyboard.type("noodl")
    app.until(lambda: held)
    for route in held:
        route.continue_()
    field = page.get_by_role("search", name="Search in this chat").get_by_role("searchbox")
    expect(field).to_be_focused()
    page.keyboard.type("es")
    expect(field).to_have_value("noodles")
    expect(app.composer).to_have_value("")


def test_escape_gives_up_the_list_of_reactions_that_is_still_on_its_way(signed_in: App, stack: Stack) -> None:
    app, page = signed_in, signed_in.page
    _chats(app, stack, "Given", "Aisyah")
    app.open_chat("Aisyah")
    app.message_menu(app.bubble("Aisyah is here")).get_by_role("menuitem", name="React with 👍").click()
    held = app.hold("**/ReactionList-*.js")
    pill = app.messages.get_by_role("button", name=re.compile("^Reactions:"))
    pill.click()
    app.until(lambda: held)
    page.keyboard.press("Escape")
    expect(pill).to_have_attribute("aria-expanded", "false")
    expect(app.composer).to_be_visible()
    for route in held:
        route.continue_()


def _quick_reply(page: Page, text: str) -> str:
    """Gives its name."""
    name = f"late{secrets.token_hex(3)}"
    answer = page.request.post("/api/v1/quick-replies", data={"name": name, "text": text})
    assert answer.status == 201, answer.text()
    return name


def _hold_changes(app: App, address: str) -> list[Route]:
    """As `hold`, but what only reads goes on."""
    held: list[Route] = []
    app.page.route(address, lambda route: route.continue_() if route.request.method == "GET" else held.insert(0, route))
    return held


def _chats(app: App, stack: Stack, device: str, *names: str) -> None:
    """A linked line of its own whose inbox is open, with a chat for each name."""
    line = f"{device} {secrets.token_hex(3)}"
    phone = link(app, stack, line)
    for name in names:
        contact = new_number()
        stack.phones.push_name(contact, name)
        stack.phones.text(phone, contact, f"{name} is here")
    app.open_inbox(line)


def test_who_slept_gets_what_was_missed_by_the_id_of_the_last_frame(alone: App, tenant: Tenant) -> None:
    app, page, chat = alone, alone.page, tenant.chat(tenant.device())

    def write(text: str) -> None:
        key = tenant.message(chat, text)
        tenant.world.publish({"k": "message", "t": tenant.id, "d": chat.device.no, "c": chat.id, "m": [key]})

    tenant.message(chat, "before")
    asked: list[str] = []
    dead: set[int] = set()
    got: dict[int, list[str]] = {}

    def carry(route: WebSocketRoute) -> None:
        asked.append(route.url)
        mine, server = len(asked), route.connect_to_server()

        def to_page(frame: str | bytes) -> None:
            # a network that goes without a word: neither end is told
            if mine not in dead:
                got.setdefault(mine, []).append(json.loads(frame)["code"])
                route.send(frame)

        route.on_message(lambda said: None if mine in dead else server.send(said))
        server.on_message(to_page)

    page.clock.install()
    page.route_web_socket(re.compile("/ws"), carry)
    page.goto(f"/inbox/{chat.id}")
    expect(app.bubble("before")).to_be_visible()
    app.until(lambda: got)
    write("awake")
    expect(app.bubble("awake")).to_be_visible()
    # what was asked for when the socket opened has come: nothing but frames can bring more
    page.wait_for_load_state("networkidle")
    before = len(asked)
    dead.add(before)
    write("while it slept")

    def is_awake() -> bool:
        page.clock.fast_forward(11_000)
        return len(asked) > before

    app.until(is_awake)
    expect(app.bubble("while it slept")).to_be_visible()
    assert all("?after=" in url for url in asked[before:])
    later = [code for number, codes in got.items() if number > before for code in codes]
    assert "NEW_MESSAGE" in later and "RESYNC" not in later


def test_a_list_whose_next_page_was_asked_for_before_it_was_fetched_anew_goes_on_to_its_end(
    alone: App, tenant: Tenant
) -> None:
    app, page, line = alone, alone.page, tenant.device()
    tenant.world.sql(
        "INSERT INTO chats (tenant_id, device_no, jid, name, is_group, last_key, last_kind, last_flags, last_text,"
        " last_status, unread, stored) SELECT $1, $2, (60190000000 + n) || '@s.whatsapp.net', 'Customer ' || n, false,"
        " (extract(epoch FROM now())::int8 - n) << 32, 0, 0, 'Hello', 0, 0, 1 FROM generate_series(0, 349) n",
        tenant.id, line.no,
    )  # fmt: skip
    sockets: list[WebSocketRoute] = []

    def carry(route: WebSocketRoute) -> None:
        route.connect_to_server()
        sockets.append(route)

    page.route_web_socket(re.compile("/ws"), carry)
    page.goto("/inbox")
    expect(app.chat("Customer 0")).to_be_visible()
    app.until(lambda: sockets)
    page.wait_for_load_state("networkidle")
    rows = page.get_by_role("list", name="Chats")

    def reaches(index: int) -> Callable[[], bool]:
        def is_there() -> bool:
            rows.evaluate("list => list.scrollTop = list.scrollHeight")
            return int(page.locator("a[data-chat]").last.get_attribute("data-index") or 0) >= index

        return is_there

    anew = app.hold(re.compile(r"/chats\?limit=100(?!.*after=)"))
    sockets[-1].send(json.dumps({"id": "", "code": "RESYNC", "message": "", "result": {"reason": "missed"}}))
    app.until(lambda: anew)
    following = app.hold(re.compile(r"/chats\?.*after="))
    reaches(99)()
    app.until(lambda: following)
    following.pop().continue_()
    app.until(reaches(199))
    app.until(lambda: following)
    anew.pop().continue_()
    expect(page.locator("a[data-index='199']")).to_have_count(0)
    for route in following:
        route.continue_()
    page.unroute_all()
    app.until(reaches(349))


def test_a_message_is_passed_on_once_to_each_chat_however_often_that_is_asked(alone: App, tenant: Tenant) -> None:
    app, page, device = alone, alone.page, tenant.device()
    tenant.world.sql("UPDATE devices SET paired_at = now() WHERE tenant_id = $1", tenant.id)
    chats = [tenant.chat(device, name=name) for name in ("Aina", "Bala", "Chong")]
    for chat in chats:
        tenant.message(chat, "Ten ringgit")
    page.goto(f"/inbox/{chats[0].id}")
    app.message_menu(app.bubble("Ten ringgit")).get_by_role("menuitem", name="Forward").click()
    dialog = page.get_by_role("dialog", name="Forward to")

    def choose(name: str) -> None:
        dialog.locator("label").filter(has_text=name).get_by_role("checkbox").check()

    forward = dialog.get_by_role("button", name="Forward")

    def lose_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/forward", lose_answer)
    choose("Bala")
    forward.click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    page.unroute("**/forward")
    choose("Chong")
    forward.click()
    app.told("Forwarded to 2 chats")
    count = "SELECT array_agg(to_jid ORDER BY to_jid) FROM outbox WHERE tenant_id = $1"
    assert tenant.world.sql(count, tenant.id) == sorted(chat.jid for chat in chats[1:])
