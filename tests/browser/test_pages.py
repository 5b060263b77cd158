"""Signing in, devices, keys, keyboard, language and theme: what needs no phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Response, expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number
from tests.integration.api.world import Tenant
from wafast.outbox.transition import REACH_OUT

ALL_LOOKS = [DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK]
every_look = pytest.mark.parametrize("look", ALL_LOOKS, indirect=True, ids=lambda look: look.name)


def is_change_of_session(answer: Response) -> bool:
    """The server has what was chosen in the account's menu."""
    return answer.request.method == "PATCH" and answer.url.endswith("/api/v1/session")


@every_look
def test_signing_in_says_what_is_wrong(app: App, stack: Stack) -> None:
    app.page.goto("/keys")
    app.expect_accessible()
    app.page.get_by_role("button", name="Sign in").click()
    expect(app.page.get_by_role("alert")).to_contain_text("Enter your e-mail and your password")
    app.page.get_by_label("E-mail").fill("nobody@example.com")
    app.page.get_by_label("Password", exact=True).fill("not the password")
    app.page.get_by_role("button", name="Sign in").click()
    expect(app.page.get_by_role("alert")).to_contain_text("E-mail or password is not right")
    app.expect_accessible()
    app.sign_in(stack.email, stack.password)
    expect(app.page.get_by_role("heading", name="API keys", level=1)).to_be_visible()


def test_signing_out_closes_the_door(signed_in: App) -> None:
    signed_in.page.get_by_role("button", name="Account").click()
    signed_in.page.get_by_role("menuitem", name="Sign out").click()
    expect(signed_in.page.get_by_label("E-mail")).to_be_visible()
    signed_in.page.goto("/keys")
    expect(signed_in.page.get_by_label("E-mail")).to_be_visible()


def test_the_policy_allows_no_inline_script(signed_in: App) -> None:
    answer = signed_in.page.request.get("/")
    policy = answer.headers.get("content-security-policy", "")
    scripts = re.search(r"(?:script-src|default-src)([^;]*)", policy)
    assert scripts is not None
    assert "unsafe" not in scripts[1]
    assert "<script>" not in answer.text()


@every_look
def test_a_device_is_added_edited_and_deleted(signed_in: App, look: Look) -> None:
    name = f"Short-lived {look.name}"
    signed_in.add_device(name)
    signed_in.page.keyboard.press("Escape")
    expect(signed_in.device(name)).to_be_visible()
    signed_in.expect_accessible()

    signed_in.device_action(name, "Edit")
    dialog = signed_in.page.get_by_role("dialog", name="Edit device")
    dialog.get_by_label("Name").fill(f"{name} 2")
    dialog.get_by_role("button", name="Save").click()
    row = signed_in.device(f"{name} 2")
    expect(row).to_be_visible()

    signed_in.device_action(f"{name} 2", "Delete")
    dialog = signed_in.page.get_by_role("dialog", name=f"Delete {name} 2?")
    confirm = dialog.get_by_role("button", name="Delete")
    expect(confirm).to_be_disabled()
    dialog.get_by_label(f"Type {name} 2 to confirm").fill(f"{name} 2")
    confirm.click()
    expect(row).to_have_count(0)  # of a list that may be empty then, without a search


def test_a_change_elsewhere_shows_without_a_refresh(signed_in: App, context: BrowserContext) -> None:
    other = context.new_page()
    other.goto("/")
    expect(other.get_by_role("heading", name="Devices", level=1)).to_be_visible()
    # The list shows what is in sight, in the order of names.
    signed_in.add_device("0 seen elsewhere")
    signed_in.page.keyboard.press("Escape")
    expect(other.get_by_role("link", name="Open inbox of 0 seen elsewhere")).to_be_visible()
    other.close()


def test_the_address_of_a_chat_that_is_gone_leads_to_the_list_and_says_so_once(signed_in: App) -> None:
    page = signed_in.page
    made = page.request.post("/api/v1/devices", data={"name": "Without chats", "network": "loopback"}).json()
    page.goto(f"/device/{made['id']}/whatsapp-web/999999999999")
    expect(page).to_have_url(re.compile("/whatsapp-web$"))
    signed_in.told("This chat is no more")
    assert page.evaluate("noticed") == []


def test_search_and_filter_of_devices(signed_in: App) -> None:
    signed_in.add_device("Needle")
    signed_in.page.keyboard.press("Escape")
    field = signed_in.page.get_by_role("searchbox", name="Search name, number or tag")
    field.fill("needl")
    expect(signed_in.page.locator("[data-device]")).to_have_count(1)
    signed_in.page.get_by_role("button", name=re.compile("^Online")).click()
    expect(signed_in.page.get_by_text("No device matches")).to_be_visible()


@pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)
def test_a_key_is_shown_once_and_revoked(signed_in: App, look: Look) -> None:
    name = f"CRM {look.name}"
    signed_in.page.goto("/keys")
    signed_in.page.get_by_role("button", name="New key").click()
    dialog = signed_in.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("May do").select_option("read")
    dialog.get_by_role("button", name="Create key").click()
    secret = dialog.locator("code").inner_text()
    signed_in.expect_accessible()
    headers = {"Authorization": f"Bearer {secret}"}
    dialog.get_by_role("button", name="Close").last.click()
    expect(signed_in.page.get_by_text(secret)).to_have_count(0)
    assert signed_in.page.request.get("/api/v1/devices", headers=headers).status == 200
    signed_in.page.get_by_role("button", name=f"Revoke: {name}").click()
    signed_in.page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    signed_in.told(f"{name} revoked")


#: Whose words a page has loaded.
LANGUAGES = "performance.getEntriesByType('resource').flatMap(one => /\\/(en|ms)-[^/]*\\.js/.exec(one.name)?.[1] ?? [])"


def test_language_and_theme_stay(signed_in: App) -> None:
    page = signed_in.page
    page.get_by_role("button", name="Account").click()
    try:
        with page.expect_response(is_change_of_session):
            page.get_by_role("menuitemradio", name="Bahasa Melayu").click()
        page.get_by_role("menuitemradio", name="Gelap").click()
        page.keyboard.press("Escape")
        page.reload()
        expect(page.get_by_role("heading", name="Peranti", level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.lang") == "ms"
        assert page.evaluate(LANGUAGES) == ["ms"], "the words of other languages are left where they are"
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    finally:
        # the language is the person's, whom all tests share
        page.request.patch("/api/v1/session", data={"language": None})


def test_the_inbox_by_keyboard_alone(signed_in: App, stack: Stack) -> None:
    page, phone = signed_in.page, link(signed_in, stack, "Keyboard")
    for text in ("one", "two"):
        stack.phones.text(phone=phone, contact=new_number(), text=text)
    signed_in.open_inbox("Keyboard")
    expect(page.locator("a[data-chat]")).to_have_count(2)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("a[data-index='0']")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("a[data-index='1']")).to_be_focused()
    page.keyboard.press("Enter")
    expect(signed_in.composer).to_be_focused()
    # also where the system's colours take the place of all others
    page.emulate_media(forced_colors="active")
    for marked in (signed_in.composer, page.locator("a[data-chat][aria-current=true]")):
        expect(marked).to_have_css("outline-style", "solid")
    page.emulate_media(forced_colors="none")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Your chats stay here")).to_be_visible()
    expect(page.locator("a[data-chat]:focus")).to_have_count(1)
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    signed_in.expect_accessible()
    try:
        with page.expect_response("**/api/v1/session"):
            keys.get_by_label("Keys without Ctrl").uncheck()
        page.reload()
        expect(page.get_by_role("searchbox")).to_be_visible()
        for key in ("/", "?"):
            page.keyboard.press(key)
            expect(page.get_by_role("searchbox")).not_to_be_focused()
            expect(keys).to_have_count(0)
        page.get_by_role("button", name="Account").click()
        page.get_by_role("menuitem", name="Keyboard shortcuts").click()
        expect(keys.get_by_label("Keys without Ctrl")).not_to_be_checked()
    finally:
        # they are the person's, whom all tests share
        page.request.patch("/api/v1/session", data={"single_keys": True})


@every_look
def test_an_unreachable_server_is_said_and_recovered_from(app: App, context: BrowserContext) -> None:
    context.route("**/api/v1/session", lambda route: route.abort())
    app.page.goto("/")
    expect(app.page.get_by_role("alert")).to_contain_text("wafast does not answer")
    app.expect_accessible()
    context.unroute("**/api/v1/session")
    expect(app.page.get_by_label("E-mail")).to_be_visible()


@pytest.mark.parametrize("look", [Look("narrow", 320, 568, "light", touch=False)], indirect=True)
def test_the_way_out_of_the_account_is_on_the_narrowest_screen(signed_in: App) -> None:
    signed_in.page.goto("/inbox")
    expect(signed_in.page.get_by_role("button", name="Account")).to_be_in_viewport(ratio=1)


def test_a_link_is_opened_in_another_tab_by_the_key_for_it(signed_in: App) -> None:
    page, context = signed_in.page, signed_in.page.context
    page.goto("/leads")
    link = page.get_by_role("navigation", name="Main").get_by_role("link", name="Campaigns")
    with context.expect_page() as opened:
        link.click(modifiers=["Control"])
    expect(opened.value).to_have_url(re.compile("/campaigns$"))
    expect(page).to_have_url(re.compile("/leads$"))


def test_what_the_server_says_in_english_is_said_in_malay(alone: App, tenant: Tenant) -> None:
    """What happened to a group, what holds a line back, why something was refused."""
    page, device = alone.page, tenant.device(name="Kedai")
    chat = tenant.chat(device, name="Keluarga", jid="60190000001@g.us")
    tenant.message(chat, "Selamat pagi")
    siti = "60122222222@s.whatsapp.net"
    happened = {"type": "notice", "who": None, "happened": [{"did": "joined", "people": [siti]}]}
    tenant.message(chat, "+60122222222 joined", kind="system", media=happened)
    tenant.world.sql(
        "UPDATE devices SET paired_at = now(), paused_until = now() + interval '1 day', pause_cause = 'reach_out',"
        " pause_reason = $2 WHERE no = $1",
        device.no, REACH_OUT.reason,
    )  # fmt: skip
    page.evaluate("localStorage.setItem('wafast.language', 'ms')")
    page.request.patch("/api/v1/session", data={"language": "ms"})
    limited = "WhatsApp buat sementara mengehadkan mesej kepada orang baharu."
    page.goto("/")
    expect(page.locator("[data-device]")).to_contain_text(limited)
    expect(page.locator("body")).not_to_contain_text("WhatsApp limits")

    page.goto(f"/device/{device.id}/whatsapp-web")
    alone.chat("Keluarga").click()
    expect(page.get_by_text("+60 12-222 2222 menyertai").first).to_be_visible()
    expect(page.locator(".composer")).to_contain_text(limited)
    bubble = page.locator(".bubble").filter(has_text="Selamat pagi")
    expect(bubble).to_be_visible()
    tenant.world.sql("UPDATE messages SET kind = 12 WHERE chat_id = $1", chat.id)  # the page doesn't know
    bubble.hover()
    bubble.locator(".bubble-menu").click()
    page.get_by_role("menuitem", name="Beri reaksi 👍").click()
    alone.told("Mesej jenis ini tidak dapat diberi reaksi.")
    for english in ("joined", "WhatsApp limits", "Nobody can react"):
        expect(page.locator("body")).not_to_contain_text(english)
