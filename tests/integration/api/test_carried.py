"""Places, contacts and links as the routes and the frames give them."""

from __future__ import annotations

import time
from typing import Any

import pytest

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


LINK = {"type": "link", "url": "kedai.example/baju", "title": "Kedai Baju"}


def test_the_card_of_a_link_is_no_file(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    key = tenant.message(chat, "Lihat kedai.example/baju", media=LINK)
    sql = tenant.world.sql
    sql("INSERT INTO thumbnails (chat_id, key, tenant_id, jpeg) VALUES ($1, $2, $3, 'shop')", chat.id, key, tenant.id)
    [message] = _messages(tenant, chat.id)
    picture = f"/media/{chat.id}-{key}.thumb.jpg"
    assert message["link_preview"] == {
        "url": "https://kedai.example/baju", "title": "Kedai Baju", "description": None, "thumbnail_url": picture,
    }  # fmt: skip
    assert (message["media"], message["media_url"], message["thumbnail_url"]) == (None, None, None)
    assert tenant.client().get(picture).content == b"shop"
    forward = f"/api/v1/messages/{message['id']}/forward"
    queued = tenant.client("send").post(forward, json={"chat_ids": [str(chat.id)]})
    assert queued.status_code == 202 and queued.json()["items"][0]["type"] == "text", queued.text
    assert tenant.client().get(f"/media/{chat.id}-{key}.bin").status_code == 404


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("kedai.example/?ke=https://b.example/", "https://kedai.example/?ke=https://b.example/"),
        ("HTTP://kedai.example", "HTTP://kedai.example"),
    ],
)
def test_an_address_without_scheme_has_one_in_its_card(tenant: Tenant, url: str, address: str) -> None:
    chat = tenant.chat(tenant.device())
    tenant.message(chat, url, media=LINK | {"url": url})
    [message] = _messages(tenant, chat.id)
    assert message["link_preview"]["url"] == address


def test_the_card_goes_when_an_edit_takes_the_link_out(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    for text, is_there in (("Maaf kedai.example/baju", True), ("Maaf", False)):
        key = tenant.message(chat, text, media=LINK)
        tenant.world.sql("UPDATE messages SET edited_at = now() WHERE chat_id = $1 AND key = $2", chat.id, key)
        message = next(one for one in _messages(tenant, chat.id) if one["id"] == f"{chat.id}-{key}")
        assert (message["link_preview"] is not None, message["thumbnail_url"]) == (is_there, None)


def test_a_place_is_no_file(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    key = tenant.message(chat, "KLCC", kind="location", media=PLACE)
    assert tenant.client().get(f"/media/{chat.id}-{key}.bin").status_code == 404


def test_what_was_stored_before_has_its_words_alone(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    tenant.message(chat, "KLCC", kind="location")
    [message] = _messages(tenant, chat.id)
    assert (message["place"], message["contacts"], message["message_text"]) == (None, [], "KLCC")
