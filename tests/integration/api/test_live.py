"""`/ws`: what happened, once, in order, only to whom it concerns."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.integration.api.world import Chat, Tenant, World


@contextmanager
def _socket(world: World, after: str | None = None, **headers: str) -> Iterator[ClientConnection]:
    address = world.url.replace("http", "ws") + "/ws" + (f"?after={after}" if after else "")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with connect(address, additional_headers=named, max_size=None, proxy=None) as socket:
        yield socket


def _next(socket: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(socket.recv(timeout=30))
    assert set(frame) == {"id", "code", "message", "result"}
    return frame


def _rest(socket: ClientConnection, tenant: Tenant, marker: UUID | None = None) -> list[dict[str, Any]]:
    """The frames of everything published until now: up to that of a device that was never there."""
    gone = str(marker or uuid4())
    tenant.world.publish({"k": "deleted", "t": tenant.id, "d": 0, "id": gone})
    found: list[dict[str, Any]] = []
    while True:
        frame = json.loads(socket.recv(timeout=30))
        if frame["result"] == {"id": gone, "deleted": True}:
            return found
        found.append(frame)


def _bearer(tenant: Tenant, devices: list[UUID] | None = None) -> str:
    return f"Bearer {tenant.key('read', devices)}"


def _written(tenant: Tenant, chat: Chat, text: str) -> int:
    key = tenant.message(chat, text)
    tenant.world.publish({"k": "message", "t": tenant.id, "d": chat.device.no, "c": chat.id, "m": [key]})
    return key


def _sequence(frame: dict[str, Any]) -> int:
    return int(frame["id"].partition(":")[2])


def test_a_message_is_a_frame_as_rest_gives_it(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    with _socket(tenant.world, authorization=_bearer(tenant)) as socket:
        assert _next(socket)["code"] == "RESYNC"
        _written(tenant, chat, "Hello")
        message, update = _next(socket), _next(socket)
    assert (message["code"], update["code"]) == ("NEW_MESSAGE", "CHAT_UPDATE")
    assert message["result"] == tenant.client().get(f"/api/v1/chats/{chat.id}/messages").json()["items"][0]
    assert update["result"] == tenant.client().get(f"/api/v1/chats/{chat.id}").json()
    assert _sequence(update) > _sequence(message)


def test_who_says_ping_is_answered_behind_what_came_before(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    with (
        _socket(tenant.world, authorization=_bearer(tenant)) as socket,
        _socket(tenant.world, authorization=_bearer(tenant)) as other,
    ):
        first = _next(socket)
        socket.send("ping")
        pong = _next(socket)
        assert (pong["code"], pong["result"]) == ("PONG", None)
        assert _sequence(pong) > _sequence(first)
        _written(tenant, chat, "Hello")
        assert _next(socket)["code"] == "NEW_MESSAGE"
        assert "PONG" not in [frame["code"] for frame in _rest(other, tenant)]
    with _socket(tenant.world, pong["id"], authorization=_bearer(tenant)) as again:
        assert _next(again)["code"] == "NEW_MESSAGE"


def test_coming_back_with_an_id_gives_what_was_missed(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    with _socket(tenant.world, x_api_key=tenant.key("read")) as socket:
        first = _next(socket)
        _written(tenant, chat, "one")
        seen = _next(socket)
        _next(socket)
    for text in ("two", "three"):
        _written(tenant, chat, text)
    with _socket(tenant.world, authorization=_bearer(tenant)) as socket:
        _rest(socket, tenant)
    with _socket(tenant.world, after=seen["id"], authorization=_bearer(tenant)) as socket:
        missed = _rest(socket, tenant)
        codes = [frame["code"] for frame in missed]
        assert "RESYNC" not in codes
        texts = [frame["result"]["message_text"] for frame in missed if frame["code"] == "NEW_MESSAGE"]
        assert texts == ["two", "three"]
        assert [_sequence(frame) for frame in missed] == sorted({_sequence(frame) for frame in missed})
        _written(tenant, chat, "four")
        assert _next(socket)["result"]["message_text"] == "four"
    with _socket(tenant.world, after=first["id"], authorization=_bearer(tenant)) as socket:
        texts = [frame["result"]["message_text"] for frame in _rest(socket, tenant) if frame["code"] == "NEW_MESSAGE"]
    assert texts == ["one", "two", "three", "four"]


@pytest.mark.parametrize("after", ["0:5", "nonsense", "x:1", ":", "1:" + "9" * 30])
def test_an_id_nobody_knows_gets_resync(tenant: Tenant, after: str) -> None:
    with _socket(tenant.world, after=after, authorization=_bearer(tenant)) as socket:
        frame = _next(socket)
    assert frame["code"] == "RESYNC"
    assert frame["result"]["reason"]


def test_an_id_from_before_anybody_watched_gets_resync(tenant: Tenant, stranger: Tenant) -> None:
    with _socket(stranger.world, authorization=_bearer(stranger)) as socket:
        known = _next(socket)["id"]
        _written(tenant, tenant.chat(tenant.device()), "nobody saw this")
        _rest(socket, stranger)
    with _socket(tenant.world, after=known, authorization=_bearer(tenant)) as socket:
        assert _next(socket)["code"] == "RESYNC"


def test_a_socket_gets_only_its_workspace_and_its_devices(tenant: Tenant, stranger: Tenant) -> None:
    seen, hidden, marker = tenant.device(), tenant.device(), tenant.device()
    theirs = stranger.device()
    with (
        _socket(tenant.world, authorization=_bearer(tenant, [seen.id, marker.id])) as limited,
        _socket(tenant.world, authorization=_bearer(tenant)) as everything,
    ):
        _next(limited), _next(everything)
        for owner, device in ((tenant, hidden), (stranger, theirs), (tenant, seen)):
            _written(owner, owner.chat(device), "Hello")
            owner.world.publish({"k": "device", "t": owner.id, "d": device.no})
            owner.world.publish({"k": "deleted", "t": owner.id, "d": device.no, "id": str(device.id)})
        got = {
            frame["result"].get("device_id", frame["result"].get("id")) for frame in _rest(limited, tenant, marker.id)
        }
        all_of_it = {frame["result"].get("device_id", frame["result"].get("id")) for frame in _rest(everything, tenant)}
    assert got == {str(seen.id)}
    assert all_of_it == {str(seen.id), str(hidden.id), str(marker.id)}


def test_an_event_with_another_workspaces_rows_shows_nothing(tenant: Tenant, stranger: Tenant) -> None:
    chat = stranger.chat(stranger.device())
    key = stranger.message(chat)
    with _socket(tenant.world, authorization=_bearer(tenant)) as socket:
        _next(socket)
        for kind in ("message", "status"):
            tenant.world.publish({"k": kind, "t": tenant.id, "d": 1, "c": chat.id, "m": [key]})
        tenant.world.publish({"k": "chat", "t": tenant.id, "d": 1, "c": [chat.id]})
        assert _rest(socket, tenant) == []


def test_every_other_kind_of_frame(tenant: Tenant) -> None:
    device = tenant.device()
    chat = tenant.chat(device)
    key = tenant.message(chat, from_me=True)
    row = tenant.outbox(device)
    pairing = tenant.pairing(device)
    world, client = tenant.world, tenant.client()
    with _socket(world, authorization=_bearer(tenant)) as socket:
        _next(socket)

        def after(event: dict[str, Any]) -> list[tuple[str, Any]]:
            world.publish({"t": tenant.id, "d": device.no} | event)
            return [(frame["code"], frame["result"]) for frame in _rest(socket, tenant)]

        (message,) = client.get(f"/api/v1/chats/{chat.id}/messages").json()["items"]
        assert after({"k": "status", "c": chat.id, "m": [key]}) == [("MESSAGE_STATUS", message)]
        # what holds it is told when it is asked for
        shown = client.get(f"/api/v1/outbox/{row}").json() | {"held_by": None}
        assert after({"k": "outbox", "o": [row]}) == [("MESSAGE_STATUS", shown)]
        shown = client.get(f"/api/v1/pairings/{pairing}").json()
        assert after({"k": "pairing", "p": str(pairing)}) == [("QR_UPDATE", shown)]
        connected = [code for code, _ in after({"k": "device"})]
        assert connected == ["DEVICE_STATUS", "DEVICE_CONNECTED"]
        assert [code for code, _ in after({"k": "device"})] == ["DEVICE_STATUS"]
        world.sql("UPDATE devices SET state = 'logged_out' WHERE no = $1", device.no)
        assert [code for code, _ in after({"k": "device"})] == ["DEVICE_STATUS", "DEVICE_LOGGED_OUT"]
        world.sql("UPDATE pairings SET state = 'paired', ended_at = now() WHERE id = $1", pairing)
        assert [code for code, _ in after({"k": "pairing", "p": str(pairing)})] == ["QR_UPDATE", "DEVICE_PAIRED"]
        ((code, typing),) = after({"k": "typing", "c": chat.id, "j": chat.jid, "s": "composing"})
        assert (code, typing["typing"], typing["typing_state"]) == ("CHAT_UPDATE", chat.jid, "composing")
        assert client.get(f"/api/v1/chats/{chat.id}").json()["typing"] == chat.jid
        ((code, typing),) = after({"k": "typing", "c": chat.id, "j": chat.jid, "s": "paused"})
        assert (code, typing["typing"]) == ("CHAT_UPDATE", None)
        place = {"device_id": str(device.id)}
        became = {"id": "7", "became": str(chat.id), **place}
        assert after({"k": "merged", "c": 7, "b": chat.id}) == [("CHAT_GONE", became)]
        removed = {"id": f"{chat.id}-{key}", "chat_id": str(chat.id), **place}
        assert after({"k": "removed", "c": chat.id, "m": [key]}) == [("MESSAGE_GONE", removed)]
        assert [code for code, _ in after({"k": "gone"})] == ["RESYNC"]
        gone = ("DEVICE_STATUS", {"id": str(device.id), "deleted": True})
        assert after({"k": "deleted", "id": str(device.id)}) == [gone]


def test_who_types_in_a_group_is_named(tenant: Tenant) -> None:
    device = tenant.device()
    group = tenant.chat(device, jid="120363041234567890@g.us")
    tenant.message(group)
    known = tenant.chat(device, name="Aisyah", jid="60123450001@s.whatsapp.net")
    by_sender = tenant.world.sql("SELECT jid_of(sender) FROM messages WHERE chat_id = $1", group.id)
    with _socket(tenant.world, authorization=_bearer(tenant)) as socket:
        _next(socket)
        for jid, name in ((by_sender, "Farid"), (known.jid, "Aisyah"), ("60123450002@s.whatsapp.net", None)):
            typing = {"k": "typing", "c": group.id, "j": jid, "s": "composing"}
            tenant.world.publish({"t": tenant.id, "d": device.no} | typing)
            ((_, shown),) = [(frame["code"], frame["result"]) for frame in _rest(socket, tenant)]
            assert (shown["typing"], shown["typing_name"]) == (jid, name)
            [listed] = tenant.client().get(f"/api/v1/devices/{device.id}/chats").json()["items"]
            assert listed["typing_name"] == name


def test_reading_and_sending_by_rest_show_on_the_socket(tenant: Tenant) -> None:
    device = tenant.device()
    chat = tenant.chat(device)
    tenant.message(chat)
    with _socket(tenant.world, authorization=_bearer(tenant)) as socket:
        _next(socket)
        tenant.client().post(f"/api/v1/chats/{chat.id}/read")
        read = _next(socket)
        assert (read["code"], read["result"]["unread_count"]) == ("CHAT_UPDATE", 0)
        body = {"device_id": str(device.id), "to": chat.jid, "text": "Hi"}
        row = tenant.client().post("/api/v1/messages", json=body).json()
        assert _next(socket)["result"] == row
        tenant.client().post("/api/v1/devices", json={"name": "New"})
        assert _next(socket)["result"]["name"] == "New"


TAKING: dict[str, Callable[[httpx.Client, httpx.Client, str, int], httpx.Response]] = {
    "key": lambda admin, _browser, key, _user: admin.delete(f"/api/v1/keys/{key}"),
    "sign-out": lambda _admin, browser, _key, _user: browser.delete("/api/v1/session"),
    "new password": lambda admin, _browser, _key, user: admin.post(f"/api/v1/users/{user}/password"),
    "person": lambda admin, _browser, _key, user: admin.delete(f"/api/v1/users/{user}"),
}


@pytest.mark.parametrize("what", TAKING)
def test_who_may_not_come_in_any_more_gets_nothing_that_happens_after(tenant: Tenant, what: str) -> None:
    world, admin, chat = tenant.world, tenant.client(), tenant.chat(tenant.device())
    email = world.user(tenant, role="agent")
    user = world.sql("SELECT id FROM users WHERE email = $1", email)
    browser = world.signed_in(email)
    key = admin.post("/api/v1/keys", json={"name": "CRM", "scope": "read"}).json()
    who = {"x_api_key": key["key"]} if what == "key" else {"cookie": f"wafast={browser.cookies['wafast']}"}
    with _socket(world, **who) as socket:
        assert _next(socket)["code"] == "RESYNC"
        assert TAKING[what](admin, browser, key["id"], user).is_success
        _written(tenant, chat, "not theirs")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=60)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401


def test_a_line_that_is_taken_from_somebody_is_taken_from_his_open_sockets(tenant: Tenant) -> None:
    world, admin = tenant.world, tenant.client()
    kept, taken = tenant.device(), tenant.device()
    email = world.user(tenant, role="agent")
    user = world.sql("SELECT id FROM users WHERE email = $1", email)
    with _socket(world, cookie=f"wafast={world.signed_in(email).cookies['wafast']}") as socket:
        assert (connected := _next(socket))["code"] == "RESYNC"
        assert admin.patch(f"/api/v1/users/{user}", json={"device_ids": [str(kept.id)]}).is_success
        for device in (taken, kept):
            _written(tenant, tenant.chat(device), "Hello")
        assert (changed := _next(socket))["code"] == "RESYNC"
        assert _sequence(changed) > _sequence(connected), "a browser drops what it takes for a repeat"
        assert _next(socket)["result"]["device_id"] == str(kept.id)


def test_a_browser_connects_with_its_cookie_but_not_another_sites_page(world: World, tenant: Tenant) -> None:
    cookie = f"wafast={world.signed_in(world.user(tenant)).cookies['wafast']}"
    with _socket(world, cookie=cookie, origin=world.url) as socket:
        assert _next(socket)["code"] == "RESYNC"
    with (
        pytest.raises((InvalidStatus, ConnectionClosed)),
        _socket(world, cookie=cookie, origin="https://evil") as socket,
    ):
        socket.recv(timeout=30)


def test_nobody_gets_no_socket(world: World) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"cookie": "wafast=wrong"}):
        with pytest.raises((InvalidStatus, ConnectionClosed)), _socket(world, **headers) as socket:
            socket.recv(timeout=30)


def _figure(world: World, series: str) -> float:
    """A figure of the API process."""
    lines = world.anybody().get("/metrics").text.splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{series} "))


def _until(ask: Callable[[], object]) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + 60
    while not ask():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def test_frames_resyncs_and_how_late_a_message_is_are_counted(tenant: Tenant) -> None:
    world = tenant.world
    names = ("wafast_frames_sent_total", 'wafast_resyncs_total{reason="new"}', "wafast_event_lag_seconds_count")
    before = [_figure(world, name) for name in names]
    behind, lag = (
        _figure(world, name) for name in ('wafast_resyncs_total{reason="behind"}', "wafast_event_lag_seconds_sum")
    )
    chat = tenant.chat(tenant.device())
    with _socket(world, authorization=_bearer(tenant)) as socket:
        assert _next(socket)["code"] == "RESYNC"
        _written(tenant, chat, "Hello")
        assert [_next(socket)["code"], _next(socket)["code"]] == ["NEW_MESSAGE", "CHAT_UPDATE"]
        _until(lambda: [_figure(world, name) for name in names] == [before[0] + 3, before[1] + 1, before[2] + 1])
        assert _figure(world, "wafast_sockets") >= 1
    assert 0 < _figure(world, "wafast_event_lag_seconds_sum") - lag < 60
    with _socket(world, "nothing:1", authorization=_bearer(tenant)) as socket:
        assert _next(socket)["code"] == "RESYNC"
    assert _figure(world, 'wafast_resyncs_total{reason="behind"}') == behind + 1


def test_a_browser_that_does_not_read_is_cut_and_nobody_waits_for_it(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    keys = [tenant.message(chat, "x" * 4000) for _ in range(100)]
    cut = _figure(tenant.world, "wafast_sockets_cut_off_total")
    with (
        _socket(tenant.world, authorization=_bearer(tenant)) as slow,
        _socket(tenant.world, authorization=_bearer(tenant)) as quick,
    ):
        _next(slow)
        last = _sequence(_next(quick))
        for _ in range(60):
            tenant.world.publish({"k": "status", "t": tenant.id, "d": chat.device.no, "c": chat.id, "m": keys})
            frames = [_next(quick) for _ in keys]
            assert {frame["code"] for frame in frames} == {"MESSAGE_STATUS"}
            assert [_sequence(frame) for frame in frames] == list(range(last + 1, last + len(keys) + 1)), "in order"
            last += len(keys)
        _until(lambda: _figure(tenant.world, "wafast_sockets_cut_off_total") == cut + 1)
        read = 0
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                slow.recv(timeout=30)
                read += 1
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4008, (read, closed.value)
    assert read < 60 * len(keys)
