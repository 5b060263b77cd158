"""What must not happen on any page."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, Page


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
