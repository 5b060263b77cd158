"""What is pinned in a chat, for as long as it is."""

from __future__ import annotations

import time
from typing import Any

from tests.integration.api.world import Chat, Tenant

NOW = int(time.time())


def pin(tenant: Tenant, chat: Chat, key: int, *, at: int, until: int | None = None) -> None:
    """As the core does when somebody pins a message."""
    tenant.world.sql(
        "UPDATE messages SET flags = flags | 16, pin_said_at = $3, pinned_until = to_timestamp($4::int8)"
        " WHERE chat_id = $1 AND key = $2",
        chat.id, key, at, until,
    )  # fmt: skip


def pinned(tenant: Tenant, chat: Chat) -> list[dict[str, Any]]:
    answer = tenant.client("read").get(f"/api/v1/chats/{chat.id}/pinned")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_the_last_pinned_comes_first_and_no_more_than_three(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    keys = [tenant.message(chat, str(number), at=NOW - 90 + number) for number in range(5)]
    assert pinned(tenant, chat) == []
    for after, number in enumerate((3, 0, 4, 1)):
        pin(tenant, chat, keys[number], at=NOW - 60 + after)
    assert [message["message_text"] for message in pinned(tenant, chat)] == ["1", "4", "0"]


def test_a_pin_that_has_ended_is_none_anywhere(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    ended, lasts, always = (tenant.message(chat, at=NOW - 60 + number) for number in range(3))
    pin(tenant, chat, ended, at=NOW - 7200, until=NOW - 3600)
    pin(tenant, chat, lasts, at=NOW - 7200, until=NOW + 86_400)
    pin(tenant, chat, always, at=NOW - 9000)
    assert [message["id"] for message in pinned(tenant, chat)] == [f"{chat.id}-{lasts}", f"{chat.id}-{always}"]
    listed = tenant.client("read").get(f"/api/v1/chats/{chat.id}/messages").json()["items"]
    assert [(one["is_pinned"], one["pinned_until"] is not None) for one in listed] == [
        (True, False), (True, True), (False, False),
    ]  # fmt: skip


def test_what_is_trimmed_is_pinned_no_more(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    keys = [tenant.message(chat, str(number), at=NOW - 60 + number) for number in range(2)]
    for key in keys:
        pin(tenant, chat, key, at=NOW)
    tenant.world.sql("UPDATE chats SET floor_key = $2 WHERE id = $1", chat.id, keys[0])
    assert [message["message_text"] for message in pinned(tenant, chat)] == ["1"]
