"""Pictures of a running demo's pages, to look at: desktop and phone, light and dark; or the two of the README.

``python -m tests.browser.screenshots --password … [--url http://127.0.0.1:3000] [--workspace Demo] [--readme] FOLDER``
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

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
from wafast import demo

SETTLE_MS = 1500
"""For pictures to load and transitions to end; a photograph, unlike a test, has nothing to wait for."""
ANSWERS = ("Baik, kami semak sebentar ya", "Dah siap, esok kami hantar")
"""What the shop says to whatever was asked. A live contact reads it and answers."""
ANSWER_SECONDS = 40
PICTURE_SECONDS = 180
LOOK_SECONDS = 5
SHOWN = 4
"""A picture among so many newest messages is still on a phone's screen after the answers."""


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
    enter(app, options)
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
    open_lively_chat(app)
    shoot(page, folder, f"inbox-{look.name}")


def picture_of_the_inbox(app: App, folder: Path, look: Look, options: argparse.Namespace) -> None:
    """The one page the README shows; the phone shows the conversation that the desktop found."""
    app.page.goto("/")
    enter(app, options)
    if options.conversation is None:
        answer(app, open_lively_chat(app, PICTURE_SECONDS))
        options.conversation = app.page.url
    else:
        app.page.goto(options.conversation)
    shoot(app.page, folder, "inbox-phone" if app.narrow else "inbox-desktop")


def enter(app: App, options: argparse.Namespace) -> None:
    """Signs in and waits for the workspace's devices."""
    app.sign_in(options.email, options.password)
    if options.workspace:
        app.switch_workspace(options.workspace)
    expect(app.page.locator("[data-device]").first).to_be_visible()


def items(page: Page, path: str) -> list[dict[str, Any]]:
    """A list of the API, asked with the browser's own sign-in."""
    response = page.request.get(f"/api/v1/{path}")
    assert response.ok, response.text()
    found: list[dict[str, Any]] = response.json()["items"]
    return found


def open_lively_chat(app: App, patience: int = 0) -> str:
    """Opens the conversation with most to see and gives its id: on the demo's busiest line if it is there, between two
    people, with a picture on the screen (for which it waits up to `patience` seconds), then the longest."""
    page = app.page
    devices = items(page, "devices?limit=200")
    device = next((device for device in devices if device["name"] == demo.LINES[0][0]), devices[0])

    def liveliness(chat: dict[str, Any]) -> tuple[bool, bool, int]:
        messages = items(page, f"chats/{chat['id']}/messages?limit=20")
        has_picture = any(message["message_type"] == "image" for message in messages[:SHOWN])
        return has_picture and not chat["is_group"], has_picture, len(messages)

    while True:
        found = {chat["id"]: liveliness(chat) for chat in items(page, f"devices/{device['id']}/chats?limit=50")}
        chat_id: str = max(found, key=lambda each: found[each])
        if found[chat_id][0] or patience <= 0:
            break
        patience -= LOOK_SECONDS
        page.wait_for_timeout(LOOK_SECONDS * 1000)
    page.goto(f"/device/{device['id']}/whatsapp-web/{chat_id}")
    expect(app.messages.locator(".bubble").first).to_be_visible()
    return chat_id


def answer(app: App, chat_id: str) -> None:
    """Says what is missing for a talk between two, and waits until it was read and the contact has answered."""
    path = f"chats/{chat_id}/messages?limit=20"
    for text in ANSWERS:
        if app.bubble(text).count() > 0:
            continue
        before = {message["id"] for message in items(app.page, path)}
        app.expect_ticks(app.send(text), "read")
        for _ in range(ANSWER_SECONDS):
            if any(not message["from_me"] and message["id"] not in before for message in items(app.page, path)):
                break
            app.page.wait_for_timeout(1000)


def main() -> None:
    """Reads the arguments, walks through the app once per look."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--url", default="http://127.0.0.1:3000")
    parser.add_argument("--email", default="admin@wafast.local")
    parser.add_argument("--password", required=True)
    parser.add_argument("--workspace", help="name of the workspace to show; the current one when left out")
    parser.add_argument("--readme", action="store_true", help="only inbox-desktop.png and inbox-phone.png")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    options.conversation = None
    options.folder.mkdir(parents=True, exist_ok=True)
    looks = (DESKTOP, PHONE) if options.readme else (DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK)
    walk = picture_of_the_inbox if options.readme else tour
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for look in looks:
            context = open_context(browser, options.url, look)
            walk(App(context.new_page(), narrow=look.width <= 768), options.folder, look, options)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
