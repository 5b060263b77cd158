"""What a person feels in the inbox: a list of 10,000 chats scrolled in real Chromium, and how soon a chat opens.

``python -m bench.browser [--quick]``. Frames are counted by the page itself, with nothing drawn by a graphics card.
"""

from __future__ import annotations

import asyncio
import gzip
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
from playwright.async_api import Page, Response, async_playwright

from bench import report
from bench.system import PASSWORD, System, simulator
from tests.browser.looks import ARGUMENTS, CHROMIUM, DESKTOP
from wafast.database.queries import load

q = load(__file__)
CHATS, QUICK_CHATS = 10_000, 150
OPENED, QUICK_OPENED = 40, 5
SCROLL = 240
"""Pixels a frame: 14,400 a second, three rows and a bit; faster than anyone reads."""
LATE_MS = 34
"""A frame later than this was missed by a screen of 60 Hz."""

PRESS_MS = 80
"""A hand holds a button about that long."""
REST_MS = 300
"""Before a click, so that what the last one began is done: people look for a chat that long and longer."""

#: Scrolls the list to its end a step a frame, until a second brought nothing; gives the milliseconds of every frame.
SCROLLING = """async ([step, patience]) => {
  const list = document.querySelector('.chat-rows');
  const frames = [];
  let before = performance.now();
  let moved = before;
  while (true) {
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - before);
    before = now;
    const top = list.scrollTop;
    list.scrollTop += step;
    if (list.scrollTop > top) moved = now;
    else if (now - moved > patience) return [frames, list.scrollTop];
  }
}"""
#: Scrolls to a chat and gives it and the middle of its row once the page has come to rest; then waits for a click.
AIMING = """async ([index, rest]) => {
  document.querySelector('.chat-rows').scrollTop = index * 74 - 200;
  while (!document.querySelector(`a[data-index="${index}"]`)) await new Promise(requestAnimationFrame);
  await new Promise((resolve) => setTimeout(resolve, rest));
  const row = document.querySelector(`a[data-index="${index}"]`);
  addEventListener('click', ({ timeStamp }) => (window.clickedAt = timeStamp), { capture: true, once: true });
  const { x, y, width, height } = row.getBoundingClientRect();
  return [row.dataset.chat, x + width / 2, y + height / 2];
}"""
#: Waits until the messages of the chat are drawn; gives the milliseconds since the click.
DRAWN = """async (id) => {
  while (!document.querySelector(`[data-chat="${id}"].conversation .scroller.placed .bubble`))
    await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - window.clickedAt;
}"""


async def fill(connection: asyncpg.Connection, chats: int) -> str:
    """A device with so many chats; gives its id."""
    device = await connection.fetchrow(q.add_device)
    assert device is not None
    await connection.execute(q.add_chats, device["tenant_id"], device["no"], chats, int(time.time()))
    await connection.execute(q.add_messages, device["no"])
    await connection.execute("ANALYZE chats")
    await connection.execute("ANALYZE messages")
    return str(device["id"])


async def first_load(page: Page, url: str) -> tuple[int, int]:
    """Scripts that the sign-in and the first page load, and their bytes as gzip."""
    scripts: list[Response] = []
    page.on("response", lambda answer: scripts.append(answer) if answer.url.endswith(".js") else None)
    await page.goto(url)
    await page.get_by_label("E-mail").fill("admin@wafast.local")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("navigation", name="Main").wait_for()
    return len(scripts), sum([len(gzip.compress(await one.body())) for one in scripts])


async def ask(page: Page, path: str, times: int) -> list[float]:
    """Milliseconds of so many requests, as the page itself would send them."""
    took: list[float] = await page.evaluate(
        """async ([path, times]) => {
          const took = [];
          for (let n = 0; n < times; n++) {
            const began = performance.now();
            await (await fetch(path)).arrayBuffer();
            took.push(performance.now() - began);
          }
          return took;
        }""",
        [path, times],
    )
    return took


async def routes(page: Page, device: str, chats: int, times: int) -> report.Table:
    """The routes that reading stands on. Of no kind but links is anything there: a device is walked in vain."""
    first = await page.evaluate(
        "async (path) => (await (await fetch(path)).json()).items", f"/api/v1/devices/{device}/chats?limit=2"
    )
    chat = first[0]["id"]
    paths = {
        "page of the chat list": f"/api/v1/devices/{device}/chats?limit=100",
        "newest messages of a chat": f"/api/v1/chats/{chat}/messages?limit=50",
        "messages around one": f"/api/v1/chats/{chat}/messages?limit=50&around=B{chat}-10",
        "gallery of a chat": f"/api/v1/chats/{chat}/media?kind=image",
        "gallery of the device, links": f"/api/v1/devices/{device}/media?kind=link",
        "gallery of the device, first page of nothing": f"/api/v1/devices/{device}/media?kind=image",
    }
    rows: list[list[report.Cell]] = []
    for name, path in paths.items():
        took = await ask(page, path, times)
        rows.append([name, statistics.median(took), statistics.quantiles(took, n=100)[-1]])
    return report.Table(
        title=f"Routes of the inbox beside {chats:,} chats of 20 messages, from the browser",
        heads=["", "ms, p50", "ms, p99"],
        rows=rows,
    )


async def open_chat(page: Page, index: int) -> float:
    """Clicks a chat's row as a hand does: held a while, in which the page asks for its messages already.

    Gives the milliseconds from the click, which is when the button is let go, until they are drawn.
    """
    chat, x, y = await page.evaluate(AIMING, [index, REST_MS])
    await page.mouse.move(x, y)
    await page.mouse.down()
    await asyncio.sleep(PRESS_MS / 1000)
    drawn = asyncio.ensure_future(page.evaluate(DRAWN, chat))
    await page.mouse.up()
    took: float = await drawn
    return took


async def open_chats(page: Page, count: int, chats: int) -> list[float]:
    """Milliseconds each of so many chats took, every one another; the first ones, which load the code, are left out."""
    step = chats // (count + 3)
    return [await open_chat(page, number * step) for number in range(count + 3)][3:]


async def measure(url: str, device: str, chats: int, opened: int) -> list[report.Table]:
    """Its tables."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": DESKTOP.width, "height": DESKTOP.height}, locale="en-GB")
        scripts, size = await first_load(page, url)
        await page.goto(f"{url}/device/{device}/whatsapp-web")
        await page.locator("a[data-chat]").first.wait_for()
        frames, _ = await page.evaluate(SCROLLING, [SCROLL, 1000])
        await page.evaluate("document.querySelector('.chat-rows').scrollTop = 0")
        await page.locator("a[data-index='0']").wait_for()
        took = await open_chats(page, opened, chats)
        asked = await routes(page, device, chats, 5 * opened)
        await browser.close()
    shown = frames[1:]
    scrolling = report.Table(
        title=f"A list of {chats:,} chats in Chromium, scrolled from top to bottom at {SCROLL * 60:,} pixels a second",
        heads=["", "value"],
        rows=[
            ["frames a second, median", 1000 / statistics.median(shown)],
            ["frames a second, mean", 1000 / statistics.fmean(shown)],
            [f"share of frames later than {LATE_MS} ms", _share(shown)],
            ["latest frame, ms", max(shown)],
        ],
    )
    opening = report.Table(
        title="Opening, from an API that is warm",
        heads=["", "value"],
        rows=[
            ["chat opens, from the click until its messages are drawn, ms, p50", statistics.median(took)],
            [
                "chat opens, from the click until its messages are drawn, ms, p95",
                statistics.quantiles(took, n=20)[-1],
            ],
            ["scripts of the first load", float(scripts)],
            ["scripts of the first load, KiB of gzip", size / 1024],
        ],
    )
    return [scrolling, opening, asked]


def _share(frames: list[float]) -> str:
    return f"{sum(one > LATE_MS for one in frames) / len(frames):.2%}"


async def run(folder: Path, chats: int, opened: int) -> list[report.Table]:
    """Start a system, fill it, measure."""
    with simulator(folder / "loopback"):
        system = System(folder, 1, 50)
        try:
            connection: Any = await system.reach()
            device = await fill(connection, chats)
            await connection.close()
            await system.serves()
            return await measure(system.url, device, chats, opened)
        finally:
            system.stop()


def main() -> None:
    """Reads the arguments, measures, prints."""
    options = report.parser(__doc__).parse_args()
    begun = time.monotonic()
    chats, opened = (QUICK_CHATS, QUICK_OPENED) if options.quick else (CHATS, OPENED)
    with tempfile.TemporaryDirectory() as folder:
        tables = asyncio.run(run(Path(folder), chats, opened))
    report.finish("browser", options, begun, tables)


if __name__ == "__main__":
    main()
