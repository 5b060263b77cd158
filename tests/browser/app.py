"""What a person does in the web app, by the words a person sees."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from re import Pattern
from typing import Any

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.looks import PATIENCE_MS, TAKE_NOTICE

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
"""The accessibility checker; `npm ci` in web/ brings it."""


class App:
    """The page of one person.

    Args:
        page: where it is shown.
        narrow: whether list and conversation lie over each other (768 px and less).
    """

    def __init__(self, page: Page, *, narrow: bool) -> None:
        self.page = page
        self.narrow = narrow

    def sign_in(self, email: str, password: str) -> None:
        """Fills the form and waits for the first page behind it."""
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("navigation", name="Main")).to_be_visible()

    def enter(self, email: str, password: str) -> None:
        """The first page, for somebody who signs in by the API: the form is a page more, and has its tests in
        test_pages."""
        answer = self.page.request.post("/api/v1/session", data={"email": email, "password": password})
        assert answer.ok, answer.text()
        self.page.goto("/")
        expect(self.page.get_by_role("navigation", name="Main")).to_be_visible()

    def switch_workspace(self, name: str) -> None:
        """By the tile at the top of the navigation."""
        self.page.get_by_role("button", name=re.compile("^Workspace:")).click()
        self.page.get_by_role("menuitem", name=name).click()
        expect(self.page.get_by_role("button", name=f"Workspace: {name}")).to_be_visible()

    def device(self, name: str) -> Locator:
        """The row of a device on the page of devices: searched for, as only rows on the screen are drawn, once there is
        the search, which a list without devices has not."""
        field = self.page.get_by_role("searchbox", name="Search name, number or tag")
        expect(field.or_(self.page.get_by_text("Link your first phone"))).to_be_visible()
        if field.is_visible():
            field.fill(name)
        return self.page.locator("[data-device]").filter(
            has=self.page.get_by_role("link", name=f"Open inbox of {name}")
        )

    def device_action(self, name: str, action: str) -> None:
        """Picks an entry of a device's menu."""
        expect(self.device(name)).to_be_visible()
        self.page.get_by_role("button", name=f"Actions for {name}").click()
        self.page.get_by_role("menuitem", name=action, exact=True).click()

    def add_device(self, name: str) -> None:
        """Adds a simulated line; the dialog to link a phone follows by itself."""
        self.page.get_by_role("button", name="Add device").first.click()
        dialog = self.page.get_by_role("dialog", name="Add device")
        dialog.get_by_label("Name").fill(name)
        dialog.get_by_text("Simulator", exact=True).click()
        dialog.get_by_role("button", name="Add and link a phone").click()
        expect(self.page.get_by_role("dialog", name=f"Link {name}")).to_be_visible()

    def shown_qr(self) -> str:
        """The text of the QR code on the screen, as soon as there is one."""
        code = self.page.locator("svg[data-qr]")
        expect(code).to_be_visible()
        text = code.get_attribute("data-qr")
        assert text
        return text

    def open_inbox(self, device: str) -> None:
        """From the page of devices."""
        expect(self.device(device)).to_be_visible()
        self.page.get_by_role("link", name=f"Open inbox of {device}").click()
        expect(self.page.get_by_role("region", name="Chats")).to_be_visible()

    def chat(self, name: str) -> Locator:
        """A chat's row in the list."""
        return self.page.locator("a[data-chat]").filter(has_text=name)

    def open_chat(self, name: str) -> None:
        """Clicks the chat and waits for its conversation."""
        self.chat(name).first.click()
        expect(self.page.get_by_role("heading", name=name, level=2)).to_be_visible()

    @property
    def messages(self) -> Locator:
        """The open conversation."""
        return self.page.get_by_role("region", name=re.compile("^Messages with"))

    def bubble(self, text: str) -> Locator:
        """The bubble that holds a text."""
        return self.messages.locator(".bubble").filter(has_text=text)

    @property
    def composer(self) -> Locator:
        """Where messages are written."""
        return self.page.get_by_role("textbox", name="Write a message")

    def send(self, text: str) -> Locator:
        """Writes, presses Enter, gives the bubble."""
        self.composer.fill(text)
        self.composer.press("Enter")
        bubble = self.bubble(text)
        expect(bubble).to_be_visible()
        return bubble

    def until(self, is_so: Callable[[], object]) -> None:
        """Waits for what is known outside of the page. What the browser tells by itself comes meanwhile."""
        deadline = time.monotonic() + 2 * PATIENCE_MS / 1000
        while not is_so():
            assert time.monotonic() < deadline, "it never came to be so"
            self.page.wait_for_timeout(20)

    def until_found(self, words: str, *, messages: int = 0, chats: int = 0) -> None:
        """Waits until a search finds as much on the line whose inbox is open, or on all: messages and names get into
        its index a second after they came, or later. The page looks twice by itself, and then no more."""
        line = re.search("/device/([^/]+)/", self.page.url)
        query: dict[str, Any] = {"q": words} | ({"device_id": line[1]} if line else {})

        def is_found() -> bool:
            found = self.page.request.get("/api/v1/search", params=query).json()
            return len(found["messages"]["items"]) >= messages and len(found["chats"]) >= chats

        self.until(is_found)

    def hold(self, address: str | Pattern[str]) -> list[Route]:
        """Requests that begin from now on wait, in the list given, until the test lets them go."""
        held: list[Route] = []
        self.page.route(address, lambda route: held.insert(0, route))
        return held

    def told(self, text: str) -> None:
        """Waits until a notice has said so, whether or not it is still there."""
        self.page.wait_for_function(TAKE_NOTICE, arg=text)

    def message_menu(self, bubble: Locator) -> Locator:
        """Opens a message's menu as people do there: by its button, or by a long press."""
        if self.narrow:
            bubble.dispatch_event("contextmenu")
        else:
            bubble.hover()
            bubble.get_by_role("button", name="Message actions").click()
        menu = self.page.get_by_role("menu")
        expect(menu).to_be_visible()
        return menu

    def expect_ticks(self, bubble: Locator, status: str) -> None:
        """Waits for a bubble's ticks: sent, delivered, read, failed."""
        expect(bubble.locator(f"[data-status={status}]")).to_be_visible()

    def expect_recorded(self, seconds: int) -> None:
        """A voice message is recorded for so long, of less than ten, or longer: who looks once a second misses one."""
        timer = self.page.get_by_role("group", name="Voice message").get_by_role("timer")
        expect(timer).to_have_text(re.compile(rf"^0:(0[{seconds}-9]|[1-5]\d)$"))

    def expect_accessible(self) -> None:
        """WCAG 2.2 A and AA by axe: no violation, however small, on what is shown now."""
        # Colours in the middle of a transition are nobody's design. None begins while axe looks: the day over a
        # conversation, for one, goes 1.2 s after the last movement.
        # A sheet made by script, as the page's policy allows no other that is not its own.
        self.page.evaluate(
            "() => { const still = new CSSStyleSheet();"
            " still.replaceSync('*, *::before, *::after { transition: none !important }');"
            " document.adoptedStyleSheets.push(still) }"
        )
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text())
        # A notice flies by script, which no sheet forbids, and may have begun to while axe looked.
        violations = self._violations() and self._violations()
        self.page.evaluate("() => void document.adoptedStyleSheets.pop()")
        assert violations == [], violations

    def _violations(self) -> list[tuple[str, str, list[Any]]]:
        """What axe finds once nothing moves: its rule, how bad it is, where."""
        self.page.wait_for_function(
            "() => document.getAnimations().every(one => one.playState !== 'running' || "
            "one.effect.getTiming().iterations === Infinity)"
        )
        found: list[dict[str, Any]] = self.page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],"
            " resultTypes: ['violations']}).then(result => result.violations)"
        )
        return [(one["id"], one["impact"], [node["target"] for node in one["nodes"]]) for one in found]
