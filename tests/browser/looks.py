"""The screens people have, and a browser profile for each."""

from __future__ import annotations

import os
import shutil
from typing import NamedTuple

from playwright.sync_api import Browser, BrowserContext

CHROMIUM = os.environ.get("WAFAST_CHROMIUM", "/usr/bin/chromium")
#: The same engine without what is around a page: a context with a page takes 0.5 s of the processor there, not 1.4. It
#: installs nothing and shows no notices.
HEADLESS = os.environ.get("WAFAST_CHROMIUM") or shutil.which("chromium-headless-shell") or CHROMIUM
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
#: A microphone that beeps, and a person who allows it.
ARGUMENTS += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
#: A test's page is there for seconds: to compile its script once more, so that it runs faster, takes a sixth of the
#: processor's time there, and is never paid back. Not where speed is measured.
BRIEF = [*ARGUMENTS, "--js-flags=--no-maglev --no-turbofan"]


#: How long is waited for what takes a second: a message to a page has come through two servers, and several tests run
#: at a time.
PATIENCE_MS = 60_000


class Look(NamedTuple):
    """A screen people have."""

    name: str
    width: int
    height: int
    scheme: str
    touch: bool


#: Notices go by themselves, some after 4 s, and a test that is held up for so long must not miss them: all are kept.
KEEP_NOTICES = """
  window.noticed = [];
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      for (const node of addedNodes) if (node.classList?.contains('toast')) noticed.push(node.textContent);
  }).observe(document, { childList: true, subtree: true });
"""
#: What can be pressed in a notice is there for 15 s (web/src/lib/toasts.svelte.ts), which is less than a step of a test
#: may take. Here it waits for ten minutes to be pressed.
LEAVE_ACTIONS = """
  const wait = window.setTimeout;
  window.setTimeout = (work, after, ...given) => wait(work, after === 15_000 ? 600_000 : after, ...given);
"""
#: A browser that is to save data fetches nothing ahead, as it would here in every test, before what a test holds back.
SAVE_DATA = "Object.defineProperty(navigator, 'connection', {value: {saveData: true}, configurable: true})"
#: Takes a notice with this text from those that are kept, if there is one.
TAKE_NOTICE = """(text) => {
  const place = noticed.findIndex((one) => one.includes(text));
  if (place >= 0) noticed.splice(place, 1);
  return place >= 0;
}"""

DESKTOP = Look("desktop-light", 1440, 900, "light", touch=False)
DESKTOP_DARK = Look("desktop-dark", 1440, 900, "dark", touch=False)
PHONE = Look("phone-light", 390, 844, "light", touch=True)
PHONE_DARK = Look("phone-dark", 390, 844, "dark", touch=True)


def open_context(browser: Browser, stack_url: str, look: Look) -> BrowserContext:
    """A fresh browser profile of a look, in English."""
    context = browser.new_context(
        base_url=stack_url,
        viewport={"width": look.width, "height": look.height},
        color_scheme="dark" if look.scheme == "dark" else "light",
        has_touch=look.touch,
        is_mobile=look.touch,
        locale="en-GB",
    )
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(KEEP_NOTICES)
    context.add_init_script(LEAVE_ACTIONS)
    context.add_init_script(SAVE_DATA)
    return context
