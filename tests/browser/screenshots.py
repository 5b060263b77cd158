"""Pictures of a running system's pages, for the README and to look at: desktop and phone, light and dark.

``python -m tests.browser.screenshots --url http://127.0.0.1:3000 --password … [--workspace Demo] FOLDER``
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.app import App
from tests.browser.looks import (
    ARGUMENTS,
    CHROMIUM,
    DESKTOP,
    DESKTOP_DARK,
    PHONE,
    PHONE_DARK,
    Look,
    open_context,
)

SETTLE_MS = 1500
"""For pictures to load and transitions to end; a photograph, unlike a test, has nothing to wait for."""


def shoot(page: Page, folder: Path, name: str) -> None:
    """One picture of what is shown."""
    page.wait_for_timeout(SETTLE_MS)
    path = folder / f"{name}.png"
    page.screenshot(path=path)
    print(path)


def tour(app: App, folder: Path, look: Look, options: argparse.Namespace) -> None:
    """Every page once."""
    page = app.page
    page.goto("/")
    expect(page.get_by_label("E-mail")).to_be_visible()
    shoot(page, folder, f"sign-in-{look.name}")
    app.sign_in(options.email, options.password)
    if options.workspace:
        app.switch_workspace(options.workspace)
    expect(page.locator("[data-device]").first).to_be_visible()
    shoot(page, folder, f"devices-{look.name}")
    app.add_device(f"Photo {look.name}")
    app.shown_qr()
    shoot(page, folder, f"pairing-{look.name}")
    page.keyboard.press("Escape")
    app.device_action(f"Photo {look.name}", "Delete")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(f"Photo {look.name}")
    dialog.get_by_role("button", name="Delete").click()
    page.goto("/inbox")
    expect(page.locator("a[data-chat]").first).to_be_visible()
    shoot(page, folder, f"chats-{look.name}")
    page.locator("a[data-chat]").first.click()
    expect(app.messages.locator(".bubble").first).to_be_visible()
    shoot(page, folder, f"inbox-{look.name}")


def main() -> None:
    """Reads the arguments, walks through the app once per look."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--url", default="http://127.0.0.1:3000")
    parser.add_argument("--email", default="admin@example.com")
    parser.add_argument("--password", required=True)
    parser.add_argument("--workspace", help="name of the workspace to show; the current one when left out")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for look in (DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK):
            context = open_context(browser, options.url, look)
            tour(App(context.new_page(), narrow=look.width <= 768), options.folder, look, options)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
