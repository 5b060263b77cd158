"""What an answer brought of the message it answers, as the routes and the frames give it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api.test_live import _bearer, _next, _socket
from tests.integration.api.world import Chat, Device, Tenant

LID, OWN_LID = 167211234567890, 990001
BLANK: dict[str, Any] = {
    "message_type": "text", "mentions": [], "sender_jid": None, "sender_name": None, "from_me": False, "chat_jid": None,
    "chat_name": None,
}  # fmt: skip


@pytest.fixture
def device(tenant: Tenant) -> Device:
    """A line that knows Aisyah, and her LID."""
    made = tenant.device()
    sql = tenant.world.sql
    sql("UPDATE devices SET lid = $2, paired_at = now() WHERE no = $1", made.no, f"{OWN_LID}@lid")
    sql("INSERT INTO lid_numbers (tenant_id, device_no, lid, number) VALUES ($1, $2, $3, 60111111111)",
        tenant.id, made.no, LID)  # fmt: skip
    tenant.chat(made, name="Aisyah", jid="60111111111@s.whatsapp.net")
    return made


def _quote(tenant: Tenant, chat: Chat, key: int, quote: dict[str, Any]) -> None:
    tenant.world.sql(
        "UPDATE messages SET quoted = 'Q1', quote = $3 WHERE chat_id = $1 AND key = $2", chat.id, key, quote
    )


def _quoted(tenant: Tenant, chat: Chat, quote: dict[str, Any], **fields: Any) -> Any:
    """What the newest message of the chat shows of the one it answers."""
    _quote(tenant, chat, tenant.message(chat, "RM10", **fields), quote)
    return tenant.client("read").get(f"/api/v1/chats/{chat.id}/messages").json()["items"][0]["quoted"]


def test_an_answer_in_a_chat_of_two(tenant: Tenant, device: Device) -> None:
    chat = tenant.chat(device, name="Farid")
    brought = {"kind": "text", "text": "How much?", "sender": chat.jid}
    assert _quoted(tenant, chat, brought) == BLANK | {
        "message_text": "How much?", "sender_jid": chat.jid, "sender_name": "Farid"
    }  # fmt: skip


@pytest.mark.parametrize("sender", [f"{LID}@lid", "60111111111@s.whatsapp.net"])
def test_who_was_answered_is_named_by_number(tenant: Tenant, device: Device, sender: str) -> None:
    group = tenant.chat(device, name="Family", jid=f"120363{device.no:012}@g.us")
    found = _quoted(tenant, group, {"kind": "image", "text": f"for @{LID}", "sender": sender})
    aisyah = {"digits": str(LID), "jid": "60111111111@s.whatsapp.net", "name": "Aisyah", "is_me": False}
    assert found == BLANK | {
        "message_type": "image", "message_text": f"for @{LID}", "mentions": [aisyah],
        "sender_jid": "60111111111@s.whatsapp.net", "sender_name": "Aisyah",
    }  # fmt: skip


@pytest.mark.parametrize("by_lid", [False, True])
def test_our_own_words_are_ours(tenant: Tenant, device: Device, by_lid: bool) -> None:
    chat = tenant.chat(device)
    sender = f"{OWN_LID}@lid" if by_lid else device.jid
    found = _quoted(tenant, chat, {"kind": "text", "text": "RM9", "sender": sender})
    assert (found["from_me"], found["sender_name"]) == (True, None)


@pytest.mark.parametrize(("known", "name"), [(True, "Family"), (False, None)])
def test_what_was_said_elsewhere_says_where(tenant: Tenant, device: Device, known: bool, name: str | None) -> None:
    group = f"120363{device.no:012}@g.us"
    if known:
        tenant.chat(device, name="Family", jid=group)
    chat = tenant.chat(device)
    found = _quoted(tenant, chat, {"kind": "text", "text": "Who comes?", "sender": chat.jid, "chat": group})
    assert (found["chat_jid"], found["chat_name"]) == (group, name)
    found = _quoted(tenant, chat, {"kind": "image", "text": "", "chat": "status@broadcast"}, at=1_900_000_000)
    assert (found["chat_jid"], found["chat_name"], found["sender_jid"]) == ("status@broadcast", None, None)


def test_a_group_answers_itself_here(tenant: Tenant, device: Device) -> None:
    group = tenant.chat(device, name="Family", jid=f"120363{device.no:012}@g.us")
    found = _quoted(tenant, group, {"kind": "text", "text": "Hi", "sender": group.jid, "chat": group.jid})
    assert (found["chat_jid"], found["chat_name"]) == (None, None)


def test_a_deleted_answer_quotes_nothing(tenant: Tenant, device: Device) -> None:
    chat = tenant.chat(device)
    assert _quoted(tenant, chat, {"kind": "text", "text": "How much?", "sender": chat.jid}) is not None
    tenant.world.sql("UPDATE messages SET kind = 14, body = '' WHERE chat_id = $1", chat.id)
    (message,) = tenant.client("read").get(f"/api/v1/chats/{chat.id}/messages").json()["items"]
    assert (message["quoted_message_id"], message["quoted"]) == ("Q1", None)


def test_frames_have_it_too(tenant: Tenant, device: Device) -> None:
    chat = tenant.chat(device, name="Farid")
    brought = {"kind": "text", "text": "How much?", "sender": chat.jid}
    with _socket(tenant.world, authorization=_bearer(tenant)) as socket:
        assert _next(socket)["code"] == "RESYNC"
        key = tenant.message(chat, "RM10")
        _quote(tenant, chat, key, brought)
        tenant.world.publish({"k": "message", "t": tenant.id, "d": device.no, "c": chat.id, "m": [key]})
        message = _next(socket)["result"]
    assert (message["quoted"]["message_text"], message["quoted"]["sender_name"]) == ("How much?", "Farid")
