"""Polls as the routes give them: what may be chosen, who chose what, and what came of one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api.world import Chat, Tenant

OPTIONS = [{"name": "Nasi", "hash": "aGFzaA=="}, {"name": "Mee", "hash": "aGFzaB=="}]


@pytest.fixture
def group(tenant: Tenant) -> Chat:
    """A group of a line."""
    return tenant.chat(tenant.device(), jid="120363000000000003@g.us", name="Family")


def _poll(tenant: Tenant, chat: Chat, poll: dict[str, Any] | None, **fields: Any) -> tuple[int, Any]:
    key = tenant.message(chat, "Makan apa?", kind="poll", **fields)
    tenant.world.sql("UPDATE messages SET poll = $3 WHERE chat_id = $1 AND key = $2", chat.id, key, poll)
    (shown,) = tenant.client("read").get(f"/api/v1/chats/{chat.id}/messages").json()["items"]
    return key, {name: shown[name] for name in ("poll_options", "poll_choices", "poll_counts", "poll_votes")}


@pytest.mark.parametrize(("said", "choices"), [({}, None), ({"choices": 1}, 1), ({"choices": 0}, 0)])
def test_a_poll_without_votes_has_its_options(
    tenant: Tenant, group: Chat, said: dict[str, int], choices: int | None
) -> None:
    _, shown = _poll(tenant, group, {"secret": "c2VjcmV0", "options": OPTIONS} | said)
    assert shown == {
        "poll_options": ["Nasi", "Mee"], "poll_choices": choices, "poll_counts": None, "poll_votes": [],
    }  # fmt: skip


def test_results_have_their_counts(tenant: Tenant, group: Chat) -> None:
    results = {"type": "results", "options": [{"name": "Nasi", "votes": 3}, {"name": "Mee", "votes": 0}]}
    _, shown = _poll(tenant, group, None, media=results)
    assert (shown["poll_options"], shown["poll_counts"], shown["poll_choices"]) == (["Nasi", "Mee"], [3, 0], None)


def test_a_deleted_poll_asks_nothing(tenant: Tenant, group: Chat) -> None:
    _poll(tenant, group, {"secret": "c2VjcmV0", "options": OPTIONS})
    tenant.world.sql("UPDATE messages SET kind = 14 WHERE chat_id = $1", group.id)
    (shown,) = tenant.client("read").get(f"/api/v1/chats/{group.id}/messages").json()["items"]
    assert shown["poll_options"] == []


def test_votes_name_who_gave_them(tenant: Tenant, group: Chat) -> None:
    saved = tenant.chat(group.device, name="Ali the plumber", jid="60111111111@s.whatsapp.net")
    key, _ = _poll(tenant, group, {"secret": "", "options": OPTIONS})
    given = [
        {"sender_jid": saved.jid, "options": ["Nasi", "Mee"], "at": 10},
        {"sender_jid": "999@lid", "options": ["Mee"], "at": 20},
    ]
    tenant.world.sql("UPDATE messages SET poll_votes = $2 WHERE chat_id = $1", group.id, given)
    answer = tenant.client("read").get(f"/api/v1/messages/{group.id}-{key}/votes")
    assert answer.status_code == 200, answer.text
    assert answer.json()["items"] == [
        {"jid": "999@lid", "phone": None, "name": None, "options": ["Mee"], "at": 20},
        {
            "jid": saved.jid, "phone": "+60111111111", "name": "Ali the plumber", "options": ["Nasi", "Mee"], "at": 10,
        },
    ]  # fmt: skip
