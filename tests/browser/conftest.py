"""A real Chromium in front of the running system.

The system comes from the fixture ``system`` (tests/conftest.py); one that runs already is named by
``WAFAST_TEST_URL``, ``WAFAST_TEST_PASSWORD`` and ``WAFAST_TEST_LOOPBACK`` (the
simulator's profile, data/loopback/loopback.json).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.app import App
from tests.browser.looks import ARGUMENTS, CHROMIUM, DESKTOP, Look, open_context
from tests.browser.stack import Stack
from tests.simulator import Simulator

# A message to a page has come through two servers, and tests run two at a time.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Stack:
    """The system under test."""
    url = os.environ.get("WAFAST_TEST_URL")
    if url is None:
        system = request.getfixturevalue("system")
        return Stack(system.url, system.email, system.password, system.simulator)
    phones = Simulator.attach(Path(os.environ["WAFAST_TEST_LOOPBACK"]))
    email = os.environ.get("WAFAST_TEST_EMAIL", "admin@wafast.local")
    return Stack(url, email, os.environ["WAFAST_TEST_PASSWORD"], phones)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; a module's own, since nothing asynchronous can run in a process while Playwright does."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


def watch(page: Page) -> list[str]:
    """Collects what must not happen on any page: an error nobody caught, an error on the console."""
    mistakes: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        # A refused request (401 before signing in) is an answer; the page shows it where it matters.
        if (
            message.type == "error"
            and "Failed to load resource" not in message.text
            and "WebSocket" not in message.text
        ):
            mistakes.append(message.text)

    page.on("console", on_console)
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    return mistakes


@pytest.fixture(params=[DESKTOP], ids=lambda look: look.name)
def look(request: pytest.FixtureRequest) -> Look:
    """The screen; a test names others with ``@pytest.mark.parametrize("look", [...], indirect=True)``."""
    chosen: Look = request.param
    return chosen


@pytest.fixture
def context(browser: Browser, stack: Stack, look: Look) -> Iterator[BrowserContext]:
    """A browser profile of its own for every test."""
    made = open_context(browser, stack.url, look)
    yield made
    made.close()


@pytest.fixture
def app(context: BrowserContext, look: Look) -> Iterator[App]:
    """The web app, not signed in yet; a mistake on the page fails the test."""
    page = context.new_page()
    mistakes = watch(page)
    yield App(page, narrow=look.width <= 768)
    assert mistakes == []


@pytest.fixture
def signed_in(app: App, stack: Stack) -> App:
    """The web app with the admin signed in."""
    app.page.goto("/")
    app.sign_in(stack.email, stack.password)
    return app
