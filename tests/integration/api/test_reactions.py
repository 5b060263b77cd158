"""Who gave which reaction."""

from __future__ import annotations

from tests.integration.api.world import Tenant

GROUP = "120363000000000002@g.us"


def test_reactions_name_who_gave_them(tenant: Tenant) -> None:
    device = tenant.device()
    group = tenant.chat(device, jid=GROUP, name="Family")
    saved = tenant.chat(device, name="Ali the plumber", jid="60111111111@s.whatsapp.net")
    key = tenant.message(group, "Dinner?")
    writer = tenant.world.sql("SELECT jid_of(sender) FROM messages WHERE chat_id = $1", group.id)
    given = [
        {"sender_jid": saved.jid, "emoji": "👍", "at": 10},
        {"sender_jid": writer, "emoji": "❤️", "at": 30},
        {"sender_jid": "999@lid", "emoji": "👍", "at": 20},
    ]
    tenant.world.sql("UPDATE messages SET reactions = $2 WHERE chat_id = $1", group.id, given)
    answer = tenant.client("read").get(f"/api/v1/messages/{group.id}-{key}/reactions")
    assert answer.status_code == 200, answer.text
    assert [(one["emoji"], one["name"], one["phone"], one["at"]) for one in answer.json()["items"]] == [
        ("❤️", "Farid", f"+{writer.partition('@')[0]}", 30),
        ("👍", None, None, 20),
        ("👍", "Ali the plumber", "+60111111111", 10),
    ]


def test_a_message_without_reactions_has_an_empty_list(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    key = tenant.message(chat)
    assert tenant.client("read").get(f"/api/v1/messages/{chat.id}-{key}/reactions").json() == {"items": []}
