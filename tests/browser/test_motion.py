"""Whoever asks for less motion gets none."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.looks import PHONE, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number

#: Notes every movement that lasts longer than a drawing, by style sheet or by script.
NOTED = """
  window.moved = [];
  const note = (animation) => {
    if (animation.effect.getComputedTiming().duration > 16) moved.push(animation.effect.target?.className ?? '');
  };
  const animate = Element.prototype.animate;
  Element.prototype.animate = function (...given) {
    const made = animate.apply(this, given);
    note(made);
    return made;
  };
  for (const kind of ['animationstart', 'transitionrun'])
    document.addEventListener(kind, (event) => event.target.getAnimations().forEach(note), true);
"""


@pytest.mark.parametrize("look", [PHONE], indirect=True, ids=lambda look: look.name)
@pytest.mark.parametrize("wanted", ["no-preference", "reduce"])
def test_nothing_moves_for_whoever_asks_for_less_motion(signed_in: App, stack: Stack, look: Look, wanted: str) -> None:
    app, page = signed_in, signed_in.page
    phone, customer = link(app, stack, f"Motion {wanted}"), new_number()
    stack.phones.text(phone=phone, contact=customer, text="Hello")
    page.emulate_media(reduced_motion="reduce" if wanted == "reduce" else "no-preference")
    page.add_init_script(NOTED)
    page.reload()
    app.open_inbox(f"Motion {wanted}")
    page.locator("a[data-chat]").first.click()
    expect(app.bubble("Hello")).to_be_visible()
    page.get_by_role("button", name="Details").click()
    page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="Back").click()
    expect(page.locator("a[data-chat]").first).to_be_visible()
    moved = page.evaluate("moved")
    assert bool(moved) == (wanted == "no-preference"), moved
