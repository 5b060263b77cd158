"""What a message names can be used: a place opens a map, a contact is written to, people have their names."""

from __future__ import annotations

import io
import re

import pytest
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    ContactMessage,
    ContactsArrayMessage,
    ExtendedTextMessage,
    LiveLocationMessage,
    LocationMessage,
    Message,
)
from PIL import Image
from playwright.sync_api import expect

from tests.browser.app import App
from tests.browser.looks import DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK, Look
from tests.browser.stack import Stack
from tests.browser.test_full_path import link, new_number
from tests.browser.test_hostile import ARABIC, SCRIPT, UNBROKEN, expect_in_its_place

every_look = pytest.mark.parametrize(
    "look", [DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK], indirect=True, ids=lambda look: look.name
)


def _card(name: str, *numbers: str) -> ContactMessage:
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"FN:{name}", *numbers, "END:VCARD"]
    return ContactMessage(displayName=name, vcard="\r\n".join(lines))


def _map() -> bytes:
    encoded = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((100, 100)).save(encoded, "JPEG")
    return encoded.getvalue()


@every_look
def test_a_place_opens_a_map_and_a_contact_is_written_to(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Carried {look.name}"
    phone, customer, other = link(app, stack, name), new_number(), new_number()
    klcc = LocationMessage(
        degreesLatitude=3.157851, degreesLongitude=101.711649, name="KLCC", address="Jalan Ampang, Kuala Lumpur",
        accuracyInMeters=12, URL="https://klcc.example/about", JPEGThumbnail=_map(),
    )  # fmt: skip
    live = LiveLocationMessage(degreesLatitude=-33.5, degreesLongitude=151.25, caption="On my way")
    both = ContactsArrayMessage(
        contacts=[_card("Aisyah", f"TEL;type=CELL;waid={other}:+{other}", "TEL;type=WORK:03-2161 0000"), _card("Abu")]
    )
    for message in (
        Message(locationMessage=klcc),
        Message(liveLocationMessage=live),
        Message(contactsArrayMessage=both),
    ):
        stack.phones.raw(phone, customer, message.SerializeToString())
    app.open_inbox(name)
    row = page.locator("a[data-chat]").first
    expect(row).to_contain_text("Aisyah")
    row.click()

    place = app.messages.get_by_role("link", name="KLCC Jalan")
    expect(place).to_have_accessible_name(re.compile("KLCC Jalan Ampang.*3.15785, 101.71165 ± 12 m Open map"))
    at = "https://www.openstreetmap.org/?mlat=3.15785&mlon=101.71165#map=16/3.15785/101.71165"
    expect(place).to_have_attribute("href", at)
    for attribute, value in (("target", "_blank"), ("rel", "noopener noreferrer")):
        expect(place).to_have_attribute(attribute, value)
    expect(app.messages.get_by_role("link", name="klcc.example")).to_have_attribute(
        "href", "https://klcc.example/about"
    )
    expect(app.messages.get_by_role("link", name="Live location -33.50000, 151.25000 Open map")).to_be_visible()
    expect(app.bubble("On my way")).to_be_visible()
    expect_in_its_place(app)
    app.expect_accessible()

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copied = "() => navigator.clipboard.readText()"
    app.message_menu(app.bubble("KLCC")).get_by_role("menuitem", name="Copy text").click()
    app.told("Copied")
    assert page.evaluate(copied) == "KLCC\nJalan Ampang, Kuala Lumpur\n3.15785, 101.71165"
    contact = app.bubble("Aisyah")
    expect(contact.get_by_role("listitem")).to_contain_text(["Mobile", "Abu"])
    contact.get_by_role("button", name="Copy 03-2161 0000").click()
    app.told("Copied")
    assert page.evaluate(copied) == "03-2161 0000"
    contact.get_by_role("button", name=f"Write to +{other}").press("Enter")
    expect(page.get_by_role("heading", name=other[-4:], level=2)).to_be_visible()
    app.send("Hello Aisyah")
    [got] = stack.phones.inbox(phone=phone, contact=other, wait=60)
    assert got.text == "Hello Aisyah"


@every_look
def test_a_link_shows_the_card_that_came_with_it(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Links {look.name}"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    phone, customer = link(app, stack, name), new_number()
    address = "https://shop.example/lamps?page=2"
    lamps = ExtendedTextMessage(
        text=f"Look here {address}", matchedText=address, title="Lamps for every room", JPEGThumbnail=_map(),
        description="Made in Penang. " + "Very long words about them. " * 5,
    )  # fmt: skip
    hostile = ExtendedTextMessage(
        text="Or here www.example.org", matchedText="www.example.org", title=SCRIPT + ARABIC, description=UNBROKEN,
        JPEGThumbnail=b"none",
    )  # fmt: skip
    for message in (lamps, hostile):
        stack.phones.raw(phone, customer, Message(extendedTextMessage=message).SerializeToString())
    app.open_inbox(name)
    page.locator("a[data-chat]").filter(has_text="Or here").click()
    card = app.bubble("Look here").get_by_role("link", name=re.compile("^Lamps for every room"))
    expect(card).to_have_attribute("href", address)
    expect(card).to_have_attribute("target", "_blank")
    expect(card).to_have_attribute("rel", re.compile("noopener noreferrer"))
    expect(card).to_contain_text("Made in Penang.")
    expect(card).to_contain_text("shop.example")
    expect(card.locator("img")).to_have_js_property("naturalWidth", value=100)
    other = app.bubble("Or here").get_by_role("link").first
    expect(other).to_contain_text("www.example.org")
    expect(other.locator("img")).to_have_count(0)
    expect_in_its_place(app)
    app.expect_accessible()
    assert page.locator("main script, main img[src='x']").count() == 0
    assert [url for url in asked if not url.startswith((stack.url, "data:", "blob:"))] == []


@pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)
def test_hostile_places_and_contacts_are_only_words(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Hostile places {look.name}"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    phone, customer = link(app, stack, name), new_number()
    nowhere = LocationMessage(degreesLatitude=9e99, degreesLongitude=1, name=SCRIPT, address=ARABIC)
    unsafe = LocationMessage(
        degreesLatitude=1, degreesLongitude=2, name=UNBROKEN, URL="javascript:window.broken=7", JPEGThumbnail=b"none"
    )
    card = _card(SCRIPT + ARABIC, f'TEL;TYPE="{SCRIPT}":+60 12{ARABIC}', "TEL;waid=<b>:javascript:alert(012)")
    for message in (
        Message(locationMessage=nowhere),
        Message(locationMessage=unsafe),
        Message(contactMessage=ContactMessage(vcard="FN;ENCODING=QUOTED-PRINTABLE:" + "=\n" * 30_000)),
        Message(contactMessage=card),
    ):
        stack.phones.raw(phone, customer, message.SerializeToString())
    stack.phones.text(phone, customer, "The end")
    app.open_inbox(name)
    row = page.locator("a[data-chat]").first
    expect(row).to_contain_text("The end")
    row.click()
    expect(app.messages.get_by_role("link", name="Open map")).to_be_visible()
    for wheel in (-400, 400):
        for _ in range(8):
            app.messages.hover()
            page.mouse.wheel(0, wheel)
            expect_in_its_place(app)
        app.expect_accessible()
    expect(app.bubble("The end")).to_be_visible()
    expect(app.messages.get_by_role("button", name=re.compile("^Write to"))).to_have_count(2)
    assert page.locator("main script, main img[src='x'], main a[href^='javascript']").count() == 0
    assert [url for url in asked if not url.startswith((stack.url, "data:", "blob:"))] == []


@pytest.mark.parametrize("look", [DESKTOP, PHONE_DARK], indirect=True, ids=lambda look: look.name)
def test_people_are_named_in_a_group(signed_in: App, stack: Stack, look: Look) -> None:
    app, page, name = signed_in, signed_in.page, f"Mentions {look.name}"
    phone, farid, aisyah, stranger = link(app, stack, name), new_number(), new_number(), new_number()
    group = stack.phones.group(phone, "Family", [farid, aisyah])
    for member, called in ((farid, "Farid *the* <b>cook</b>"), (aisyah, "Aisyah")):
        stack.phones.push_name(member, called)
        stack.phones.text(phone, member, f"Here is {member}", group=group)
    stack.phones.text(phone, aisyah, f"*Ask @{farid}* or @{phone}, not @{stranger}", group=group)
    app.open_inbox(name)
    named = f"Ask @Farid *the* <b>cook</b> or @You, not @{stranger}"
    expect(app.chat("Family")).to_contain_text(named)
    app.open_chat("Family")
    bubble = app.bubble("Ask")
    expect(bubble).to_contain_text(named)
    expect(bubble.locator("strong bdi")).to_have_text("@Farid *the* <b>cook</b>")
    app.expect_accessible()

    app.message_menu(bubble).get_by_role("menuitem", name="Reply").click()
    app.send("Yes")
    expect(app.bubble("Yes")).to_contain_text(named)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    app.message_menu(bubble.first).get_by_role("menuitem", name="Copy text").click()
    app.told("Copied")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == f"*Ask @Farid *the* <b>cook</b>* or @You, not @{stranger}"
