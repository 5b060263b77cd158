"""What a chat is called: as the phone has it, else as the lead, else as the person."""

from __future__ import annotations

from typing import Any

from tests.integration.api.test_live import _next, _rest, _socket
from tests.integration.api.test_search import called, eventually, say
from tests.integration.api.world import Chat, Tenant


def _names(tenant: Tenant, chat: Chat) -> set[Any]:
    """What the chat is called by each route that shows it."""
    client = tenant.client("read")
    one = client.get(f"/api/v1/chats/{chat.id}").json()
    lists = [client.get(f"/api/v1/devices/{chat.device.id}/chats"), client.get("/api/v1/chats")]
    return {one["chat_name"], *(item["chat_name"] for answer in lists for item in answer.json()["items"])}


def test_a_chat_without_the_phones_name_has_the_leads(tenant: Tenant) -> None:
    device = tenant.device()
    chat = tenant.chat(device, name="~siti~", jid="60123456789@s.whatsapp.net")
    tenant.message(chat)
    lead = tenant.lead(device, phone="+60123456789", name="Siti binti Hassan")
    assert _names(tenant, chat) == {"Siti binti Hassan"}
    tenant.world.sql("UPDATE chats SET name = NULL WHERE id = $1", chat.id)
    assert _names(tenant, chat) == {"Siti binti Hassan"}
    tenant.world.sql("UPDATE leads SET name = '' WHERE id = $1", lead)
    assert _names(tenant, chat) == {None}
    tenant.world.sql("UPDATE leads SET name = 'Siti binti Hassan' WHERE id = $1", lead)
    tenant.world.sql("UPDATE chats SET name = 'Siti Kedai', named_at = 1 WHERE id = $1", chat.id)
    assert _names(tenant, chat) == {"Siti Kedai"}


def test_a_lead_of_another_device_or_workspace_names_no_chat(tenant: Tenant, stranger: Tenant) -> None:
    ours, theirs = tenant.device(), tenant.device()
    for owner, device in ((tenant, theirs), (stranger, stranger.device())):
        owner.lead(device, phone="+60123456790", name="Hidden")
    chat = tenant.chat(ours, name="~", jid="60123456790@s.whatsapp.net")
    tenant.message(chat)
    assert _names(tenant, chat) == {"~"}
    group = tenant.chat(ours, name="Family", jid="120363000000000003@g.us")
    key = tenant.message(group)
    reacted = [{"sender_jid": chat.jid, "emoji": "👍", "at": 1}]
    tenant.world.sql("UPDATE messages SET reactions = $2 WHERE chat_id = $1", group.id, reacted)
    [one] = tenant.client("read").get(f"/api/v1/messages/{group.id}-{key}/reactions").json()["items"]
    assert one["name"] == "~"


def test_search_finds_a_chat_by_what_it_is_called_now(tenant: Tenant) -> None:
    device = tenant.device()
    chat = tenant.chat(device, name="qq", jid="60123456791@s.whatsapp.net")
    say(tenant, chat, "Good morning")
    client, admin = tenant.client("read"), tenant.client()
    eventually(called, client, "qq", expected=["qq"])
    made = {"phone": "+60123456791", "name": "Mariam Osman", "device_id": str(device.id)}
    lead = admin.post("/api/v1/leads", json=made).json()["id"]
    eventually(called, client, "osman", expected=["Mariam Osman"])
    assert admin.patch(f"/api/v1/leads/{lead}", json={"name": "Mariam Yusof"}).status_code == 200
    eventually(called, client, "yusof", expected=["Mariam Yusof"])
    assert admin.patch(f"/api/v1/leads/{lead}", json={"phone": "+60123456792"}).status_code == 200
    eventually(called, client, "qq", expected=["qq"])
    assert admin.patch(f"/api/v1/leads/{lead}", json={"phone": "+60123456791"}).status_code == 200
    eventually(called, client, "yusof", expected=["Mariam Yusof"])
    assert admin.delete(f"/api/v1/leads/{lead}").status_code == 204
    eventually(called, client, "qq", expected=["qq"])


def test_browsers_are_told_when_a_lead_renames_a_chat(tenant: Tenant) -> None:
    device = tenant.device()
    chat = tenant.chat(device, name="~", jid="60123456793@s.whatsapp.net")
    tenant.message(chat)
    admin = tenant.client()
    made = {"phone": "+60123456793", "name": "Farah", "device_id": str(device.id)}
    with _socket(tenant.world, authorization=f"Bearer {tenant.key('read')}") as socket:
        _next(socket)

        def told() -> list[str]:
            """What the chat is called in each frame since the last time; of two changes at once there is one."""
            frames = [frame["result"] for frame in _rest(socket, tenant) if frame["code"] == "CHAT_UPDATE"]
            assert {frame["id"] for frame in frames} <= {str(chat.id)}
            return [frame["chat_name"] for frame in frames]

        lead = admin.post("/api/v1/leads", json=made).json()["id"]
        assert told() == ["Farah"]
        admin.patch(f"/api/v1/leads/{lead}", json={"name": "Farah Lim"})
        assert told() == ["Farah Lim"]
        admin.patch(f"/api/v1/leads/{lead}", json={"tags": ["kl"]})
        assert told() == []
        bulk = {"action": "set_device", "lead_ids": [lead], "device_id": str(tenant.device().id)}
        assert admin.post("/api/v1/leads/bulk", json=bulk).status_code < 300
        assert told() == ["~"]
        admin.patch(f"/api/v1/leads/{lead}", json={"device_id": str(device.id)})
        assert told() == ["Farah Lim"]
        admin.delete(f"/api/v1/leads/{lead}")
        assert told() == ["~"]
