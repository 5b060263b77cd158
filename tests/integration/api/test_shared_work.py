"""Several people at one inbox: one list, assigning, closing, labels, private notes, who looks at what."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.integration.api.world import Chat, Device, Tenant

DAY = 86_400


def _ids(client: httpx.Client, **params: Any) -> list[str]:
    """Every chat of the list, page by page of two."""
    found: list[str] = []
    after = None
    while True:
        page = client.get("/api/v1/chats", params=params | {"limit": 2} | ({"after": after} if after else {})).json()
        found += [chat["id"] for chat in page["items"]]
        after = page["next"]
        if after is None:
            return found


def _chats(tenant: Tenant, device: Device, ages: list[int]) -> list[str]:
    made, now = [], int(time.time())
    for age in ages:
        chat = tenant.chat(device)
        tenant.message(chat, at=now - age)
        made.append(str(chat.id))
    return made


def _set(tenant: Tenant, chat: str, what: str) -> None:
    tenant.world.sql(f"UPDATE chats SET {what} WHERE id = $1", int(chat))


def test_one_list_of_all_devices_pinned_first_then_newest_first(tenant: Tenant) -> None:
    first, second = tenant.device(), tenant.device()
    old, new, pinned = _chats(tenant, first, [7200, 5, 3600])
    middle, ancient = _chats(tenant, second, [60, 31 * DAY])
    _set(tenant, pinned, "pinned_at = now()")
    tenant.chat(second)  # has no message
    assert _ids(tenant.client()) == [pinned, new, middle, old]
    assert ancient not in _ids(tenant.client())
    assert _ids(tenant.client(), device_id=str(second.id)) == [middle]
    assert _ids(tenant.client("read", [first.id])) == [pinned, new, old]


def test_pages_go_on_over_many_devices_and_from_the_pinned_ones_to_the_others(tenant: Tenant) -> None:
    chats = [_chats(tenant, tenant.device(), [10 * number])[0] for number in range(9)]
    for chat in chats[4:7]:
        _set(tenant, chat, "pinned_at = now()")
    assert _ids(tenant.client()) == chats[4:7] + chats[:4] + chats[7:]


@pytest.fixture
def team(tenant: Tenant) -> tuple[httpx.Client, str]:
    """An agent and his id."""
    browser = tenant.world.signed_in(tenant.world.user(tenant, role="agent"))
    return browser, browser.get("/api/v1/session").json()["user"]["id"]


def test_filters_go_together(tenant: Tenant, team: tuple[httpx.Client, str]) -> None:
    aina, aina_id = team
    device = tenant.device()
    mine, free, read, archived = _chats(tenant, device, [1, 2, 3, 4])
    group = tenant.chat(device, jid="120363000000000001@g.us")
    tenant.message(group, at=int(time.time()) - 60)
    _set(tenant, read, "unread = 0")
    _set(tenant, archived, "archived = true")
    label = str(tenant.label())
    assert aina.patch(f"/api/v1/chats/{mine}", json={"assignee_id": aina_id, "label_ids": [label]}).status_code == 200
    assert aina.patch(f"/api/v1/chats/{free}", json={"label_ids": [label], "is_open": False}).status_code == 200
    assert _ids(aina, assignee="me") == _ids(aina, assignee=aina_id) == [mine]
    assert _ids(aina, assignee="none") == [free, read, str(group.id)]
    assert _ids(aina, unread=True) == [mine, free, str(group.id)]
    assert _ids(aina, unread=False) == [read]
    assert _ids(aina, is_group=True) == [str(group.id)]
    assert _ids(aina, archived=True) == [archived]
    assert _ids(aina, label_id=label) == [mine, free]
    assert _ids(aina, label_id=label, is_open=False) == [free]
    assert _ids(aina, is_open=True, assignee="none", unread=True) == [str(group.id)]
    elsewhere = tenant.chat(tenant.device())
    tenant.message(elsewhere)
    taken = {"assignee_id": aina_id, "label_ids": [label]}
    assert aina.patch(f"/api/v1/chats/{elsewhere.id}", json=taken).status_code == 200
    assert _ids(aina, unread=True, assignee="me", label_id=label) == [str(elsewhere.id), mine]
    assert _ids(aina, unread=True, assignee="me", label_id=label, device_id=str(device.id)) == [mine]
    refused = tenant.client().get("/api/v1/chats", params={"assignee": "me"})
    assert refused.status_code == 400


def test_a_chat_is_assigned_only_to_who_can_answer_it(tenant: Tenant, stranger: Tenant) -> None:
    world = tenant.world
    chat = tenant.chat(tenant.device())
    names = {}
    other = [tenant.device().id]
    people = (("agent", tenant, None), ("viewer", tenant, None), ("agent", stranger, None), ("agent", tenant, other))
    for role, of, devices in people:
        user_id = world.sql("SELECT id FROM users WHERE email = $1", world.user(of, role=role))
        world.sql("UPDATE members SET device_ids = $2 WHERE user_id = $1", user_id, devices)
        names[user_id] = (role, of is tenant, devices is None)
    able = [user_id for user_id, facts in names.items() if facts == ("agent", True, True)]
    offered = tenant.client().get("/api/v1/colleagues", params={"device_id": str(chat.device.id)}).json()
    assert [one["id"] for one in offered] == [str(one) for one in able]
    for user_id in names:
        answer = tenant.client().patch(f"/api/v1/chats/{chat.id}", json={"assignee_id": str(user_id)})
        assert answer.status_code == (200 if user_id in able else 400), answer.text
    shown = tenant.client().get(f"/api/v1/chats/{chat.id}").json()
    assert (shown["assignee_id"], shown["assignee_name"]) == (str(able[0]), "Aisyah")
    for nonsense in ("9" * 5000, "0", "-1", "١", ""):
        refused = tenant.client().patch(f"/api/v1/chats/{chat.id}", json={"assignee_id": nonsense})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "assignee_id")
    assert tenant.client().patch(f"/api/v1/chats/{chat.id}", json={"assignee_id": None}).json()["assignee_id"] is None
    assert world.sql("SELECT count(*) FROM audit_log WHERE action = 'chat.change' AND tenant_id = $1", tenant.id) == 2


def test_what_the_other_side_writes_opens_a_closed_chat_and_our_own_does_not(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    client, path = tenant.client(), f"/api/v1/chats/{chat.id}"
    now = int(time.time())
    tenant.message(chat, at=now)
    assert client.patch(path, json={"is_open": False}).json()["is_open"] is False
    tenant.message(chat, "Glad to help", at=now + 1, from_me=True)
    assert client.get(path).json()["is_open"] is False
    tenant.message(chat, "One more thing", at=now + 1)
    tenant.message(chat, "Sure", at=now + 2, from_me=True)
    assert client.get(path).json()["is_open"] is True
    assert _ids(client, is_open=True) == [str(chat.id)]
    assert client.patch(path, json={"is_open": False}).json()["is_open"] is False
    assert client.patch(path, json={"is_open": True}).json()["is_open"] is True


def test_what_was_being_stored_while_a_chat_was_closed_opens_it(tenant: Tenant) -> None:
    world, now = tenant.world, int(time.time())
    client = tenant.client()
    for known in (True, False):
        chat = tenant.chat(tenant.device())
        if known:
            tenant.message(chat, at=now)
            world.sql("UPDATE messages SET created_at = now() - interval '9 s' WHERE chat_id = $1", chat.id)
        path = f"/api/v1/chats/{chat.id}"
        assert client.patch(path, json={"is_open": False}).json()["is_open"] is False
        unread = tenant.message(chat, "One more thing", at=now)
        # a batch has its created_at before its commit
        world.sql(
            "UPDATE messages SET created_at = now() - interval '5 s' WHERE chat_id = $1 AND key = $2", chat.id, unread
        )
        world.sql("UPDATE chats SET last_key = $2 WHERE id = $1", chat.id, unread)
        assert client.get(path).json()["is_open"] is True


def test_labels_are_made_renamed_and_taken_from_every_chat(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    client = tenant.client()
    label = client.post("/api/v1/labels", json={"name": " Paid ", "colour": "green"}).json()
    assert label["name"] == "Paid"
    assert client.post("/api/v1/labels", json={"name": "PAID", "colour": "red"}).status_code == 409
    assert client.post("/api/v1/labels", json={"name": "New", "colour": "#fff"}).status_code == 400
    assert client.patch(f"/api/v1/labels/{label['id']}", json={"colour": "red"}).json() == label | {"colour": "red"}
    path = f"/api/v1/chats/{chat.id}"
    assert client.patch(path, json={"label_ids": [label["id"]]}).json()["label_ids"] == [label["id"]]
    assert client.patch(path, json={"label_ids": ["999999"]}).status_code == 400
    assert client.delete(f"/api/v1/labels/{label['id']}").status_code == 204
    assert client.get(path).json()["label_ids"] == []
    assert client.get("/api/v1/labels").json()["items"] == []


def test_labels_are_put_on_and_taken_one_by_one(tenant: Tenant, stranger: Tenant) -> None:
    chat, client = tenant.chat(tenant.device()), tenant.client("send")
    paid, urgent, foreign = (str(one.label()) for one in (tenant, tenant, stranger))
    path = f"/api/v1/chats/{chat.id}/labels"
    assert client.put(f"{path}/{paid}").json()["label_ids"] == [paid]
    for _ in range(2):
        answer = client.put(f"{path}/{urgent}")
        assert (answer.status_code, answer.json()["label_ids"]) == (200, [paid, urgent])
    for _ in range(2):
        answer = client.delete(f"{path}/{paid}")
        assert (answer.status_code, answer.json()["label_ids"]) == (200, [urgent])
    for method in ("PUT", "DELETE"):
        assert client.request(method, f"{path}/{foreign}").status_code == 404
    log = tenant.world.sql(
        "SELECT array_agg(detail ORDER BY id) FROM audit_log WHERE tenant_id = $1 AND action = 'chat.change'", tenant.id
    )
    added, removed = {"add_label_id": int(urgent)}, {"remove_label_id": int(paid)}
    assert log == [{"add_label_id": int(paid)}, added, added, removed, removed]


def test_a_chat_has_no_more_than_twenty_labels(tenant: Tenant) -> None:
    chat, client = tenant.chat(tenant.device()), tenant.client("send")
    many = [str(tenant.label()) for _ in range(21)]
    assert client.patch(f"/api/v1/chats/{chat.id}", json={"label_ids": many[:20]}).status_code == 200
    refused = client.put(f"/api/v1/chats/{chat.id}/labels/{many[20]}")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:wafast:problem:too-many-labels")
    assert client.put(f"/api/v1/chats/{chat.id}/labels/{many[0]}").json()["label_ids"] == many[:20]


def test_what_shows_nothing_is_neither_a_note_nor_the_name_of_a_label(tenant: Tenant) -> None:
    chat, client = tenant.chat(tenant.device()), tenant.client()
    for nothing in (" ", "\u200b", "\u3164 \u202e"):
        assert client.post(f"/api/v1/chats/{chat.id}/notes", json={"text": nothing}).status_code == 400
        assert client.post("/api/v1/labels", json={"name": nothing, "colour": "green"}).status_code == 400


def test_a_note_is_changed_only_by_who_wrote_it(tenant: Tenant, team: tuple[httpx.Client, str]) -> None:
    aina, aina_id = team
    chat = tenant.chat(tenant.device())
    path = f"/api/v1/chats/{chat.id}/notes"
    note = aina.post(path, json={"text": " Wants the blue one "}).json()
    assert (note["text"], note["created_by"], note["author"]) == ("Wants the blue one", f"user:{aina_id}", "Aisyah")
    assert tenant.client().get(path).json()["items"] == [note]
    for refused in (
        tenant.client().patch(f"{path}/{note['id']}", json={"text": "No"}),
        tenant.client().delete(f"{path}/{note['id']}"),
    ):
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:wafast:problem:not-author")
    edited = aina.patch(f"{path}/{note['id']}", json={"text": "Wants the red one"}).json()
    assert edited["edited_at"] is not None
    assert aina.delete(f"{path}/{note['id']}").status_code == 204
    assert aina.get(path).json()["items"] == []
    assert aina.post(path, json={"text": "  "}).status_code == 400


def test_facts_of_a_chat(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device(name="Sales"))
    first = int(time.time()) - 100
    tenant.message(chat, at=first)
    tenant.message(chat, kind="image", media={"mime": "image/jpeg", "ext": "jpg"})
    user = int(chat.jid.partition("@")[0])
    tenant.world.sql(
        "INSERT INTO lid_numbers (tenant_id, device_no, lid, number) VALUES ($1, $2, 77, $3)",
        tenant.id, chat.device.no, user,
    )  # fmt: skip
    facts = tenant.client("read").get(f"/api/v1/chats/{chat.id}/facts").json()
    assert (facts["device_name"], facts["lid"]) == ("Sales", "77@lid")
    assert facts["messages"] == {"text": 1, "image": 1}
    assert facts["first_message_time"].startswith(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(first)))


@contextlib.contextmanager
def _socket(tenant: Tenant, **headers: str) -> Iterator[ClientConnection]:
    address = tenant.world.url.replace("http", "ws") + "/ws"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with connect(address, additional_headers=named, max_size=None, proxy=None) as socket:
        assert json.loads(socket.recv(timeout=30))["code"] == "RESYNC"
        yield socket


def _until(socket: ClientConnection, code: str) -> dict[str, Any]:
    while True:
        frame: dict[str, Any] = json.loads(socket.recv(timeout=30))
        if frame["code"] == code:
            result: dict[str, Any] = frame["result"]
            return result


def _viewers(socket: ClientConnection) -> list[tuple[str, bool]]:
    return [(one["name"], one["is_typing"]) for one in _until(socket, "CHAT_UPDATE")["viewers"]]


def _cookie(browser: httpx.Client) -> str:
    return f"wafast={browser.cookies['wafast']}"


def test_every_change_is_a_frame_to_all_who_see_the_chat(tenant: Tenant) -> None:
    device = tenant.device()
    chat, client = tenant.chat(device), tenant.client()
    elsewhere = f"Bearer {tenant.key('read', [tenant.device().id])}"
    with (
        _socket(tenant, authorization=f"Bearer {tenant.key('read')}") as sees,
        _socket(tenant, authorization=elsewhere) as blind,
    ):
        changed = client.patch(f"/api/v1/chats/{chat.id}", json={"is_open": False}).json()
        assert _until(sees, "CHAT_UPDATE") == changed
        note = client.post(f"/api/v1/chats/{chat.id}/notes", json={"text": "Hi"}).json()
        assert _until(sees, "NOTE_UPDATE") == note
        client.delete(f"/api/v1/chats/{chat.id}/notes/{note['id']}")
        assert _until(sees, "NOTE_UPDATE") == {"id": note["id"], "chat_id": str(chat.id), "deleted": True}
        label = client.post("/api/v1/labels", json={"name": "Paid", "colour": "green"}).json()
        assert _until(sees, "LABELS_UPDATE") == {"items": [label]}
        # of all that only the labels concern who doesn't see the device
        assert json.loads(blind.recv(timeout=30))["code"] == "LABELS_UPDATE"


def _look(socket: ClientConnection, chat: Chat | None, *, typing: bool = False) -> None:
    socket.send(json.dumps({"chat_id": None if chat is None else str(chat.id), "is_typing": typing}))


def test_others_see_who_looks_at_a_chat_and_types(tenant: Tenant, team: tuple[httpx.Client, str]) -> None:
    aina, _ = team
    device = tenant.device()
    chat, other = tenant.chat(device), tenant.chat(device)
    with _socket(tenant, authorization=f"Bearer {tenant.key('read')}") as sees:
        with _socket(tenant, cookie=_cookie(aina)) as hers:
            _look(hers, chat)
            assert _viewers(sees) == [("Aisyah", False)]
            _look(hers, chat, typing=True)
            assert _viewers(sees) == [("Aisyah", True)]
            assert tenant.client().get(f"/api/v1/chats/{chat.id}").json()["viewers"][0]["is_typing"] is True
            _look(hers, other)
            assert [_viewers(sees), _viewers(sees)] == [[], [("Aisyah", False)]]
        assert _viewers(sees) == []


def test_who_may_not_see_a_chat_does_not_look_at_it(tenant: Tenant, stranger: Tenant) -> None:
    world = tenant.world
    chat = tenant.chat(tenant.device())
    limited = world.user(tenant, role="agent")
    devices = [tenant.device().id]
    world.sql(
        "UPDATE members SET device_ids = $2 WHERE user_id = (SELECT id FROM users WHERE email = $1)", limited, devices
    )
    for email in (limited, world.user(stranger)):
        browser = world.signed_in(email)
        with _socket(tenant, cookie=_cookie(browser)) as socket:
            _look(socket, chat)
            _look(socket, None)
            socket.ping().wait(30)
        assert tenant.client().get(f"/api/v1/chats/{chat.id}").json()["viewers"] == []


def test_what_a_socket_says_and_nobody_understands_closes_it(tenant: Tenant) -> None:
    with _socket(tenant, authorization=f"Bearer {tenant.key('read')}") as socket:
        socket.send("hello")
        with pytest.raises(Exception, match="4400"):
            socket.recv(timeout=30)
