"""Places and contacts as the routes and the frames give them."""

from __future__ import annotations

import time
from typing import Any

from tests.integration.api.world import Tenant

PLACE = {"type": "place", "latitude": 3.15785, "longitude": 101.71165, "name": "<b>KLCC</b>", "is_live": False}
CARDS = {
    "type": "contacts",
    "contacts": [
        {"name": "Ali", "numbers": [{"value": "+60 12-345 6789", "type": "cell", "waid": "60123456789"}]},
        {"name": "Abu", "numbers": [{"value": "012"}]},
    ],
}


def _messages(tenant: Tenant, chat_id: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tenant.client("read").get(f"/api/v1/chats/{chat_id}/messages").json()["items"]
    return found


def test_a_place_and_contacts(tenant: Tenant) -> None:
    chat, now = tenant.chat(tenant.device()), int(time.time())
    tenant.message(chat, "<b>KLCC</b>", kind="location", media=PLACE, at=now)
    tenant.message(chat, "Ali\nAbu", kind="contact", media=CARDS, at=now + 1)
    contact, location = _messages(tenant, chat.id)
    assert location["place"] == {
        "latitude": 3.15785, "longitude": 101.71165, "accuracy": None, "name": "<b>KLCC</b>", "address": None,
        "url": None, "is_live": False,
    }  # fmt: skip
    assert (location["contacts"], location["media"], location["media_url"]) == ([], None, None)
    assert contact["contacts"] == [
        {"name": "Ali", "numbers": [{"value": "+60 12-345 6789", "type": "cell", "waid": "60123456789"}]},
        {"name": "Abu", "numbers": [{"value": "012", "type": None, "waid": None}]},
    ]
    assert (contact["place"], contact["media"], contact["media_url"]) == (None, None, None)


def test_a_place_is_no_file(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    key = tenant.message(chat, "KLCC", kind="location", media=PLACE)
    assert tenant.client().get(f"/media/{chat.id}-{key}.bin").status_code == 404


def test_what_was_stored_before_has_its_words_alone(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    tenant.message(chat, "KLCC", kind="location")
    [message] = _messages(tenant, chat.id)
    assert (message["place"], message["contacts"], message["message_text"]) == (None, [], "KLCC")
