"""Draws the app's icons for phones and desktops from the one of the browser's tab: `python tools/icons.py`.

Chromium draws them, the one the browser tests use; the files are checked in, as the mark rarely changes.
"""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PUBLIC = Path(__file__).parents[1] / "web" / "public"
GROUND = "#0a7a5a"
#: name, pixels, share of the square the mark fills, ground. A maskable icon is cut to a circle of 80 % by some systems.
ICONS = (
    ("icon-192.png", 192, 0.94, None),
    ("icon-512.png", 512, 0.94, None),
    ("icon-maskable-512.png", 512, 0.56, GROUND),
    ("apple-touch-icon.png", 180, 0.72, GROUND),
)


def draw(page: Page, name: str, pixels: int, share: float, ground: str | None) -> None:
    """One file. On a ground of its own colour the mark is white with a green flash."""
    mark = (PUBLIC / "favicon.svg").read_text()
    if ground:
        mark = mark.replace("#0b7a5b", "#mark").replace("#fff", ground).replace("#mark", "#ffffff")
    page.set_viewport_size({"width": pixels, "height": pixels})
    page.set_content(
        f"<style>html, body {{ margin: 0; height: 100%; background: {ground or 'transparent'} }}"
        f"body {{ display: grid; place-items: center }} svg {{ width: {share:.0%} }}</style>{mark}"
    )
    page.screenshot(path=PUBLIC / name, omit_background=ground is None)


def main() -> None:
    """All of them."""
    with sync_playwright() as playwright:
        executable = os.environ.get("WAFAST_CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page()
        for icon in ICONS:
            draw(page, *icon)
        browser.close()


if __name__ == "__main__":
    main()
