"""Chats and their messages, as the inbox shows them."""

from __future__ import annotations

import time
from typing import Any

from tests.claimed import CLAIMED
from tests.integration.api.test_search import eventually, say
from tests.integration.api.world import FakeWorker, Tenant
from wafast.events.calls import CallFailed


def test_a_chat_in_the_list(tenant: Tenant) -> None:
    device = tenant.device()
    chat = tenant.chat(device, name="Aisyah")
    tenant.chat(device, name="Empty")
    key = tenant.message(chat, "Is it still available?")
    page = tenant.client("read").get(f"/api/v1/devices/{device.id}/chats").json()
    assert page["next"] is None
    (shown,) = page["items"]
    assert shown == {
        "id": str(chat.id),
        "device_id": str(device.id),
        "chat_jid": chat.jid,
        "chat_name": "Aisyah",
        "phone": f"+{chat.jid.partition('@')[0]}",
        "is_group": False,
        "last_message_text": "Is it still available?",
        "last_message_mentions": [],
        "last_message_notice": None,
        "last_message_type": "text",
        "last_message_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(key >> 32)),
        "last_message_from_me": False,
        "last_message_status": "received",
        "last_message_sender": None,
        "unread_count": 1,
        "typing": None,
        "typing_name": None,
        "typing_state": None,
        "pinned": False,
        "muted": False,
        "archived": False,
        "assignee_id": None,
        "assignee_name": None,
        "is_open": True,
        "label_ids": [],
        "is_opted_out": False,
        "viewers": [],
    }
    assert tenant.client("read").get(f"/api/v1/chats/{chat.id}").json() == shown


def test_chats_are_newest_first_and_paged(tenant: Tenant) -> None:
    device = tenant.device()
    now = int(time.time())
    made = []
    for minute in range(5):
        chat = tenant.chat(device)
        tenant.message(chat, at=now - 600 + 60 * minute)
        made.append(str(chat.id))
    old = tenant.chat(device)
    tenant.message(old, at=now - 31 * 86_400)
    seen: list[str] = []
    after: str | None = None
    while True:
        query = {"limit": "2"} | ({"after": after} if after else {})
        page = tenant.client().get(f"/api/v1/devices/{device.id}/chats", params=query).json()
        seen += [chat["id"] for chat in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == made[::-1]
    assert tenant.client().get(f"/api/v1/chats/{old.id}").status_code == 200


def test_searching_the_chats_of_a_device(tenant: Tenant) -> None:
    device = tenant.device()
    for name, jid, text in (
        ("Aisyah", "60123456789@s.whatsapp.net", "Good morning"),
        ("100% Halal", "60198765432@s.whatsapp.net", "see you_there"),
        ("Family", "120363049876500000@g.us", "Dinner?"),
    ):
        say(tenant, tenant.chat(device, name=name, jid=jid), text)

    def found(search: str) -> list[str]:
        page = tenant.client().get(f"/api/v1/devices/{device.id}/chats", params={"search": search})
        return sorted(chat["chat_name"] for chat in page.json()["items"])

    for search, names in {
        "aisy": ["Aisyah"], "012-345 6789": ["Aisyah"], "+60 12": ["Aisyah"], "100%": ["100% Halal"],
        "u_t": ["100% Halal"], "DINNER": ["Family"], "u%t": [], "": ["100% Halal", "Aisyah", "Family"],
    }.items():  # fmt: skip
        eventually(found, search, expected=names)
    group = tenant.chat(device, name="Team", jid="120363049876511111@g.us")
    hidden, _ = say(tenant, group, "Budget for March", "Minutes")
    eventually(found, "budget", expected=["Team"])
    tenant.world.sql("UPDATE chats SET floor_key = $2 WHERE id = $1", group.id, hidden)
    assert found("budget") == []
    tenant.world.sql("DELETE FROM chats WHERE id = $1", group.id)
    assert found("") == ["100% Halal", "Aisyah", "Family"]


def test_a_message(tenant: Tenant) -> None:
    device = tenant.device()
    chat = tenant.chat(device)
    media = {"mime": "image/jpeg", "size": 5, "width": 4, "height": 3}
    key = tenant.message(chat, "Look", kind="image", media=media | {"ext": "jpg"}, message_id="ABC")
    tenant.world.sql(
        "INSERT INTO thumbnails (chat_id, key, tenant_id, jpeg) VALUES ($1, $2, $3, 'x')", chat.id, key, tenant.id
    )
    (shown,) = tenant.client("read").get(f"/api/v1/chats/{chat.id}/messages").json()["items"]
    assert shown.pop("created_at")
    assert shown == {
        "id": f"{chat.id}-{key}",
        "chat_id": str(chat.id),
        "device_id": str(device.id),
        "chat_jid": chat.jid,
        "message_id": "ABC",
        "sender_jid": chat.jid,
        "sender_name": "Farid",
        "from_me": False,
        "message_type": "image",
        "message_text": "Look",
        "mentions": [],
        "notice": None,
        "media_url": f"/media/{chat.id}-{key}.jpg",
        "thumbnail_url": f"/media/{chat.id}-{key}.thumb.jpg",
        "media": media
        | {"seconds": None, "waveform": None, "name": None, "gif": False, "stored": False, "expired": False},
        "place": None,
        "contacts": [],
        "link_preview": None,
        "quoted_message_id": None,
        "quoted": None,
        "status": "received",
        "is_ephemeral": False,
        "is_view_once": False,
        "is_forwarded": False,
        "is_pinned": False,
        "pinned_until": None,
        "reactions": [],
        "poll_options": [],
        "poll_choices": None,
        "poll_votes": [],
        "poll_counts": None,
        "timestamp": key >> 32,
        "edited_at": None,
        "deleted_at": None,
        "outbox_id": None,
    }
    view = "SELECT media_url FROM whatsapp_messages WHERE chat_id = $1"
    assert tenant.world.sql(view, chat.id) == shown["media_url"]


def test_messages_are_newest_first_without_what_is_trimmed(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    now = int(time.time())
    keys = [tenant.message(chat, str(number), at=now - 10 + number) for number in range(6)]
    tenant.world.sql("UPDATE chats SET floor_key = $2 WHERE id = $1", chat.id, keys[0])
    address = f"/api/v1/chats/{chat.id}/messages"
    first = tenant.client().get(address, params={"limit": "3"}).json()
    second = tenant.client().get(address, params={"limit": "3", "after": first["next"]}).json()
    assert [one["message_text"] for one in first["items"] + second["items"]] == ["5", "4", "3", "2", "1"]
    assert second["next"] is None
    assert tenant.client().get(f"/api/v1/chats/{tenant.chat(tenant.device()).id}/messages").json() == {
        "items": [], "next": None, "previous": None, "target": None,
    }  # fmt: skip


def test_a_message_that_left_names_its_outbox_row(tenant: Tenant) -> None:
    device = tenant.device()
    chat = tenant.chat(device)
    tenant.message(chat, "Hi", from_me=True, message_id="OUT1")
    row = tenant.outbox(device)
    tenant.world.sql(f"{CLAIMED} WHERE id = $1", row)
    tenant.world.sql("UPDATE outbox SET state = 'sent', message_id = 'OUT1' WHERE id = $1", row)
    (shown,) = tenant.client().get(f"/api/v1/chats/{chat.id}/messages").json()["items"]
    assert (shown["from_me"], shown["outbox_id"], shown["sender_jid"]) == (True, str(row), device.jid)


def test_what_was_read_is_to_be_told_to_the_phone(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    sql, path = tenant.world.sql, f"/api/v1/chats/{chat.id}/read"
    untold = "SELECT unread FROM untold_reads WHERE chat_id = $1 AND tenant_id = $2"
    tenant.message(chat)
    for number, unread in enumerate([1, 1, 3]):
        shown = tenant.client("send").post(path)
        assert (shown.status_code, shown.json()["unread_count"]) == (200, 0)
        assert sql(untold, chat.id, tenant.id) == unread
        for text in ("Hello?", "Anybody?") if number == 1 else ():
            tenant.message(chat, text, at=int(time.time()) + 1)


def test_typing_takes_the_devices_word(tenant: Tenant) -> None:
    device = tenant.device()
    chat = tenant.chat(device)
    address = f"/api/v1/chats/{chat.id}/typing"
    nobody = tenant.client().post(address, json={"state": "composing"})
    assert (nobody.status_code, nobody.json()["type"]) == (409, "urn:wafast:problem:device-offline")
    seen: list[Any] = []

    async def answer(device_no: int, verb: str, args: dict[str, Any]) -> dict[str, Any]:
        seen.append((device_no, verb, args))
        if args["state"] == "recording":
            raise CallFailed("offline", "the line is down")
        if args["state"] == "paused":
            raise CallFailed("failed", "no such chat")
        return {}

    worker = FakeWorker(tenant.world, tenant, device, answer)
    try:
        assert tenant.client().post(address, json={"state": "composing"}).status_code == 202
        offline = tenant.client().post(address, json={"state": "recording"})
        assert (offline.status_code, "The line is down." in offline.json()["detail"]) == (409, True)
        assert tenant.client().post(address, json={"state": "paused"}).status_code == 502
    finally:
        worker.close()
    assert seen[0] == (device.no, "typing", {"chat": chat.jid, "state": "composing"})


def test_a_chat_that_became_part_of_another_leads_there(tenant: Tenant, stranger: Tenant) -> None:
    device = tenant.device()
    first, second, third = tenant.chat(device), tenant.chat(device), tenant.chat(device)
    for gone, into in ((first, second), (second, third)):
        tenant.world.sql("SELECT merge_chats($1, $2)", gone.id, into.id)
    for gone in (first, second):
        assert tenant.client("read").get(f"/api/v1/chats/{gone.id}").json()["id"] == str(third.id)
        assert tenant.client("read").get(f"/api/v1/chats/{gone.id}/messages").status_code == 404
        assert stranger.client("read").get(f"/api/v1/chats/{gone.id}").status_code == 404
    tenant.client().delete(f"/api/v1/devices/{device.id}")
    assert tenant.client("read").get(f"/api/v1/chats/{first.id}").status_code == 404


def test_a_chat_is_opened_with_who_has_not_written(tenant: Tenant) -> None:
    device = tenant.device()
    address, agent = f"/api/v1/devices/{device.id}/chats", tenant.client("send")
    offline = agent.post(address, json={"to": "012-345 6789"})
    assert offline.status_code == 200, "nobody can be asked now"
    opened = offline.json()
    assert (opened["phone"], opened["last_message_time"]) == ("+60123456789", None)
    assert agent.post(address, json={"to": "60123456789@s.whatsapp.net"}).json() == opened
    assert agent.get(address).json()["items"] == [], "it has no message"
    assert agent.post(address, json={"to": "hello"}).status_code == 400

    async def answer(_device: int, verb: str, args: dict[str, Any]) -> dict[str, Any]:
        assert verb == "is_on_whatsapp"
        return {"items": [{"phone": phone, "jid": None} for phone in args["phones"]]}

    worker = FakeWorker(tenant.world, tenant, device, answer)
    try:
        nobody = agent.post(address, json={"to": "+60111111111"})
    finally:
        worker.close()
    assert (nobody.status_code, nobody.json()["errors"][0]["field"]) == (422, "to")
    assert agent.post(address, json={"to": "+60111111111"}).status_code == 422, "that is known now"


def test_a_chat_opened_first_is_the_one_the_message_is_in(tenant: Tenant) -> None:
    device, agent = tenant.device(), tenant.client("send")
    opened = agent.post(f"/api/v1/devices/{device.id}/chats", json={"to": "012-345 6788"}).json()
    sent = agent.post("/api/v1/messages", json={"device_id": str(device.id), "to": "012-345 6788", "text": "Hello"})
    assert sent.json()["chat_id"] == opened["id"]


def test_a_notice_says_what_happened_for_other_languages(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    happened = [{"did": "left", "people": [chat.jid]}, {"did": "renamed", "words": "Keluarga"}]
    media = {"type": "notice", "who": chat.jid, "happened": happened}
    tenant.message(chat, "+60 left", kind="system", media=media)
    client = tenant.client("read")
    shown = {
        "who": chat.jid,
        "happened": [
            {"did": "left", "people": [chat.jid], "words": None},
            {"did": "renamed", "people": [], "words": "Keluarga"},
        ],
    }
    (message,) = client.get(f"/api/v1/chats/{chat.id}/messages").json()["items"]
    assert (message["notice"], message["media"]) == (shown, None)
    assert client.get(f"/api/v1/chats/{chat.id}").json()["last_message_notice"] == shown
