"""People of a workspace: who may come in, what they may do, which devices they see."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from tests.integration.api.world import Tenant, World


def _admin(tenant: Tenant) -> httpx.Client:
    return tenant.world.signed_in(tenant.world.user(tenant))


def _added(admin: httpx.Client, **more: Any) -> dict[str, Any]:
    wanted = {"name": "Aina", "email": f"aina{uuid4().hex}@example.com", "role": "agent"} | more
    answer = admin.post("/api/v1/users", json=wanted)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def _browser(world: World, user: dict[str, Any]) -> httpx.Client:
    browser = world.anybody()
    answer = browser.post("/api/v1/session", json={"email": user["email"], "password": user["password"]})
    assert answer.status_code == 200, answer.text
    return browser


def test_a_person_who_was_added_signs_in_with_the_password_shown_once(tenant: Tenant) -> None:
    admin = _admin(tenant)
    made = _added(admin)
    assert _browser(tenant.world, made).get("/api/v1/session").json()["user"]["role"] == "agent"
    listed = admin.get("/api/v1/users").json()["items"]
    assert listed[0]["id"] == made["id"]
    assert all("password" not in one for one in listed)
    stored = tenant.world.sql("SELECT password_hash FROM users WHERE email = $1", made["email"])
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$"), "so much work is each guess"
    assert tenant.world.sql("SELECT count(*) FROM audit_log WHERE action = 'user.create' AND tenant_id = $1", tenant.id)


def test_an_agent_limited_to_devices_sees_only_those(tenant: Tenant) -> None:
    mine, other = tenant.device(), tenant.device(name="Other")
    seen, hidden = tenant.chat(mine), tenant.chat(other)
    tenant.message(seen)
    key = tenant.message(hidden, kind="document", media={"mime": "text/plain", "ext": "txt"})
    browser = _browser(tenant.world, _added(_admin(tenant), device_ids=[str(mine.id)]))
    assert [one["id"] for one in browser.get("/api/v1/devices").json()["items"]] == [str(mine.id)]
    assert [one["id"] for one in browser.get("/api/v1/chats").json()["items"]] == [str(seen.id)]
    for path in (f"/api/v1/chats/{hidden.id}", f"/api/v1/chats/{hidden.id}/notes", f"/media/{hidden.id}-{key}.txt"):
        assert browser.get(path).status_code == 404
    assert browser.get("/api/v1/chats", params={"device_id": str(other.id)}).status_code == 404


def test_whose_last_device_is_deleted_sees_none_and_is_not_limited_to_what_is_gone(tenant: Tenant) -> None:
    gone, stays = tenant.device(), tenant.device(name="Other")
    admin = _admin(tenant)
    one = _added(admin, device_ids=[str(gone.id)])
    both = _added(admin, device_ids=[str(stays.id), str(gone.id)])
    key = admin.post("/api/v1/keys", json={"name": "CRM", "scope": "read", "device_ids": [str(gone.id)]}).json()
    assert admin.delete(f"/api/v1/devices/{gone.id}").status_code == 204
    listed = {person["id"]: person["device_ids"] for person in admin.get("/api/v1/users").json()["items"]}
    assert (listed[one["id"]], listed[both["id"]]) == ([], [str(stays.id)])
    assert _browser(tenant.world, one).get("/api/v1/devices").json()["items"] == []
    with_key = tenant.world.anybody()
    with_key.headers["X-API-Key"] = key["key"]
    assert with_key.get("/api/v1/devices").json()["items"] == []
    again = admin.patch(f"/api/v1/users/{both['id']}", json={"device_ids": listed[both["id"]]})
    assert again.status_code == 200, again.text


def test_a_viewer_reads_and_changes_nothing(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    browser = _browser(tenant.world, _added(_admin(tenant), role="viewer"))
    assert browser.get(f"/api/v1/chats/{chat.id}").status_code == 200
    assert browser.patch(f"/api/v1/chats/{chat.id}", json={"is_open": False}).status_code == 403
    assert browser.post(f"/api/v1/chats/{chat.id}/notes", json={"text": "Hi"}).status_code == 403
    sent = {"device_id": str(chat.device.id), "to": chat.jid, "text": "Hi"}
    assert browser.post("/api/v1/messages", json=sent).status_code == 403
    assert browser.get("/api/v1/users").status_code == 403


def test_a_change_of_role_and_devices_holds_at_once_and_takes_chats_away(tenant: Tenant) -> None:
    device, other = tenant.device(), tenant.device(name="Other")
    chat = tenant.chat(device)
    tenant.message(chat)
    admin = _admin(tenant)
    made = _added(admin)
    browser = _browser(tenant.world, made)
    assert browser.patch(f"/api/v1/chats/{chat.id}", json={"assignee_id": made["id"]}).status_code == 200
    answer = admin.patch(f"/api/v1/users/{made['id']}", json={"name": "Aina B.", "device_ids": [str(other.id)]})
    assert (answer.json()["name"], answer.json()["device_ids"]) == ("Aina B.", [str(other.id)])
    assert browser.get(f"/api/v1/chats/{chat.id}").status_code == 404
    assert admin.get(f"/api/v1/chats/{chat.id}").json()["assignee_id"] is None
    admin.patch(f"/api/v1/users/{made['id']}", json={"role": "viewer", "device_ids": None})
    assert browser.get(f"/api/v1/chats/{chat.id}").status_code == 200
    assert browser.patch(f"/api/v1/chats/{chat.id}", json={"is_open": False}).status_code == 403


def test_a_removed_person_is_out_at_once(tenant: Tenant) -> None:
    admin = _admin(tenant)
    made = _added(admin)
    browser = _browser(tenant.world, made)
    assert admin.delete(f"/api/v1/users/{made['id']}").status_code == 204
    assert browser.get("/api/v1/session").status_code == 401
    assert made["id"] not in [one["id"] for one in admin.get("/api/v1/users").json()["items"]]


def test_a_new_password_ends_the_old_one_and_every_login(tenant: Tenant) -> None:
    admin = _admin(tenant)
    made = _added(admin)
    browser = _browser(tenant.world, made)
    given = admin.post(f"/api/v1/users/{made['id']}/password").json()["password"]
    assert browser.get("/api/v1/session").status_code == 401
    assert _browser(tenant.world, made | {"password": given}).get("/api/v1/session").status_code == 200


def test_an_administrator_cannot_take_away_their_own_rights(tenant: Tenant) -> None:
    admin = _admin(tenant)
    me = admin.get("/api/v1/session").json()["user"]["id"]
    assert admin.delete(f"/api/v1/users/{me}").json()["type"].endswith("yourself")
    assert admin.patch(f"/api/v1/users/{me}", json={"role": "agent"}).status_code == 409
    last = tenant.client().delete(f"/api/v1/users/{me}")
    assert (last.status_code, last.json()["type"]) == (409, "urn:wafast:problem:last-administrator")
    limited = admin.patch(f"/api/v1/users/{me}", json={"device_ids": [str(tenant.device().id)]})
    assert limited.status_code == 400, limited.text


def test_a_person_of_another_workspace_keeps_name_and_password(tenant: Tenant, stranger: Tenant) -> None:
    email = tenant.world.user(stranger, role="agent")
    admin = _admin(tenant)
    made = admin.post("/api/v1/users", json={"name": "Other", "email": email.upper()}).json()
    assert (made["password"], made["name"]) == (None, "Aisyah")
    refused = admin.post(f"/api/v1/users/{made['id']}/password")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:wafast:problem:elsewhere-too")
    assert admin.patch(f"/api/v1/users/{made['id']}", json={"name": "Mine now"}).status_code == 409
    assert admin.patch(f"/api/v1/users/{made['id']}", json={"role": "viewer"}).status_code == 200
    assert admin.post("/api/v1/users", json={"name": "Other", "email": email}).status_code == 409


def test_devices_that_are_not_there_are_named(tenant: Tenant, stranger: Tenant) -> None:
    foreign = str(stranger.device().id)
    wanted = {"name": "Aina", "email": "x@example.com", "device_ids": [foreign]}
    answer = _admin(tenant).post("/api/v1/users", json=wanted)
    assert answer.status_code == 404
    assert foreign in answer.json()["detail"]
