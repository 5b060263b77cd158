"""Search: names, numbers and messages, only of what the caller sees, and nothing that is not there any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.integration.api.world import Chat, Tenant

DEADLINE = 30.0


def told(chat: Chat, tenant: Tenant, *keys: int) -> None:
    """Announces messages as workers do."""
    tenant.world.publish({"k": "message", "t": tenant.id, "d": chat.device.no, "c": chat.id, "m": list(keys)})


def say(tenant: Tenant, chat: Chat, *texts: str, at: int | None = None, kind: str = "text") -> list[int]:
    """Stores and announces messages, a second apart."""
    first = (at or int(time.time())) - len(texts)
    keys = [tenant.message(chat, text, at=first + number, kind=kind) for number, text in enumerate(texts)]
    told(chat, tenant, *keys)
    return keys


def search(client: httpx.Client, q: str, **query: str) -> dict[str, Any]:
    """What is found."""
    answer = client.get("/api/v1/search", params={"q": q, **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def said(client: httpx.Client, q: str) -> list[str]:
    """The messages that are found."""
    return texts(search(client, q))


def all_said(client: httpx.Client, q: str) -> list[str]:
    """The messages of all pages: one is short where the server had no time to look further."""
    found, after = [], None
    while True:
        page = search(client, q, **({"after": after} if after else {}))
        found += texts(page)
        if (after := page["messages"]["next"]) is None:
            return found


def called(client: httpx.Client, q: str) -> list[str]:
    """The chats that are found."""
    return names(search(client, q))


def texts(found: dict[str, Any]) -> list[str]:
    """The messages that were found."""
    return [one["message"]["message_text"] for one in found["messages"]["items"]]


def names(found: dict[str, Any]) -> list[str]:
    """The chats that were found."""
    return [one["chat"]["chat_name"] for one in found["chats"]]


def eventually(look: Callable[..., Any], *arguments: object, expected: Any) -> None:
    """Looks until it is as expected."""
    deadline = time.monotonic() + DEADLINE
    while (seen := look(*arguments)) != expected:
        assert time.monotonic() < deadline, f"{seen!r} is not {expected!r}"
        time.sleep(0.05)


def test_messages_are_found_inside_words_and_in_any_script_newest_first(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    say(
        tenant,
        chat,
        "Berapa harga kotak ini?",
        "这个价格是多少",
        "كيف حالك",
        "விலை என்ன",
        "Harga promosi 🎉",
        "ราคาเท่าไหร่",
    )
    client = tenant.client("read")
    eventually(said, client, "arga", expected=["Harga promosi 🎉", "Berapa harga kotak ini?"])
    for query, expected in {
        "价格": "这个价格是多少", "حال": "كيف حالك", "விலை": "விலை என்ன", "🎉": "Harga promosi 🎉", "ราคา": "ราคาเท่าไหร่",
        "kotak HARGA": "Berapa harga kotak ini?", "in": "Berapa harga kotak ini?",
    }.items():  # fmt: skip
        eventually(said, client, query, expected=[expected])
    (hit,) = search(client, "promo")["messages"]["items"]
    assert (hit["highlights"], hit["chat"]["id"]) == ([[6, 11]], str(chat.id))
    assert texts(search(client, "harga lama")) == []


def test_chats_are_found_by_name_and_by_number_in_any_writing(tenant: Tenant) -> None:
    device = tenant.device()
    made = {
        "Aisyah Rahman": "60123456789@s.whatsapp.net",
        "李小明": "60198765432@s.whatsapp.net",
        "Family": "120363049876500000@g.us",
    }
    for name, jid in made.items():
        say(tenant, tenant.chat(device, name=name, jid=jid), "Good morning")
    client = tenant.client("read")
    for query, expected in {
        "rahm": ["Aisyah Rahman"], "小明": ["李小明"], "ai": ["Aisyah Rahman"], "family": ["Family"],
        "012-345 6789": ["Aisyah Rahman"], "+60 12": ["Aisyah Rahman"], "5432": ["李小明"],
        "rahman aisyah": ["Aisyah Rahman"], "aisyah r": ["Aisyah Rahman"],
    }.items():  # fmt: skip
        eventually(called, client, query, expected=expected)
    (hit,) = search(client, "3456")["chats"]
    assert (hit["phone_highlights"], hit["name_highlights"]) == ([[5, 9]], [])


def test_people_of_one_name_are_found_to_the_last_those_with_the_newest_messages_first(tenant: Tenant) -> None:
    device, now = tenant.device(), int(time.time())
    for number in range(23):
        say(tenant, tenant.chat(device, name=f"Farid {number}"), "Good morning", at=now - number * 60)

    def everyone() -> list[str]:
        found = search(client, "farid")
        called, after = names(found), found["chats_next"]
        while after is not None:
            page = client.get("/api/v1/search/chats", params={"q": "farid", "limit": 2, "after": after}).json()
            called += [one["chat"]["chat_name"] for one in page["items"]]
            after = page["next"]
        return called

    client = tenant.client("read")
    eventually(everyone, expected=[f"Farid {number}" for number in range(23)])
    assert len(search(client, "farid")["chats"]) <= 20


def test_a_page_goes_on_where_the_last_one_ended(tenant: Tenant) -> None:
    chat, other = tenant.chat(tenant.device()), tenant.chat(tenant.device())
    now = int(time.time())
    for number in range(7):
        say(tenant, (chat, other)[number % 2], f"parcel {number}", at=now - number * 86_400)
    client = tenant.client("read")
    eventually(all_said, client, "parcel", expected=[f"parcel {number}" for number in range(7)])
    seen, after = [], None
    while True:
        page = search(client, "parcel", limit="3", **({"after": after} if after else {}))
        assert after is None or page["chats"] == []
        seen += texts(page)
        after = page["messages"]["next"]
        if after is None:
            break
    assert seen == [f"parcel {number}" for number in range(7)]


def test_nobody_finds_what_he_may_not_see(tenant: Tenant, stranger: Tenant) -> None:
    ours, theirs = tenant.device(), tenant.device()
    chat, hidden = tenant.chat(ours, name="Zulkifli"), tenant.chat(theirs, name="Zulaikha")
    say(tenant, chat, "secret recipe"), say(tenant, hidden, "secret salary")
    foreign = stranger.chat(stranger.device(), name="Zulhelmi")
    say(stranger, foreign, "secret of others")
    everything, limited = tenant.client("read"), tenant.client("read", [ours.id])
    eventually(lambda: sorted(said(everything, "secret")), expected=["secret recipe", "secret salary"])
    eventually(lambda: sorted(called(everything, "zul")), expected=["Zulaikha", "Zulkifli"])
    assert (texts(search(limited, "secret")), names(search(limited, "zul"))) == (["secret recipe"], ["Zulkifli"])
    assert texts(search(everything, "secret", device_id=str(theirs.id))) == ["secret salary"]
    assert texts(search(everything, "secret", chat_id=str(chat.id))) == ["secret recipe"]
    for query in (
        {"device_id": str(theirs.id)}, {"device_id": str(foreign.device.id)}, {"device_id": "x"},
        {"chat_id": str(hidden.id)}, {"chat_id": str(foreign.id)}, {"chat_id": "x"},
    ):  # fmt: skip
        assert limited.get("/api/v1/search", params={"q": "secret", **query}).status_code == 404


def test_only_messages_of_a_kind(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device(), name="Invoice Dept")
    say(tenant, chat, "invoice as text")
    say(tenant, chat, "invoice.pdf", kind="document")
    client = tenant.client("read")
    eventually(lambda: len(said(client, "invoice")), expected=2)
    found = search(client, "invoice", kind="document")
    assert (texts(found), found["chats"]) == (["invoice.pdf"], [])
    assert texts(search(client, "invoice", kind="text", chat_id=str(chat.id))) == ["invoice as text"]


def test_what_is_edited_deleted_trimmed_or_renamed_is_found_as_it_is_now(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device(), name="Mariam")
    edited, deleted, trimmed, _ = say(tenant, chat, "durian one", "durian two", "durian three", "mangosteen")
    client, sql = tenant.client("read"), tenant.world.sql
    eventually(lambda: len(said(client, "durian")), expected=3)
    sql("UPDATE messages SET body = 'rambutan', edited_at = now() WHERE chat_id = $1 AND key = $2", chat.id, edited)
    sql(
        "UPDATE messages SET body = '', kind = 14, deleted_at = now() WHERE chat_id = $1 AND key = $2", chat.id, deleted
    )
    sql("UPDATE chats SET floor_key = $2, name = 'Marsya' WHERE id = $1", chat.id, trimmed)
    # at once, whatever the index still says
    assert texts(search(client, "durian")) == []
    say(tenant, chat, "hello again")
    rows = "SELECT count(*) FROM message_search WHERE chat_id = $1"
    eventually(sql, rows, chat.id, expected=2)
    eventually(called, client, "marsya", expected=["Marsya"])
    assert called(client, "mariam") == []
    sql("DELETE FROM chats WHERE id = $1", chat.id)
    tenant.world.publish({"k": "gone", "t": tenant.id, "d": chat.device.no})
    eventually(sql, rows, chat.id, expected=0)
    assert sql("SELECT count(*) FROM chat_search WHERE chat_id = $1", chat.id) == 0


@pytest.mark.parametrize("query", ["?!", "z", "%", "_", "\\", "a'b", "٣", "x" * 200, "\u200b"])
def test_odd_queries_find_nothing(tenant: Tenant, query: str) -> None:
    found = search(tenant.client("read"), query)
    assert found == {"chats": [], "chats_next": None, "messages": {"items": [], "next": None}}


def test_a_query_is_wanted(tenant: Tenant) -> None:
    for params in ({}, {"q": ""}, {"q": "x" * 201}, {"q": "x", "kind": "nothing"}, {"q": "x", "after": "?"}):
        assert tenant.client("read").get("/api/v1/search", params=params).status_code == 400
    long = tenant.client("read").get("/api/v1/search", params={"q": "x" * 201}).json()
    assert [error["field"] for error in long["errors"]] == ["q"]
