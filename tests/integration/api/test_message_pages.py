"""A conversation read from the middle: around a message or a day, and on from there in both directions."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.api.world import Chat, Tenant

NOW = int(time.time())
STEP = 60


def conversation(tenant: Tenant, count: int = 9) -> tuple[Chat, list[str]]:
    """A chat with a message a minute; the ids, oldest first."""
    chat = tenant.chat(tenant.device())
    keys = [
        tenant.message(chat, str(number), at=NOW - (count - number) * STEP, message_id=f"ID{number}")
        for number in range(count)
    ]
    return chat, [f"{chat.id}-{key}" for key in keys]


def page(tenant: Tenant, chat: Chat, **query: Any) -> dict[str, Any]:
    answer = tenant.client("read").get(f"/api/v1/chats/{chat.id}/messages", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [message["id"] for message in found["items"]]


@pytest.mark.parametrize("by", ["id", "message_id"])
def test_around_a_message_lies_half_a_page_on_each_side(tenant: Tenant, by: str) -> None:
    chat, known = conversation(tenant)
    found = page(tenant, chat, around=known[4] if by == "id" else "ID4", limit=4)
    assert (ids(found), found["target"]) == (known[3:7][::-1], known[4])
    older = page(tenant, chat, after=found["next"], limit=4)
    assert (ids(older), older["next"], older["previous"]) == (known[:3][::-1], None, None)
    newer = page(tenant, chat, before=found["previous"], limit=1)
    assert ids(newer) == [known[7]]
    last = page(tenant, chat, before=newer["previous"], limit=4)
    assert (ids(last), last["previous"]) == ([known[8]], None)


def test_around_a_day_starts_at_its_first_message(tenant: Tenant) -> None:
    chat, known = conversation(tenant)
    at = datetime.fromtimestamp(NOW - 5 * STEP - 10, UTC).isoformat()
    assert page(tenant, chat, around=at, limit=4)["target"] == known[4]
    assert page(tenant, chat, around="2009-01-01", limit=4)["target"] == known[0]
    after_all = page(tenant, chat, around="2035-01-01T00:00:00+08:00", limit=4)
    assert (ids(after_all), after_all["target"], after_all["previous"]) == (known[5:][::-1], known[8], None)


def test_around_both_ends_nothing_is_beyond(tenant: Tenant) -> None:
    chat, known = conversation(tenant, 3)
    for message in known:
        found = page(tenant, chat, around=message, limit=50)
        assert (ids(found), found["next"], found["previous"]) == (known[::-1], None, None)


def test_what_is_not_kept_is_not_found(tenant: Tenant) -> None:
    chat, known = conversation(tenant, 3)
    client = tenant.client("read")
    address = f"/api/v1/chats/{chat.id}/messages"
    tenant.world.sql("UPDATE chats SET floor_key = $2 WHERE id = $1", chat.id, int(known[0].partition("-")[2]))
    for gone in (known[0], "ID0", "NEVER", f"{chat.id + 1}-{known[1].partition('-')[2]}", f"{chat.id}-{2**63}"):
        assert client.get(address, params={"around": gone}).status_code == 404, gone


def test_an_instant_that_is_none_and_two_places_at_once_are_refused(tenant: Tenant) -> None:
    chat, known = conversation(tenant, 1)
    client = tenant.client("read")
    address = f"/api/v1/chats/{chat.id}/messages"
    wrong = client.get(address, params={"around": "2026-13-45"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "around")
    assert client.get(address, params={"around": known[0], "after": "x"}).status_code == 400
    assert client.get(address, params={"before": "x"}).status_code == 400


def second(tenant: Tenant, count: int, *, at: int = NOW) -> tuple[Chat, list[str]]:
    """A chat with so many messages in one second; the ids in the order they came, which is not that of their keys."""
    chat = tenant.chat(tenant.device())
    keys = [tenant.message(chat, str(number), at=at, message_id=f"S{number}") for number in range(count)]
    assert keys[-1] < max(keys)
    return chat, [f"{chat.id}-{key}" for key in keys]


def test_the_newest_of_one_second_is_the_one_that_came_last(tenant: Tenant) -> None:
    chat, known = second(tenant, 8)
    assert ids(page(tenant, chat, limit=1)) == known[-1:]


@pytest.mark.parametrize("limit", [1, 3, 8, 50])
def test_pages_that_cut_a_second_give_each_message_once_and_in_order(tenant: Tenant, limit: int) -> None:
    chat, known = second(tenant, 8)
    for number, at in enumerate((NOW - 60, NOW - 60, NOW + 60, NOW + 60)):
        added = f"{chat.id}-{tenant.message(chat, at=at, message_id=f'Z{number}')}"
        known.insert(number if at < NOW else len(known), added)
    shown = page(tenant, chat, limit=limit)
    walked = ids(shown)
    while shown["next"] is not None:
        shown = page(tenant, chat, limit=limit, after=shown["next"])
        walked += ids(shown)
    assert walked == known[::-1]
    shown = page(tenant, chat, around=known[0], limit=limit)
    back = ids(shown)
    while shown["previous"] is not None:
        shown = page(tenant, chat, limit=limit, before=shown["previous"])
        back = ids(shown) + back
    assert back == known[::-1]


def test_around_a_message_of_a_full_second_lies_what_came_before_and_after(tenant: Tenant) -> None:
    chat, known = second(tenant, 8)
    for by in (known[4], "S4"):
        found = page(tenant, chat, around=by, limit=4)
        assert (ids(found), found["target"]) == (known[3:7][::-1], known[4])
    instant = datetime.fromtimestamp(NOW, UTC).isoformat()
    assert page(tenant, chat, around=instant, limit=4)["target"] == known[0]


def test_a_message_that_goes_leaves_its_place(tenant: Tenant) -> None:
    """Trimming takes messages while somebody reads: a page goes on where the last one of the page before was."""
    chat, known = second(tenant, 8)
    shown = page(tenant, chat, limit=3)
    gone = int(known[-3].partition("-")[2])
    tenant.world.sql("DELETE FROM messages WHERE chat_id = $1 AND key = $2 RETURNING 1", chat.id, gone)
    assert ids(page(tenant, chat, limit=3, after=shown["next"])) == known[-6:-3][::-1]
