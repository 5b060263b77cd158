"""A real Chromium in front of the running system.

The system comes from the fixture ``system`` (tests/conftest.py); one that runs already is named by
``WAFAST_TEST_URL``, ``WAFAST_TEST_PASSWORD`` and ``WAFAST_TEST_LOOPBACK`` (the
simulator's profile, data/loopback/loopback.json).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright

from tests.browser.app import App
from tests.browser.looks import BRIEF, DESKTOP, HEADLESS, PATIENCE_MS, Look, open_context
from tests.browser.mistakes import watch
from tests.browser.stack import Stack
from tests.browser.team import Team
from tests.database import Database
from tests.integration.api.world import PASSWORD, Tenant, World, running
from tests.simulator import Simulator
from tests.system import System, demo_system
from wafast import demo

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="package")
def system(data_dirs: list[Path]) -> Iterator[System]:
    """One for all of this folder."""
    with demo_system(data_dirs) as running:
        yield running


@pytest.fixture(scope="package")
def stack(request: pytest.FixtureRequest) -> Stack:
    """The system under test."""
    url = os.environ.get("WAFAST_TEST_URL")
    if url is None:
        system = request.getfixturevalue("system")
        return Stack(system.url, system.email, system.password, system.simulator)
    phones = Simulator.attach(Path(os.environ["WAFAST_TEST_LOOPBACK"]))
    email = os.environ.get("WAFAST_TEST_EMAIL", "admin@wafast.local")
    return Stack(url, email, os.environ["WAFAST_TEST_PASSWORD"], phones)


@pytest.fixture(scope="package")
def world(database: Database, data_dirs: list[Path]) -> Iterator[World]:
    """An API without workers: what devices do is said by the tests."""
    data_dir = Path(tempfile.mkdtemp(prefix="wafast-browser-"))
    data_dirs.append(data_dir)
    with running(database.create(), data_dir) as made:
        yield made


@pytest.fixture
def tenant(world: World) -> Tenant:
    """A workspace of the test's own."""
    return world.tenant()


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """This folder's own, since nothing asynchronous can run in a process while Playwright does."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, without what is around a page."""
    with playwright.chromium.launch(executable_path=HEADLESS, args=BRIEF) as chromium:
        yield chromium


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
    # what a page still asks for while it closes is nobody's mistake
    for page in made.pages:
        page.unroute_all(behavior="ignoreErrors")
    made.close()


@pytest.fixture
def app(context: BrowserContext, look: Look) -> Iterator[App]:
    """The web app, not signed in yet; a mistake on the page fails the test."""
    page = context.new_page()
    mistakes = watch(page)
    yield App(page, narrow=look.width <= 768)
    assert mistakes == []


@pytest.fixture
def alone(browser: Browser, tenant: Tenant, look: Look) -> Iterator[App]:
    """The web app with the admin of the test's own workspace signed in: nothing is there but what the test makes."""
    context = open_context(browser, tenant.world.url, look)
    page = context.new_page()
    mistakes = watch(page)
    app = App(page, narrow=look.width <= 768)
    app.enter(tenant.world.user(tenant), PASSWORD)
    yield app
    context.close()
    assert mistakes == []


@pytest.fixture(scope="package")
def login() -> list[Any]:
    """The cookies of the admin's last login: to check a password is 0.2 s of work, for every test that would ask."""
    return []


@pytest.fixture
def signed_in(app: App, stack: Stack, login: list[Any]) -> App:
    """The web app with the admin signed in: by the API, as the form is a page more, and has its tests in test_pages. In
    the workspace without the demo, whichever a test before this one was in: there lines get its campaign to send."""
    api = app.page.request
    app.page.context.add_cookies(login)
    answer = api.get("/api/v1/session")
    if not answer.ok:  # nobody was, or a test has signed out
        answer = api.post("/api/v1/session", data={"email": stack.email, "password": stack.password})
        login[:] = app.page.context.cookies()
    assert answer.ok, answer.text()
    [quiet] = [tenant["id"] for tenant in answer.json()["tenants"] if tenant["name"] != demo.TENANT]
    assert api.patch("/api/v1/session", data={"tenant_id": quiet}).ok
    app.page.goto("/")
    expect(app.page.get_by_role("navigation", name="Main")).to_be_visible()
    return app


@pytest.fixture
def team(browser: Browser, stack: Stack) -> Iterator[Team]:
    """Browsers of colleagues; a mistake on a page fails the test."""
    made = Team(browser, stack)
    yield made
    for context in made.contexts:
        context.close()
    assert [mistake for mistakes in made.mistakes for mistake in mistakes] == []
