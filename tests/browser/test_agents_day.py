"""An agent's day, as one walk: on a phone, with a colleague at a desk who sees everything as it happens."""

from __future__ import annotations

import re
import secrets

from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, PHONE
from tests.browser.stack import Stack
from tests.browser.team import Team, add_person
from tests.browser.test_full_path import link, new_number, new_word
from tests.browser.test_search import field, found


def test_a_customer_is_found_answered_by_voice_and_handed_to_a_colleague(
    signed_in: App, stack: Stack, team: Team
) -> None:
    phone, customer = link(signed_in, stack, "Day"), new_number()
    name, word, wei_name = f"Puan Kartini{secrets.token_hex(2)}", new_word(), f"Wei {secrets.token_hex(2)}"
    stack.phones.push_name(phone=customer, name=name)
    stack.phones.text(phone=phone, contact=customer, text=f"Masih ada kerusi {word}?")
    agent = team.sign_in(add_person(signed_in, name="Aina"), PHONE)
    wei = team.sign_in(add_person(signed_in, name=wei_name), DESKTOP)
    wei.page.goto("/inbox?assignee=me")
    expect(wei.page.get_by_role("region", name="Chats")).to_be_visible()

    # found by half a word, and read
    agent.page.goto("/inbox")
    agent.until_found(word[1:6], messages=1)
    field(agent).fill(word[1:6])
    hit = found(agent, "Messages").filter(has_text=name)
    expect(hit).to_have_count(1)
    hit.click()
    expect(agent.bubble(word)).to_be_in_viewport()
    agent.expect_accessible()

    # answered by voice
    agent.page.get_by_role("button", name="Record a voice message").click()
    recorder = agent.page.get_by_role("group", name="Voice message")
    agent.expect_recorded(1)
    recorder.get_by_role("button", name="Send voice message").click()
    voice = agent.messages.locator(".bubble").filter(has=agent.page.locator(".waveform"))
    agent.expect_ticks(voice, "delivered")
    (got,) = stack.phones.inbox(phone=phone, contact=customer, wait=60)
    assert got.kind == "voice"

    # handed over: the colleague sees it at once
    expect(wei.page.locator("a[data-chat]")).to_have_count(0)
    agent.page.get_by_role("button", name="Details").click()
    agent.page.get_by_role("button", name="Answered by: Nobody in particular").click()
    agent.page.get_by_role("menuitem", name=wei_name).click()
    expect(agent.page.get_by_role("button", name=f"Answered by: {wei_name}")).to_be_visible()
    agent.page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).click()
    row = wei.page.locator("a[data-chat]").filter(has_text=name)
    expect(row).to_be_visible()
    row.click()
    expect(wei.page).to_have_url(re.compile(r"/inbox/\d+\?assignee=me$"))

    # both see the ticks
    same = wei.messages.locator(".bubble").filter(has=wei.page.locator(".waveform"))
    wei.expect_ticks(same, "delivered")
    stack.phones.receipt(phone=phone, contact=customer, ids=[got.id], type="read")
    agent.expect_ticks(voice, "read")
    wei.expect_ticks(same, "read")
    wei.expect_accessible()
