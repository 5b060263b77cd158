"""Colleagues, each in a browser of their own."""

from __future__ import annotations

import secrets
from typing import Any

from playwright.sync_api import Browser

from tests.browser.app import App
from tests.browser.looks import DESKTOP, Look, open_context
from tests.browser.mistakes import watch
from tests.browser.stack import Stack


def add_person(app: App, **more: Any) -> dict[str, Any]:
    """A person, added by the API with the administrator's cookie: with `email` and `password`."""
    wanted = {"name": "Aina", "email": f"aina-{secrets.token_hex(4)}@example.com", "role": "agent"} | more
    answer = app.page.request.post("/api/v1/users", data=wanted)
    assert answer.status == 201, answer.text()
    made: dict[str, Any] = answer.json()
    return made


class Team:
    """Opens a browser of its own for each person."""

    def __init__(self, browser: Browser, stack: Stack) -> None:
        self._browser, self._stack = browser, stack
        self.contexts: list[Any] = []
        self.mistakes: list[list[str]] = []

    def sign_in(self, person: dict[str, Any], look: Look = DESKTOP) -> App:
        """The web app with that person signed in."""
        context = open_context(self._browser, self._stack.url, look)
        self.contexts.append(context)
        page = context.new_page()
        self.mistakes.append(watch(page))
        app = App(page, narrow=look.width <= 768)
        app.enter(person["email"], person["password"])
        return app
